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

const inPublic = (table: string): Sql => sql`"public".${ident(table)}`;
const capture = inPublic("_grove_capture");
const parked = inPublic("_grove_parked");
const shapes = inPublic("_grove_shapes");

/** A name as it is from now on. */
const renamed = (column: Sql, from: string, to: string | null): Sql =>
  to === null ? column : sql`CASE WHEN ${column} = ${literal(from)} THEN ${literal(to)} ELSE ${column} END`;
/** `to` null = no longer there. */
const stays = (column: Sql, from: string, to: string | null): Sql =>
  to === null ? sql` WHERE ${column} <> ${literal(from)}` : sql``;

/** A JSON array of names, printed as JSON.stringify does. */
const names = (source: Sql, from: string, to: string | null): Sql => sql`
  (
    SELECT '[' || coalesce(string_agg(to_json(${renamed(sql`e.name`, from, to)})::text, ',' ORDER BY e.place), '') || ']'
    FROM json_array_elements_text(${source}::json) WITH ORDINALITY AS e (name, place)${stays(sql`e.name`, from, to)}
  )
`;

/** A JSON object by name; NULL once it is empty. Of json, not jsonb: every value stays as it is written. */
const byName = (source: Sql, from: string, to: string | null): Sql => sql`
  (
    SELECT json_object_agg(${renamed(sql`e.key`, from, to)}, e.value)::text
    FROM json_each(${source}::json) AS e${stays(sql`e.key`, from, to)}
  )
`;

const hasKey = (source: Sql, name: string): Sql =>
  sql`EXISTS (SELECT 1 FROM json_object_keys(${source}::json) AS k WHERE k = ${literal(name)})`;
const hasName = (source: Sql, name: string): Sql =>
  sql`EXISTS (SELECT 1 FROM json_array_elements_text(${source}::json) AS n WHERE n = ${literal(name)})`;

/** Entries of one field, under another name or nowhere. */
function moveEntries(table: string, from: string, to: string | null): Sql[] {
  const shadow = inPublic(shadowTable(table));
  const cells = inPublic(cellsTable(table));
  return [
    // As fold and merge do: nobody else numbers, interns or serves meanwhile.
    sql`LOCK TABLE ${inPublic("_grove_lock")} IN EXCLUSIVE MODE`,
    sql`
      UPDATE ${shadow} SET "clocks" = ${byName(sql`"clocks"`, from, to)}
      WHERE "clocks" IS NOT NULL AND ${hasKey(sql`"clocks"`, from)}
    `,
    // Other tables may share the list, so it is not changed but replaced.
    sql`
      INSERT INTO ${shapes} ("id", "fields")
      SELECT (SELECT max("id") FROM ${shapes}) + row_number() OVER (), d.fields
      FROM (
        SELECT DISTINCT ${names(sql`s."fields"`, from, to)} AS fields FROM ${shapes} AS s
        WHERE s."id" IN (SELECT "shape" FROM ${shadow}) AND ${hasName(sql`s."fields"`, from)}
      ) AS d
      WHERE NOT EXISTS (SELECT 1 FROM ${shapes} AS k WHERE k."fields" = d.fields)
    `,
    sql`
      UPDATE ${shadow} AS r SET "shape" = (
        SELECT min(n."id") FROM ${shapes} AS o JOIN ${shapes} AS n ON n."fields" = ${names(sql`o."fields"`, from, to)}
        WHERE o."id" = r."shape"
      )
      WHERE r."shape" IN (SELECT s."id" FROM ${shapes} AS s WHERE ${hasName(sql`s."fields"`, from)})
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
    UPDATE ${inPublic(logTable(table))} SET "before" = ${byName(sql`"before"`, from, to)}
    WHERE "before" IS NOT NULL AND ${hasKey(sql`"before"`, from)}
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
    UPDATE ${parked} SET "tbl" = ${literal(to)},
      "change" = jsonb_set("change"::jsonb, '{table}', to_jsonb(${literal(to)}::text))::text
    WHERE "tbl" = ${literal(from)}
  `,
];

export const forgetTable = (table: string): Sql[] => [
  sql`DELETE FROM ${capture} WHERE "tbl" = ${literal(table)}`,
  sql`DELETE FROM ${parked} WHERE "tbl" = ${literal(table)}`,
];

const bits = literal(FIELDS_PER_MASK);

/** `masks` = how many mask columns there are at this point. */
export function moveMasks(table: string, fields: readonly string[], masks: number): Sql {
  const wanted = literal(JSON.stringify(fields));
  const cases = maskColumns(masks * FIELDS_PER_MASK).map(
    (column, n) => sql`WHEN ${literal(n)} THEN coalesce(${ident(column)}, 0)`,
  );
  const source = sql`CASE (o.place - 1) / ${bits} ${join(cases, sql` `)} END`;
  const targets = maskColumns(fields.length).map(
    (name, n) => sql`
      ${ident(name)} = (
        SELECT coalesce(sum((((${source}) >> ((o.place - 1) % ${bits})::integer) & 1) << ((n.place - 1) % ${bits})::integer), 0)::bigint
        FROM ${capture} AS c,
          json_array_elements_text(c."fields"::json) WITH ORDINALITY AS o (name, place),
          json_array_elements_text(${wanted}::json) WITH ORDINALITY AS n (name, place)
        WHERE c."tbl" = ${literal(table)} AND n.name = o.name AND (n.place - 1) / ${bits} = ${literal(n)}
      )
    `,
  );
  return sql`
    ${comment("grove-crdt: captured writes that wait to be folded mark their columns by place; the places have changed.")}
    UPDATE ${inPublic(logTable(table))} SET
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
      SELECT ${table}, ${wanted}, CASE WHEN EXISTS (SELECT 1 FROM ${inPublic(name)}) THEN 0 ELSE 1 END
      ON CONFLICT DO NOTHING
    `,
    ...added.map(
      (field) => sql`
        ${comment("So have values of a new column that are not its default, and what was known of it before it was there.")}
        UPDATE ${capture} SET "added" = (coalesce("added"::jsonb, '[]') || to_jsonb(${literal(field.name)}::text))::text
        WHERE "tbl" = ${table} AND EXISTS (
          SELECT 1 FROM ${inPublic(name)} WHERE ${ident(field.name)}::text IS DISTINCT FROM ${rawDefault(field.default)}
          UNION ALL SELECT 1 FROM ${inPublic(cellsTable(name))} WHERE "field" IN (${waiting(fields, field)})
        )
      `,
    ),
  ];
}

/** A default that drizzle-kit printed, as text: a number, a word, a quoted text with or without its type, NULL. */
function rawDefault(text: string): Sql {
  const quoted = /^'((?:[^']|'')*)'(?:::[\w" [\]]+)?$/s.exec(text)?.[1];
  if (quoted !== undefined) return literal(quoted.replaceAll("''", "'"));
  return text === "NULL" ? literal(null) : literal(text);
}
