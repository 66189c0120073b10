// The shadow follows the schema: what it keeps under a name goes along when the name changes, and away with it.
import { comment, ident, join, lines, list, literal, type Sql, sql } from "@grove-crdt/codegen";
import {
  cellsTable,
  FIELDS_PER_MASK,
  type FieldModel,
  logTable,
  maskColumns,
  shadowTable,
  type TableModel,
  waitingCells,
} from "@grove-crdt/core";
import type { AddedField } from "../dialect";

const capture = ident("_grove_capture");
const parked = ident("_grove_parked");
const shapes = ident("_grove_shapes");
const hiddenKeys = ident("_grove_hidden_keys");

/** A field's name in a list or as a key, as it is from now on; `to` null = no longer there. */
const renamed = (column: Sql, from: string, to: string): Sql =>
  sql`iif(${column} = ${literal(from)}, ${literal(to)}, ${column})`;
const stays = (column: Sql, from: string, to: string | null): Sql =>
  to === null ? sql` WHERE ${column} <> ${literal(from)}` : sql``;

/** A JSON array of names. */
const names = (source: Sql, from: string, to: string | null): Sql => sql`
  (
    SELECT json_group_array("name") FROM (
      SELECT ${to === null ? sql`"value"` : renamed(sql`"value"`, from, to)} AS "name" FROM json_each(${source})${stays(sql`"value"`, from, to)} ORDER BY "key"
    )
  )
`;

/** A JSON object by name; NULL once it is empty. */
const byName = (source: Sql, from: string, to: string | null): Sql => sql`
  (
    SELECT nullif(json_group_object(
      ${to === null ? sql`"key"` : renamed(sql`"key"`, from, to)},
      iif("type" IN ('array', 'object'), json("value"), "value")
    ), '{}')
    FROM json_each(${source})${stays(sql`"key"`, from, to)}
  )
`;

const has = (source: Sql, column: "key" | "value", name: string): Sql =>
  sql`EXISTS (SELECT 1 FROM json_each(${source}) WHERE ${ident(column)} = ${literal(name)})`;

/** Entries of one field, under another name or nowhere. */
function moveEntries(table: string, from: string, to: string | null): Sql[] {
  const shadow = ident(shadowTable(table));
  const cells = ident(cellsTable(table));
  const mentions = sql`SELECT "id" FROM ${shapes} WHERE ${has(sql`"fields"`, "value", from)}`;
  return [
    sql`
      UPDATE ${shadow} SET "clocks" = ${byName(sql`"clocks"`, from, to)}
      WHERE "clocks" IS NOT NULL AND ${has(sql`"clocks"`, "key", from)}
    `,
    // Other tables may share the list, so it is not changed but replaced.
    sql`
      INSERT INTO ${shapes} ("fields")
      SELECT DISTINCT ${names(sql`s."fields"`, from, to)} FROM ${shapes} AS s
      WHERE s."id" IN (SELECT "shape" FROM ${shadow}) AND ${has(sql`s."fields"`, "value", from)}
      ON CONFLICT DO NOTHING
    `,
    sql`
      UPDATE ${shadow} SET "shape" = (
        SELECT n."id" FROM ${shapes} AS o JOIN ${shapes} AS n ON n."fields" = ${names(sql`o."fields"`, from, to)}
        WHERE o."id" = "shape"
      )
      WHERE "shape" IN (${mentions})
    `,
    to === null
      ? sql`DELETE FROM ${cells} WHERE "field" = ${literal(from)}`
      : sql`UPDATE ${cells} SET "field" = ${literal(to)} WHERE "field" = ${literal(from)}`,
  ];
}

export const moveField = (table: string, from: string, to: string): Sql[] => [
  lines(
    comment(`grove-crdt: what is known of ${from} is known of ${to}.`),
    sql`UPDATE ${capture} SET "fields" = ${names(sql`"fields"`, from, to)} WHERE "tbl" = ${literal(table)}`,
  ),
  sql`
    UPDATE ${capture} SET "added" = ${names(sql`"added"`, from, to)}
    WHERE "tbl" = ${literal(table)} AND "added" IS NOT NULL
  `,
  sql`
    UPDATE ${capture} SET "added" = ${names(sql`"added"`, from, to)}
    WHERE "tbl" = ${literal(table)} AND "added" IS NOT NULL
  `,
  sql`
    UPDATE ${ident(logTable(table))} SET "before" = ${byName(sql`"before"`, from, to)}
    WHERE "before" IS NOT NULL AND ${has(sql`"before"`, "key", from)}
  `,
  ...moveEntries(table, from, to),
];

export const forgetField = (table: string, field: string): Sql[] => {
  const [first, ...others] = moveEntries(table, field, null) as [Sql, ...Sql[]];
  return [lines(comment(`grove-crdt: what was known of ${field} goes with it.`), first), ...others];
};

