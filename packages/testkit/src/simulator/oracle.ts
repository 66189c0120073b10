// What must be true in the end, kept apart from the code under test: every increment, every value written with its
// stamp, every add of an element and which adds each removal had seen.
import type { RowChange } from "@grove-crdt/core";

type Stamp = readonly [hlc: number, node: string];
const later = (a: Stamp, b: Stamp) => a[0] > b[0] || (a[0] === b[0] && a[1] > b[1]);

export class Oracle {
  /** Sum of all increments, by row. */
  readonly counted = new Map<string, number>();
  readonly #written = new Map<string, { stamp: Stamp; value: unknown }>();
  readonly #writes = new Set<string>();
  /** Dots of adds, by row and element; those that a removal had seen. */
  readonly #added = new Map<string, Set<string>>();
  readonly #removed = new Map<string, Set<string>>();

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

  value(row: string): { stamp: Stamp; value: unknown } | undefined {
    return this.#written.get(row);
  }
}
