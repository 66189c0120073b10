// The two shapes in which changes leave the core: grouped by row as they travel and merge, and field by field as hooks,
// audit and API see them. Generated files narrow both to one table's columns; the core itself works with the wide ones.
import type { Ends } from "./ends";
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

/**
 * One position of a list. Ids are a clock reading in base 36, a dot and a node: the stamp under which the position was made.
 * A position stands beside its parent (null = the list itself), before it (0) or after it (1). In this order: an item that
 * was deleted; one as it was inserted; one that was given another value, under that write's stamp; a move of an item here.
 */
export type WireItem<Element extends Json = Json> =
  | readonly [id: string, parent: string | null, side: 0 | 1]
  | readonly [id: string, parent: string | null, side: 0 | 1, value: Element]
  | readonly [id: string, parent: string | null, side: 0 | 1, value: Element, hlc: number, node: string]
  | readonly [id: string, parent: string | null, side: 0 | 1, moved: null, item: string];

/**
 * What was written at one path of a document, names from the root on; without a value, the path was deleted. With a 1 behind
 * the value: what has a type of its own stands there, and the value only as long as it has no entries.
 */
export type WirePath =
  | readonly [path: readonly string[], hlc: number, node: string]
  | readonly [path: readonly string[], hlc: number, node: string, value: Json]
  | readonly [path: readonly string[], hlc: number, node: string, value: Json, typed: 1];

/** A document: its registers, and by path what has a type of its own. */
export interface WireDocument {
  readonly values?: readonly WirePath[];
  readonly counter?: readonly (readonly [path: readonly string[], counter: WireCounter])[];
  readonly set?: readonly (readonly [path: readonly string[], set: readonly WireElement[]])[];
  readonly list?: readonly (readonly [path: readonly string[], list: readonly WireItem[]])[];
}

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
  /** When its earlier lives ended, and this one if it did: of a row that was inserted again, or deleted twice at once. */
  readonly ends?: Ends;
  /** By column name; an entry without a stamp was written with the row's life. */
  readonly lww?: Readonly<Record<string, WireRegister>>;
  /** By column name. */
  readonly counter?: Readonly<Record<string, WireCounter>>;
  /** By column name. */
  readonly set?: Readonly<Record<string, readonly WireElement[]>>;
  /** By column name. */
  readonly list?: Readonly<Record<string, readonly WireItem[]>>;
  /** By column name. */
  readonly document?: Readonly<Record<string, WireDocument>>;
}

/** What a change says of the row itself. */
export const headOf = ({ table, pk, cl, life, ends }: RowChange): RowChange => ({
  table,
  pk,
  cl,
  life,
  ...(ends && { ends }),
});

/** The parts of a row change that carry fields, each by column name, in the order in which they are told. */
export const FIELD_PARTS = ["lww", "counter", "set", "list", "document"] as const satisfies readonly CrdtTypeName[];
/** Those whose fields are made of entries, which all travel by the encoding of their type. */
export const ENTRY_PARTS = ["counter", "set", "list", "document"] as const satisfies readonly CrdtTypeName[];

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
  readonly list?: readonly WireItem[];
  readonly document?: WireDocument;
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
  /** Lists by column name, each with its item. */
  readonly list?: object;
  /** Documents, a union of column names. */
  readonly document?: string;
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
  readonly ends?: Ends;
  readonly lww?: Part<{ readonly [C in Names<Registers<Fields>>]?: WireRegister<Wire<Registers<Fields>[C]>> }>;
  readonly counter?: Part<{ readonly [C in Counters<Fields>]?: WireCounter }>;
  readonly set?: Part<{ readonly [C in Names<Sets<Fields>>]?: readonly WireElement<Wire<Sets<Fields>[C]>>[] }>;
  readonly list?: Part<{ readonly [C in Names<Lists<Fields>>]?: readonly WireItem<Wire<Lists<Fields>[C]>>[] }>;
  readonly document?: Part<{ readonly [C in Documents<Fields>]?: WireDocument }>;
}

/** An object type without properties would take any: a table without columns of a type has no such part. */
type Part<Columns> = [keyof Columns] extends [never] ? never : Columns;

/** {@link ChangeRecord} for one table: a union over its columns and the row itself, told apart by `field`. */
export type TableChange<Name extends string, Fields extends FieldTypes, Key extends readonly Json[] = readonly Json[]> =
  | { [C in Names<Registers<Fields>>]: RegisterChange<Name, Key, C, Wire<Registers<Fields>[C]>> }[Names<
      Registers<Fields>
    >]
  | { [C in Counters<Fields>]: CounterChange<Name, Key, C> }[Counters<Fields>]
  | { [C in Names<Sets<Fields>>]: SetChange<Name, Key, C, Wire<Sets<Fields>[C]>> }[Names<Sets<Fields>>]
  | { [C in Names<Lists<Fields>>]: ListChange<Name, Key, C, Wire<Lists<Fields>[C]>> }[Names<Lists<Fields>>]
  | { [C in Documents<Fields>]: DocumentChange<Name, Key, C> }[Documents<Fields>]
  | Change<Name, Key, "", "row">;

export type Change<Name, Key, Field, Type> = Omit<
  ChangeRecord,
  "table" | "pk" | "field" | "type" | "value" | "counter" | "set" | "list" | "document"
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
export type ListChange<Name, Key, Field, Element extends Json> = Change<Name, Key, Field, "list"> & {
  readonly list: readonly WireItem<Element>[];
};
export type DocumentChange<Name, Key, Field> = Change<Name, Key, Field, "document"> & {
  readonly document: WireDocument;
};

type Names<Columns> = keyof Columns & string;
type Registers<F extends FieldTypes> = F extends { lww: infer Columns } ? Columns : Record<never, never>;
type Counters<F extends FieldTypes> = F extends { counter: infer Column extends string } ? Column : never;
type Sets<F extends FieldTypes> = F extends { set: infer Columns } ? Columns : Record<never, never>;
type Lists<F extends FieldTypes> = F extends { list: infer Columns } ? Columns : Record<never, never>;
type Documents<F extends FieldTypes> = F extends { document: infer Column extends string } ? Column : never;

/** A column's `$type` as JSON carries it; a type that TypeScript cannot see to be JSON (an interface) is taken at its word. */
export type Wire<T> = T extends Json ? T : T & Json;
