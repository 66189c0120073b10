// SQLite for the behaviour tests: better-sqlite3, in memory or in a file, one connection for the node and its application.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ColumnModel, canonicalize, type Json, type TableModel } from "@grove-crdt/core";
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import type { NodeOptions } from "grove-crdt";
import { registry } from "../../generated/sqlite";
import { withKit } from "../../packages/drizzle/test/versions";
import { sqliteBuilders } from "./builders";
import type { Image, OpenOptions, Param, Row, TestDatabase, TestDialect } from "./dialect";
import type { Recorder } from "./statements";

/** What drizzle-kit makes of schema/sqlite.ts; kinds.test.ts holds the two against each other. */
const referenceTables = [
  `CREATE TABLE documents (id text PRIMARY KEY NOT NULL, title text NOT NULL, body text DEFAULT '' NOT NULL,
     view_count integer DEFAULT 0 NOT NULL, tags text DEFAULT '[]' NOT NULL)`,
  `CREATE TABLE inventory (store text NOT NULL, sku text NOT NULL, name text NOT NULL,
     quantity integer DEFAULT 0 NOT NULL, shelf text, PRIMARY KEY(store, sku))`,
  `CREATE TABLE orders (id text PRIMARY KEY NOT NULL, status text DEFAULT 'open' NOT NULL, note text,
     total integer NOT NULL, placed_at integer NOT NULL)`,
  `CREATE TABLE plans (id text PRIMARY KEY NOT NULL, steps text DEFAULT '[]' NOT NULL,
     cards text DEFAULT '[]' NOT NULL, data text DEFAULT '{}' NOT NULL)`,
];

export const sqlite: TestDialect = {
  ...sqliteBuilders,
  name: "sqlite",
  registry,
  referenceTables,
  statements: { merge: 15, fold: 8 },
  diskError: () => Object.assign(new Error("disk I/O error"), { code: "SQLITE_IOERR" }),
  thorough: true,
  open: async ({ ddl = referenceTables, durable = false }: OpenOptions = {}) => {
    const database = new SqliteTestDatabase(new Database(durable ? newFile() : ":memory:"));
    for (const sql of ddl) database.raw.exec(sql);
    return database;
  },
  emitTables: async (exports, from = {}) => {
    // Loading it takes a second, and many test files do without.
    const { generateSQLiteDrizzleJson: read, generateSQLiteMigration: migrate } = await import("drizzle-kit/api");
    const snapshot = (some: object) => withKit({ ...some }, () => read({ ...some }));
    return migrate(await snapshot(from), await snapshot(exports));
  },
  textsOf: (...items) => JSON.stringify(items),
  append: (column, item) => `json_insert(${column}, '$[#]', ${item})`,
  time: (milliseconds) => String(milliseconds),
  trigger: ({ name, event, when, body }) => [
    `CREATE TRIGGER ${name} ${event} ${when ? `WHEN ${when}` : ""} BEGIN ${body} END`,
  ],
  dropTrigger: (name) => `DROP TRIGGER ${name}`,
  refuse: (message) => `SELECT RAISE(ABORT, '${message}');`,
};

let folder: string | undefined;
let files = 0;
function newFile(): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), "grove-nodes-"));
    process.once("exit", () => rmSync(made, { recursive: true, force: true }));
    folder = made;
  }
  return join(folder, `${files++}.db`);
}

export class SqliteTestDatabase implements TestDatabase {
  readonly dialect = sqlite;
  readonly db;
  readonly #statements = new Map<string, Database.Statement>();
  constructor(readonly raw: Database.Database) {
    if (!raw.memory) raw.pragma("journal_mode = WAL");
    this.db = drizzle({ client: raw });
  }

  recorded({ wrap }: Recorder): NodeOptions["db"] {
    return { $client: wrap(this.raw) };
  }
  async isEmpty(): Promise<boolean> {
    return this.raw.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table'").get() === undefined;
  }
  async run(text: string, params: readonly Param[] = []): Promise<number> {
    if (params.length === 0) {
      this.raw.exec(text);
      return 0;
    }
    const statement = this.#statements.get(text) ?? this.raw.prepare(text);
    this.#statements.set(text, statement);
    return statement.run(...params).changes;
  }
  async rows(text: string, params: readonly Param[], models: readonly TableModel[]): Promise<Row[]> {
    const statement = this.raw.prepare(text).safeIntegers();
    const columns = statement.columns().map(({ name, table, column }) => {
      const { key = [], fields = [] } = models.find((model) => model.name === table) ?? {};
      return { name, model: [...key, ...fields].find((model) => model.name === column) };
    });
    return (statement.raw().all(...params) as unknown[][]).map((values) =>
      Object.fromEntries(
        columns.map(({ name, model }, n) => [name, model ? toWire(model, values[n]) : plain(values[n])]),
      ),
    );
  }

