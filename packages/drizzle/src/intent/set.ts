// add, remove: elements as what is meant, so that an array read before does not undo what others added since.
import { type Column, type SQL, sql } from "drizzle-orm";
import { type Annotated, type DataOf, type ElementOf, storageOf } from "./column";

/** JSON of an element of `json_each`, by which elements are told apart. */
const jsonOf = (each: string): SQL =>
  sql.raw(
    `CASE ${each}.type WHEN 'object' THEN ${each}.value WHEN 'array' THEN ${each}.value WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' WHEN 'null' THEN 'null' ELSE json_quote(${each}.value) END`,
  );

/** The elements as an array of the column's own type, whose name Drizzle does not always spell as Postgres reads it. */
const arrayOf = (column: Column, elements: readonly unknown[]): SQL =>
  sql`${column}[1:0] || ${sql.param(elements, column)}`;

/**
 * A set with these elements besides those that it has: for `set()` of an update, also beside `where` and `returning`.
 *
 * @example
 * await db.update(documents).set({ tags: add(documents.tags, "new", "sale") }).where(eq(documents.id, id));
 */
export function add<C extends Annotated<"set">>(column: C, ...elements: readonly ElementOf<C>[]): SQL<DataOf<C>> {
  const storage = storageOf(column);
  const json = JSON.stringify(elements);
  switch (storage) {
    case "text":
      return sql<
        DataOf<C>
      >`(SELECT json_group_array(json(e)) FROM (SELECT ${jsonOf("c")} AS e, 0 AS n, c.key AS k FROM json_each(${column}) c UNION ALL SELECT ${jsonOf("p")}, 1, min(p.key) FROM json_each(${json}) p WHERE NOT EXISTS (SELECT 1 FROM json_each(${column}) o WHERE ${jsonOf("o")} = ${jsonOf("p")}) GROUP BY 1 ORDER BY 2, 3))`;
    case "array":
      return sql<
        DataOf<C>
      >`${column} || ARRAY(SELECT v FROM unnest(${arrayOf(column, elements)}) WITH ORDINALITY AS u(v, n) WHERE NOT coalesce(v = ANY(${column}), false) GROUP BY v ORDER BY min(n))`;
    case "jsonb": {
      const old = sql`jsonb_array_elements(${column})`;
      return sql<
        DataOf<C>
      >`(SELECT coalesce(jsonb_agg(e ORDER BY n, k), '[]'::jsonb) FROM (SELECT e, 0 AS n, k FROM ${old} WITH ORDINALITY AS c(e, k) UNION ALL SELECT e, 1, min(k) FROM jsonb_array_elements(${json}::jsonb) WITH ORDINALITY AS p(e, k) WHERE NOT EXISTS (SELECT 1 FROM ${old} AS o(e) WHERE o.e = p.e) GROUP BY e) AS s)`;
    }
  }
}

/**
 * A set without these elements: for `set()` of an update, also beside `where` and `returning`.
 *
 * @example
 * await db.update(documents).set({ tags: remove(documents.tags, "sale") }).where(eq(documents.id, id));
 */
export function remove<C extends Annotated<"set">>(column: C, ...elements: readonly ElementOf<C>[]): SQL<DataOf<C>> {
  const storage = storageOf(column);
  const json = JSON.stringify(elements);
  switch (storage) {
    case "text":
      return sql<
        DataOf<C>
      >`(SELECT json_group_array(json(e)) FROM (SELECT ${jsonOf("c")} AS e FROM json_each(${column}) c WHERE NOT EXISTS (SELECT 1 FROM json_each(${json}) p WHERE ${jsonOf("p")} = ${jsonOf("c")}) ORDER BY c.key))`;
    case "array":
      return sql<
        DataOf<C>
      >`ARRAY(SELECT v FROM unnest(${column}) WITH ORDINALITY AS u(v, n) WHERE NOT coalesce(v = ANY(${arrayOf(column, elements)}), false) ORDER BY n)`;
    case "jsonb":
      return sql<
        DataOf<C>
      >`(SELECT coalesce(jsonb_agg(e ORDER BY k), '[]'::jsonb) FROM jsonb_array_elements(${column}) WITH ORDINALITY AS c(e, k) WHERE NOT EXISTS (SELECT 1 FROM jsonb_array_elements(${json}::jsonb) AS p(e) WHERE p.e = c.e))`;
  }
}
