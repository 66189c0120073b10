// A row's whole state as people ask for it: what each column says, who wrote that and when, and what it is made of. Says nothing
// that the state does not: who took an element out of a set, or an item out of a list, is not kept.
import { sameValue } from "./canonical";
import type { RowChange, WireDocument, WireRegister } from "./change";
import { FIELD_PARTS } from "./change";
import type { Entry } from "./entry";
import type { CrdtTypeName, Json, TableModel } from "./model";
import { fieldNamed } from "./row";
import { RESERVED_NODE } from "./stamp";
import { along } from "./types/document-path";
import { crdtTypes } from "./types/index";
import { stampOfId } from "./types/list";
import { arrange } from "./types/list-order";

/** Who wrote something, and when: null and null for what no write made, a column's default or what was there before capture. */
export interface Written {
  /** The writer's node id. */
  readonly node: string | null;
  /** Microseconds since 1970. */
  readonly at: number | null;
}

/** What one node has counted, in all of its incarnations. Decimal strings. */
export interface NodeTotal extends Written {
  readonly up: string;
  readonly down: string;
  readonly incarnations: number;
}

/** A value and who wrote it last: a field, or a piece of one. */
export interface ExplainedPart {
  readonly type: CrdtTypeName;
  readonly value: Json;
  /** The latest write that it holds. */
  readonly written: Written;
  /** Of a counter: the value with which its row began, and what each node added since. */
  readonly birth?: Written & { readonly value: string };
  readonly totals?: readonly NodeTotal[];
  /** Of a set: its elements in their order, each with everybody who added it. */
  readonly elements?: readonly { readonly element: Json; readonly added: readonly Written[] }[];
  /** Of a list: its items in their order. */
  readonly items?: readonly ExplainedItem[];
  /** Of a document: what was written at each path and still shows. */
  readonly paths?: readonly (ExplainedPart & { readonly path: readonly string[] })[];
}

/** An item of a list, where it stands: who inserted, replaced and moved it last. */
export interface ExplainedItem {
  readonly item: Json;
  readonly added: Written;
  /** Who gave it its present value; null where it is the first. */
  readonly edited: Written | null;
  readonly moved: Written | null;
}

/** A field of a row as `node.explain()` tells it: value, type, last writer, and what its type keeps beneath. */
export interface ExplainedField extends ExplainedPart {
  /** The column's name in the database. */
  readonly field: string;
  /** This node's schema has the column. */
  readonly known: boolean;
}

/** A row as `node.explain()` tells it: whether it lives and shows, and each of its fields. */
export interface ExplainedRow {
  readonly table: string;
  readonly pk: readonly Json[];
  readonly lives: boolean;
  /** How often it was inserted. */
  readonly life: number;
  /** By whom and when it was inserted; of a deleted row, deleted. */
  readonly written: Written;
  /** In the order of the schema. A deleted row has few, or none. */
  readonly fields: readonly ExplainedField[];
}

const written = (hlc: number, node: string): Written =>
  node === RESERVED_NODE ? { node: null, at: null } : { node, at: hlc };

/** The latest of some, those before capture first. */
const latestOf = (all: readonly Written[]): Written =>
  all.reduce((a, b) => ((b.at ?? -1) > (a.at ?? -1) ? b : a), { node: null, at: null });

/** @param state as `node.inspect` gives it */
export function explainState(model: TableModel, state: RowChange): ExplainedRow {
  const { table, pk, cl, life } = state;
  const fields: ExplainedField[] = [];
  for (const type of FIELD_PARTS) {
    for (const [field, part] of Object.entries(state[type] ?? {})) {
      const explained = type === "lww" ? register(part as WireRegister, life) : explain(type, part as Json);
      fields.push({ field, known: fieldNamed(model, field) !== undefined, ...explained });
    }
  }
  const place = (name: string) => {
    const found = model.fields.findIndex((field) => field.name === name);
    return found < 0 ? model.fields.length : found;
  };
  fields.sort((a, b) => place(a.field) - place(b.field));
  const lives = cl % 2 === 1;
  return { table, pk, lives, life: Math.ceil(cl / 2), written: written(...life), fields };
}

