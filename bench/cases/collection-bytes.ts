// Bytes that what is gone takes beside the table, after a collection and before it: deleted rows, removed elements of a set, deleted
// positions of a list and paths of a document, totals of a counter from earlier starts.
import { createRegistry } from "@grove-crdt/codegen";
import type { Registry } from "@grove-crdt/core";
import { readSchema } from "@grove-crdt/drizzle";
import { createNode, type GroveNode } from "@grove-crdt/sync";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { bigint, jsonb, pgTable, uuid, text as varying } from "drizzle-orm/pg-core";
import { drizzle as drizzlePostgres } from "drizzle-orm/postgres-js";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { counter, document, list, lww, set } from "grove-crdt/schema";
import type { Bench, Case, Round } from "../harness";
import type { Postgres } from "../postgres";
import type { BenchTable } from "../tables";
import { onPostgres } from "./postgres";

const NOTHING = [] as string[];
const onSqlite = sqliteTable("shelves", {
  id: text("id").primaryKey(),
  title: lww(text("title").notNull()),
  stock: counter(integer("stock").notNull().default(0)),
  tags: set(text("tags", { mode: "json" }).$type<string[]>().notNull().default(NOTHING)),
  steps: list(text("steps", { mode: "json" }).$type<string[]>().notNull().default(NOTHING)),
  facts: document(text("facts", { mode: "json" }).$type<Record<string, string>>().notNull().default({})),
});
const onServer = pgTable("shelves", {
  id: uuid("id").primaryKey(),
  title: lww(varying("title").notNull()),
  stock: counter(bigint("stock", { mode: "number" }).notNull().default(0)),
  tags: set(jsonb("tags").$type<string[]>().notNull().default(NOTHING)),
  steps: list(jsonb("steps").$type<string[]>().notNull().default(NOTHING)),
  facts: document(jsonb("facts").$type<Record<string, string>>().notNull().default({})),
});
const registryOf = (dialect: "sqlite" | "postgres", shelves: unknown): Registry => {
  const files = [{ path: "bench/cases/collection-bytes.ts", exports: { shelves } }];
  return createRegistry(dialect, readSchema(files, { dialect }).tables);
};
const columns = (json: string, number: string, key: string) => `CREATE TABLE shelves (id ${key} PRIMARY KEY NOT NULL,
  title text NOT NULL, stock ${number} DEFAULT 0 NOT NULL, tags ${json} DEFAULT '[]' NOT NULL,
  steps ${json} DEFAULT '[]' NOT NULL, facts ${json} DEFAULT '{}' NOT NULL)`;

/** A database with the shelves, and its node. */
interface Shelves {
  readonly node: GroveNode;
  write(sql: string): Promise<unknown>;
  /** Expression for a key that is random, and one for a number as text. */
  readonly sql: { readonly key: string; numbers(count: number): string };
  /** The node as another start of the process, or of the server, has it. */
  restart(): Promise<GroveNode>;
  /** Bytes of shadow, cells, log and their indexes, without free space. */
  size(): Promise<number>;
}

const table: BenchTable = {
  name: "shelves",
  registry: registryOf("sqlite", onSqlite),
  create: columns("text", "integer", "text"),
  columns: ["id", "title"],
  row: () => [],
};

async function openSqlite(bench: Bench): Promise<Shelves> {
  const { database, node } = await bench.node(table);
  const sizes = database.prepare(
    `SELECT sum(pgsize) FROM dbstat WHERE aggregate = 1 AND name IN (SELECT name FROM sqlite_schema WHERE tbl_name LIKE '\\_shelves\\_%' ESCAPE '\\')`,
  );
  const hex = (bytes: number) => `lower(hex(randomblob(${bytes})))`;
  return {
    node,
    write: async (text) => database.exec(text),
    sql: {
      key: [4, 2, 2, 2, 6].map(hex).join(" || '-' || "),
      numbers: (count) =>
        `(WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < ${count}) SELECT n FROM g)`,
    },
    restart: async () => {
      const { registry } = table;
      const next = createNode({ db: drizzle({ client: database }), registry, nodeId: "ours" });
      await next.ready();
      return next;
    },
    size: async () => {
      database.pragma("wal_checkpoint(TRUNCATE)");
      database.exec("VACUUM");
      return sizes.pluck().get() as number;
    },
  };
}

const postgresTable = {
  name: "shelves",
  registry: registryOf("postgres", onServer),
  create: columns("jsonb", "bigint", "uuid"),
};

