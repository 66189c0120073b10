// The two shapes in which changes leave the core: grouped by row as they travel and merge, and field by field as hooks,
// audit and API see them. Generated files narrow both to one table's columns; the core itself works with the wide ones.
import type { CrdtTypeName, Json } from "./model";

/** When and where an entry was written: microseconds since 1970, hybrid, and the writer's node id. */
export type Stamped = readonly [hlc: number, node: string];

/** A last-writer-wins register: its value, and its stamp where it differs from the stamp of the row's life. */
export type WireRegister<Value extends Json = Json> = readonly [value: Value, hlc?: number, node?: string];

/** What one incarnation of one node counted: totals as decimal strings, which only grow, and the last count's clock. */
export type WireTotal = readonly [incarnation: string, node: string, up: string, down: string, hlc: number];

/** A counter: the value it was born with, a register, and the totals counted since. */
export interface WireCounter {
  readonly birth?: readonly [value: string, hlc: number, node: string];
  readonly totals?: readonly WireTotal[];
}

/** One element as one node added it, and up to which of that node's adds it was seen removed. */
export type WireElement<Element extends Json = Json> = readonly [
  element: Element,
  hlc: number,
  node: string,
  removed?: number,
];

/** One row's changes as they travel; also the row's whole state when nothing is left out. */
export interface RowChange {
  /** The table's name in the database. */
  readonly table: string;
  /** Values of the primary key's columns in key order. */
  readonly pk: readonly Json[];
  /** The causal length: odd while the row lives, even once it is deleted. */
  readonly cl: number;
  /** The stamp of the insert or delete that began this causal length; `[0, ""]` for a row adopted from before capture. */
  readonly life: Stamped;
  /** By column name; an entry without a stamp was written with the row's life. */
  readonly lww?: Readonly<Record<string, WireRegister>>;
  /** By column name. */
  readonly counter?: Readonly<Record<string, WireCounter>>;
  /** By column name. */
  readonly set?: Readonly<Record<string, readonly WireElement[]>>;
}

/** One field's change, as hooks, audit and API see it. */
export interface ChangeRecord {
  readonly table: string;
  readonly pk: readonly Json[];
  /** The column's name in the database; empty for the row itself, that is for its insert or delete. */
  readonly field: string;
  readonly type: CrdtTypeName | "row";
  readonly cl: number;
  readonly hlc: number;
  readonly nodeId: string;
  readonly value?: Json;
  readonly counter?: WireCounter;
  readonly set?: readonly WireElement[];
  /** The row was deleted. */
  readonly tombstone?: true;
}

/** The annotated columns of a table, as generated types state them: the wire values by column name. */
export interface FieldTypes {
  /** Registers by column name. */
  readonly lww?: object;
  /** Counters, a union of column names. */
  readonly counter?: string;
  /** Sets by column name, each with its element. */
  readonly set?: object;
}

/** {@link RowChange} for one table: `TableState<"documents", { lww: { title: string }; counter: "view_count" }>`. */
export interface TableState<
  Name extends string,
  Fields extends FieldTypes,
  Key extends readonly Json[] = readonly Json[],
> {
  readonly table: Name;
  readonly pk: Key;
  readonly cl: number;
  readonly life: Stamped;
  readonly lww?: { readonly [C in Names<Registers<Fields>>]?: WireRegister<Wire<Registers<Fields>[C]>> };
  readonly counter?: { readonly [C in Counters<Fields>]?: WireCounter };
  readonly set?: { readonly [C in Names<Sets<Fields>>]?: readonly WireElement<Wire<Sets<Fields>[C]>>[] };
}

/** {@link ChangeRecord} for one table: a union over its columns and the row itself, told apart by `field`. */
export type TableChange<Name extends string, Fields extends FieldTypes, Key extends readonly Json[] = readonly Json[]> =
  | { [C in Names<Registers<Fields>>]: RegisterChange<Name, Key, C, Wire<Registers<Fields>[C]>> }[Names<
      Registers<Fields>
    >]
  | { [C in Counters<Fields>]: CounterChange<Name, Key, C> }[Counters<Fields>]
  | { [C in Names<Sets<Fields>>]: SetChange<Name, Key, C, Wire<Sets<Fields>[C]>> }[Names<Sets<Fields>>]
  | Change<Name, Key, "", "row">;

export type Change<Name, Key, Field, Type> = Omit<
  ChangeRecord,
  "table" | "pk" | "field" | "type" | "value" | "counter" | "set"
> & {
  readonly table: Name;
  readonly pk: Key;
  readonly field: Field;
  readonly type: Type;
};
export type RegisterChange<Name, Key, Field, Value> = Change<Name, Key, Field, "lww"> & { readonly value: Value };
export type CounterChange<Name, Key, Field> = Change<Name, Key, Field, "counter"> & { readonly counter: WireCounter };
export type SetChange<Name, Key, Field, Element extends Json> = Change<Name, Key, Field, "set"> & {
  readonly set: readonly WireElement<Element>[];
};

type Names<Columns> = keyof Columns & string;
type Registers<F extends FieldTypes> = F extends { lww: infer Columns } ? Columns : Record<never, never>;
type Counters<F extends FieldTypes> = F extends { counter: infer Column extends string } ? Column : never;
type Sets<F extends FieldTypes> = F extends { set: infer Columns } ? Columns : Record<never, never>;

/** A column's `$type` as JSON carries it; a type that TypeScript cannot see to be JSON (an interface) is taken at its word. */
export type Wire<T> = T extends Json ? T : T & Json;
