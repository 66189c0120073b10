// A row's whole state as plain data, and the pure functions on it that generated/ gives types to. They call the same
// decisions as the stores do; nothing about merging is said twice.

import { canonicalize } from "./canonical";
import type { RowChange } from "./change";
import { GroveError } from "./errors";
import { decideMerge, needsBase } from "./merge";
import type { Json, TableModel } from "./model";
import { isAlive, lifeOf, type Row, rowValues } from "./row";
import { rowToChange } from "./serve";
import { sortedState } from "./sorted";

const CONTEXT = { seq: 1, from: null } as const;

function load(model: TableModel, state: RowChange): { row: Row; values: Record<string, Json> } {
  const { row, base } = decideMerge(model, { row: null, present: false }, state, CONTEXT);
  return { row, values: base.op === "insert" ? { ...base.values } : {} };
}

/**
 * The least upper bound of two whole states of one row, as `node.inspect` gives them: commutative, associative and
 * idempotent.
 *
 * @throws GroveError `bad_change` when the states are of different rows
 */
export function mergeStates<State extends RowChange>(model: TableModel, a: State, b: State): State {
  if (a.table !== b.table || canonicalize(a.pk) !== canonicalize(b.pk)) {
    throw new GroveError(
      "bad_change",
      `${a.table} ${canonicalize(a.pk)} and ${b.table} ${canonicalize(b.pk)} are different rows. Merge states of one row.`,
    );
  }
  const [first, second] = a.cl <= b.cl ? [a, b] : [b, a];
  const later = lifeOf(model, second) > lifeOf(model, first);
  const { row, values } = load(model, later ? second : first);
  if (later)
    return sortedState(rowToChange(model, a.pk, row, values, { floor: 0, exclude: null }) as RowChange) as State;
  const local = {
    row,
    present: isAlive(row),
    values: needsBase(model, row, second) ? rowValues(model, row, values) : values,
  };
  const merged = decideMerge(model, local, second, CONTEXT);
  const after = merged.base.op === "update" ? { ...values, ...merged.base.values } : values;
  return sortedState(rowToChange(model, a.pk, merged.row, after, { floor: 0, exclude: null }) as RowChange) as State;
}

/** The values that a state stands for, by column name; null when the row is deleted. */
export function materializeState(model: TableModel, state: RowChange): Record<string, Json> | null {
  const { row, values } = load(model, state);
  if (!isAlive(row)) return null;
  const key = Object.fromEntries(model.key.map((column, n) => [column.name, state.pk[n] as Json]));
  return { ...key, ...rowValues(model, row, values) };
}
