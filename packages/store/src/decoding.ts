// A change's key and value as the driver has them, the same in every dialect but for the printing of a value.
import { type ColumnModel, fieldNamed, type Json, type TableModel } from "@grove-crdt/core";

/** @returns by property of the Drizzle table; a column that the table does not have is left out, and so are counters and sets */
export function decodeRecord(
  model: TableModel,
  pk: readonly Json[],
  field: string,
  value: Json | undefined,
  print: (column: ColumnModel, value: Json) => unknown,
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  // Drivers give whole numbers of SQLite as numbers, whatever their size.
  const asGiven = (column: ColumnModel, value: Json) => {
    const printed = print(column, value);
    return typeof printed === "bigint" ? Number(printed) : printed;
  };
  model.key.forEach((column, n) => {
    values[column.property] = asGiven(column, pk[n] as Json);
  });
  const column = fieldNamed(model, field);
  if (column?.type === "lww" && value !== undefined) values[column.property] = asGiven(column, value);
  return values;
}
