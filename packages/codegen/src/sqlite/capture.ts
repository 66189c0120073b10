// All the SQL that captures one table's writes, in the shape the registry keeps it.
import type { TableCapture, TableModel } from "@grove-crdt/core";
import type { Names } from "../names";
import type { Sql } from "../sql";
import { systemTables, tablesBeside } from "./layout";
import { emitTable } from "./tables";
import { emitDelete } from "./triggers/delete";
import { emitGuardInsert, emitGuardUpdate } from "./triggers/guard";
import { emitInsert } from "./triggers/insert";
import { emitKey } from "./triggers/key";
import { emitRebuildDelete, emitRebuildUpdate } from "./triggers/rebuild";
import { emitReplaceInsert, emitReplaceUpdate } from "./triggers/replace";
import { emitUpdate } from "./triggers/update";

/** Statements that create the `_grove_*` tables. */
export const emitSystem = (tables: readonly TableModel[]): string[] =>
  systemTables(tables).flatMap(emitTable).map(String);

/** Statements that create the tables beside `table`, and its triggers by name. */
export function emitCapture(table: TableModel, names: Names): TableCapture {
  const triggers: Record<string, Sql | null> = {
    [`_${table.name}_insert`]: emitInsert(table),
    [`_${table.name}_update`]: emitUpdate(table),
    [`_${table.name}_key`]: emitKey(table),
    [`_${table.name}_delete`]: emitDelete(table),
    [`_${table.name}_replace_insert`]: emitReplaceInsert(table),
    [`_${table.name}_replace_update`]: emitReplaceUpdate(table),
    [`_${table.name}_rebuild_delete`]: emitRebuildDelete(table),
    [`_${table.name}_rebuild_update`]: emitRebuildUpdate(table),
    [`_${table.name}_guard_insert`]: emitGuardInsert(table),
    [`_${table.name}_guard_update`]: emitGuardUpdate(table),
  };
  const emitted = Object.entries(triggers).flatMap(([name, text]) => (text ? [[name, String(text)] as const] : []));
  return { tables: tablesBeside(table, names).flatMap(emitTable).map(String), triggers: Object.fromEntries(emitted) };
}
