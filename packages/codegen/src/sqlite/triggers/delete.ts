// A row went: log its key, and what a deleted row keeps.
import { keptFields, type TableModel } from "@grove-crdt/core";
import { comment, type Sql, sql } from "../../sql";
import { oldRow } from "./old-row";
import { logRow, OLD, trigger } from "./parts";

export const emitDelete = (table: TableModel): Sql =>
  trigger({
    name: `_${table.name}_delete`,
    about: comment(about(table)),
    event: sql`AFTER DELETE`,
    table,
    when: [],
    body: [logRow(table, "D", OLD, oldRow(table, OLD))],
  });

function about(table: TableModel): string {
  if (table.keepsDeleted) return "A row went: log its key and what it had.";
  return keptFields(table).length > 0 ? "A row went: log its key and what was fixed." : "A row went: log its key.";
}
