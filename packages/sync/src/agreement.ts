// Agreeing without values: rows that a node adopted travel as sums, and only those whose sums differ are sent whole. What
// compares equal would change nothing if it were merged; what was written since only adds to it.
import { jsonLength, type RowChange, type RowKey, type RowSum, sumOf, type View } from "@grove-crdt/core";
import type { Store } from "@grove-crdt/store";

/** Rows whose whole states are in memory at a time. */
const STATES_PER_READ = 250;

/** The rows of which this database does not hold the very same state. */
export async function findUnequal(store: Store, sums: readonly RowSum[], view?: View): Promise<RowKey[]> {
  const unequal: RowKey[] = [];
  for (let start = 0; start < sums.length; start += STATES_PER_READ) {
    const some = sums.slice(start, start + STATES_PER_READ);
    const states = await store.states(
      some.map(([table, pk]): RowKey => [table, pk]),
      view,
    );
    some.forEach(([table, pk, sum], n) => {
      const state = states[n];
      if (!state || sumOf(state) !== sum) unequal.push([table, pk]);
    });
  }
  return unequal;
}

export interface WholeRows {
  readonly rows: readonly RowChange[];
  /** How many of the keys were looked up: those behind did not fit. */
  readonly taken: number;
}

/** Whole states of the first of these rows, within a page's bounds; a single larger row comes alone. */
export async function readWhole(
  store: Store,
  keys: readonly RowKey[],
  { rows: most, bytes }: { readonly rows: number; readonly bytes: number },
  view?: View,
): Promise<WholeRows> {
  const rows: RowChange[] = [];
  let size = 0;
  let taken = 0;
  while (taken < keys.length && rows.length < most) {
    const some = keys.slice(taken, taken + Math.min(STATES_PER_READ, most - rows.length));
    for (const state of await store.states(some, view)) {
      if (state) {
        size += jsonLength(state);
        if (rows.length > 0 && size > bytes) return { rows, taken };
        rows.push(state);
      }
      taken++;
    }
  }
  return { rows, taken };
}

/** Whether sums are worth it: once most of them differ, values may as well be sent at once. */
export const areMostlyEqual = (sums: number, unequal: number): boolean => unequal * 2 <= sums;
