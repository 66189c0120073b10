// The order of a list's positions: a walk through the tree of their parents.
// Source: Weidner and Kleppmann 2023, "The Art of the Fugue", algorithm 1.
import type { Entry } from "../entry";

type Placed = readonly [parent: string | null, side: 0 | 1, value?: unknown, item?: string];

const parentOf = (entry: Entry): string | null => (entry.state as unknown as Placed)[0];
const sideOf = (entry: Entry): 0 | 1 => (entry.state as unknown as Placed)[1];
/** The id of the item that a move brings here; undefined of an item's own position. */
const moveTarget = (entry: Entry): string | undefined => (entry.state as unknown as Placed)[3];

/** Orders ids like their stamps: by clock, then by node. The clock is a number of base 36 without zeros in front. */
export function compareIds(a: string, b: string): number {
  return a.indexOf(".") - b.indexOf(".") || (a < b ? -1 : a > b ? 1 : 0);
}

export interface Shown {
  /** The entry that has the item's value. */
  readonly item: Entry;
  /** The position where it stands: its own, or that of its latest move. */
  readonly at: Entry;
}

/** All positions in order, and the items that are not deleted. */
export function arrange(entries: readonly Entry[]): { readonly order: readonly Entry[]; readonly shown: Shown[] } {
  const order = walk(entries);
  const items = new Map<string, Entry>();
  const stands = new Map<string, Entry>();
  for (const entry of entries) {
    const target = moveTarget(entry);
    if (target === undefined) items.set(entry.key, entry);
    else {
      const known = stands.get(target);
      if (!known || compareIds(entry.key, known.key) > 0) stands.set(target, entry);
    }
  }
  const shown: Shown[] = [];
  for (const at of order) {
    const target = moveTarget(at);
    const item = items.get(target ?? at.key);
    if (item && (item.state as unknown as Placed).length === 3 && (stands.get(item.key) ?? item) === at)
      shown.push({ item, at });
  }
  return { order, shown };
}

/** The tree in order: what stands left of a position, the position, what stands right of it. */
function walk(entries: readonly Entry[]): Entry[] {
  const known = new Set<string>();
  for (const { key } of entries) known.add(key);
  const below = new Map<string | null, [left: Entry[], right: Entry[]]>();
  for (const entry of entries) {
    const parent = parentOf(entry);
    // A parent that has not come yet: at the end, until it has.
    const found = parent !== null && known.has(parent) ? parent : null;
    let sides = below.get(found);
    if (!sides) {
      sides = [[], []];
      below.set(found, sides);
    }
    sides[found === null ? 1 : sideOf(entry)].push(entry);
  }
  const byId = (a: Entry, b: Entry) => compareIds(b.key, a.key);
  const order: Entry[] = [];
  // Not by recursion: a list that was only ever appended to is as deep as it is long.
  const open: { readonly entry: Entry; readonly emit: boolean }[] = [];
  const push = (siblings: readonly Entry[]) => {
    for (const entry of siblings) open.push({ entry, emit: false });
  };
  push((below.get(null)?.[1] ?? []).sort(byId));
  for (let next = open.pop(); next; next = open.pop()) {
    const { entry, emit } = next;
    const sides = emit ? undefined : below.get(entry.key);
    if (!sides) {
      order.push(entry);
      continue;
    }
    push(sides[1].sort(byId));
    open.push({ entry, emit: true });
    push(sides[0].sort(byId));
  }
  return order;
}

/** The order while positions are being added to it. */
export class Places {
  readonly next = new Map<string | null, string>();
  readonly hasRight = new Set<string | null>();
  constructor(order: readonly Entry[]) {
    let last: string | null = null;
    const known = new Set(order.map(({ key }) => key));
    for (const entry of order) {
      this.next.set(last, entry.key);
      last = entry.key;
      const parent = parentOf(entry);
      if (parent === null || !known.has(parent)) this.hasRight.add(null);
      else if (sideOf(entry) === 1) this.hasRight.add(parent);
    }
  }
}

/** Where a new position goes that is to come directly after `left`; null = at the beginning. */
export function placeAfter(places: Places, left: string | null, key: string): [parent: string | null, side: 0 | 1] {
  const right = places.next.get(left);
  places.next.set(left, key);
  if (right !== undefined) places.next.set(key, right);
  // What follows stands below `left` and has nothing to its left.
  if (places.hasRight.has(left) && right !== undefined) return [right, 0];
  places.hasRight.add(left);
  return [left, 1];
}
