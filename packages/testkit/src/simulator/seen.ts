// What one database holds of the rows that the oracle accounts for. Of a counter some totals may stand together in one after a
// collection: which they are is told by what was there before.
import { CLOSED, type RowChange } from "@grove-crdt/core";
import { type Totals, totalsIn } from "./traces";

export interface Seen {
  /** Deletions stamped up to this are forgotten there; microseconds since 1970. Below 0: these rows are on record alone. */
  readonly level: number;
  /** By the oracle's name for the row; null = nothing is known of it. */
  readonly states: ReadonlyMap<string, RowChange | null>;
}

interface Closed {
  /** Of the collection that put it to the others. */
  readonly level: number;
  readonly total: readonly [up: number, down: number];
}

export class ClosedTotals {
  /** By row and incarnation. */
  readonly #known = new Map<string, Map<string, Closed>>();

  /** @throws Error when nodes put different totals of one incarnation together */
  collected(before: Seen, after: Seen): void {
    for (const [row, state] of before.states) {
      const left = totalsIn(after.states.get(row) ?? null);
      if (!left.has(CLOSED)) continue;
      const known = this.#known.get(row) ?? new Map<string, Closed>();
      this.#known.set(row, known);
      for (const [incarnation, total] of totalsIn(state)) {
        if (left.has(incarnation)) continue;
        const one = known.get(incarnation);
        if (one === undefined) known.set(incarnation, { level: after.level, total });
        else if (one.total.join() !== total.join())
          throw new Error(`${row}: of ${incarnation} one node has forgotten ${one.total}, and another one ${total}`);
      }
    }
  }

  /** All totals, each by itself. */
  totalsIn(row: string, { level, states }: Seen): Totals {
    const found = new Map(totalsIn(states.get(row) ?? null));
    if (!found.delete(CLOSED)) return found;
    for (const [incarnation, closed] of this.#known.get(row) ?? [])
      if (closed.level <= level) found.set(incarnation, closed.total);
    return found;
  }
}
