// A row changed its primary key: to everybody else, one row went and another came. Both keys are logged.
import type { TableModel } from "@grove-crdt/core";
import { comment, ident, list, type Sql, sql } from "../../sql";
import { oldRow } from "./old-row";
import { any, changed, isRowid, logRow, NEW, OLD, trigger } from "./parts";

export const emitKey = (table: TableModel): Sql => {
  return trigger({
    name: `_${table.name}_key`,
    about: comment("A row changed its key: one row went, another came."),
    event: isRowid(table) ? sql`AFTER UPDATE` : sql`AFTER UPDATE OF ${list(table.key.map(({ name }) => ident(name)))}`,
    table,
    when: [any(table.key.map(changed))],
    body: [logRow(table, "D", OLD, oldRow(table, OLD)), logRow(table, "I", NEW)],
  });
};
