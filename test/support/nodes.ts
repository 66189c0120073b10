// Nodes for tests: a real store behind a real router, reached through HTTP messages without a socket; clock and
// randomness are injected, requests are counted, and any link can be tampered with.
import { canonicalize, type Json, type RowChange } from "@grove-crdt/core";
import type { SqliteDatabase } from "@grove-crdt/store";
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import {
  createNode,
  createSyncer,
  type GroveNode,
  httpTransport,
  type NodeOptions,
  type PeerReport,
  type Registry,
  type Syncer,
  type SyncerOptions,
  syncRouter,
  type Transport,
} from "grove-crdt";
import { expect } from "vitest";
import { registry as referenceRegistry } from "../../generated/sqlite";

/** What drizzle-kit makes of schema/sqlite.ts; kinds.test.ts holds the two against each other. */
export const referenceTables = [
  `CREATE TABLE documents (id text PRIMARY KEY NOT NULL, title text NOT NULL, body text DEFAULT '' NOT NULL,
     view_count integer DEFAULT 0 NOT NULL, tags text DEFAULT '[]' NOT NULL)`,
  `CREATE TABLE inventory (store text NOT NULL, sku text NOT NULL, name text NOT NULL,
     quantity integer DEFAULT 0 NOT NULL, shelf text, PRIMARY KEY(store, sku))`,
  `CREATE TABLE orders (id text PRIMARY KEY NOT NULL, status text DEFAULT 'open' NOT NULL, note text,
     total integer NOT NULL, placed_at integer NOT NULL)`,
];

export const TOKEN = "Bearer test-token";

/**
 * Physical time that stands still until it is told to move. It begins years ago: a captured write carries the real time,
 * and a fold never stamps later than its own clock, so that all stamps follow this clock.
 */
export class Clock {
  /** Microseconds since 1970. */
  micros = Date.UTC(2024, 0, 1) * 1000;
  readonly now = (): number => this.micros;
  /** By milliseconds, also backwards. */
  advance(milliseconds: number): void {
    this.micros += milliseconds * 1000;
  }
}

