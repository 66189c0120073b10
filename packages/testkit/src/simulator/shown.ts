// What the base tables must show, by the decision over all rows at once.
import {
  type Candidate,
  canonicalize,
  decideMerge,
  decideShown,
  isAlive,
  type Json,
  linkTables,
  type Registry,
  type RowChange,
  rowName,
  rowValues,
} from "@grove-crdt/core";

export interface Expected {
  /** Values of the rows that show, key left out, by table and key. */
  readonly shown: ReadonlyMap<string, Readonly<Record<string, Json>>>;
  /** Rows that live and do not show. */
  readonly parked: readonly string[];
}

const name = (table: string, pk: readonly Json[]) => `${table} ${canonicalize(pk)}`;

/** @param states each row's whole state */
export function expectShown(registry: Registry, states: Iterable<RowChange>): Expected {
  const links = linkTables(registry.tables);
  const names = new Map<string, string>();
  const candidates: Candidate[] = [];
  for (const state of states) {
    const { model } = links.get(state.table)!;
    const { row, base } = decideMerge(model, { row: null, present: false }, state, { seq: 1, from: null });
    if (!isAlive(row) && !(model.keepsDeleted && row.fields.size > 0)) continue;
    const key = Object.fromEntries(model.key.map((column, n) => [column.name, state.pk[n] as Json]));
    const values = { ...key, ...(base.op === "insert" ? base.values : rowValues(model, row, {})) };
    const id = rowName(state.table, state.pk);
    names.set(id, name(state.table, state.pk));
    candidates.push({ id, table: state.table, row, values });
  }
  const { shown } = decideShown(links, candidates);
  return {
    shown: new Map([...shown].map(([id, { values }]) => [names.get(id) as string, values])),
    parked: candidates.flatMap(({ id, row }) => (isAlive(row) && !shown.has(id) ? [names.get(id) as string] : [])),
  };
}
