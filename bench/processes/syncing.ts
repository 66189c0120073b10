// A node in a process of its own, as a program has it: a hub that serves, or an edge that syncs until it has all rows. Tells its
// parent what it needed: memory, and how long its event loop was held up.
import { readFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { syncRouter } from "@grove-crdt/server";
import { createNode, createSyncer, type GroveNode, httpTransport } from "@grove-crdt/sync";
import { createAdaptorServer } from "@hono/node-server";
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { drizzle as drizzlePostgres } from "drizzle-orm/postgres-js";
import { Hono } from "hono";
import postgres from "postgres";
import { postgresItems } from "../postgres-tables";
import { itemsTable } from "../tables";

/** What the parent passes as the one argument, as JSON. */
export interface Task {
  readonly dialect: "sqlite" | "postgres";
  /** A file, or a URL. */
  readonly database: string;
  readonly nodeId: string;
  /** Of an edge: where its hub is, and how many rows it waits for. */
  readonly hub?: string;
  readonly rows?: number;
}

/** What the process tells. */
export interface Needs {
  /** MiB in use at most, as the operating system counts it (RSS); and when the node was ready. */
  readonly peak: number;
  readonly start: number;
  /** MiB in use at this moment. */
  readonly now: number;
  /** Milliseconds that the event loop was held up: 99th percentile and most. */
  readonly delay: number;
  readonly longest: number;
  /** Milliseconds of processor time since the node was ready. */
  readonly cpu: number;
}

export type Message = { readonly port: number } | { readonly needs: Needs };

const task = JSON.parse(process.argv[2] as string) as Task;
const tell = (message: Message) => new Promise((resolve) => process.send?.(message, resolve));

function open({ dialect, database, nodeId }: Task): GroveNode {
  if (dialect === "postgres") {
    const client = postgres(database, { max: 10, onnotice: () => {} });
    return createNode({ db: drizzlePostgres({ client }), registry: postgresItems.registry, nodeId });
  }
  const client = new Database(database);
  client.pragma("synchronous = NORMAL");
  return createNode({ db: drizzle({ client }), registry: itemsTable.registry, nodeId });
}

const node = open(task);
await node.ready();
const start = process.memoryUsage.rss() / 2 ** 20;
const before = process.cpuUsage();
const delays = monitorEventLoopDelay({ resolution: 1 });
delays.enable();

/** MiB. Linux counts `maxRSS` on from the parent that a process was forked from, and says elsewhere what is its own. */
function peak(): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) / 1024;
  } catch {
    return process.resourceUsage().maxRSS / 1024;
  }
}

function needs(): Needs {
  const { user, system } = process.cpuUsage(before);
  return {
    peak: peak(),
    start,
    now: process.memoryUsage.rss() / 2 ** 20,
    delay: delays.percentile(99) / 1e6,
    longest: delays.max / 1e6,
    cpu: (user + system) / 1000,
  };
}

async function serve(): Promise<void> {
  const app = new Hono().route(
    "/sync",
    syncRouter(node, {
      authenticate: (c) => c.req.header("authorization") ?? null,
      limits: { rate: { burst: 1_000_000, perSecond: 1_000_000 } },
    }),
  );
  const server = createAdaptorServer({ fetch: app.fetch });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, resolve));
  // "reset" begins the figures anew, "needs" asks for them; the end comes with the parent's.
  process.on("message", (word) => {
    if (word === "reset") delays.reset();
    else void tell({ needs: needs() });
  });
  process.on("disconnect", () => process.exit());
  await tell({ port: (server.address() as { port: number }).port });
}

async function sync(hub: string, rows: number): Promise<void> {
  const transport = httpTransport(hub, { headers: () => ({ authorization: task.nodeId }), timeout: 600_000 });
  const syncer = createSyncer(node, { peers: [transport] });
  for (let pulled = 0; pulled < rows; ) {
    const [report] = await syncer.sync();
    if (report?.error) throw report.error;
    pulled += report?.pulled ?? 0;
  }
  await tell({ needs: needs() });
  process.exit();
}

if (task.hub === undefined) await serve();
else await sync(task.hub, task.rows as number);
