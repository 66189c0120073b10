// From commit to visible in the other node's own table, over real sockets: an edge writes and the hub shows it (pushed), the
// hub writes and the edge shows it (streamed), in turn, with a wait of up to 30 ms between two writes.

import { syncRouter } from "@grove-crdt/server";
import { createSyncer, type GroveNode, streamingTransport } from "@grove-crdt/sync";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import type { Bench, Case, Round } from "../harness";
import { startPostgres } from "../postgres";
import { itemsTable, makeRows, type Values } from "../tables";

/** A node and what an application does to its table. */
interface Live {
  readonly node: GroveNode;
  insert(row: Values): Promise<unknown>;
  has(id: string): Promise<boolean>;
}

interface Latency {
  /** Milliseconds. */
  readonly median: number;
  readonly p99: number;
  /** One request that carries such a row to the other side, which inserts it: the least that it could take. */
  readonly bare: number;
}

const { columns } = itemsTable;

async function onSqlite(bench: Bench, id: string): Promise<Live> {
  const { database, node } = await bench.node(itemsTable, id);
  const insert = database.prepare(
    `INSERT INTO items (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`,
  );
  const select = database.prepare("SELECT 1 FROM items WHERE id = ?");
  return {
    node,
    insert: async (row) => insert.run(...row),
    has: async (key) => select.get(key) !== undefined,
  };
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const at = (sorted: readonly number[], share: number) => sorted[Math.floor((sorted.length - 1) * share)] as number;
const byNumber = (a: number, b: number) => a - b;

async function measure(hub: Live, edge: Live, rows: readonly Values[]): Promise<Latency> {
  const app = new Hono();
  app.route(
    "/sync",
    syncRouter(hub.node, {
      authenticate: () => "edge",
      limits: { rate: { burst: 1_000_000, perSecond: 1_000_000 } },
    }),
  );
  app.post("/bare", async (c) => c.json({ done: (await hub.insert((await c.req.json()) as Values)) !== undefined }));
  const server = createAdaptorServer({ fetch: app.fetch });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const root = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  const syncer = createSyncer(edge.node, { peers: [streamingTransport(`${root}/sync`)] });
  const syncing = syncer.start();
  while (!(await syncer.status()).every(({ streaming }) => streaming)) await pause(5);
  await pause(300);
  const delays: number[] = [];
  const trips: number[] = [];
  for (const [n, row] of rows.entries()) {
    await pause(((n * 7) % 30) + 1);
    if (n % 4 === 3) {
      const begun = performance.now();
      await (await fetch(`${root}/bare`, { method: "POST", body: JSON.stringify(row) })).json();
      trips.push(performance.now() - begun);
      continue;
    }
    const [from, to] = n % 2 === 0 ? [edge, hub] : [hub, edge];
    await from.insert(row);
    const begun = performance.now();
    while (!(await to.has(row[0] as string))) await pause(1);
    delays.push(performance.now() - begun);
  }
  await syncing.stop();
  hub.node.close();
  server.close();
  (server as { closeAllConnections?(): void }).closeAllConnections?.();
  delays.sort(byNumber);
  return { median: at(delays, 0.5), p99: at(delays, 0.99), bare: at(trips.sort(byNumber), 0.5) };
}

async function roundsOn(dialect: "sqlite" | "postgres", bench: Bench): Promise<Latency[]> {
  const found: Latency[] = [];
  const rows = makeRows(itemsTable, bench.size(240, 40));
  const server = dialect === "postgres" ? await startPostgres() : null;
  const onPostgres = async (id: string): Promise<Live> => {
    const { sql, node } = await server!.node(id);
    const parameters = columns.map((_, n) => `$${n + 1}`).join(", ");
    return {
      node,
      insert: (row) =>
        sql.unsafe(`INSERT INTO items (${columns.join(", ")}) VALUES (${parameters})`, [...row] as never),
      has: async (key) => (await sql`SELECT 1 FROM items WHERE id = ${key}`).length > 0,
    };
  };
  const open = (id: string) => (server ? onPostgres(id) : onSqlite(bench, id));
  try {
    for (let round = 0; round < bench.size(3, 1); round++)
      found.push(await measure(await open(`hub-${round}`), await open(`edge-${round}`), rows));
  } finally {
    await server?.stop();
  }
  return found;
}

/** Measured once for the cases that look at it. */
const measured = new Map<string, Promise<Latency[]>>();
function latencies(dialect: "sqlite" | "postgres", bench: Bench): Promise<Latency[]> {
  const known = measured.get(dialect) ?? roundsOn(dialect, bench);
  measured.set(dialect, known);
  return known;
}

const live = (dialect: "sqlite" | "postgres", what: "median" | "p99" | "bare", floor: number | null): Case => ({
  id: `live-${what}.${dialect}`,
  goal: floor === null ? null : 1,
  better: "lower",
  unit: "ms",
  about:
    floor === null
      ? "commit to visible at the other node, median / one bare request that inserts a row"
      : `commit to visible at the other node, ${what === "p99" ? "99th percentile" : what} / ${floor} ms`,
  run: async (bench) =>
    (await latencies(dialect, bench)).map(
      (found): Round => (floor === null ? { ours: found.median, floor: found.bare } : { ours: found[what], floor }),
    ),
});

export const liveCases: readonly Case[] = [
  live("sqlite", "median", 25),
  live("sqlite", "p99", 150),
  live("sqlite", "bare", null),
  live("postgres", "median", 70),
  live("postgres", "p99", 250),
  live("postgres", "bare", null),
];
