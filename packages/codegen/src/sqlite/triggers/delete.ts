// A row went: log its key, and what it had where a deleted row may have to be shown.
import type { TableModel } from "@grove-crdt/core";
import { comment, type Sql, sql } from "../../sql";
import { oldRow } from "./old-row";
import { logRow, OLD, trigger } from "./parts";

export const emitDelete = (table: TableModel): Sql =>
  trigger({
    name: `_${table.name}_delete`,
    about: comment(table.keepsDeleted ? "A row went: log its key and what it had." : "A row went: log its key."),
    event: sql`AFTER DELETE`,
    table,
    when: [],
    body: [logRow(table, "D", OLD, oldRow(table, OLD))],
  });
