// append, insertAt, removeAt, move: changes of a list as what is meant, so that an array read before does not undo what others
// changed since. Places count from 0, in the array as it is when the statement runs.
import { type SQL, sql } from "drizzle-orm";
import { type Annotated, type DataOf, type ElementOf, storageOf } from "./column";

type List = Annotated<"list">;

/**
 * A list with these items behind those that it has: for `set()` of an update, also beside `where` and `returning`.
 *
 * @example
 * await db.update(documents).set({ steps: append(documents.steps, "taste", "serve") }).where(eq(documents.id, id));
 */
export function append<C extends List>(column: C, ...items: readonly ElementOf<C>[]): SQL<DataOf<C>> {
  return insert(column, Number.MAX_SAFE_INTEGER, items);
}

/**
 * A list with these items before the one at `index`, or behind the last one where the list is no longer than that.
 *
 * @example
 * await db.update(documents).set({ steps: insertAt(documents.steps, 0, "wash") }).where(eq(documents.id, id));
 * @throws RangeError when the index is negative or no whole number
 */
export function insertAt<C extends List>(column: C, index: number, ...items: readonly ElementOf<C>[]): SQL<DataOf<C>> {
  checkPlace("insertAt", column, { index });
  return insert(column, index, items);
}

/**
 * A list without the item at `index`, or without `count` of them from there on. What lies behind the end is not there, so
 * nothing of it changes.
 *
 * @example
 * await db.update(documents).set({ steps: removeAt(documents.steps, 2) }).where(eq(documents.id, id));
 * @throws RangeError when one of the numbers is negative or no whole number
 */
export function removeAt<C extends List>(column: C, index: number, count = 1): SQL<DataOf<C>> {
  checkPlace("removeAt", column, { index, count });
  if (count === 0) return sql<DataOf<C>>`${column}`;
  const [first, next] = [place(index), place(index + count)];
  switch (storageOf(column)) {
    case "text":
      return liteArray(column, sql`SELECT v FROM ${liteItems(column)} WHERE k < ${first} OR k >= ${next} ORDER BY k`);
    case "jsonb":
      return jsonbArray(column, sql`SELECT v, 0 AS p, k FROM ${pgItems} WHERE k < ${first} OR k >= ${next}`);
    case "array":
      return pgArray(column, [slice(0, index), slice(index + count)]);
  }
}

/**
 * A list in which the item at `from` stands at `to`, and the others in the order that they had. Nothing changes where one
 * of the two places lies behind the end.
 *
 * @example
 * await db.update(documents).set({ steps: move(documents.steps, 3, 0) }).where(eq(documents.id, id));
 * @throws RangeError when one of the places is negative or no whole number
 */
export function move<C extends List>(column: C, from: number, to: number): SQL<DataOf<C>> {
  checkPlace("move", column, { from, to });
  if (from === to) return sql<DataOf<C>>`${column}`;
  const [first, last] = [Math.min(from, to), Math.max(from, to)];
  // Where the item at k comes to stand: those between the two places make room.
  const moved = sql`CASE WHEN k = ${place(from)} THEN ${place(to)} WHEN k < ${place(first)} OR k > ${place(last)} THEN k ELSE k ${sql.raw(from < to ? "- 1" : "+ 1")} END`;
  const within = (length: SQL, then: SQL): SQL<DataOf<C>> =>
    sql<DataOf<C>>`CASE WHEN ${length} > ${place(last)} THEN ${then} ELSE ${column} END`;
  switch (storageOf(column)) {
    case "text": {
      const items = liteArray(column, sql`SELECT v FROM ${liteItems(column)} ORDER BY ${moved}`);
      return within(sql`json_array_length(${column})`, items);
    }
    case "jsonb":
      return within(
        sql`jsonb_array_length(${column})`,
        jsonbArray(column, sql`SELECT v, 0 AS p, ${moved} AS k FROM ${pgItems}`),
      );
    case "array": {
      const item = slice(from, from + 1);
      const parts =
        from < to
          ? [slice(0, from), slice(from + 1, to + 1), item, slice(to + 1)]
          : [slice(0, to), item, slice(to, from), slice(from + 1)];
      return within(sql`cardinality(${column})`, pgArray(column, parts));
    }
  }
}

function insert<C extends List>(column: C, index: number, items: readonly ElementOf<C>[]): SQL<DataOf<C>> {
  const storage = storageOf(column);
  if (items.length === 0) return sql<DataOf<C>>`${column}`;
  const json = JSON.stringify(items);
  const behind = sql`CASE WHEN k < ${place(index)} THEN 0 ELSE 2 END`;
  switch (storage) {
    case "text": {
      const both = sql`SELECT v, ${behind} AS p, k FROM ${liteItems(column)} UNION ALL SELECT v, 1, k FROM ${liteItems(json)}`;
      return liteArray(column, sql`SELECT v FROM (${both}) ORDER BY p, k`);
    }
    case "jsonb": {
      const added = sql`jsonb_array_elements(${json}::jsonb) WITH ORDINALITY AS added(v, k)`;
      return jsonbArray(
        column,
        sql`SELECT v, ${behind} AS p, k FROM ${pgItems} UNION ALL SELECT v, 1, k FROM ${added}`,
      );
    }
    case "array":
      return pgArray(column, [slice(0, index), sql`${sql.param(items, column)}`, slice(index)]);
  }
}

/** Items of a JSON array in SQLite: each one's JSON as it stands there, which its value as SQL would alter, and its place. */
const liteItems = (array: List | string): SQL =>
  sql`(SELECT a.j -> e.key AS v, e.key AS k FROM (SELECT ${array} AS j) a, json_each(a.j) e)`;

const liteArray = <C extends List>(_: C, items: SQL): SQL<DataOf<C>> =>
  sql<DataOf<C>>`(SELECT json_group_array(json(v)) FROM (${items}))`;

/** Items of the list `a.j`, and their places. */
const pgItems = sql`(SELECT v, n - 1 AS k FROM jsonb_array_elements(a.j) WITH ORDINALITY AS e(v, n)) c`;

/** @param items as v, by p and then k */
const jsonbArray = <C extends List>(column: C, items: SQL): SQL<DataOf<C>> =>
  sql<
    DataOf<C>
  >`(SELECT coalesce((SELECT jsonb_agg(v ORDER BY p, k) FROM (${items}) s), '[]'::jsonb) FROM (SELECT ${column} AS j) a)`;

/** Of a Postgres array `a.j`, which need not begin at 1: the items from one place up to another. */
const slice = (from: number, to?: number): SQL => sql`a.j[${bound(from)}:${to === undefined ? sql`` : bound(to - 1)}]`;

/** Postgres counts them in 32 bits, and no array is as long as this. */
const bound = (index: number): SQL => sql`coalesce(array_lower(a.j, 1), 1) + ${place(Math.min(index, 2 ** 30))}`;

const pgArray = <C extends List>(column: C, parts: readonly SQL[]): SQL<DataOf<C>> =>
  sql<DataOf<C>>`(SELECT ${sql.join([...parts], sql` || `)} FROM (SELECT ${column} AS j) a)`;

/** A whole number as it stands in SQL: as a parameter, some drivers make a real of it. */
const place = (index: number): SQL => sql.raw(String(Math.min(index, Number.MAX_SAFE_INTEGER)));

function checkPlace(helper: string, column: List, places: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(places)) {
    if (Number.isSafeInteger(value) && value >= 0) continue;
    throw new RangeError(`${helper}(${column.name}): ${name} is ${value}, and must be a whole number from 0 on.`);
  }
}
