// What the triggers have in common: how they keep still while a merge writes, what a log row is made of, how they see a
// change. Each is one per statement and reads all the rows that it wrote, which costs far less than one per row.
import {
  type ColumnModel,
  FIELDS_PER_MASK,
  type FieldModel,
  keptFields,
  logTable,
  maskColumns,
  type TableModel,
} from "@grove-crdt/core";
import { keyColumn } from "../../layout";
import { comment, empty, escaped, ident, join, lines, list, literal, newline, type Sql, sql } from "../../sql";
import { inPublic } from "../tables";
import { exactly } from "./equality";

export interface Trigger {
  /** Of the function and of the trigger alike. */
  readonly name: string;
  /** `CREATE OR REPLACE FUNCTION` */
  readonly body: Sql;
  /** `CREATE TRIGGER` */
  readonly trigger: Sql;
}

/** Microseconds since 1970, read once per statement. */
export const now = sql`(SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)`;

/** The row before and after the write; transition tables go by these names in every query. */
export const OLD = (column: ColumnModel): Sql => sql`o.${ident(column.name)}`;
export const NEW = (column: ColumnModel): Sql => sql`n.${ident(column.name)}`;

/** True where an update changed the column; to NULL and from NULL count. */
export const changed = (column: ColumnModel): Sql =>
  sql`${exactly(column, OLD(column))} IS DISTINCT FROM ${exactly(column, NEW(column))}`;

/** True where the old and the new row have one key. */
export const sameKey = (table: TableModel): Sql =>
  join(
    table.key.map((column) => sql`${exactly(column, OLD(column))} = ${exactly(column, NEW(column))}`),
    sql`${newline}AND `,
  );

/** Any column of the key: NULL in the outer join where that side has no row. */
export const keyOf = (table: TableModel): ColumnModel => table.key[0] as ColumnModel;

/** `INSERT INTO log` with the columns that every write fills, and `more`. */
export const intoLog = (table: TableModel, ...more: readonly string[]): Sql => {
  const columns = ["at", "op", ...table.key.map(({ name }) => keyColumn(name)), ...more];
  return sql`INSERT INTO ${inPublic(logTable(table.name))} (${list(columns.map(ident))})`;
};

/** The mask columns, each with the expression that sets a bit for each changed field. */
export const masks = (table: TableModel): { name: string; value: Sql }[] =>
  maskColumns(table.fields.length).map((name, n) => ({
    name,
    value: bits(table.fields.slice(n * FIELDS_PER_MASK, (n + 1) * FIELDS_PER_MASK)),
  }));

const bits = (fields: readonly FieldModel[]): Sql =>
  fields.length === 0
    ? literal(0)
    : join(
        fields.map((field, bit) => sql`CASE WHEN ${changed(field)} THEN ${literal(2 ** bit)} ELSE 0 END`),
        sql`${newline}+ `,
      );

/** `,"column":` as a constant: put together as text, since functions take 100 arguments and tables have more columns. */
const label = (field: FieldModel): Sql => escaped(`,${JSON.stringify(field.name)}:`);

/** `,"column":"old value as text"` */
export const oldValue = (field: FieldModel): Sql =>
  sql`${label(field)} || coalesce(to_json(${OLD(field)}::text)::text, 'null')`;

/** A JSON object of such parts; the first comma is cut off. */
export const jsonObject = (parts: readonly Sql[]): Sql => sql`
  '{' || substr(
    ${join(parts, sql`${newline}|| `)},
    2
  ) || '}'
`;

/** The columns that a deleted row keeps, as the old row has them; null where there are none. */
export const oldRow = (table: TableModel): Sql | null => {
  const kept = keptFields(table);
  return kept.length > 0 ? jsonObject(kept.map(oldValue)) : null;
};

const rows = { new: sql`NEW TABLE AS new_rows`, old: sql`OLD TABLE AS old_rows` } as const;

/** A function and its trigger. Bare events only: `UPDATE OF` and `WHEN` would stand in the way of DROP COLUMN. */
export function trigger(parts: {
  table: TableModel;
  suffix: string;
  /** Explains it to whoever finds it in the database. */
  about: string;
  event: Sql;
  reads: readonly ("old" | "new")[];
  /** Settings of the function besides its search path. Few: each costs time in every statement. */
  settings?: readonly Sql[];
  declare?: Sql;
  body: readonly Sql[];
}): Trigger {
  const name = `_${parts.table.name}_${parts.suffix}`;
  const referencing =
    parts.reads.length === 0
      ? empty
      : sql`REFERENCING ${join(
          parts.reads.map((side) => rows[side]),
          sql` `,
        )}`;
  return {
    name,
    body: dollarQuoted(sql`
      CREATE OR REPLACE FUNCTION ${inPublic(name)}() RETURNS trigger
      LANGUAGE plpgsql SECURITY DEFINER
      ${lines(searchPath, ...(parts.settings ?? []))}
      AS $grove$
      ${lines(comment(parts.about), parts.declare === undefined ? empty : sql`DECLARE ${parts.declare}`)}
      BEGIN
        ${lines(...parts.body)}
      END
      $grove$
    `),
    trigger: sql`
      CREATE TRIGGER ${ident(name)}
      ${lines(sql`${parts.event} ON ${inPublic(parts.table.name)}`, referencing)}
      FOR EACH STATEMENT EXECUTE FUNCTION ${inPublic(name)}()
    `,
  };
}

/** Whatever the writer's session says, names mean ours. */
const searchPath = sql`SET search_path = pg_catalog, public, pg_temp`;

/** For functions that turn values into text whose form would depend on the writer's session. */
export const valueSettings = sql`
  SET timezone = 'UTC'
  SET intervalstyle = 'postgres'
  SET bytea_output = 'hex'
  SET extra_float_digits = 1
  SET datestyle = 'ISO, MDY'
`;

/** What each function that captures begins with. */
export const unlessMerging = sql`
  -- A merge switches capture off for its own transaction.
  IF current_setting('grove.capture', true) = 'off' THEN RETURN NULL; END IF;
`;

/** Refuses a name that would end the function's body, which stands between two `$grove$`. */
function dollarQuoted(statement: Sql): Sql {
  if (String(statement).split("$grove$").length !== 3) throw new RangeError("a name must not contain $grove$");
  return statement;
}
