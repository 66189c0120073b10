// What was written to one field, by whom and when, and what became of it: read from a row's records.
import { canonicalize } from "./canonical";
import type { Entry } from "./entry";
import { type HistoryRecord, rowAfter } from "./history";
import type { RowThen } from "./history-row";
import { incomingFields } from "./incoming";
import type { CrdtTypeName, Json, TableModel } from "./model";
import { type FieldState, isAlive, lifeOf, registerOf, valueAt } from "./row";
import { RESERVED_NODE } from "./stamp";
import { type Path, readPath } from "./types/document-path";
import { crdtTypes } from "./types/index";
import { NOT_REMOVED } from "./types/set";

/** Stands = the row still says so. Overruled = another write took its place. Deleted = the row's life has ended since. */
export type Fate = "stands" | "overruled" | "deleted";

/** One write of a field, as far as this node heard of it. */
export interface FieldWrite {
  /** What it said; of a counter, a set, a list and a document what the field was with it. */
  readonly value: Json;
  /** Who wrote it; empty for a value from before capture; null where nobody can tell: who took an element out of a set. */
  readonly node: string | null;
  /** The clock reading of its stamp, microseconds since 1970. Of several that came together, the latest. */
  readonly hlc: number;
  /** When this node heard of it, by its own clock: microseconds since 1970. */
  readonly at: number;
  /** The peer that brought it; null = written here. */
  readonly from: string | null;
  /** What became of it. */
  readonly fate: Fate;
  /** Of a counter: by how much, as a decimal string. */
  readonly amount?: string;
  /** Of a set. */
  readonly added?: readonly Json[];
  readonly removed?: readonly Json[];
  /** Of a document: the paths that were written, names from the root on. */
  readonly paths?: readonly (readonly string[])[];
}

interface Said {
  readonly record: HistoryRecord;
  readonly type: CrdtTypeName;
  /** What nobody had said before, of one node. */
  readonly entries: readonly Entry[];
  /** What the same entries were before. */
  readonly before: ReadonlyMap<string, Entry>;
  /** The field with them. */
  readonly value: Json;
}

const textOf = (life: number, id: string, { hlc, node, state }: Entry): string =>
  canonicalize([life, id, hlc, node, state ?? null] as Json);

/**
 * The writes of a field, the oldest first. A column that the schema has no more is told by the name that it had.
 *
 * @param records the row's, the oldest first
 */
export function fieldHistory(model: TableModel, records: readonly HistoryRecord[], field: string): FieldWrite[] {
  const seen = new Set<string>();
  const said: Said[] = [];
  let then: RowThen | null = null;
  for (const record of records) {
    const { change, kind } = record;
    const before = then;
    then = rowAfter(model, then, record);
    if (kind === "gone") continue;
    const incoming = incomingFields(change).get(field);
    if (!incoming) continue;
    const { type } = incoming;
    const { identity } = crdtTypes[type];
    const life = lifeOf(model, change);
    const known = entriesIn(before, model, life, field);
    const after = kind === "overruled" ? incoming.entries : (fieldOf(then, field)?.entries ?? incoming.entries);
    for (const entries of byWriter(type, incoming.entries, known)) {
      const news = entries.filter((entry) => !seen.has(textOf(life, identity(entry), entry)));
      if (news.length === 0) continue;
      for (const entry of news) seen.add(textOf(life, identity(entry), entry));
      const value = type === "lww" ? (news[0]?.state as Json) : crdtTypes[type].materialize(after);
      said.push({ record, type, entries: news, before: known, value });
    }
  }
  return said.map((one) => toWrite(model, one, then, field));
}

/** By who wrote them, and of a set apart what was taken out: nobody knows by whom. */
function byWriter(type: CrdtTypeName, entries: readonly Entry[], known: ReadonlyMap<string, Entry>): Entry[][] {
  const groups = new Map<string, Entry[]>();
  for (const entry of entries) {
    const name = type === "set" && isRemoval(entry, known) ? "-" : entry.node;
    const group = groups.get(name) ?? [];
    groups.set(name, group);
    group.push(entry);
  }
  return [...groups.values()];
}