async function openPostgres(server: Postgres): Promise<Shelves> {
  const { sql, node } = await server.node("ours", postgresTable);
  const { registry } = postgresTable;
  return {
    node,
    write: (text) => sql.unsafe(text),
    sql: { key: "gen_random_uuid()", numbers: (count) => `generate_series(1, ${count}) AS g(n)` },
    restart: async () => {
      // The server itself goes on: the last one is made to look as if it had been of another start.
      await sql.unsafe("UPDATE _grove_incarnations SET origin = 'earlier'");
      const next = createNode({ db: drizzlePostgres({ client: sql }), registry, nodeId: "ours" });
      await next.ready();
      return next;
    },
    size: async () => {
      const names = await sql.unsafe("SELECT tablename FROM pg_tables WHERE tablename LIKE '\\_shelves\\_%'");
      let bytes = 0;
      for (const { tablename } of names) {
        await sql.unsafe(`VACUUM FULL ${tablename}`);
        const [row] = await sql.unsafe(`SELECT pg_total_relation_size('${tablename}') AS n`);
        bytes += Number(row?.n);
      }
      return bytes;
    },
  };
}

/** Makes `count` dead things and returns how many there are; without `count` only what they stand beside. */
type Kill = (shelves: Shelves, count: number) => Promise<unknown>;

const insert = ({ write, sql }: Shelves, count: number) =>
  write(`INSERT INTO shelves (id, title) SELECT ${sql.key}, 'shelf ' || n FROM ${sql.numbers(count)}`);

/** A value is written to one shelf, and then the empty one. */
const emptied =
  (column: string, value: (count: number) => unknown, empty: string): Kill =>
  async (shelves, count) => {
    await insert(shelves, 1);
    if (count === 0) return;
    await shelves.node.fold();
    await shelves.write(`UPDATE shelves SET ${column} = '${JSON.stringify(value(count))}'`);
    await shelves.node.fold();
    await shelves.write(`UPDATE shelves SET ${column} = '${empty}'`);
  };

const texts = (count: number) => Array.from({ length: count }, (_, n) => `text ${String(n).padStart(5, "0")}`);
const SHELVES = 100;

const KINDS: Readonly<Record<string, readonly [what: string, kill: Kill, goal: number | null]>> = {
  row: [
    "deleted row",
    async (shelves, count) => {
      if (count === 0) return;
      await insert(shelves, count);
      await shelves.node.fold();
      await shelves.write("DELETE FROM shelves");
    },
    0.05,
  ],
  restart: [
    "counter and start that counted on it",
    async (shelves, count) => {
      await insert(shelves, SHELVES);
      for (let n = 0; n <= count / SHELVES; n++) {
        const node = await shelves.restart();
        await shelves.write("UPDATE shelves SET stock = stock + 1");
        await node.fold();
      }
    },
    0.1,
  ],
  element: ["removed element of a set", emptied("tags", texts, "[]"), null],
  position: ["deleted position of a list", emptied("steps", texts, "[]"), null],
  path: [
    "deleted path of a document",
    emptied("facts", (count) => Object.fromEntries(texts(count).map((name) => [name, "a value"])), "{}"),
    null,
  ],
};

async function measure(kill: Kill, count: number, open: () => Promise<Shelves>): Promise<Round[]> {
  const [dead, bare] = [await open(), await open()];
  await kill(dead, count);
  await kill(bare, 0);
  await Promise.all([dead, bare].map(({ node }) => node.fold()));
  const beside = await bare.size();
  const before = (await dead.size()) - beside;
  // Alone, a node has nobody to wait for.
  const [round] = (await (await dead.restart()).collect()).rounds;
  if (round?.state !== "ended") throw new Error(`The collection is ${round?.state}.`);
  const after = (await dead.size()) - beside;
  return [{ ours: after / count, floor: before / count }];
}

const size = (bench: Bench) => bench.size(10_000, 1_000);

export const collectionBytesCases: readonly Case[] = Object.entries(KINDS).flatMap(([name, [what, kill, goal]]) => {
  const kind = (dialect: string, run: Case["run"]): Case => ({
    id: `collect-${name}.${dialect}`,
    goal,
    better: "lower",
    unit: "bytes/entry",
    about: `bytes per ${what}, after a collection / before it`,
    run,
  });
  return [
    kind("sqlite", (bench) => measure(kill, size(bench), () => openSqlite(bench))),
    kind(
      "postgres",
      onPostgres((bench, server) => measure(kill, size(bench), () => openPostgres(server))),
    ),
  ];
});
