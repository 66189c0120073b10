// What the behaviour tests need of a dialect: a database of its own for each node, read in canonical values, and the few
// places where the two SQL languages differ. Implemented in sqlite.ts and postgres.ts.
import type { Dialect, Json, Registry, TableModel } from "@grove-crdt/core";
import type { NodeOptions } from "grove-crdt";
import type { Builders } from "./builders";
import type { Recorder } from "./statements";

/** What the application binds to a `?`. */
export type Param = string | number | bigint | null | Uint8Array;
export type Row = Record<string, Json>;

/** A copy of a database at one moment, as a backup would be. */
export interface Image {
  /** A database of its own with what was there then. */
  restore(): Promise<TestDatabase>;
}

/** One node's database, as its application sees it: on a connection that is not the node's own where the dialect has such. */
export interface TestDatabase {
  readonly dialect: TestDialect;
  /** For `createNode`. */
  readonly db: NodeOptions["db"];
  /** The same, with somebody in front of the driver. */
  recorded(recorder: Recorder): NodeOptions["db"];
  /** Whether it has tables already. */
  isEmpty(): Promise<boolean>;
  /** Runs a statement with parameters (`?`), or several without; returns how many rows the one changed. */
  run(text: string, params?: readonly Param[]): Promise<number>;
  /**
   * Rows in canonical values: numbers as numbers while they are safe, JSON parsed, times as ISO 8601. SQLite knows from
   * the models alone which of its columns are such.
   */
  rows(text: string, params: readonly Param[], models: readonly TableModel[]): Promise<Row[]>;
  /** Every row of a table: its key and annotated columns as the wire would carry them, one text for each, sorted. */
  contents(model: TableModel): Promise<string[]>;
  /** Everything in the database as text, our own tables included; equal before and after = nothing changed. */
  dump(leaveOut?: readonly string[]): Promise<string>;
  image(): Promise<Image>;
  /** Said when this capture, and nothing else, was installed: a test to come may be given such a database, emptied. */
  installed(capture: string): Promise<void>;
  /** The process ends and another one opens the same data. */
  reopen(): Promise<TestDatabase>;
  /** Another process on the same data. */
  beside(): Promise<TestDatabase>;
  /** How those who work on it are told to end before it closes. */
  readonly users: Set<() => Promise<unknown>>;
  close(): Promise<void>;
}

/** What a schema file exports: Drizzle tables by name. */
export type Exports = Readonly<Record<string, unknown>>;

export interface OpenOptions {
  /** Statements that make the user's tables; by default the reference schema's. */
  readonly ddl?: readonly string[];
  /** In a file where the dialect would otherwise keep it in memory: for {@link TestDatabase.beside} and {@link TestDatabase.reopen}. */
  readonly durable?: boolean;
  /** Hash of a capture that the database may have installed already: see {@link TestDatabase.installed}. */
  readonly capture?: string;
}

export interface Trigger {
  readonly name: string;
  /** For example `AFTER INSERT ON documents`. */
  readonly event: string;
  readonly when?: string;
  readonly body: string;
}

export interface TestDialect extends Builders {
  readonly name: Dialect;
  /** Of the reference schema. */
  readonly registry: Registry;
  readonly referenceTables: readonly string[];
  /** How many statements the store runs at least, to merge a few rows and to fold one. */
  readonly statements: { readonly merge: number; readonly fold: number };
  /** What the driver throws when a disk fails. */
  diskError(): Error;
  /** Whether exhaustive tests run in full; else they take a sample, since every exchange costs ten times as much. */
  readonly thorough: boolean;
  /** A new database with these tables, and no capture yet. */
  open(options?: OpenOptions): Promise<TestDatabase>;
  /** The statements with which drizzle-kit would make a schema file's tables, or turn the tables of another one into them. */
  emitTables(exports: Exports, from?: Exports): Promise<readonly string[]>;
  /** What a column of `texts` stores, to be bound or put between quotes. */
  textsOf(...items: readonly string[]): string;
  /** SQL for such a column with one more at its end; `item` is an SQL expression or `?`. */
  append(column: string, item: string): string;
  /** SQL for a moment, in milliseconds since 1970, as a timestamp column takes it. */
  time(milliseconds: number): string;
  /** Statements for a trigger of the user, for each row; the statements of its body end with semicolons. */
  trigger(trigger: Trigger): readonly string[];
  dropTrigger(name: string, table: string): string;
  /** A statement for the body of a trigger: refuses the write, with a message. */
  refuse(message: string): string;
}
