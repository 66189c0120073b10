// What drizzle-orm 0.45 and 1.0 have written differently, for the tests that run on both.
import { type Column, type ColumnBuilderBase, getTableColumns, getTableName, is, Table } from "drizzle-orm";
import * as pg from "drizzle-orm/pg-core";
import type { sqliteTable } from "drizzle-orm/sqlite-core";

type BuilderIn<Columns> = Columns extends (types: never) => infer Made ? Made[keyof Made] : Columns[keyof Columns];
/** What a table is made of. */
export type PgBuilder = BuilderIn<Parameters<typeof pg.pgTable>[1]>;
/** In 1.0 SQLite takes any builder, of which the table's type gives nothing away. */
type AnyWhereNever<Builder> = [Builder] extends [never] ? ColumnBuilderBase : Builder;
export type SQLiteBuilder = AnyWhereNever<BuilderIn<Parameters<typeof sqliteTable>[1]>>;

/** 0.45 makes a column around the column of an array's elements, 1.0 counts the dimensions. */
export const isNested = "PgArray" in pg;

interface Arrays {
  array(size?: number | string): Arrays;
  default(values: readonly unknown[]): Arrays;
  notNull(): Arrays;
}
type Whole = PgBuilder & { default(values: readonly unknown[]): PgBuilder; notNull(): PgBuilder };

/** An array of arrays. */
export const matrix = (element: PgBuilder): Whole => {
  const column = element as unknown as Arrays;
  return (isNested ? column.array().array() : column.array("[][]")) as unknown as Whole;
};

/** An array of three, as far as it can be said. */
export const sized = (element: PgBuilder): Whole =>
  (element as unknown as Arrays).array(isNested ? 3 : "[]") as unknown as Whole;

/** Runs drizzle-kit 0.31 on tables of 1.0: it looks for an array's brackets in the type, and for a unique column's name. */
export async function withKit<T>(exports: Readonly<Record<string, unknown>>, run: () => T | Promise<T>): Promise<T> {
  const tables = isNested ? [] : Object.values(exports).filter((value): value is Table => is(value, Table));
  const undo: (() => void)[] = [];
  const lend = (column: Column, name: string, value: unknown) => {
    const own = Object.getOwnPropertyDescriptor(column, name);
    Object.defineProperty(column, name, { value, configurable: true });
    undo.push(() => (own ? Object.defineProperty(column, name, own) : Reflect.deleteProperty(column, name)));
  };
  for (const table of tables) {
    for (const column of Object.values(getTableColumns(table))) {
      const dimensions: unknown = Reflect.get(column, "dimensions");
      const declared = column.getSQLType() + "[]".repeat(typeof dimensions === "number" ? dimensions : 0);
      lend(column, "getSQLType", () => declared);
      if (column.isUnique && column.uniqueName === undefined) {
        lend(column, "uniqueName", `${getTableName(table)}_${column.name}_unique`);
      }
    }
  }
  try {
    return await run();
  } finally {
    for (const back of undo.reverse()) back();
  }
}
