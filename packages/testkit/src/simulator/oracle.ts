// What must be true in the end, kept apart from the code under test: every increment, every value written with its
// stamp, every add of an element and which adds each removal had seen, every item of a list and whether anybody deleted it.
import { canonicalize, crdtTypes, type Json, type RowChange, type WireItem } from "@grove-crdt/core";

type Stamp = readonly [hlc: number, node: string];
const later = (a: Stamp, b: Stamp) => a[0] > b[0] || (a[0] === b[0] && a[1] > b[1]);

/** All lists of a row, those in documents as well. */
const listsIn = (state: RowChange | null): [name: string, items: readonly WireItem[]][] => [
  ...Object.entries(state?.list ?? {}),
  ...Object.entries(state?.document ?? {}).flatMap(([column, { list = [] }]) =>
    list.map(([path, items]): [string, readonly WireItem[]] => [`${column} ${path.join()}`, items]),
  ),
];

export class Oracle {
  /** Sum of all increments, by row. */
  readonly counted = new Map<string, number>();
  readonly #written = new Map<string, { stamp: Stamp; value: unknown }>();
  readonly #writes = new Set<string>();
  /** Dots of adds, by row and element; those that a removal had seen. */
  readonly #added = new Map<string, Set<string>>();
  readonly #removed = new Map<string, Set<string>>();

  /** Cards by their own ids, as the application wrote them, and every value that one was given. */
  readonly #cards = new Map<string, Map<string, { lives: boolean; readonly values: Set<string> }>>();
  /** Items by list and position, as shadows have them. */
  readonly #items = new Map<string, Map<string, boolean>>();

  count(row: string, delta: number): void {
    this.counted.set(row, (this.counted.get(row) ?? 0) + delta);
  }

  /** A value was written under this stamp. */
  wrote(row: string, stamp: Stamp, value: unknown): void {
    this.#writes.add(JSON.stringify([row, stamp, value]));
    const known = this.#written.get(row);
    if (!known || later(stamp, known.stamp)) this.#written.set(row, { stamp, value });
  }

  /** Whether this value was written under this stamp. */
  knows(row: string, stamp: Stamp, value: unknown): boolean {
    return this.#writes.has(JSON.stringify([row, stamp, value]));
  }

  /** The row's tags before and after a write on one node, as its shadow has them. */
  tagged(row: string, before: RowChange | null, after: RowChange | null): void {
    const dots = (change: RowChange | null) =>
      (change?.set?.tags ?? []).map(([element, hlc, node, removed]) => ({
        element: `${row} ${JSON.stringify(element)}`,
        dot: `${hlc} ${node}`,
        lives: removed === undefined || removed < hlc,
      }));
    const living = new Map(
      dots(before)
        .filter(({ lives }) => lives)
        .map(({ element, dot }) => [`${element} ${dot}`, { element, dot }]),
    );
    for (const { element, dot, lives } of dots(after)) {
      if (lives && !living.has(`${element} ${dot}`)) this.#note(this.#added, element, dot);
      if (!lives && living.has(`${element} ${dot}`)) this.#note(this.#removed, element, dot);
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
      const gone = this.#removed.get(element) ?? new Set();
      if ([...dots].some((dot) => !gone.has(dot))) present.push(element.slice(row.length + 1));
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
        for (const [id, , , ...rest] of items) {
          // A move is no item; an item without a value is deleted, whoever says so.
          if (rest.length === 0) known.set(id, false);
          else if (rest.length !== 2 && !known.has(id)) known.set(id, true);
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
}
