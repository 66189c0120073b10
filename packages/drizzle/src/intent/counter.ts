// increment: a count as what it adds, so that a number read before does not undo what others counted since.
import { type SQL, sql } from "drizzle-orm";
import type { Annotated, DataOf } from "./column";

/**
 * A counter as it is, and so many more: for `set()` of an update, also beside `where` and `returning`.
 *
 * @example
 * await db.update(documents).set({ viewCount: increment(documents.viewCount) }).where(eq(documents.id, id));
 * @param by a whole number, negative to count down
 * @throws RangeError when it is none
 */
export function increment<C extends Annotated<"counter">>(column: C, by: number | bigint = 1): SQL<DataOf<C>> {
  if (typeof by === "number" && !Number.isSafeInteger(by))
    throw new RangeError(
      `increment(${column.name}, ${by}): a counter counts whole numbers below 2^53; beyond, use a bigint.`,
    );
  return sql<DataOf<C>>`${column} + ${by}`;
}
