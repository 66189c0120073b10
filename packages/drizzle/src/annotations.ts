// What a schema file imports: five words around Drizzle's column builders. This module is all types at import time, so
// that a schema stays as light for bundlers and browsers as it was.
import type { ColumnBuilderBase } from "drizzle-orm";

/**
 * The key of the mark on `builder.config`, which Drizzle hands on to the column. `Symbol.for`, because the CLI may load
 * this module twice.
 */
export const markKey: unique symbol = Symbol.for("grove-crdt:type") as never;

/** What an annotation says of a column. */
export type Annotation = "lww" | "fixed" | "counter" | "set" | "local";

/** The builder as it came, with the annotation in its type; `$inferSelect` and `$inferInsert` do not change. */
export type Annotated<Builder extends ColumnBuilderBase, Type extends Annotation> = Builder & {
  _: { dataType: Builder["_"]["dataType"] & { readonly crdt: Type } };
};

/**
 * Last writer wins: of two concurrent writes, every node keeps the later one. For any column.
 *
 * ```ts
 * title: lww(text("title").notNull())
 * ```
 */
export const lww = <Builder extends ColumnBuilderBase>(column: Builder & Once<Builder>): Annotated<Builder, "lww"> =>
  mark(column, "lww");

/**
 * Written with its row and never changed afterwards, such as the tenant that a row belongs to: the database refuses to
 * change it. Merges like {@link lww}. Who may see a row can be decided by it, also once the row is deleted. For any column.
 *
 * ```ts
 * tenantId: fixed(text("tenant_id").notNull())
 * ```
 */
export const fixed = <Builder extends ColumnBuilderBase>(
  column: Builder & Once<Builder>,
): Annotated<Builder, "fixed"> => mark(column, "fixed");

/**
 * Concurrent increments and decrements add up. For a NOT NULL integer column: `integer()` in SQLite, `bigint()` in
 * Postgres. Write it as usual; what is replicated is by how much it changed.
 *
 * ```ts
 * viewCount: counter(integer("view_count").notNull().default(0))
 * ```
 */
export const counter = <Builder extends ColumnBuilderBase>(
  column: Builder & Once<Builder> & Countable<Builder>,
): Annotated<Builder, "counter"> => mark(column, "counter");

/**
 * A set: concurrent adds all stay, and an add wins over a concurrent removal. For a NOT NULL column that holds a JSON
 * array, whose elements are told apart by their JSON text.
 *
 * ```ts
 * tags: set(text("tags", { mode: "json" }).$type<string[]>().notNull().default([]))
 * ```
 */
export const set = <Builder extends ColumnBuilderBase>(
  column: Builder & Once<Builder> & ArrayTyped<Builder>,
): Annotated<Builder, "set"> => mark(column, "set");

/**
 * Stays on this node: never captured, never sent. It must be nullable or have a default in the database, since rows from
 * other nodes come without it.
 *
 * ```ts
 * draft: local(text("draft"))
 * ```
 */
export const local = <Builder extends ColumnBuilderBase>(
  column: Builder & Once<Builder>,
): Annotated<Builder, "local"> => mark(column, "local");

/** What the column reads as: its `$type`, where it has one. */
type DataOf<Builder extends ColumnBuilderBase> = Builder["_"] extends { $type: infer Type }
  ? Type
  : Builder["_"]["data"];

/** The types of column that hold whole numbers without loss, as drizzle-orm 0.45 names them. */
type IntegerColumn = "SQLiteInteger" | "SQLiteCustomColumn" | "PgBigInt53" | "PgBigInt64" | "PgCustomColumn";

/** In 1.0 the data's type says it; in Postgres, bigint is told from numeric and bigserial by what it can be besides. */
type IsInteger<Builder extends ColumnBuilderBase> = Builder["_"] extends { columnType: infer Name }
  ? Name extends IntegerColumn
    ? true
    : false
  : Builder["_"] extends Dimensioned
    ? false
    : Builder["_"]["dataType"] extends "custom"
      ? true
      : Builder extends { array: unknown }
        ? Builder extends { _: { dataType: "number int53" | "bigint int64" }; generatedAlwaysAsIdentity: unknown }
          ? true
          : false
        : Builder["_"]["dataType"] extends "number int53"
          ? true
          : false;

/** In 1.0 an array is a column with dimensions, and its data is one element's. */
type Dimensioned = { dimensions: 1 | 2 | 3 | 4 | 5 };
type IsArray<Builder extends ColumnBuilderBase> = Builder["_"] extends Dimensioned
  ? true
  : [DataOf<Builder>] extends [readonly unknown[]]
    ? true
    : false;

/** Nothing to add, or a property that cannot be there and whose name is the error message. */
type Once<Builder extends ColumnBuilderBase> = Builder["_"]["dataType"] extends { readonly crdt: string }
  ? { "grove-crdt: this column is annotated already": never }
  : unknown;

type Countable<Builder extends ColumnBuilderBase> = [DataOf<Builder>] extends [number | bigint]
  ? IsInteger<Builder> extends true
    ? unknown
    : { "grove-crdt: counter() needs integer() in SQLite or bigint() in Postgres": never }
  : { "grove-crdt: counter() needs a column of whole numbers": never };

type ArrayTyped<Builder extends ColumnBuilderBase> =
  unknown extends DataOf<Builder>
    ? { "grove-crdt: set() needs to know its elements, add .$type<T[]>() to the column": never }
    : IsArray<Builder> extends true
      ? unknown
      : { "grove-crdt: set() needs an array, add .$type<T[]>() to the column": never };

function mark(column: ColumnBuilderBase, type: Annotation): never {
  const { config } = column as unknown as { config?: { [markKey]?: string } };
  if (config === undefined)
    throw new TypeError(`${type}() goes around a Drizzle column builder, such as text("title")`);
  // Annotated twice, which only untyped code can do: keep both words, so that `generate` can name them.
  const before = config[markKey];
  config[markKey] = before === undefined || before === type ? type : `${before} ${type}`;
  return column as never;
}
