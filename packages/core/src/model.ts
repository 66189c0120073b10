// What the generator knows of a schema and the runtime needs: plain frozen data, free of Drizzle and of drivers.
// packages/drizzle reads it from Drizzle tables, packages/codegen prints it into generated/, the stores run on it.

export type Dialect = "sqlite" | "postgres";

/** The CRDT type of an annotated column. */
export type CrdtTypeName = "lww" | "counter" | "set" | "list" | "document";

/** The types whose columns hold JSON of which every part merges by itself. */
export const isNested = (type: CrdtTypeName): type is "set" | "list" | "document" =>
  type === "set" || type === "list" || type === "document";

/** What a column of such a type holds where there is nothing in it, and where it holds something else. */
export const emptyOf = (type: CrdtTypeName): Json => (type === "document" ? {} : []);

/** What its JSON must be. */
export const shapeOf = (type: CrdtTypeName): "array" | "object" => (type === "document" ? "object" : "array");

/** A value of such a column: what is none counts as empty. */
export function nestedValue(type: CrdtTypeName, value: unknown): Json {
  const fits =
    type === "document" ? typeof value === "object" && value !== null && !Array.isArray(value) : Array.isArray(value);
  return fits ? (value as Json) : emptyOf(type);
}

/** A path of a document whose value is not one register: it merges by a type of its own. */
export interface DocumentPath {
  /** Names of the properties from the root on. */
  readonly path: readonly string[];
  readonly type: "counter" | "set" | "list";
  /** Of a list, as {@link FieldModel.itemKey}. */
  readonly itemKey?: string;
}

/** What a value means on the wire, the same in every dialect. See docs/protocol.md for the JSON form of each. */
export type ValueKind = "text" | "integer" | "real" | "numeric" | "boolean" | "timestamp" | "json" | "bytes";

/**
 * How the database stores the value. SQLite has few storage classes, so a kind may have several encodings:
 * a timestamp is a whole number of `seconds` or `milliseconds`, JSON is `text` or `blob`, an integer may be the digits
 * in a `blob`. Postgres has a type for each kind (`native`), and for JSON three: `json`, `jsonb` and `array`.
 */
export type Storage =
  | "text"
  | "integer"
  | "seconds"
  | "milliseconds"
  | "real"
  | "numeric"
  | "blob"
  | "native"
  | "json"
  | "jsonb"
  | "array";

/** A JSON value in canonical form (RFC 8785 once serialized). */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export interface ColumnModel {
  /** The name in the database. */
  readonly name: string;
  /** The property of the Drizzle table, as `$inferSelect` spells it. */
  readonly property: string;
  readonly kind: ValueKind;
  readonly storage: Storage;
  /** The declared type, as Drizzle prints it: `text`, `integer`, `blob` … In Postgres ready to stand after `::`. */
  readonly sqlType: string;
  readonly notNull: boolean;
  /** Of a Postgres array: what its elements are. */
  readonly element?: { readonly kind: ValueKind; readonly storage: Storage; readonly sqlType: string };
}

export interface FieldModel extends ColumnModel {
  readonly type: CrdtTypeName;
  /** An LWW field that is written with its row and never changes, so that it can say who may see the row. */
  readonly fixed?: true;
  /** Of a list of objects: the property that says which item one is, so that another value of it is the same item edited. */
  readonly itemKey?: string;
  /** Of a document: the paths that have a type of their own; absent = none. */
  readonly paths?: readonly DocumentPath[];
  /** The schema's constant default in canonical form; absent when the column has none. */
  readonly default?: Json;
}

export type ReferenceAction = "cascade" | "set null" | "set default" | "restrict" | "no action";

/** A foreign key to another annotated table, or to the same one. */
export interface ReferenceModel {
  /** Key columns or LWW fields of this table, as database names. */
  readonly columns: readonly string[];
  /** The parent table's name. */
  readonly table: string;
  /** The parent's columns in the same order: its primary key, or one of its unique keys. */
  readonly parent: readonly string[];
  readonly onDelete: ReferenceAction;
  readonly onUpdate: ReferenceAction;
}

/** A replicated table: its names, keys, columns and references, as far as merging needs them. */
export interface TableModel {
  /** The name in the database. */
  readonly name: string;
  /** The name under which the schema file exports the table. */
  readonly exportName: string;
  /** Primary key columns in key order; never annotated, never changed by a merge. */
  readonly key: readonly ColumnModel[];
  /** Annotated columns in the order of declaration. Bit n of the log's mask is field n (52 to a mask column). */
  readonly fields: readonly FieldModel[];
  /** Names of columns marked `local`: never captured, never sent. */
  readonly local: readonly string[];
  /** Unique keys besides the primary key, each as database column names. */
  readonly uniques: readonly (readonly string[])[];
  /** Foreign keys to annotated tables; absent = none. */
  readonly references?: readonly ReferenceModel[];
  /** Another table refers to this one with NO ACTION or RESTRICT, so a deleted row keeps its values: it may have to be shown. */
  readonly keepsDeleted?: boolean;
  /** What was written to it is kept, as far back as this; absent = it is not. */
  readonly history?: HistoryBounds;
}

/** How far a table's history reaches back; neither = for good. */
export interface HistoryBounds {
  /** So many days. */
  readonly days?: number;
  /** So many of each row's latest changes. */
  readonly depth?: number;
}

/** SQL that captures one table's writes, as the generator emits it. One statement per string. */
export interface TableCapture {
  /** `CREATE TABLE IF NOT EXISTS …` and indexes for `_t_log`, `_t_crdt`, `_t_crdt_cells`. */
  readonly tables: readonly string[];
  /** Postgres: name of each trigger function to its `CREATE OR REPLACE FUNCTION`; the body stands between `$grove$`. */
  readonly functions?: Readonly<Record<string, string>>;
  /** Trigger name to its `CREATE TRIGGER` statement, exactly as the database will store it. */
  readonly triggers: Readonly<Record<string, string>>;
}

/** Everything that a node has to know of its schema: what `generate` writes into `registry.ts`, and `createNode` takes. */
export interface Registry {
  readonly dialect: Dialect;
  readonly tables: readonly TableModel[];
  readonly capture: {
    /** SHA-256, hex, over every capture statement: two databases with one hash capture alike. */
    readonly hash: string;
    /** `CREATE TABLE IF NOT EXISTS …` for the `_grove_*` tables. */
    readonly system: readonly string[];
    /** By table name. */
    readonly tables: Readonly<Record<string, TableCapture>>;
  };
}

/** Annotated columns that one integer of the log's mask covers: 52 bits stay exact in a JavaScript number. */
export const FIELDS_PER_MASK = 52;

/** The log's mask columns of a table with `fields` annotated columns: `mask`, `mask1`, … */
export function maskColumns(fields: number): string[] {
  return Array.from({ length: Math.max(1, Math.ceil(fields / FIELDS_PER_MASK)) }, (_, n) =>
    n === 0 ? "mask" : `mask${n}`,
  );
}

/** Names of our tables beside table `t`. */
export const logTable = (t: string) => `_${t}_log`;
export const shadowTable = (t: string) => `_${t}_crdt`;
export const cellsTable = (t: string) => `_${t}_crdt_cells`;
