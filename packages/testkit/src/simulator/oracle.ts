// What must be true in the end, kept apart from the code under test: every increment, every value written with its
// stamp, every add of an element and which adds each removal had seen, every item of a list and whether anybody deleted it.
import { canonicalize, crdtTypes, type Json, type RowChange } from "@grove-crdt/core";
import { Passing } from "./passing";
import { ClosedTotals, type Seen } from "./seen";
import { dotsIn, isDeleted, isItem, listsIn, type Stamp, titleOf } from "./traces";

const later = (a: Stamp, b: Stamp) => a[0] > b[0] || (a[0] === b[0] && a[1] > b[1]);

const readDot = (dot: string): Stamp => {
  const [hlc, node] = dot.split(" ") as [string, string];
  return [Number(hlc), node];
};

type Total = readonly [up: number, down: number];

/** Of each incarnation the most that anybody knows. */
function highest(all: readonly Iterable<readonly [string, Total]>[]): Map<string, Total> {
  const found = new Map<string, Total>();
  for (const totals of all)
    for (const [incarnation, [up, down]] of totals) {
      const [more, less] = found.get(incarnation) ?? [0, 0];
      found.set(incarnation, [Math.max(up, more), Math.max(down, less)]);
    }
  return found;
}

export class Oracle {
  /** Sum of all increments, by row. */
  readonly counted = new Map<string, number>();
  readonly #written = new Map<string, { stamp: Stamp; value: unknown }>();
  readonly #writes = new Map<string, { stamp: Stamp; value: unknown }[]>();
  /** Dots of adds, by row and element; those that a removal had seen. */
  readonly #added = new Map<string, Set<string>>();
  readonly #removed = new Map<string, Set<string>>();

  /** Cards by their own ids, as the application wrote them, and every value that one was given. */
  readonly #cards = new Map<string, Map<string, { lives: boolean; readonly values: Set<string> }>>();
  /** Items by list and position, as shadows have them. */
  readonly #items = new Map<string, Map<string, boolean>>();
  /** Rows that come and go, and never come again. */
  readonly passing = new Passing();
  readonly #closed = new ClosedTotals();
  /** By row the highest totals that may have been lost, and how much of them is. */
  readonly #most = new Map<string, Map<string, Total>>();
  readonly #lost = new Map<string, number>();

  /** A database has collected. */
  collected(before: Seen, after: Seen): void {
    this.#closed.collected(before, after);
    this.passing.collected(before, after);
  }