  async contents(model: TableModel): Promise<string[]> {
    const columns = [...model.key, ...model.fields];
    const names = columns.map(({ name }) => quote(name)).join(", ");
    const rows = this.raw
      .prepare(`SELECT ${names} FROM ${quote(model.name)}`)
      .raw()
      .safeIntegers()
      .all() as unknown[][];
    return rows.map((row) => canonicalize(columns.map((column, n) => toWire(column, row[n])))).sort();
  }
  async dump(leaveOut: readonly string[] = []): Promise<string> {
    return dumpSqlite(this.raw, leaveOut);
  }
  async image(): Promise<Image> {
    const bytes = this.raw.serialize();
    if (this.raw.memory) return { restore: async () => new SqliteTestDatabase(new Database(bytes)) };
    return {
      restore: async () => {
        const file = newFile();
        writeFileSync(file, bytes);
        return new SqliteTestDatabase(new Database(file));
      },
    };
  }
  /** A new one is as fast. */
  async installed(): Promise<void> {}
  async reopen(): Promise<TestDatabase> {
    const { name } = this.#file();
    this.raw.close();
    return new SqliteTestDatabase(new Database(name));
  }
  async beside(): Promise<TestDatabase> {
    return new SqliteTestDatabase(new Database(this.#file().name));
  }
  #file(): Database.Database {
    if (this.raw.memory) throw new Error("open the node with `durable: true`");
    return this.raw;
  }
  readonly users = new Set<() => Promise<unknown>>();
  async close(): Promise<void> {
    await Promise.all([...this.users].map((end) => end()));
    this.raw.close();
  }
}

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Everything in the database as text, in the order of the rowids. */
export function dumpSqlite(db: Database.Database, leaveOut: readonly string[] = []): string {
  const names = db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    .pluck()
    .all() as string[];
  const parts = names
    .filter((name) => !leaveOut.includes(name))
    .map((name) => {
      const columns = db.prepare("SELECT name FROM pragma_table_info(?)").pluck().all(name) as string[];
      const all = columns.map((column) => `quote(${quote(column)})`).join(", ");
      return `${name}\n${JSON.stringify(
        db
          .prepare(`SELECT ${all} FROM ${quote(name)} ORDER BY rowid`)
          .raw()
          .all(),
      )}`;
    });
  return `${db.prepare("SELECT count(*) FROM sqlite_schema").pluck().get()} objects\n${parts.join("\n")}`;
}

const whole = (value: bigint): Json => (Number.isSafeInteger(Number(value)) ? Number(value) : String(value));
/** A value of no known column. */
const plain = (value: unknown): Json =>
  typeof value === "bigint" ? whole(value) : value instanceof Uint8Array ? { bytes: hex(value) } : (value as Json);
const hex = (value: Uint8Array): string => Buffer.from(value).toString("hex");

/**
 * The canonical value that docs/protocol.md gives a stored one, and for every other storage class a text that no canonical
 * value is: two columns are equal here only if they are equal in the database. Written apart from the store, to test it.
 */
function toWire({ kind, storage }: ColumnModel, stored: unknown): Json {
  if (stored === null) return null;
  const odd = (): Json => `stored as ${typeof stored}: ${stored instanceof Uint8Array ? hex(stored) : stored}`;
  // Integers and JSON may be stored as the bytes of their text.
  const inBlob = storage === "blob" && kind !== "bytes";
  if (inBlob && !(stored instanceof Uint8Array)) return odd();
  const value = inBlob ? Buffer.from(stored as Uint8Array).toString() : stored;
  switch (kind) {
    case "text":
      return typeof value === "string" ? value : odd();
    case "integer":
      if (inBlob) return /^(0|-?[1-9]\d*)$/.test(value as string) ? whole(BigInt(value as string)) : odd();
      return typeof value === "bigint" ? whole(value) : odd();
    case "boolean":
      return value === 1n ? true : value === 0n ? false : odd();
    case "real":
      return typeof value !== "number" ? odd() : Number.isFinite(value) ? value : String(value);
    case "numeric":
      return typeof value === "string" ? odd() : String(value);
    case "timestamp": {
      const date = new Date(Number(value) * (storage === "seconds" ? 1000 : 1));
      return typeof value !== "bigint" || Number.isNaN(date.getTime())
        ? odd()
        : date.toISOString().replace("Z", "000Z");
    }
    case "bytes":
      return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : odd();
    case "json":
      try {
        const json = JSON.parse(value as string) as Json;
        return JSON.stringify(json) === value ? json : odd();
      } catch {
        return odd();
      }
  }
}
