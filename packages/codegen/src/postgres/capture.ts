// All the SQL that captures one table's writes, in the shape the registry keeps it.
import type { TableCapture, TableModel } from "@grove-crdt/core";
import type { Names } from "../names";
import { systemTables, tablesBeside } from "./layout";
import { emitTable } from "./tables";
import { emitDelete } from "./triggers/delete";
import { emitInsert } from "./triggers/insert";
import type { Trigger } from "./triggers/parts";
import { emitTruncate } from "./triggers/truncate";
import { emitUpdate } from "./triggers/update";

/** Statements that create the `_grove_*` tables. */
export const emitSystem = (tables: readonly TableModel[]): string[] =>
  systemTables(tables).flatMap(emitTable).map(String);

/** Statements that create the tables beside `table`, and its trigger functions and triggers by name. */
export function emitCapture(table: TableModel, names: Names): TableCapture {
  const emitted: Trigger[] = [emitInsert(table), emitUpdate(table), emitDelete(table), emitTruncate(table)];
  return {
    tables: tablesBeside(table, names).flatMap(emitTable).map(String),
    functions: Object.fromEntries(emitted.map(({ name, body }) => [name, String(body)])),
    triggers: Object.fromEntries(emitted.map(({ name, trigger }) => [name, String(trigger)])),
  };
}
