// The tables that the benchmarks run on, and what a program without grove-crdt does with them.
import { randomUUID } from "node:crypto";
import { createRegistry } from "@grove-crdt/codegen";
import type { Json, Registry, RowChange } from "@grove-crdt/core";
import { readSchema } from "@grove-crdt/drizzle";
import type Database from "better-sqlite3";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { list, lww, set } from "grove-crdt/schema";
import { registry as reference } from "../generated/sqlite/registry";

/** What binds to a table's columns, the key first. */
export type Values = readonly (string | number)[];

export interface BenchTable {
  readonly name: string;
  readonly registry: Registry;
  readonly create: string;
  readonly columns: readonly string[];
  /** A new row under a random key. */
  row(n: number): Values;
}

const items = sqliteTable("items", {
  id: text("id").primaryKey(),
  name: lww(text("name").notNull()),
  note: lww(text("note").notNull()),
  state: lww(text("state").notNull()),
  price: lww(integer("price").notNull()),
  quantity: lww(integer("quantity").notNull()),
});

const boards = sqliteTable("boards", {
  id: text("id").primaryKey(),
  title: lww(text("title").notNull()),
  items: list(text("items", { mode: "json" }).$type<string[]>().notNull().default([])),
  members: set(text("members", { mode: "json" }).$type<string[]>().notNull().default([])),
});

const registryOf = (exports: Record<string, unknown>): Registry =>
  createRegistry("sqlite", readSchema([{ path: "bench/tables.ts", exports }], { dialect: "sqlite" }).tables);

const states = ["open", "paid", "shipped", "cancelled"];

/** Five last-writer-wins columns under a uuid. */
export const itemsTable: BenchTable = {
  name: "items",
  registry: registryOf({ items }),
  create: `CREATE TABLE items (
    id text PRIMARY KEY NOT NULL, name text NOT NULL, note text NOT NULL,
    state text NOT NULL, price integer NOT NULL, quantity integer NOT NULL
  )`,
  columns: ["id", "name", "note", "state", "price", "quantity"],
  row: (n) => [
    randomUUID(),
    `Item number ${n}`,
    `What there is to say about item ${n}, in a sentence or so`,
    states[n % 4] as string,
    n * 7,
    n % 100,
  ],
};

const PARAGRAPH =
  "It is neither long nor short, as texts in tables are: a few sentences that somebody wrote in one go. ".repeat(4);

/** The reference schema's documents: a title, a body of some 450 characters, a counter, a set with two tags. */
export const documentsTable: BenchTable = {
  name: "documents",
  registry: reference,
  create: `CREATE TABLE documents (
    id text PRIMARY KEY NOT NULL, title text NOT NULL, body text DEFAULT '' NOT NULL,
    view_count integer DEFAULT 0 NOT NULL, tags text DEFAULT '[]' NOT NULL
  )`,
  columns: ["id", "title", "body", "view_count", "tags"],
  row: (n) => [
    randomUUID(),
    `Document number ${n}`,
    `Document ${n} has a paragraph to say. ${PARAGRAPH}`,
    0,
    JSON.stringify([`topic ${n % 50}`, `author ${n % 1000}`]),
  ],
};

/** A board has a title, a list of items and a set of members; one row of it may hold thousands. */
export const boardsTable: BenchTable = {
  name: "boards",
  registry: registryOf({ boards }),
  create: `CREATE TABLE boards (
    id text PRIMARY KEY NOT NULL, title text NOT NULL,
    items text DEFAULT '[]' NOT NULL, members text DEFAULT '[]' NOT NULL
  )`,
  columns: ["id", "title", "items", "members"],
  row: (n) => [randomUUID(), `Board number ${n}`, "[]", "[]"],
};

export const makeRows = (table: BenchTable, count: number): Values[] =>
  Array.from({ length: count }, (_, n) => table.row(n));

const insertSql = ({ name, columns }: BenchTable) =>
  `INSERT INTO ${name} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`;

const upsertSql = (table: BenchTable) =>
  `${insertSql(table)} ON CONFLICT (id) DO UPDATE SET ${table.columns
    .slice(1)
    .map((column) => `${column} = excluded.${column}`)
    .join(", ")}`;

/** Runs one prepared statement for every list of parameters, in one transaction. */
export function runAll(database: Database.Database, sql: string, rows: Iterable<Values>): void {
  const statement = database.prepare(sql);
  database.exec("BEGIN IMMEDIATE");
  for (const row of rows) statement.run(...row);
  database.exec("COMMIT");
}

export const insertAll = (database: Database.Database, table: BenchTable, rows: Iterable<Values>): void =>
  runAll(database, insertSql(table), rows);

export const upsertAll = (database: Database.Database, table: BenchTable, rows: Iterable<Values>): void =>
  runAll(database, upsertSql(table), rows);

/** What a page's row would be to a program that only upserts: its plain values, all columns. */
export function plainValues(table: BenchTable, change: RowChange): Values {
  const values: (string | number)[] = [change.pk[0] as string];
  for (const column of table.columns.slice(1)) {
    const register = change.lww?.[column];
    const counter = change.counter?.[column];
    if (register) values.push(register[0] as string | number);
    else if (counter) values.push(Number(counter.birth?.[0] ?? 0));
    else values.push(JSON.stringify(change.set?.[column]?.map(([element]) => element as Json)));
  }
  return values;
}
