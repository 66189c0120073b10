// What intent helpers take: columns with the annotation that they are for, told by their type, and their elements.
import type { Column } from "drizzle-orm";

/** A column of a Drizzle table with this annotation. */
export type Annotated<Crdt extends string> = Column & { readonly _: { readonly dataType: { readonly crdt: Crdt } } };

/** What the column reads as: its `$type`, where it has one. */
export type DataOf<C extends Column> = C["_"] extends { $type: infer Type } ? Type : C["_"]["data"];

/** What a set or a list holds. */
export type ElementOf<C extends Column> = DataOf<C> extends readonly (infer Element)[] ? Element : never;

/** How the column stores its array. */
export type ArrayStorage = "text" | "jsonb" | "array";

/** @throws TypeError for a column that holds no array */
export function storageOf(column: Column): ArrayStorage {
  const type = column.getSQLType();
  // 1.0 tells an array by its dimensions, which all of its columns may have, 0.45 by its type.
  if (type.endsWith("]") || ("dimensions" in column && Number(column.dimensions) > 0)) return "array";
  if (type === "jsonb" || type === "text") return type;
  throw new TypeError(`${column.name} (${type}) holds no array of elements.`);
}
