// Nodes on SQLite for suites of that dialect alone: the same nodes, with the driver's own synchronous database at hand.
// Suites over both dialects take their nodes from dialects.ts.
import type { SqliteDatabase } from "@grove-crdt/store";
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { expect } from "vitest";
import { Clock } from "./clock";
import { expectEqual as expectEqualRows } from "./comparison";
import { type NodeSettings as AnyNodeSettings, type SyncingNode, startNode } from "./node";
import { SqliteTestDatabase, sqlite } from "./sqlite";

export { Clock } from "./clock";
export * from "./network";
export { TOKEN } from "./node";
export { dumpSqlite as dump } from "./sqlite";
export const { referenceTables } = sqlite;

export interface NodeSettings extends Omit<AnyNodeSettings, "database" | "durable" | "before"> {
  /** A file, or a database that is open already, instead of a new one in memory; its tables are made if there are none. */
  readonly file?: string;
  readonly db?: Database.Database;
  /** Puts something between store and driver. */
  readonly wrap?: (db: Database.Database) => SqliteDatabase;
  /** Runs after the tables were made and before capture is installed. */
  readonly before?: (db: Database.Database) => void;
}

export interface TestNode extends SyncingNode {
  readonly db: Database.Database;
  /** Runs one or more statements of the application. */
  sql(text: string, ...params: unknown[]): number;
  /** First row, as the driver gives it. */
  row<T = Record<string, unknown>>(text: string, ...params: unknown[]): T | undefined;
  rows<T = Record<string, unknown>>(text: string, ...params: unknown[]): T[];
}

/** A node that is ready to sync. */
export async function openNode(id: string, settings: NodeSettings = {}): Promise<TestNode> {
  const { clock = new Clock(), file = ":memory:", ddl = referenceTables, wrap, before, db: _, ...options } = settings;
  const db = settings.db ?? new Database(file);
  const database = new SqliteTestDatabase(db);
  if (await database.isEmpty()) for (const sql of ddl) db.exec(sql);
  before?.(db);
  const client = wrap ? { $client: wrap(db) } : drizzle({ client: db });
  const { now = clock.now, registry = sqlite.registry } = options;
  return {
    ...(await startNode(database, id, { ...options, now, registry, db: client })),
    db,
    clock,
    sql: (text, ...params) => {
      if (params.length > 0) return db.prepare(text).run(...params).changes;
      db.exec(text);
      return 0;
    },
    row: <T>(text: string, ...params: unknown[]) => db.prepare(text).get(...params) as T | undefined,
    rows: <T>(text: string, ...params: unknown[]) => db.prepare(text).all(...params) as T[],
  };
}

/** Several nodes on one clock. */
export async function openNodes(ids: readonly string[], settings: NodeSettings = {}): Promise<TestNode[]> {
  const { clock = new Clock() } = settings;
  return Promise.all(ids.map((id) => openNode(id, { ...settings, clock })));
}

/** The replicated columns of every row, each with its storage class, by table. */
export function contents(node: TestNode): Record<string, string[]> {
  const tables = node.registry.tables.filter(({ name }) => node.node.tables.includes(name));
  return Object.fromEntries(
    tables.map(({ name, key, fields }) => {
      const columns = [...key, ...fields].map((column) => `"${column.name.replaceAll('"', '""')}"`);
      const shown = columns.map((column) => `typeof(${column}) || ' ' || quote(${column})`).join(" || ', ' || ");
      const order = columns.slice(0, key.length).join(", ");
      const sql = `SELECT ${shown} FROM "${name.replaceAll('"', '""')}" ORDER BY ${order}`;
      return [name, node.db.prepare(sql).pluck().all() as string[]];
    }),
  );
}

/** Rows and metadata of all nodes are equal, to the storage class. */
export async function expectEqual(...nodes: readonly TestNode[]): Promise<void> {
  const [first, ...others] = nodes as [TestNode, ...TestNode[]];
  for (const other of others) expect(contents(other), `rows of ${other.id} and ${first.id}`).toEqual(contents(first));
  await expectEqualRows(...nodes);
}