  /** All that must be, as one text: to see whether something was lost. */
  summary(): string {
    const rows = [...new Set([...this.#added.keys()].map((element) => element.slice(0, element.lastIndexOf(" "))))];
    return JSON.stringify([
      [...this.counted].sort(),
      [...this.#written].sort(),
      rows.map((row) => [row, this.elements(row)]),
      [...this.#items].map(([list, known]) => [list, [...known].filter(([, lives]) => lives)]),
      [...this.#cards].map(([row, cards]) => [row, [...cards].flatMap(([id, { lives }]) => (lives ? [id] : []))]),
      this.passing.living(),
    ]);
  }

  count(row: string, delta: number): void {
    this.counted.set(row, (this.counted.get(row) ?? 0) + delta);
  }

  /** A value was written under this stamp. */
  wrote(row: string, stamp: Stamp, value: unknown): void {
    const write = { stamp, value };
    this.#writes.set(row, [...(this.#writes.get(row) ?? []), write]);
    this.#overrule(row, write);
  }

  #overrule(row: string, write: { stamp: Stamp; value: unknown }): void {
    const known = this.#written.get(row);
    const isTie = known && !later(known.stamp, write.stamp) && !later(write.stamp, known.stamp);
    // Of equal stamps the greater bytes win.
    if (!known || later(write.stamp, known.stamp) || (isTie && String(write.value) > String(known.value)))
      this.#written.set(row, write);
  }

  /** Whether this value was written under this stamp. */
  knows(row: string, stamp: Stamp, value: unknown): boolean {
    const writes = this.#writes.get(row) ?? [];
    return writes.some((one) => one.value === value && one.stamp[0] === stamp[0] && one.stamp[1] === stamp[1]);
  }

  /** The row's tags before and after a write on one node, as its shadow has them. */
  tagged(row: string, before: RowChange | null, after: RowChange | null): void {
    const living = new Set(dotsIn(row, before).flatMap(({ name, lives }) => (lives ? [name] : [])));
    for (const { name, element, dot, lives } of dotsIn(row, after)) {
      if (lives && !living.has(name)) this.#note(this.#added, element, dot);
      if (!lives && living.has(name)) this.#note(this.#removed, element, dot);
    }
  }

  #note(map: Map<string, Set<string>>, element: string, dot: string): void {
    map.set(element, (map.get(element) ?? new Set()).add(dot));
  }

  /** Elements that must be there: some add of theirs was seen by no removal. */
  elements(row: string): string[] {
    const present: string[] = [];
    for (const [element, dots] of this.#added) {
      if (!element.startsWith(`${row} `)) continue;
      const gone = [...(this.#removed.get(element) ?? [])].map(readDot);
      // Whoever removed a node's later add removed its earlier ones, also those that the node, restored, knew no more.
      const isGone = ([hlc, node]: Stamp) => gone.some((one) => one[1] === node && one[0] >= hlc);
      if ([...dots].some((dot) => !isGone(readDot(dot)))) present.push(element.slice(row.length + 1));
    }
    return present.sort();
  }

  /** The application wrote cards. */
  carded(row: string, before: readonly { readonly id: string }[], after: readonly { readonly id: string }[]): void {
    const cards = this.#cards.get(row) ?? new Map();
    this.#cards.set(row, cards);
    const left = new Set(after.map(({ id }) => id));
    for (const { id } of before) if (!left.has(id)) cards.get(id).lives = false;
    for (const card of after) {
      const known = cards.get(card.id) ?? { lives: true, values: new Set() };
      cards.set(card.id, known);
      known.values.add(JSON.stringify(card));
    }
  }

  /** What is wrong with the cards that a row shows; null when nothing is. */
  cardsProblem(row: string, shown: readonly { readonly id: string }[]): string | null {
    const cards = this.#cards.get(row) ?? new Map();
    const wanted = [...cards].flatMap(([id, { lives }]) => (lives ? [id] : [])).sort();
    const ids = shown.map(({ id }) => id).sort();
    if (ids.join() !== wanted.join()) return `are ${ids.join()}; by the writes they must be ${wanted.join()}`;
    const odd = shown.find((card) => !cards.get(card.id).values.has(JSON.stringify(card)));
    return odd ? `have ${JSON.stringify(odd)}, which nobody wrote` : null;
  }

  /** The row's lists before and after a write on one node, as its shadow has them. */
  listed(row: string, before: RowChange | null, after: RowChange | null): void {
    const [was, is] = [listsIn(before), listsIn(after)];
    for (const lists of [was, is])
      for (const [name, items] of lists) {
        const known = this.#items.get(`${row} ${name}`) ?? new Map<string, boolean>();
        this.#items.set(`${row} ${name}`, known);
        for (const item of items) {
          const [id] = item;
          // An item without a value is deleted, whoever says so.
          if (isDeleted(item)) known.set(id, false);
          else if (isItem(item) && !known.has(id)) known.set(id, true);
        }
      }
  }

  /** What is wrong with the lists of a row's final state; null when nothing is. */
  listsProblem(row: string, state: RowChange): string | null {
    for (const [name, items] of listsIn(state)) {
      const known = this.#items.get(`${row} ${name}`) ?? new Map<string, boolean>();
      const lives = new Set([...known].flatMap(([id, own]) => (own ? [id] : [])));
      const values = new Map(items.map(([id, , , ...rest]) => [id, rest]));
      for (const id of lives)
        if (![1, 3].includes(values.get(id)?.length ?? 0)) return `${name}: ${id} is lost or deleted, which nobody did`;
      for (const [id, own] of known)
        if (!own && values.get(id)?.length) return `${name}: ${id} was deleted and is there`;
      const shown = crdtTypes.list.materialize(crdtTypes.list.decode(items as unknown as Json)) as readonly Json[];
      const wanted = [...values.values()].flatMap((rest) => ([1, 3].includes(rest.length) ? [rest[0] as Json] : []));
      const texts = (all: readonly Json[]) => all.map(canonicalize).sort().join();
      if (texts(shown) !== texts(wanted)) return `${name}: ${texts(shown)} are shown, and ${texts(wanted)} are there`;
    }
    return null;
  }

  value(row: string): { stamp: Stamp; value: unknown } | undefined {
    return this.#written.get(row);
  }

  /**
   * Databases were put back, or began anew: what nobody has any more is lost, and only that. What comes back after all is not.
   *
   * @param before the rows as those databases had them
   * @param others the rows as every database has them now
   */
  lose(before: readonly Seen[], others: readonly Seen[]): void {
    for (const row of new Set(before.flatMap(({ states }) => [...states.keys()]))) {
      const left = others.map(({ states }) => states.get(row) ?? null);
      this.#loseCounts(row, before, others);
      this.#loseTitle(row, left);
      this.#loseTags(row, left);
      this.#loseItems(row, left);
    }
    this.passing.lose(others);
  }

  #loseCounts(row: string, before: readonly Seen[], others: readonly Seen[]): void {
    // Of a row that may be deleted nobody counts anything.
    if (!this.counted.has(row)) return;
    const most = this.#most.get(row) ?? new Map<string, Total>();
    this.#most.set(row, most);
    const has = highest(others.map((one) => this.#closed.totalsIn(row, one)));
    for (const [incarnation, total] of highest([most, ...before.map((one) => this.#closed.totalsIn(row, one))]))
      most.set(incarnation, total);
    const lost = [...most].reduce((sum, [incarnation, [up, down]]) => {
      const [more, less] = has.get(incarnation) ?? [0, 0];
      return sum + Math.max(up - more, 0) - Math.max(down - less, 0);
    }, 0);
    this.count(row, (this.#lost.get(row) ?? 0) - lost);
    this.#lost.set(row, lost);
  }

  #loseTitle(row: string, left: readonly (RowChange | null)[]): void {
    const writes = this.#writes.get(row);
    if (!writes) return;
    const known = left.map(titleOf).filter((stamp) => stamp !== null);
    // What was overruled by what is known is as good as known.
    const latest = known.reduce((one, other) => (later(other, one) ? other : one), [0, ""] as Stamp);
    const kept = writes.filter(({ stamp }) => !later(stamp, latest));
    this.#writes.set(row, kept);
    this.#written.delete(row);
    for (const write of kept) this.#overrule(row, write);
  }

  #loseTags(row: string, left: readonly (RowChange | null)[]): void {
    const known = left.flatMap((state) => dotsIn(row, state));
    const isKnown = (element: string, dot: string, isGone: boolean) => {
      const [hlc, node] = readDot(dot);
      return known.some(
        (one) => one.element === element && one.node === node && (isGone ? one.removed : one.hlc) >= hlc,
      );
    };
    for (const [map, isGone] of [[this.#added, false] as const, [this.#removed, true] as const])
      for (const [element, dots] of map)
        if (element.startsWith(`${row} `))
          map.set(element, new Set([...dots].filter((dot) => isKnown(element, dot, isGone))));
  }

  #loseItems(row: string, left: readonly (RowChange | null)[]): void {
    const lists = left.flatMap(listsIn);
    for (const [name, known] of this.#items) {
      if (!name.startsWith(`${row} `)) continue;
      const items = lists.flatMap(([list, some]) => (`${row} ${list}` === name ? some.filter(isItem) : []));
      for (const id of known.keys()) {
        const own = items.filter((item) => item[0] === id);
        if (own.length === 0) known.delete(id);
        else known.set(id, !own.some(isDeleted));
      }
    }
    const cards = this.#cards.get(row);
    if (!cards) return;
    const items = lists.flatMap(([list, some]) => (list === "cards" ? some.filter(isItem) : []));
    const deleted = new Set(items.filter(isDeleted).map(([id]) => id));
    const idOf = (item: (typeof items)[number]) => (item[3] as unknown as { id?: string } | undefined)?.id;
    for (const [id, card] of cards) card.lives = items.some((item) => idOf(item) === id && !deleted.has(item[0]));
  }
}
