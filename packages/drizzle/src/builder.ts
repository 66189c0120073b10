// What annotations ask of a column builder, all in types: the word around a column that cannot carry it does not compile.
import type { ColumnBuilderBase } from "drizzle-orm";
import type { KeyOf } from "./shape";

/** What the column reads as: its `$type`, where it has one. */
export type DataOf<Builder extends ColumnBuilderBase> = Builder["_"] extends { $type: infer Type }
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

/**
 * The builder, or what keeps it from being annotated. Not an intersection of the two, for which TypeScript resolves every
 * member of every builder: 200 documents, each of a type of its own, took two seconds.
 */
export type Fit<Builder, Complaint> = unknown extends Complaint ? Builder : ColumnBuilderBase & Complaint;

/** Nothing to add, or a property that cannot be there and whose name is the error message. */
export type Once<Builder extends ColumnBuilderBase> = Builder["_"]["dataType"] extends { readonly crdt: string }
  ? { "grove-crdt: this column is annotated already": never }
  : unknown;

export type Countable<Builder extends ColumnBuilderBase> = [DataOf<Builder>] extends [number | bigint]
  ? IsInteger<Builder> extends true
    ? unknown
    : { "grove-crdt: counter() needs integer() in SQLite or bigint() in Postgres": never }
  : { "grove-crdt: counter() needs a column of whole numbers": never };

export type ArrayTyped<Builder extends ColumnBuilderBase, Word extends "set" | "list"> =
  unknown extends DataOf<Builder>
    ? { [Message in `grove-crdt: ${Word}() needs to know its elements, add .$type<T[]>() to the column`]: never }
    : IsArray<Builder> extends true
      ? unknown
      : { [Message in `grove-crdt: ${Word}() needs an array, add .$type<T[]>() to the column`]: never };

export type ObjectTyped<Builder extends ColumnBuilderBase> =
  unknown extends DataOf<Builder>
    ? { "grove-crdt: document() needs to know its properties, add .$type<T>() to the column": never }
    : IsArray<Builder> extends true
      ? { "grove-crdt: document() needs an object, use list() or set() for an array": never }
      : [DataOf<Builder>] extends [Date | Uint8Array]
        ? { "grove-crdt: document() needs an object of JSON": never }
        : [DataOf<Builder>] extends [object]
          ? unknown
          : { "grove-crdt: document() needs an object, add .$type<T>() to the column": never };

/** The properties that can tell a list's items apart; a Postgres array holds no objects that are told apart so. */
export type ItemKey<Builder extends ColumnBuilderBase> = Builder["_"] extends Dimensioned | { columnType: "PgArray" }
  ? never
  : DataOf<Builder> extends readonly (infer Item)[]
    ? KeyOf<Item>
    : never;
