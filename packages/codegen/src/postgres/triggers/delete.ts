// Rows went: log their keys, and what they said where another table may still need to show them.
import type { TableModel } from "@grove-crdt/core";
import { list, sql } from "../../sql";
import { printsUnsettled } from "./equality";
import { intoLog, now, OLD, oldRow, type Trigger, trigger, unlessMerging, valueSettings } from "./parts";

export const emitDelete = (table: TableModel): Trigger =>
  trigger({
    table,
    suffix: "delete",
    about: "Rows went: log their keys.",
    event: sql`AFTER DELETE`,
    reads: ["old"],
    settings: table.keepsDeleted && table.fields.some(printsUnsettled) ? [valueSettings] : [],
    body: [
      unlessMerging,
      table.keepsDeleted
        ? sql`
            ${intoLog(table, "before")}
            SELECT ${now}, 'D', ${list(table.key.map(OLD))}, ${oldRow(table)}
            FROM old_rows AS o;
            RETURN NULL;
          `
        : sql`
            ${intoLog(table)}
            SELECT ${now}, 'D', ${list(table.key.map(OLD))}
            FROM old_rows AS o;
            RETURN NULL;
          `,
    ],
  });
