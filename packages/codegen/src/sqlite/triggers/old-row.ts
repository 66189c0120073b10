// What a row had when it went: all of it where another table refers to it with NO ACTION or RESTRICT, since then the deleted
// row may have to be shown, else what is fixed.
import { type ColumnModel, keptFields, type TableModel } from "@grove-crdt/core";
import { join, literal, newline, type Sql, sql } from "../../sql";

/** JSON of the columns that deleted rows keep; null where there are none. `side` names a column of the row that goes. */
export const oldRow = (table: TableModel, side: (column: ColumnModel) => Sql): Sql | null =>
  keptFields(table).length > 0
    ? sql`
        '{' || ${join(
          keptFields(table).map((field, n) =>
            oldValue(`${n === 0 ? "" : ","}${JSON.stringify(field.name)}:"`, side(field)),
          ),
          sql`${newline}|| `,
        )} || '}'
      `
    : null;

/** Text and bytes as hexadecimal digits, so that every one of them arrives; numbers and NULL as SQL writes them. */
const oldValue = (label: string, value: Sql): Sql =>
  sql`${literal(label)} || CASE typeof(${value}) WHEN 'text' THEN 't' || hex(${value}) WHEN 'blob' THEN 'b' || hex(${value}) ELSE quote(${value}) END || '"'`;