/** Numbers in [0, 1), the same in every run; different for each opening of a database. */
let openings = 0;
function randomness(): () => number {
  let state = ++openings * 0x9e3779b9;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What went over the wire to and from a node as the answering side. */
export interface Traffic {
  requests: number;
  pulls: number;
  pushes: number;
  /** Rows that it served and rows that it received. */
  served: number;
  received: number;
}

export interface NodeSettings extends Partial<Omit<NodeOptions, "db" | "nodeId">> {
  readonly clock?: Clock;
  /** A file, or a database that is open already, instead of a new one in memory; its tables are made if there are none. */
  readonly file?: string;
  readonly db?: Database.Database;
  /** Statements that make the user's tables; by default the reference schema's. */
  readonly ddl?: readonly string[];
  /** Puts something between store and driver. */
  readonly wrap?: (db: Database.Database) => SqliteDatabase;
  /** Runs after the tables were made and before capture is installed. */
  readonly before?: (db: Database.Database) => void;
}

export interface TestNode {
  readonly id: string;
  readonly db: Database.Database;
  readonly node: GroveNode;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly traffic: Traffic;
  readonly app: ReturnType<typeof syncRouter>;
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
  if (file !== ":memory:") db.pragma("journal_mode = WAL");
  if (!db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table'").get()) for (const sql of ddl) db.exec(sql);
  before?.(db);
  const registry = options.registry ?? referenceRegistry;
  const client = wrap ? { $client: wrap(db) } : drizzle(db);
  const node = createNode({ now: clock.now, random: randomness(), ...options, registry, db: client, nodeId: id });
  await node.ensureShadowTables();
  const traffic: Traffic = { requests: 0, pulls: 0, pushes: 0, served: 0, received: 0 };
  const app = syncRouter(node, { authenticate: (c) => (c.req.header("authorization") === TOKEN ? "peer" : null) });
  return {
    id,
    db,
    node,
    clock,
    registry,
    traffic,
    app,
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

export type Forward = (path: string, body: string) => Promise<Response>;
/** Stands between two nodes: may answer by itself, forward once, twice, later, or not at all. */
export type Tamper = (path: "/pull" | "/push", body: string, forward: Forward) => Promise<Response>;

/** One request to a node's router, with what it carried counted. */
export async function request(to: TestNode, path: string, body: string): Promise<Response> {
  const { traffic } = to;
  traffic.requests++;
  const headers = { authorization: TOKEN, "content-type": "application/json" };
  const response = await to.app.request(path, { method: "POST", headers, body });
  if (!response.ok) return response;
  if (path === "/pull") {
    traffic.pulls++;
    traffic.served += ((await response.clone().json()) as { rows: unknown[] }).rows.length;
  } else {
    traffic.pushes++;
    traffic.received += (JSON.parse(body) as { rows: unknown[] }).rows.length;
  }
  return response;
}

/** How one node reaches another. */
export function transportTo(to: TestNode, tamper?: Tamper): Transport {
  const forward: Forward = (path, body) => request(to, path, body);
  const send = tamper ?? ((path, body) => forward(path, body));
  return httpTransport(`http://${to.id}.test/sync`, {
    fetch: (url, { body }) => send(url.endsWith("/pull") ? "/pull" : "/push", body as string, forward),
  });
}

export const link = (from: TestNode, to: TestNode, options: Partial<SyncerOptions> = {}, tamper?: Tamper): Syncer =>
  createSyncer(from.node, { peers: [transportTo(to, tamper)], ...options });

const links = new WeakMap<TestNode, Map<TestNode, Syncer>>();

/** One exchange, both directions, begun by `from`; an error is thrown. */
export async function sync(from: TestNode, to: TestNode, options?: Partial<SyncerOptions>): Promise<PeerReport> {
  const known = links.get(from) ?? new Map<TestNode, Syncer>();
  links.set(from, known);
  const syncer = (options === undefined && known.get(to)) || link(from, to, options);
  if (options === undefined) known.set(to, syncer);
  const [report] = (await syncer.sync()) as [PeerReport];
  if (report.error) throw report.error;
  return report;
}

/** Exchanges along the pairs until nothing travels any more; returns the rounds that it took, the quiet one included. */
export async function settle(...pairs: readonly (readonly [TestNode, TestNode])[]): Promise<number> {
  for (let round = 1; round <= 20; round++) {
    let moved = 0;
    for (const [from, to] of pairs) {
      const { pulled, pushed } = await sync(from, to);
      moved += pulled + pushed;
    }
    if (moved === 0) return round;
  }
  throw new Error("the nodes did not come to rest within 20 rounds");
}

/** The status of an answer and the code of the error that it carries. */
export async function errorOf(response: Response): Promise<[status: number, code: string | undefined]> {
  const { error } = (await response.json()) as { error?: { code: string } };
  return [response.status, error?.code];
}

/** A well-formed message of a peer that is no node of ours. */
export const pullMessage = (fields: object = {}) => ({ protocol: 1, node: "stranger", cursor: null, ...fields });
export const pushMessage = (rows: readonly unknown[], fields: object = {}) => ({
  protocol: 1,
  node: "stranger",
  at: { incarnation: "abc", seq: rows.length },
  seen: null,
  rows,
  ...fields,
});

/** Everything in the database as text, our own tables included; equal before and after = nothing changed. */
export function dump(db: Database.Database, leaveOut: readonly string[] = []): string {
  const tables = db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    .pluck()
    .all() as string[];
  const parts = tables
    .filter((name) => !leaveOut.includes(name))
    .map((name) => {
      const quoted = `"${name.replaceAll('"', '""')}"`;
      const columns = db.prepare("SELECT name FROM pragma_table_info(?)").pluck().all(name) as string[];
      const all = columns.map((column) => `quote("${column.replaceAll('"', '""')}")`).join(", ");
      return `${name}\n${JSON.stringify(db.prepare(`SELECT ${all} FROM ${quoted} ORDER BY rowid`).raw().all())}`;
    });
  return `${db.prepare("SELECT count(*) FROM sqlite_schema").pluck().get()} objects\n${parts.join("\n")}`;
}

const byText = (a: unknown, b: unknown) => (canonicalize(a as Json) < canonicalize(b as Json) ? -1 : 1);

/** A row's whole state as text: what has no order of its own is sorted. */
function stateText(change: RowChange): string {
  const counter = Object.fromEntries(
    Object.entries(change.counter ?? {}).map(([field, value]) => [
      field,
      { ...value, totals: [...(value.totals ?? [])].sort(byText) },
    ]),
  );
  const set = Object.fromEntries(
    Object.entries(change.set ?? {}).map(([field, elements]) => [field, [...elements].sort(byText)]),
  );
  return canonicalize({ ...change, counter, set } as unknown as Json);
}

/** The merge state of every row by table and key, tombstones included: what a new peer would be served. */
export async function metadata(node: TestNode): Promise<Record<string, string>> {
  const { rows } = await node.node.store.serve({
    cursor: null,
    tables: node.node.tables,
    peer: "observer",
    rows: 1e9,
    bytes: 1e15,
  });
  const entries = rows.map((row) => [`${row.table} ${canonicalize(row.pk as Json)}`, stateText(row)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The replicated columns of every row, each with its storage class, by table. */
export function contents(node: TestNode): Record<string, string[]> {
  const tables = node.registry.tables.filter(({ name }) => node.node.tables.includes(name));
  return Object.fromEntries(
    tables.map(({ name, key, fields }) => {
      const columns = [...key, ...fields].map((column) => `"${column.name.replaceAll('"', '""')}"`);
      const shown = columns.map((column) => `typeof(${column}) || ' ' || quote(${column})`).join(" || ', ' || ");
      const order = columns.slice(0, key.length).join(", ");
      return [
        name,
        node.db
          .prepare(`SELECT ${shown} FROM "${name.replaceAll('"', '""')}" ORDER BY ${order}`)
          .pluck()
          .all() as string[],
      ];
    }),
  );
}

/** Rows and metadata of all nodes are equal. */
export async function expectEqual(...nodes: readonly TestNode[]): Promise<void> {
  const [first, ...others] = nodes as [TestNode, ...TestNode[]];
  const state = await metadata(first);
  for (const other of others) {
    expect(contents(other), `rows of ${other.id} and ${first.id}`).toEqual(contents(first));
    expect(await metadata(other), `metadata of ${other.id} and ${first.id}`).toEqual(state);
  }
}
