// What the triggers have in common: when they keep still, what a log row is made of, how they see a change.
import {
  type ColumnModel,
  FIELDS_PER_MASK,
  type FieldModel,
  logTable,
  maskColumns,
  type TableModel,
} from "@grove-crdt/core";
import { keyColumn, system } from "../../layout";
import { empty, ident, join, lines, list, literal, newline, type Sql, sql } from "../../sql";

/** False while a merge writes. Without a row, that is before the node's first start, capture is on. */
export const captureIsOn = sql`(SELECT "capture" FROM ${ident(system.node)}) IS NOT 0`;

/** Microseconds since 1970. */
export const now = sql`CAST(unixepoch('subsec') * 1000000 AS INTEGER)`;

export const OLD = (column: ColumnModel): Sql => sql`OLD.${ident(column.name)}`;
export const NEW = (column: ColumnModel): Sql => sql`NEW.${ident(column.name)}`;

/** Byte for byte, also where the declared type carries a collation of its own. */
const exactly = (column: ColumnModel): Sql => (/\bcollate\b/i.test(column.sqlType) ? sql` COLLATE BINARY` : empty);

/** True where an update changed the column; to NULL and from NULL count. */
export const changed = (column: ColumnModel): Sql => sql`${OLD(column)}${exactly(column)} IS NOT ${NEW(column)}`;
/** True where an update left the column as it was. */
export const same = (column: ColumnModel): Sql => sql`${OLD(column)}${exactly(column)} IS ${NEW(column)}`;

/** `a AND b`, one to a line. */
export const all = (conditions: readonly Sql[]): Sql => join(conditions, sql`${newline}AND `);

/** `(a OR b)`, one to a line. */
export const any = (conditions: readonly Sql[]): Sql =>
  conditions.length === 1
    ? join(conditions, empty)
    : sql`
        (
          ${join(conditions, sql`${newline}OR `)}
        )
      `;

/** The log's columns that every write fills. */
export const logKey = (table: TableModel): Sql =>
  list([sql`"at"`, sql`"op"`, ...table.key.map((column) => ident(keyColumn(column.name)))]);

/** `INSERT INTO log` of one row for the key as `side` has it; `before` where it says something. */
export const logRow = (
  table: TableModel,
  op: "I" | "D",
  side: (column: ColumnModel) => Sql,
  before: Sql | null = null,
): Sql => sql`
  INSERT INTO ${ident(logTable(table.name))} (${list([logKey(table), ...(before ? [ident("before")] : [])])})
  VALUES (${list([now, literal(op), ...table.key.map(side), ...(before ? [before] : [])])});
`;

/** The mask columns, each with the expression that sets a bit for each changed field. */
export function masks(table: TableModel): { name: string; value: Sql }[] {
  return maskColumns(table.fields.length).map((name, n) => ({
    name,
    value: bits(table.fields.slice(n * FIELDS_PER_MASK, (n + 1) * FIELDS_PER_MASK)),
  }));
}

const bits = (fields: readonly FieldModel[]): Sql =>
  join(
    fields.map((field, bit) => sql`(${changed(field)})${bit === 0 ? empty : sql` * ${literal(2 ** bit)}`}`),
    sql`${newline}+ `,
  );

/** One key is a rowid alias: `UPDATE t SET rowid = …` changes it without naming it, so `UPDATE OF` would not see it. */
export const isRowid = (table: TableModel): boolean =>
  table.key.length === 1 && table.key[0]?.sqlType.toLowerCase() === "integer";

/** A whole trigger. `about` explains it to whoever finds it in the database. */
export const trigger = (parts: {
  name: string;
  about: Sql;
  event: Sql;
  table: TableModel;
  when: readonly Sql[];
  body: readonly Sql[];
}): Sql => sql`
  CREATE TRIGGER ${ident(parts.name)}
  ${parts.about}
  ${parts.event} ON ${ident(parts.table.name)}
  WHEN ${lines(captureIsOn, ...parts.when.map((condition) => sql`  AND ${condition}`))}
  BEGIN
    ${lines(...parts.body)}
  END
`;
