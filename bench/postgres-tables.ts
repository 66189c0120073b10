// The benchmarks' tables as Postgres has them, and what a program without grove-crdt does with them: single statements over arrays.
import { createRegistry } from "@grove-crdt/codegen";
import type { Registry, RowChange } from "@grove-crdt/core";
import { readSchema } from "@grove-crdt/drizzle";
import { bigint, jsonb, pgTable, text, uuid } from "drizzle-orm/pg-core";
import { list, lww } from "grove-crdt/schema";
import type { Sql } from "postgres";
import { registry as reference } from "../generated/postgres/registry";
import { documentsTable, itemsTable, type Values } from "./tables";

const items = pgTable("items", {
  id: uuid("id").primaryKey(),
  name: lww(text("name").notNull()),
  note: lww(text("note").notNull()),
  state: lww(text("state").notNull()),
  price: lww(bigint("price", { mode: "number" }).notNull()),
  quantity: lww(bigint("quantity", { mode: "number" }).notNull()),
});
const boards = pgTable("boards", {
  id: uuid("id").primaryKey(),
  title: lww(text("title").notNull()),
  items: list(jsonb("items").$type<string[]>().notNull().default([])),
});
const registryOf = (exports: Record<string, unknown>): Registry =>
  createRegistry(
    "postgres",
    readSchema([{ path: "bench/postgres-tables.ts", exports }], { dialect: "postgres" }).tables,
  );

/** A table of the benchmarks as Postgres has it. */
export interface PostgresTable {
  readonly name: string;
  readonly registry: Registry;
  readonly create: string;
}
export const postgresItems: PostgresTable = {
  name: "items",
  registry: registryOf({ items }),
  create: `CREATE TABLE items (id uuid PRIMARY KEY, name text NOT NULL, note text NOT NULL, state text NOT NULL,
  price bigint NOT NULL, quantity bigint NOT NULL)`,
};
export const postgresBoards: PostgresTable = {
  name: "boards",
  registry: registryOf({ boards }),
  create: `CREATE TABLE boards (id uuid PRIMARY KEY, title text NOT NULL, items jsonb DEFAULT '[]' NOT NULL)`,
};
export const postgresDocuments: PostgresTable = {
  name: "documents",
  registry: reference,
  create: `CREATE TABLE documents (id text PRIMARY KEY, title text NOT NULL, body text DEFAULT '' NOT NULL,
  view_count bigint DEFAULT 0 NOT NULL, tags text[] DEFAULT '{}' NOT NULL)`,
};

const { columns } = itemsTable;
const types = ["uuid", "text", "text", "text", "bigint", "bigint"];
const LISTS = types.map((type, n) => `$${n + 1}::${type}[]`).join(", ");
const INSERT = `INSERT INTO items (${columns.join(", ")}) SELECT * FROM unnest(${LISTS})`;
const UPSERT = `${INSERT} ON CONFLICT (id) DO UPDATE SET ${columns
  .slice(1)
  .map((name) => `${name} = excluded.${name}`)
  .join(", ")}`;
const INSERT_DOCUMENTS = `INSERT INTO documents (${documentsTable.columns.join(", ")})
  SELECT id, title, body, views, tags::text[]
  FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[]) AS _(id, title, body, views, tags)`;

const lists = (rows: readonly Values[], count: number = columns.length) =>
  Array.from({ length: count }, (_, n) => rows.map((row) => row[n] as string));

/** What the benchmarks need of a client; postgres.js is one. */
export type Runs = Pick<Sql, "unsafe">;

/** All rows by one statement. */
export const insertRows = (sql: Runs, rows: readonly Values[]) =>
  sql.unsafe(INSERT, lists(rows) as never, { prepare: true });
export const upsertRows = (sql: Runs, rows: readonly Values[]) =>
  sql.unsafe(UPSERT, lists(rows) as never, { prepare: true });
export const updateRows = (sql: Runs, name: string) =>
  sql.unsafe("UPDATE items SET name = $1", [name], { prepare: true });

/** The same rows as SQLite's, their tags as an array. */
export const makeDocuments = (count: number): Values[] =>
  Array.from({ length: count }, (_, n) => {
    const row = documentsTable.row(n);
    return [...row.slice(0, 4), `{${(row[4] as string).slice(1, -1)}}`];
  });
export const insertDocuments = (sql: Runs, rows: readonly Values[]) =>
  sql.unsafe(INSERT_DOCUMENTS, lists(rows, 5) as never, { prepare: true });

/** What a page's row would be to a program that only upserts. */
export const plainRow = (change: RowChange): Values => [
  change.pk[0] as string,
  ...columns.slice(1).map((name) => change.lww?.[name]?.[0] as string | number),
];