function register([value, hlc, node]: WireRegister, [born, by]: readonly [number, string]): ExplainedPart {
  return { type: "lww", value, written: written(hlc ?? born, node ?? by) };
}

function explain(type: Exclude<CrdtTypeName, "lww">, part: Json): ExplainedPart {
  const entries = crdtTypes[type].decode(part);
  const common = {
    type,
    value: crdtTypes[type].materialize(entries),
    written: latestOf(entries.map(({ hlc, node }) => written(hlc, node))),
  };
  if (type === "counter") return { ...common, ...explainCounter(entries) };
  if (type === "set") return { ...common, elements: explainSet(entries, common.value as readonly Json[]) };
  if (type === "list") return { ...common, items: explainList(entries) };
  return { ...common, paths: explainDocument(part as unknown as WireDocument, common.value) };
}

function explainCounter(entries: readonly Entry[]): Pick<ExplainedPart, "birth" | "totals"> {
  const birth = entries.find(({ key }) => key === "");
  const nodes = new Map<string, NodeTotal>();
  for (const { key, node, hlc, state } of entries) {
    if (key === "") continue;
    const [up, down] = state as readonly [string, string];
    const known = nodes.get(node) ?? { node, at: 0, up: "0", down: "0", incarnations: 0 };
    nodes.set(node, {
      node,
      at: Math.max(known.at ?? 0, hlc),
      up: String(BigInt(known.up) + BigInt(up)),
      down: String(BigInt(known.down) + BigInt(down)),
      incarnations: known.incarnations + 1,
    });
  }
  const totals = [...nodes.values()].sort((a, b) => ((a.node as string) < (b.node as string) ? -1 : 1));
  return { ...(birth && { birth: { value: birth.state as string, ...written(birth.hlc, birth.node) } }), totals };
}

function explainSet(entries: readonly Entry[], value: readonly Json[]): ExplainedPart["elements"] {
  const living = entries.filter(({ hlc, state }) => hlc > (state as number));
  return value.map((element) => ({
    element,
    added: living
      .filter(({ key }) => sameValue(JSON.parse(key) as Json, element))
      .map(({ hlc, node }) => written(hlc, node)),
  }));
}

function explainList(entries: readonly Entry[]): readonly ExplainedItem[] {
  const { order, shown } = arrange(entries);
  return shown.map(({ item, at }) => {
    const made = (id: string) => {
      const stamp = stampOfId(id);
      return stamp ? written(stamp.hlc, stamp.node) : written(0, RESERVED_NODE);
    };
    const added = made(item.key);
    const last = written(item.hlc, item.node);
    const stands = (order[at] as (typeof order)[number]).entry.key;
    return {
      item: (item.state as readonly Json[])[2] as Json,
      added,
      edited: last.at === added.at && last.node === added.node ? null : last,
      moved: stands === item.key ? null : made(stands),
    };
  });
}

function explainDocument({ values = [], ...typed }: WireDocument, whole: Json): ExplainedPart["paths"] {
  const paths: (ExplainedPart & { readonly path: readonly string[] })[] = [];
  const stands = (path: readonly string[]): Json | undefined => {
    const found = [...along(whole, path)];
    return found.length === path.length ? found.at(-1) : undefined;
  };
  for (const type of ["counter", "set", "list"] as const) {
    for (const [path, part] of typed[type] ?? []) {
      const own = explain(type, part as unknown as Json);
      const seen = stands(path);
      const wanted = type === "counter" ? Number(own.value) : own.value;
      if (seen !== undefined && sameValue(seen, wanted)) paths.push({ path, ...own });
    }
  }
  for (const [path, hlc, node, ...[value, isTyped]] of values) {
    const seen = stands(path);
    if (isTyped === 1 || value === undefined || seen === undefined || !sameValue(seen, value)) continue;
    paths.push({ path, type: "lww", value, written: written(hlc, node) });
  }
  return paths.sort((a, b) => (JSON.stringify(a.path) < JSON.stringify(b.path) ? -1 : 1));
}
