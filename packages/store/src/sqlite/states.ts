// Whole states of single rows on SQLite: what a peer asks for by key, and what its sums are compared with.
import { adoptedRow, isInView, type Json, type RowChange, type RowKey, type View, wholeState } from "@grove-crdt/core";
import { readBase, readRows, type StateReader } from "./read";
import type { Table } from "./table";

/** What binds to the key; null for a key that the table cannot have. */
function keyOf(table: Table, pk: readonly Json[]): unknown[] | null {
  if (pk.length !== table.model.key.length || pk.includes(null)) return null;
  try {
    return table.keyParams(pk);
  } catch {
    return null;
  }
}

/** In the order of the keys; null where nothing is known. The log must be empty. */
export function readStates(
  session: StateReader,
  tables: ReadonlyMap<string, Table>,
  keys: readonly RowKey[],
  view?: View,
): (RowChange | null)[] {
  const states: (RowChange | null)[] = keys.map(() => null);
  for (const table of new Set(keys.map(([name]) => tables.get(name)))) {
    if (!table) continue;
    const wanted = keys.flatMap(([name, pk], place) => {
      const key = name === table.model.name ? keyOf(table, pk) : null;
      return key ? [{ place, pk, key }] : [];
    });
    const params = wanted.map(({ key }) => key);
    const bases = readBase(session, table, params, [...params.keys()]);
    readRows(session, table, params).forEach(({ row, present }, n) => {
      const { place, pk } = wanted[n] as (typeof wanted)[number];
      // A row that is there and was never captured counts as adopted.
      const known = row ?? (present ? adoptedRow(0) : null);
      const values = bases.get(n) ?? {};
      const seen = view?.get(table.model.name);
      if (known && isInView(table.model, seen, pk, known, values))
        states[place] = wholeState(table.model, pk, known, values, seen?.fields);
    });
  }
  return states;
}
