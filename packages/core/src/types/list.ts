// list: items in an order that everybody can change; a moved item is never doubled, and concurrent runs stay whole.
// State: positions, each an entry of its own that never changes its place: the item that was inserted there, with its
// value as a register, or a move of an item to it. An item stands at the latest of its positions. Deleted is for good: the
// position stays without its value, since others may have been placed beside it.
// Join: the register by stamp; deleted wins. Becomes: the items that are not deleted, in the order of the tree.
// Sources: Kleppmann 2020, "Moving Elements in List CRDTs"; the tree of Weidner and Kleppmann 2023, "The Art of the
// Fugue", whose nodes cost the same wherever they are: beside the id, a parent and a side.
import { canonicalize } from "../canonical";
import type { WireItem } from "../change";
import { type ClockReading, type CrdtType, type Entry, UNNUMBERED, type WriteContext } from "../entry";
import type { Json } from "../model";
import { compareStamps, RESERVED_NODE } from "../stamp";
import { type Identity, isSameValue, matchItems } from "./list-match";
import { arrange, Places, type Shown } from "./list-order";
import { joinRegisters } from "./lww";

/** What a list's entries carry: parent, side; a value of an item that lives; null and the item's id of a move. */
type Item = readonly [parent: string | null, side: 0 | 1, value?: Json, item?: string];

const itemOf = (entry: Entry) => entry.state as unknown as Item;
const isDeleted = (entry: Entry): boolean => itemOf(entry).length === 2;

const rank = (entry: Entry): number => (isDeleted(entry) ? 2 : itemOf(entry).length === 4 ? 1 : 0);

/** The id of the position that was made under this stamp: its text sorts like the stamp, see {@link compareIds}. */
const idOf = (hlc: number, node: string): string => `${hlc.toString(36)}.${node}`;

/** The stamp of a position's id; null for what is none. */
export function stampOfId(id: string): { readonly hlc: number; readonly node: string } | null {
  const dot = id.indexOf(".");
  const hlc = Number.parseInt(id.slice(0, dot), 36);
  const node = id.slice(dot + 1);
  return dot > 0 && hlc >= 0 && Number.isSafeInteger(hlc) && idOf(hlc, node) === id ? { hlc, node } : null;
}

/** The id of the same position under another clock reading. */
function restampId(id: string, read: ClockReading): string {
  const stamp = stampOfId(id);
  return stamp ? idOf(read(stamp.hlc, stamp.node), stamp.node) : id;
}

const stampOf = ({ key }: Entry) => stampOfId(key) ?? { hlc: 0, node: RESERVED_NODE };

const position = (key: string, hlc: number, node: string, item: Item, cell?: number): Entry => ({
  key,
  hlc,
  node,
  state: item as unknown as Json,
  seq: UNNUMBERED,
  via: null,
  cell,
});

/** The entry of an item that is deleted: the same wherever and whenever it was. */
function deleted(entry: Entry): Entry {
  const [parent, side] = itemOf(entry);
  const { hlc, node } = stampOf(entry);
  return position(entry.key, hlc, node, [parent, side], entry.cell);
}

/** An item is told by its whole value, or by the value of its key where it has one. */
function identityBy(itemKey: string | undefined): Identity {
  if (itemKey === undefined) return { isSame: isSameValue, textOf: canonicalize };
  const keyOf = (item: Json): Json | undefined =>
    typeof item === "object" && item !== null && Object.hasOwn(item, itemKey)
      ? (item as { readonly [name: string]: Json })[itemKey]
      : undefined;
  return {
    isSame(a, b) {
      const [one, other] = [keyOf(a), keyOf(b)];
      if (one === undefined || other === undefined) return one === other && isSameValue(a, b);
      return isSameValue(one, other);
    },
    textOf(item) {
      const key = keyOf(item);
      return key === undefined ? canonicalize(item) : `#${canonicalize(key)}`;
    },
  };
}

/** Inserts one after the other, each after the one before. */
function insertAll(value: Json, stamp: (place: number) => readonly [hlc: number, node: string]): Entry[] {
  let parent: string | null = null;
  return (value as readonly Json[]).map((item, place) => {
    const [hlc, node] = stamp(place);
    const key = idOf(hlc, node);
    const entry = position(key, hlc, node, [parent, 1, item]);
    parent = key;
    return entry;
  });
}

