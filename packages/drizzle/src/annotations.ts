// What a schema file imports: seven words around Drizzle's column builders. This module is all types at import time, so
// that a schema stays as light for bundlers and browsers as it was.
import type { ColumnBuilderBase } from "drizzle-orm";
import type { ArrayTyped, Countable, DataOf, Fit, ItemKey, ObjectTyped, Once } from "./builder";
import type { Merging, ShapeOf } from "./shape";

export type { Merging, ShapeOf } from "./shape";

/**
 * The key of the mark on `builder.config`, which Drizzle hands on to the column. `Symbol.for`, because the CLI may load
 * this module twice.
 */
export const markKey: unique symbol = Symbol.for("grove-crdt:type") as never;

/** The key of what an annotation was told besides, beside the mark: a list's key, or a document's shape. */
export const optionsKey: unique symbol = Symbol.for("grove-crdt:options") as never;

/** What an annotation says of a column. */
export type Annotation = "lww" | "fixed" | "counter" | "set" | "list" | "document" | "local";

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
export const lww = <Builder extends ColumnBuilderBase>(
  column: Fit<Builder, Once<Builder>>,
): Annotated<Builder, "lww"> => mark(column, "lww");

/**
 * Written with its row and never changed afterwards, such as the tenant that a row belongs to: the database refuses to
 * change it. Merges like {@link lww}. Who may see a row can be decided by it, also once the row is deleted. For any column.
 *
 * ```ts
 * tenantId: fixed(text("tenant_id").notNull())
 * ```
 */
export const fixed = <Builder extends ColumnBuilderBase>(
  column: Fit<Builder, Once<Builder>>,
): Annotated<Builder, "fixed"> => mark(column, "fixed");

/**
 * Concurrent increments and decrements add up. For a NOT NULL integer column: `integer()` in SQLite, `bigint()` in
 * Postgres. Write it as usual; what is replicated is by how much it changed.
 *
 * ```ts
 * viewCount: counter(integer("view_count").notNull().default(0))
 * ```
 *
 * In the shape of a {@link document} it stands without a column, where the document has a whole number.
 */
export function counter(): Merging<"counter">;
export function counter<Builder extends ColumnBuilderBase>(
  column: Fit<Builder, Once<Builder> & Countable<Builder>>,
): Annotated<Builder, "counter">;
export function counter(column?: ColumnBuilderBase): unknown {
  return column === undefined ? merging("counter") : mark(column, "counter");
}

/**
 * A set: concurrent adds all stay, and an add wins over a concurrent removal. For a NOT NULL column that holds a JSON
 * array, whose elements are told apart by their JSON text.
 *
 * ```ts
 * tags: set(text("tags", { mode: "json" }).$type<string[]>().notNull().default([]))
 * ```
 *
 * In the shape of a {@link document} it stands without a column, where the document has an array.
 */
export function set(): Merging<"set">;
export function set<Builder extends ColumnBuilderBase>(
  column: Fit<Builder, Once<Builder> & ArrayTyped<Builder, "set">>,
): Annotated<Builder, "set">;
export function set(column?: ColumnBuilderBase): unknown {
  return column === undefined ? merging("set") : mark(column, "set");
}

/**
 * A list in an order: concurrent inserts all stay, each run of them together, and a moved item is there once. For a NOT
 * NULL column that holds a JSON array. Of objects, `key` names the property that says which item one is: with another
 * value elsewhere it is the same item edited.
 *
 * ```ts
 * steps: list(text("steps", { mode: "json" }).$type<string[]>().notNull().default([]))
 * cards: list(jsonb("cards").$type<{ id: string; title: string }[]>().notNull().default([]), { key: "id" })
 * ```
 *
 * In the shape of a {@link document} it stands without a column, where the document has an array.
 */
export function list(): Merging<"list">;
export function list<Key extends string>(options: { readonly key: Key }): Merging<"list", Key>;
export function list<Builder extends ColumnBuilderBase>(
  column: Fit<Builder, Once<Builder> & ArrayTyped<Builder, "list">>,
  options?: { readonly key: ItemKey<Builder> },
): Annotated<Builder, "list">;
export function list(
  first?: ColumnBuilderBase | { readonly key: string },
  options?: { readonly key: string },
): unknown {
  if (first === undefined || (typeof first === "object" && "key" in first)) return merging("list", first);
  return mark(first, "list", options);
}

/**
 * A JSON object that merges property by property, however deep: concurrent writes to different properties all stand, and
 * of two writes to one property the later one. For a NOT NULL column that holds a JSON object. `shape` says which
 * properties merge by a type of their own instead.
 *
 * ```ts
 * data: document(jsonb("data").$type<Meta>().notNull().default({ … }), {
 *   stats: { views: counter() },
 *   tags: set(),
 *   cards: list({ key: "id" }),
 * })
 * ```
 */
export const document = <Builder extends ColumnBuilderBase>(
  column: Fit<Builder, Once<Builder> & ObjectTyped<Builder>>,
  shape?: ShapeOf<DataOf<Builder>>,
): Annotated<Builder, "document"> => mark(column, "document", shape);

/**
 * Stays on this node: never captured, never sent. It must be nullable or have a default in the database, since rows from
 * other nodes come without it.
 *
 * ```ts
 * draft: local(text("draft"))
 * ```
 */
export const local = <Builder extends ColumnBuilderBase>(
  column: Fit<Builder, Once<Builder>>,
): Annotated<Builder, "local"> => mark(column, "local");

function mark(column: ColumnBuilderBase, type: Annotation, options?: object): never {
  const { config } = column as unknown as { config?: { [markKey]?: string; [optionsKey]?: object } };
  if (config === undefined)
    throw new TypeError(`${type}() goes around a Drizzle column builder, such as text("title")`);
  // Annotated twice, which only untyped code can do: keep both words, so that `generate` can name them.
  const before = config[markKey];
  config[markKey] = before === undefined || before === type ? type : `${before} ${type}`;
  if (options !== undefined) config[optionsKey] = options;
  return column as never;
}

const merging = (type: "counter" | "set" | "list", options?: object) =>
  Object.freeze({ [markKey]: type, ...(options && { [optionsKey]: options }) });
