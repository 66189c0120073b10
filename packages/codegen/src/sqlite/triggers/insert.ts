// A row came: log its key. The fold reads what it says from the table itself.
import type { TableModel } from "@grove-crdt/core";
import { comment, type Sql, sql } from "../../sql";
import { logRow, NEW, trigger } from "./parts";

export const emitInsert = (table: TableModel): Sql =>
  trigger({
    name: `_${table.name}_insert`,
    about: comment("A row came: log its key. The fold reads its values from the table."),
    event: sql`AFTER INSERT`,
    table,
    when: [],
    body: [logRow(table, "I", NEW)],
  });