/** The items of the value that the schema or the table had, from a place on: ids of others that were there before it. */
export const reservedItems = (value: Json, from = 0): Entry[] =>
  // Side by side below the root, in the order of their places.
  (value as readonly Json[]).map((item, place) =>
    position(idOf(from + place, RESERVED_NODE), from + place, RESERVED_NODE, [null, 1, item]),
  );

/** What changes where the list now reads `value`. */
function foldItems(
  entries: readonly Entry[],
  value: readonly Json[],
  context: WriteContext,
  itemKey: string | undefined,
): Entry[] {
  const arranged = arrange(entries);
  const { shown } = arranged;
  const before = shown.map(({ item }) => itemOf(item)[2] as Json);
  const { from, stays, gone } = matchItems(before, value, identityBy(itemKey), itemKey === undefined);
  const changed = gone.map((n) => deleted((shown[n] as Shown).item));
  const places = new Places(arranged);
  value.forEach((wanted, n) => {
    const known = shown[from[n] as number];
    if (known && !isSameValue(wanted, itemOf(known.item)[2] as Json)) {
      const [parent, side] = itemOf(known.item);
      changed.push(position(known.item.key, context.tick(), context.node, [parent, side, wanted], known.item.cell));
    }
    if (known && stays[n]) {
      places.pass(known.at);
      return;
    }
    const hlc = context.tick();
    const key = idOf(hlc, context.node);
    const [parent, side] = places.place(key);
    const item: Item = known ? [parent, side, null, known.item.key] : [parent, side, wanted];
    changed.push(position(key, hlc, context.node, item));
  });
  return changed;
}

const toWire = (entry: Entry): WireItem => {
  const { key, hlc, node } = entry;
  const [parent, side, value = null, item] = itemOf(entry);
  if (isDeleted(entry)) return [key, parent, side];
  if (item !== undefined) return [key, parent, side, null, item];
  const born = stampOf(entry);
  return born.hlc === hlc && born.node === node ? [key, parent, side, value] : [key, parent, side, value, hlc, node];
};

function fromWire(wire: WireItem): Entry {
  const [key, parent, side, value, item, author] = wire;
  const { hlc, node } = stampOfId(key) ?? { hlc: 0, node: RESERVED_NODE };
  if (wire.length === 3) return position(key, hlc, node, [parent, side]);
  if (wire.length === 5) return position(key, hlc, node, [parent, side, null, item as unknown as string]);
  if (wire.length === 4) return position(key, hlc, node, [parent, side, value as Json]);
  return position(key, item as number, author as string, [parent, side, value as Json]);
}

export const list: CrdtType = {
  name: "list",
  identity: ({ key }) => key,
  join(a, b) {
    // Of one id there is one kind of entry, unless somebody made it up.
    const order = rank(a) - rank(b);
    return order === 0 ? joinRegisters(a, b) : order > 0 ? a : b;
  },
  latest: ({ hlc }) => hlc,
  restamp(entry, read) {
    const [parent, side, ...rest] = itemOf(entry);
    const hlc = read(entry.hlc, entry.node);
    const [key, under, item] = [entry.key, parent, rest[1]].map((id) => id && restampId(id, read));
    if (hlc === entry.hlc && key === entry.key && under === parent && item === rest[1]) return entry;
    const state = [under, side, ...(item === undefined ? rest : [null, item])] as unknown as Json;
    return { ...entry, key: key as string, hlc, state };
  },
  writers(before, after) {
    const { node } = stampOf(after);
    // Anybody may delete an item that is known; nobody may tell of positions in another's name.
    if (!before) return node === after.node ? [node] : [node, after.node];
    if (isDeleted(after) || compareStamps(before, after) === 0) return [];
    return [after.node];
  },
  implicit: (value) => reservedItems(value),
  without: (constant, value) => [
    ...reservedItems(constant).map(deleted),
    ...reservedItems(value, (constant as readonly Json[]).length),
  ],
  isFirst: (entry) => entry.node === RESERVED_NODE && itemOf(entry).length === 3 && stampOf(entry).hlc === entry.hlc,
  create: (value, context) => insertAll(value, () => [context.tick(), context.node]),
  fold: (entries, value, context, { itemKey }) => foldItems(entries, value as readonly Json[], context, itemKey),
  materialize: (entries) => arrange(entries).shown.map(({ item }) => itemOf(item)[2] as Json),
  encode: (entries) => entries.map(toWire) as unknown as Json,
  decode: (wire) => (wire as unknown as readonly WireItem[]).map(fromWire),
};
