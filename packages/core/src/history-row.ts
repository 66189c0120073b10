// A row in memory, made of changes as they came: what history needs of a row that is in no table any more.
import type { RowChange } from "./change";
import { decideMerge } from "./merge";
import type { Json, TableModel } from "./model";
import { isAlive, type Row, rowValues } from "./row";

/** A row as the records before a place make it. */
export interface RowThen {
  readonly row: Row;
  /** Canonical values of its columns. */
  readonly values: Readonly<Record<string, Json>>;
}

const CONTEXT = { seq: 1, from: null } as const;

/** The row once the change was merged into it, by the one rule that there is. */
export function rowOf(model: TableModel, before: RowThen | null, change: RowChange): RowThen {
  const [row, values] = before ? [before.row, rowValues(model, before.row, before.values)] : [null, {}];
  const merged = decideMerge(model, { row, present: isAlive(row), values }, change, CONTEXT);
  const { base } = merged;
  if (base.op === "delete") return { row: merged.row, values: {} };
  if (base.op === "insert") return { row: merged.row, values: base.values };
  return { row: merged.row, values: base.op === "update" ? { ...values, ...base.values } : values };
}
