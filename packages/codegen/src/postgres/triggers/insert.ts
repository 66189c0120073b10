// Rows came: log their keys. The fold reads what they say from the table itself.
import type { TableModel } from "@grove-crdt/core";
import { list, sql } from "../../sql";
import { emitGuardInsert, wrong } from "./guard";
import { intoLog, NEW, now, type Trigger, trigger, unlessMerging } from "./parts";

export const emitInsert = (table: TableModel): Trigger =>
  trigger({
    table,
    suffix: "insert",
    about: "Rows came: log their keys. The fold reads their values from the table.",
    event: sql`AFTER INSERT`,
    reads: ["new"],
    ...wrong(table),
    body: [
      unlessMerging,
      emitGuardInsert(table),
      sql`
        ${intoLog(table)}
        SELECT ${now}, 'I', ${list(table.key.map(NEW))}
        FROM new_rows AS n;
        RETURN NULL;
      `,
    ],
  });
