// Revert: what becomes of a row when a write that a peer rejected is taken back. Afterwards the row is as the peer has it, but
// for what was written to it here besides. The one place where a node forgets what it once knew: whoever has heard of
// the rejected write from here still has it.
import {
  headOf,
  type RowChange,
  type WireCounter,
  type WireDocument,
  type WireElement,
  type WireItem,
  type WireRegister,
  type WireTotal,
} from "./change";
import { decideMerge, type Local, type Merged } from "./merge";
import type { CrdtTypeName, TableModel } from "./model";
import { isAlive } from "./row";

const sum = (a: string, b: string, c: string): string => String(BigInt(a) - BigInt(b) + BigInt(c));

/** What is left of our totals: those of the rejected change count no more, but as far as the peer knows them. */
function totalsWithout(mine: readonly WireTotal[], rejected: readonly WireTotal[], theirs: readonly WireTotal[]) {
  const of = (totals: readonly WireTotal[], [incarnation, node]: WireTotal) =>
    totals.find(([a, b]) => a === incarnation && b === node);
  return mine.map((total): WireTotal => {
    const gone = of(rejected, total);
    if (!gone) return total;
    const [incarnation, node, up, down, hlc] = total;
    const [, , knownUp = "0", knownDown = "0"] = of(theirs, total) ?? [];
    return [incarnation, node, sum(up, gone[2], knownUp), sum(down, gone[3], knownDown), hlc];
  });
}

function counterWithout(mine: WireCounter, rejected: WireCounter, theirs: WireCounter = {}): WireCounter {
  const { birth, totals } = mine;
  const isGone = birth && rejected.birth && birth[1] === rejected.birth[1] && birth[2] === rejected.birth[2];
  return {
    ...(birth && !isGone && { birth }),
    ...(totals && { totals: totalsWithout(totals, rejected.totals ?? [], theirs.totals ?? []) }),
  };
}

/** What a table of fields has of one: names like `constructor` are columns as well. */
const own = <T>(fields: Readonly<Record<string, T>> | undefined, name: string): T | undefined =>
  fields && Object.hasOwn(fields, name) ? fields[name] : undefined;

/** What is not in the other list. */
function without<T>(mine: readonly T[], gone: readonly T[] = []): T[] {
  const texts = new Set(gone.map((one) => JSON.stringify(one)));
  return mine.filter((one) => !texts.has(JSON.stringify(one)));
}

/** Of parts by path, that of one path. */
const partAt = <T>(parts: readonly (readonly [readonly string[], T])[] | undefined, path: readonly string[]) =>
  parts?.find(([other]) => JSON.stringify(other) === JSON.stringify(path))?.[1];

function documentWithout(mine: WireDocument, rejected: WireDocument, theirs: WireDocument = {}): WireDocument {
  const { values = [], counter = [], set = [], list = [] } = mine;
  return {
    values: without(values, rejected.values),
    counter: counter.map(([path, own]) => [
      path,
      counterWithout(own, partAt(rejected.counter, path) ?? {}, partAt(theirs.counter, path)),
    ]),
    set: set.map(([path, own]) => [path, without(own, partAt(rejected.set, path))]),
    list: list.map(([path, own]) => [path, without(own, partAt(rejected.list, path))]),
  };
}

/** The entries of a state that a rejected change did not bring. Stamps that were the life's own are said. */
function entriesWithout(mine: RowChange, rejected: RowChange, theirs: RowChange): Pick<RowChange, CrdtTypeName> {
  const stamped = ({ life }: RowChange, [value, hlc = life[0], node = life[1]]: WireRegister): WireRegister => [
    value,
    hlc,
    node,
  ];
  const lww: Record<string, WireRegister> = {};
  for (const [field, register] of Object.entries(mine.lww ?? {})) {
    const said = stamped(mine, register);
    const gone = own(rejected.lww, field);
    const [, hlc, node] = gone ? stamped(rejected, gone) : [];
    if (said[1] !== hlc || said[2] !== node) lww[field] = said;
  }
  const counter: Record<string, WireCounter> = {};
  for (const [field, value] of Object.entries(mine.counter ?? {}))
    counter[field] = counterWithout(value, own(rejected.counter, field) ?? {}, own(theirs.counter, field));
  const set: Record<string, readonly WireElement[]> = {};
  for (const [field, elements] of Object.entries(mine.set ?? {}))
    set[field] = without(elements, own(rejected.set, field));
  const list: Record<string, readonly WireItem[]> = {};
  for (const [field, items] of Object.entries(mine.list ?? {})) list[field] = without(items, own(rejected.list, field));
  const document: Record<string, WireDocument> = {};
  for (const [field, value] of Object.entries(mine.document ?? {}))
    document[field] = documentWithout(value, own(rejected.document, field) ?? {}, own(theirs.document, field));
  return { lww, counter, set, list, document };
}

export type Revert =
  /** The peer knows nothing of the row: it goes, and so does what the shadow has of it. */
  | { readonly kind: "forget"; readonly tombstone: RowChange }
  | {
      readonly kind: "replace";
      /** The row as the peer has it. */
      readonly changes: Merged;
      /** What was written here besides; to be merged as this node's own. */
      readonly rest: RowChange | null;
      /** Totals of this node went back: it counts on under another incarnation. */
      readonly recounts: boolean;
    }
  /** The rejected write was overruled here already, and there is nothing to take back. */
  | { readonly kind: "none" };

/**
 * @param mine the row's whole state here
 * @param rejected the change as the peer rejected it: only the columns that it rejected, or the whole
 * @param theirs the row's whole state at the peer; null when it has none that we may see
 * @param whole the peer took nothing of the change
 * @param peer the peer's node id
 */
export function decideRevert(
  model: TableModel,
  local: Local,
  mine: RowChange,
  rejected: RowChange,
  theirs: RowChange | null,
  { whole, peer, seq }: { readonly whole: boolean; readonly peer: string; readonly seq: number },
): Revert {
  const { table, pk, cl, life } = mine;
  const ours = whole && rejected.cl === cl && rejected.life[0] === life[0] && rejected.life[1] === life[1];
  if (!theirs) {
    if (!ours || !whole) return { kind: "none" };
    // Of a life by itself: the shadow's row is forgotten in the same transaction.
    return { kind: "forget", tombstone: { table, pk, cl: isAlive(mine) ? cl + 1 : cl + 2, life } };
  }
  const changes = decideMerge(model, { row: null, present: local.present }, theirs, { seq, from: peer });
  const row = { ...changes.row, id: local.row?.id ?? 0 };
  const entries = entriesWithout(mine, rejected, theirs);
  // A later life, or an end, that the peer did not reject stays; else the entries go into the peer's life.
  const kept = headOf(ours || cl === theirs.cl ? theirs : mine);
  const rest = ours && cl !== theirs.cl ? null : { ...kept, ...entries };
  const recounts =
    Object.keys(rejected.counter ?? {}).length > 0 ||
    Object.values(rejected.document ?? {}).some(({ counter = [] }) => counter.length > 0);
  return { kind: "replace", changes: { ...changes, row, clearCells: true }, rest, recounts };
}
