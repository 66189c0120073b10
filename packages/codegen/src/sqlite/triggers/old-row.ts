// What a row had when it went: logged where another table refers to it with NO ACTION or RESTRICT, since then the deleted
// row may have to be shown.
import type { ColumnModel, TableModel } from "@grove-crdt/core";
import { join, literal, newline, type Sql, sql } from "../../sql";

/** JSON of all annotated columns; null where deleted rows keep nothing. `side` names a column of the row that goes. */
export const oldRow = (table: TableModel, side: (column: ColumnModel) => Sql): Sql | null =>
  table.keepsDeleted && table.fields.length > 0
    ? sql`
        '{' || ${join(
          table.fields.map((field, n) => oldValue(`${n === 0 ? "" : ","}${JSON.stringify(field.name)}:"`, side(field))),
          sql`${newline}|| `,
        )} || '}'
      `
    : null;

/** Text and bytes as hexadecimal digits, so that every one of them arrives; numbers and NULL as SQL writes them. */
const oldValue = (label: string, value: Sql): Sql =>
  sql`${literal(label)} || CASE typeof(${value}) WHEN 'text' THEN 't' || hex(${value}) WHEN 'blob' THEN 'b' || hex(${value}) ELSE quote(${value}) END || '"'`;