export const moveTable = (from: string, to: string): Sql[] => [
  sql`UPDATE ${capture} SET "tbl" = ${literal(to)} WHERE "tbl" = ${literal(from)}`,
  sql`
    UPDATE ${parked} SET "tbl" = ${literal(to)}, "change" = json_set("change", '$.table', ${literal(to)})
    WHERE "tbl" = ${literal(from)}
  `,
  sql`UPDATE ${hiddenKeys} SET "tbl" = ${literal(to)} WHERE "tbl" = ${literal(from)}`,
  // One sign, then JSON that begins with the table's name.
  sql`
    UPDATE ${hiddenKeys} SET "name" = substr("name", 1, 1) || json_set(substr("name", 2), '$[0]', ${literal(to)})
    WHERE json_extract(substr("name", 2), '$[0]') = ${literal(from)}
  `,
];

export const forgetTable = (table: string): Sql[] => [
  sql`DELETE FROM ${capture} WHERE "tbl" = ${literal(table)}`,
  sql`DELETE FROM ${parked} WHERE "tbl" = ${literal(table)}`,
  sql`DELETE FROM ${hiddenKeys} WHERE "tbl" = ${literal(table)}`,
];

const bits = literal(FIELDS_PER_MASK);

/** `masks` = how many mask columns there are at this point. */
export function moveMasks(table: string, fields: readonly string[], masks: number): Sql {
  const wanted = literal(JSON.stringify(fields));
  const columns = maskColumns(masks * FIELDS_PER_MASK).map(ident);
  const source =
    columns.length === 1
      ? (columns[0] as Sql)
      : sql`CASE o."key" / ${bits} ${join(
          columns.map((column, n) => sql`WHEN ${literal(n)} THEN ${column}`),
          sql` `,
        )} END`;
  const targets = maskColumns(fields.length).map(
    (name, n) => sql`
      ${ident(name)} = (
        SELECT coalesce(sum((((${source}) >> (o."key" % ${bits})) & 1) << (n."key" % ${bits})), 0)
        FROM ${capture} AS c, json_each(c."fields") AS o, json_each(${wanted}) AS n
        WHERE c."tbl" = ${literal(table)} AND n."value" = o."value" AND n."key" / ${bits} = ${literal(n)}
      )
    `,
  );
  return sql`
    ${comment("grove-crdt: captured writes that wait to be folded mark their columns by place; the places have changed.")}
    UPDATE ${ident(logTable(table))} SET
      ${lines(...targets.map((target, n) => (n + 1 < targets.length ? sql`${target},` : target)))}
    WHERE "op" = 'U' AND EXISTS (SELECT 1 FROM ${capture} WHERE "tbl" = ${literal(table)} AND "fields" <> ${wanted})
  `;
}

/** Names of the cells in which a column's entries wait that came before it. */
const waiting = (fields: readonly FieldModel[], { name }: AddedField): Sql =>
  list(waitingCells({ fields: fields.filter((field) => field.name === name) }).map(literal));

/** What there is to adopt is recorded for `npx grove-crdt adopt`, as `ensureShadowTables()` does. */
export function recordFields({ name, fields }: TableModel, added: readonly AddedField[]): Sql[] {
  const wanted = literal(JSON.stringify(fields.map((field) => field.name)));
  const table = literal(name);
  return [
    sql`UPDATE ${capture} SET "fields" = ${wanted} WHERE "tbl" = ${table}`,
    sql`
      ${comment("Rows from before capture have yet to be adopted.")}
      INSERT INTO ${capture} ("tbl", "fields", "adopted")
      SELECT ${table}, ${wanted}, NOT EXISTS (SELECT 1 FROM ${ident(name)}) WHERE true ON CONFLICT DO NOTHING
    `,
    ...added.map(
      (field) => sql`
        ${comment("So have values of a new column that are not its default, and what was known of it before it was there.")}
        UPDATE ${capture} SET "added" = json_insert(coalesce("added", '[]'), '$[#]', ${literal(field.name)})
        WHERE "tbl" = ${table} AND EXISTS (
          SELECT 1 FROM ${ident(name)} WHERE ${ident(field.name)} IS NOT ${rawDefault(field.default)}
          UNION ALL SELECT 1 FROM ${ident(cellsTable(name))} WHERE "field" IN (${waiting(fields, field)})
        )
      `,
    ),
  ];
}

/** A default that drizzle-kit printed: a number, a quoted text, NULL. What is none of these counts as NULL. */
function rawDefault(text: string): Sql {
  const number = /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isFinite(number)) return literal(number);
  const quoted = /^'((?:[^']|'')*)'$/s.exec(text)?.[1];
  if (quoted !== undefined) return literal(quoted.replaceAll("''", "'"));
  return /^(true|false)$/.test(text) ? literal(text === "true" ? 1 : 0) : literal(null);
}
