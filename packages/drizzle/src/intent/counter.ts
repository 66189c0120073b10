// increment: a count as what it adds, so that a number read before does not undo what others counted since.
import { type SQL, sql } from "drizzle-orm";
import type { Annotated, DataOf } from "./column";
import { type Document, type Leaf, liteProperty, writeAt } from "./document";
import type { NumberPath, Path } from "./path";

/**
 * A counter as it is, and so many more: for `set()` of an update, also beside `where` and `returning`.
 *
 * @example
 * await db.update(documents).set({ viewCount: increment(documents.viewCount) }).where(eq(documents.id, id));
 * @param by a whole number, negative to count down
 * @throws RangeError when it is none
 */
export function increment<C extends Annotated<"counter">>(column: C, by?: number | bigint): SQL<DataOf<C>>;
/**
 * A document in which so many more stand at this path: nothing that is a number counts as 0. Where the document's shape
 * says `counter()`, concurrent increments add up.
 *
 * @example
 * await db.update(documents).set({ data: increment(documents.data, ["stats", "views"]) }).where(eq(documents.id, id));
 * @param path names of properties from the root on, each as it is
 * @param by a whole number below 2^53, negative to count down
 * @throws RangeError when it is none
 */
export function increment<C extends Document, const P extends Path>(
  column: C,
  path: P & NumberPath<DataOf<C>, P>,
  by?: number,
): SQL<DataOf<C>>;
export function increment(
  column: Annotated<"counter"> | Document,
  second: number | bigint | Path = 1,
  third: number = 1,
): SQL {
  const inside = typeof second === "object";
  const by = inside ? third : second;
  if (typeof by === "number" && !Number.isSafeInteger(by))
    throw new RangeError(
      `increment(${column.name}, ${by}): a counter counts whole numbers below 2^53; beyond, use a bigint.`,
    );
  return inside ? writeAt(column as Document, second, more(by)) : sql`${column} + ${by}`;
}

/** As it stands in SQL: as a parameter, some drivers make a real of it. */
const more = (by: number | bigint): { readonly text: Leaf; readonly jsonb: Leaf } => {
  const added = sql.raw(String(by));
  return {
    text: (object, name) =>
      sql`json_quote(coalesce(${liteProperty(object, name, sql`'integer', 'real'`)}, 0) + ${added})`,
    jsonb: (object, name) =>
      sql`to_jsonb(CASE jsonb_typeof(${object} -> ${name}::text) WHEN 'number' THEN (${object} ->> ${name}::text)::numeric ELSE 0 END + ${added})`,
  };
};
