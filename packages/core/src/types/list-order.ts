// The order of a list's positions: a walk through the tree of their parents.
// Source: Weidner and Kleppmann 2023, "The Art of the Fugue", algorithm 1.
import type { Entry } from "../entry";

type Placed = readonly [parent: string | null, side: 0 | 1, value?: unknown, item?: string];

const placedOf = (entry: Entry) => entry.state as unknown as Placed;
/** The id of the item that a move brings here; undefined of an item's own position. */
const moveTarget = (entry: Entry): string | undefined => placedOf(entry)[3];

/** Orders ids like their stamps: by clock, then by node. The clock is a number of base 36 without zeros in front. */
export function compareIds(a: string, b: string): number {
  return a.indexOf(".") - b.indexOf(".") || (a < b ? -1 : a > b ? 1 : 0);
}

/** A position with what stands below it: mostly nothing, or a single position to its right. */
interface Position {
  readonly entry: Entry;
  left: Position[] | undefined;
  right: Position[] | undefined;
}

export interface Shown {
  /** The entry that has the item's value. */
  readonly item: Entry;
  /** The position where it stands, by its place in the order: its own, or that of its latest move. */
  readonly at: number;
}

/** All positions in order, and the items that are not deleted. */
export interface Arranged {
  readonly order: readonly Position[];
  readonly shown: readonly Shown[];
}

export function arrange(entries: readonly Entry[]): Arranged {
  const positions = entries.map((entry): Position => ({ entry, left: undefined, right: undefined }));
  const known = findNamed(positions);
  const order = walk(positions, known);
  const stands = new Map<string, Entry>();
  for (const entry of entries) {
    const target = moveTarget(entry);
    if (target === undefined) continue;
    const other = stands.get(target);
    if (!other || compareIds(entry.key, other.key) > 0) stands.set(target, entry);
  }
  const shown: Shown[] = [];
  for (let at = 0; at < order.length; at++) {
    const { entry } = order[at] as Position;
    const target = moveTarget(entry);
    const item = target === undefined ? entry : known.get(target)?.entry;
    // An item, and neither deleted nor itself a move.
    if (!item || placedOf(item).length !== 3) continue;
    if (stands.size === 0 || (stands.get(item.key) ?? item) === entry) shown.push({ item, at });
  }
  return { order, shown };
}

/** Whether a position stands below the one that comes before it: mostly, as what is written in one go follows each other. */
const follows = (position: Position, previous: Position | undefined): boolean =>
  previous !== undefined && placedOf(position.entry)[0] === previous.entry.key;

/** By id the positions that others name, but for those that the next one follows: of a long list mostly few. */
function findNamed(positions: readonly Position[]): ReadonlyMap<string, Position | undefined> {
  const named = new Map<string, Position | undefined>();
  for (let n = 0; n < positions.length; n++) {
    const position = positions[n] as Position;
    const [parent] = placedOf(position.entry);
    if (parent !== null && !follows(position, positions[n - 1])) named.set(parent, undefined);
    const target = moveTarget(position.entry);
    if (target !== undefined) named.set(target, undefined);
  }
  if (named.size > 0)
    for (const position of positions) if (named.has(position.entry.key)) named.set(position.entry.key, position);
  return named;
}

const byId = (a: Position, b: Position) => compareIds(b.entry.key, a.entry.key);

/** The tree in order: what stands left of a position, the position, what stands right of it. */
function walk(positions: readonly Position[], known: ReadonlyMap<string, Position | undefined>): Position[] {
  const root: Position[] = [];
  let previous: Position | undefined;
  for (const position of positions) {
    const [parent, side] = placedOf(position.entry);
    const found = parent === null ? undefined : follows(position, previous) ? previous : known.get(parent);
    previous = position;
    // A parent that has not come yet: at the end, until it has.
    if (!found) root.push(position);
    else if (side === 1) {
      if (found.right) found.right.push(position);
      else found.right = [position];
    } else if (found.left) found.left.push(position);
    else found.left = [position];
  }
  const order: Position[] = [];
  // Not by recursion: a list that was only ever appended to is as deep as it is long.
  const open: Position[] = [];
  const push = (siblings: Position[]) => {
    if (siblings.length > 1) siblings.sort(byId);
    for (const position of siblings) open.push(position);
  };
  push(root);
  for (let next = open.pop(); next; next = open.pop()) {
    const { left } = next;
    if (left) {
      // The position itself comes when they are through.
      next.left = undefined;
      open.push(next);
      push(left);
      continue;
    }
    order.push(next);
    if (next.right) push(next.right);
  }
  return order;
}

/**
 * Places for new positions, which are asked for from the beginning of the list to its end: so what follows in the order is
 * the same for all that come after the same position.
 */
export class Places {
  readonly #order: readonly Position[];
  /** The known position that was passed last, by its place; -1 = none. */
  #at = -1;
  /** The new position that was placed last behind it. */
  #last: string | null = null;
  constructor({ order }: Arranged) {
    this.#order = order;
  }

  /** The next new position comes behind this known one. */
  pass(at: number): void {
    this.#at = at;
    this.#last = null;
  }

  /** Where a new position stands that comes next: behind what was passed or placed last. */
  place(key: string): [parent: string | null, side: 0 | 1] {
    const left = this.#last;
    this.#last = key;
    // Nothing stands below a position that is new.
    if (left !== null) return [left, 1];
    const known = this.#order[this.#at];
    const next = this.#order[this.#at + 1];
    // What follows stands below the one that was passed, or below the root, and has nothing to its left.
    if (next && (!known || known.right)) return [next.entry.key, 0];
    return [known ? known.entry.key : null, 1];
  }
}
