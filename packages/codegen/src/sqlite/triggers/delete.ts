// A row went: log its key.
import type { TableModel } from "@grove-crdt/core";
import { comment, type Sql, sql } from "../../sql";
import { logRow, OLD, trigger } from "./parts";

export const emitDelete = (table: TableModel): Sql =>
  trigger({
    name: `_${table.name}_delete`,
    about: comment("A row went: log its key."),
    event: sql`AFTER DELETE`,
    table,
    when: [],
    body: [logRow(table, "D", OLD)],
  });
