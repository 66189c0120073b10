// Paths into documents, in types: names of properties from the root on, and what stands at their end.

/** Names of properties from the root on. They are taken as they are: a dot or a slash in a name is part of it. */
export type Path = readonly [string, ...string[]];

/** The path if it leads somewhere in `T`, else what it might be. */
export type PathIn<T, P extends readonly string[]> = P extends readonly [
  infer Name extends string,
  ...infer Rest extends string[],
]
  ? Name extends NameIn<T>
    ? readonly [Name, ...PathIn<At<T, Name>, Rest>]
    : readonly [NameIn<T>, ...string[]]
  : P;

/** The path if it leads to a number in `T`. */
export type NumberPath<T, P extends readonly string[]> = [ValueAt<T, P>] extends [number] ? PathIn<T, P> : never;

/** What stands at the path's end, where it is there. */
export type ValueAt<T, P extends readonly string[]> = P extends readonly [
  infer Name extends string,
  ...infer Rest extends string[],
]
  ? ValueAt<At<T, Name>, Rest>
  : Exclude<T, undefined>;

/** Properties of objects; of what nothing is known, all. */
type NameIn<T> = unknown extends T
  ? string
  : T extends readonly unknown[]
    ? never
    : T extends object
      ? keyof T & string
      : never;

type At<T, Name extends string> = unknown extends T
  ? unknown
  : T extends object
    ? Name extends keyof T
      ? T[Name]
      : never
    : never;
