// What makes two values of a column one and the same. Postgres calls values equal that print differently: 1.0 and 1.00,
// 'a' and 'A' in citext or under a collation of the user's. To peers these are changes, so they must not go unseen.
import type { ColumnModel } from "@grove-crdt/core";
import { type Sql, sql } from "../../sql";

/** Types whose own `=` tells any two values apart. Of real numbers 0 and -0 are equal, as on the wire. */
const exact =
  /^(smallint|integer|bigint|boolean|real|double precision|uuid|bytea|jsonb|date|timestamp|time)( \(\d\)|\(\d\))?( with(out)? time zone)?$/;
/** Types that are told apart byte for byte under the collation "C", whatever collation the column has. */
const textual = /^(text|varchar|char|character|character varying)( ?\(\d+\))?$/;

/** Types whose text does not depend on the session's settings. Of any other the functions pin those. */
const settled = /^(smallint|integer|bigint|boolean|numeric|decimal|uuid|json|jsonb)( ?\(\d+(, ?\d+)?\))?$/;

/** The type, or that of an array's elements, since arrays are equal where their elements are. */
const elementType = (column: ColumnModel): string => column.sqlType.replace(/(\[\d*\])+$/, "").toLowerCase();

/** The value in a form whose equality is exact. */
export function exactly(column: ColumnModel, value: Sql): Sql {
  const type = elementType(column);
  if (exact.test(type)) return value;
  return textual.test(type) ? sql`${value} COLLATE "C"` : sql`${value}::text`;
}

/** True where {@link exactly} turns the value into text that the session's settings would shape. */
export function comparesUnsettled(column: ColumnModel): boolean {
  return !exact.test(elementType(column)) && printsUnsettled(column);
}

/** True where the value's text depends on the session's settings. */
export function printsUnsettled(column: ColumnModel): boolean {
  const type = elementType(column);
  return !settled.test(type) && !textual.test(type);
}