const isLiving = ({ hlc, state }: Entry): boolean => hlc > (state as number);
const isRemoval = (entry: Entry, known: ReadonlyMap<string, Entry>): boolean =>
  !isLiving(entry) && entry.state !== NOT_REMOVED && (known.get(crdtTypes.set.identity(entry))?.hlc ?? -1) <= entry.hlc;

const fieldOf = (then: RowThen | null, field: string): FieldState | undefined => then?.row.fields.get(field);

/** The field's entries by identity, if the row is still in that life. */
function entriesIn(then: RowThen | null, model: TableModel, life: number, field: string): ReadonlyMap<string, Entry> {
  const state = fieldOf(then, field);
  if (!then || !state || lifeOf(model, then.row) !== life) return new Map();
  const { identity } = crdtTypes[state.type];
  return new Map(state.entries.map((entry) => [identity(entry), entry]));
}

function toWrite(model: TableModel, said: Said, now: RowThen | null, field: string): FieldWrite {
  const { record, type, entries, value } = said;
  const [first] = entries as [Entry];
  const isTakenOut = type === "set" && isRemoval(first, said.before);
  return {
    value,
    node: isTakenOut ? null : first.node,
    hlc: Math.max(...entries.map((entry) => crdtTypes[type].latest(entry))),
    at: record.at,
    from: record.from,
    fate: fateOf(model, said, now, field),
    ...(type === "counter" && { amount: String(counted(said)) }),
    ...(type === "set" && { [isTakenOut ? "removed" : "added"]: elementsOf(entries) }),
    ...(type === "document" && { paths: pathsOf(entries) }),
  };
}

const elementsOf = (entries: readonly Entry[]): Json[] => [
  ...new Map(entries.map(({ key }) => [key, JSON.parse(key) as Json])).values(),
];

/** An entry's key begins with its path. */
const pathsOf = (entries: readonly Entry[]): Path[] =>
  [...new Set(entries.map(({ key }) => key.split("\n", 1)[0] as string))].map(readPath);

/** By how much the totals have grown; of a birth, its value. */
function counted({ entries, before }: Said): bigint {
  let amount = 0n;
  for (const entry of entries) {
    const known = before.get(crdtTypes.counter.identity(entry))?.state;
    if (entry.key === "") amount += BigInt(entry.state as string) - BigInt((known as string | undefined) ?? 0);
    else {
      const [up, down] = entry.state as [string, string];
      const [more, less] = (known as [string, string] | undefined) ?? ["0", "0"];
      amount += BigInt(up) - BigInt(more) - (BigInt(down) - BigInt(less));
    }
  }
  return amount;
}

function fateOf(model: TableModel, { record, type, entries }: Said, now: RowThen | null, field: string): Fate {
  const { change } = record;
  if (!now || !isAlive(now.row) || now.row.cl !== change.cl) return "deleted";
  if (type === "lww") {
    const [entry] = entries as [Entry];
    const mine = registerOf(now.row, field, valueAt(now.values, field));
    return mine.hlc === entry.hlc && mine.node === entry.node ? "stands" : "overruled";
  }
  const present = entriesIn(now, model, lifeOf(model, change), field);
  return entries.some((entry) => isStanding(type, entry, present)) ? "stands" : "overruled";
}

function isStanding(type: CrdtTypeName, entry: Entry, present: ReadonlyMap<string, Entry>): boolean {
  const mine = present.get(crdtTypes[type].identity(entry));
  if (!mine) return entry.node === RESERVED_NODE;
  // What was counted counts, however much was counted since.
  if (type === "counter" && entry.key !== "") return true;
  return mine.hlc === entry.hlc && mine.node === entry.node && (type !== "set" || mine.state === entry.state);
}
