// Rows went: log their keys, and what deleted rows keep.
import { keptFields, type TableModel } from "@grove-crdt/core";
import { list, sql } from "../../sql";
import { printsUnsettled } from "./equality";
import { intoLog, now, OLD, oldRow, type Trigger, trigger, unlessMerging, valueSettings } from "./parts";

export const emitDelete = (table: TableModel): Trigger => {
  const old = oldRow(table);
  return trigger({
    table,
    suffix: "delete",
    about: "Rows went: log their keys.",
    event: sql`AFTER DELETE`,
    reads: ["old"],
    settings: keptFields(table).some(printsUnsettled) ? [valueSettings] : [],
    body: [
      unlessMerging,
      old
        ? sql`
            ${intoLog(table, "before")}
            SELECT ${now}, 'D', ${list(table.key.map(OLD))}, ${old}
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
};
