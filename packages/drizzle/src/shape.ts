// A document's shape, all in types: which of its properties merge by a type of their own. It is checked against what the
// column reads as, so that a property misspelled or of another type does not compile.
import type { markKey, optionsKey } from "./annotations";

/** A property that merges by a type of its own: `counter()`, `set()` or `list()` in a document's shape. */
export interface Merging<Type extends "counter" | "set" | "list", Key extends string = never> {
  readonly [markKey]: Type;
  readonly [optionsKey]?: { readonly key: Key };
}

/** What may stand in a document's shape for each property of `T`. */
export type ShapeOf<T> = { readonly [Name in keyof T]?: ShapeAt<Exclude<T[Name], undefined>> };

type ShapeAt<Value> = unknown extends Value
  ? { "grove-crdt: a shape needs to know what the property holds": never }
  : [Value] extends [number]
    ? Merging<"counter">
    : [Value] extends [readonly (infer Item)[]]
      ? Merging<"set"> | Merging<"list", KeyOf<Item>>
      : [Value] extends [object]
        ? ShapeOf<Value>
        : { "grove-crdt: only a number, an array or an object can stand in a shape": never };

/** The properties of a list's items, if they are objects. */
export type KeyOf<Item> = [Item] extends [readonly unknown[]]
  ? never
  : [Item] extends [object]
    ? keyof Item & string
    : never;
