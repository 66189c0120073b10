// Where drizzle-orm 0.45 and 1.0 differ in what a schema is made of. Told by what a column has: the schema may come with
// another copy of drizzle-orm than ours.
import type { Column, Query, SQL } from "drizzle-orm";
import { makePgArray, type PgColumn, PgDialect } from "drizzle-orm/pg-core";
import { SQLiteDialect } from "drizzle-orm/sqlite-core";
import type { Casing } from "./names";

type Dialect = new (config: { readonly casing: Casing }) => { sqlToQuery(value: SQL): Query };

// 1.0 knows no `casing` here: its columns have their names already. In 0.45 SQLite's dialect is abstract in name only.
const dialects = {
  sqlite: SQLiteDialect as unknown as Dialect,
  postgres: PgDialect as unknown as Dialect,
};

/** An expression as the dialect writes it. */
export const printSql = (dialect: keyof typeof dialects, value: SQL, casing: Casing): Query =>
  new dialects[dialect]({ casing }).sqlToQuery(value);

/** In 1.0 a table names its columns when it is made, and `casing` of the config says nothing of them. */
export const isNamed = (column: Column): boolean => "isAlias" in column;

/** In 0.45 an array is a column around another one; in 1.0 any column has a number of dimensions. */
interface ArrayColumn {
  readonly baseColumn?: PgColumn;
  readonly dimensions?: unknown;
}

/** An array's element and its dimensions; of any other column, the column itself and none. */
export function elementOf(column: PgColumn): { readonly element: PgColumn; readonly dimensions: number } {
  let element = column;
  let nested = 0;
  for (let base = baseOf(element); base !== undefined; base = baseOf(element)) {
    element = base;
    nested++;
  }
  return { element, dimensions: nested + ownDimensions(column) };
}

const baseOf = (column: PgColumn): PgColumn | undefined => (column as ArrayColumn).baseColumn;

/** A vector has dimensions too, of another sort: only 1.0 counts those of arrays in every column. */
function ownDimensions(column: PgColumn): number {
  const { dimensions } = (column as unknown as { readonly config: ArrayColumn }).config;
  return isNamed(column) && typeof dimensions === "number" ? dimensions : 0;
}

/** The type as a migration declares it. */
export const declaredType = (column: PgColumn): string => column.getSQLType() + "[]".repeat(ownDimensions(column));

/** A value as it goes to Postgres. In 1.0 the driver makes text of arrays and JSON, after the column's own mapping. */
export function toDriver(column: PgColumn, value: unknown): unknown {
  const mapped = column.mapToDriverValue(value as never) as unknown;
  if (!isNamed(column)) return mapped;
  const isJson = /^PgJsonb?$/.test(column.columnType);
  if (ownDimensions(column) === 0) return isJson ? JSON.stringify(mapped) : mapped;
  return Array.isArray(mapped) ? makePgArray(isJson ? jsonElements(mapped) : mapped) : mapped;
}

const jsonElements = (values: readonly unknown[]): unknown[] =>
  values.map((value) => (Array.isArray(value) ? jsonElements(value) : JSON.stringify(value)));
