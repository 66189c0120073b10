// One node of the demo in a process of its own: an app on its own SQLite file, the sync router, and, with --hub, a
// syncer. main.ts starts it.
import { timingSafeEqual } from "node:crypto";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { serve } from "@hono/node-server";
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { migrate } from "drizzle-orm/better-sqlite3/migrator";
import { createNode, createSyncer, httpTransport, syncRouter } from "grove-crdt";
import { type Context, Hono } from "hono";
import { registry } from "../../generated/sqlite";
import { documentRoutes } from "./documents";

const text = { type: "string", default: "" } as const;
const { name, file, hub } = parseArgs({ options: { name: text, file: text, hub: text } }).values;
const authorization = `Bearer ${process.env.GROVE_DEMO_TOKEN}`;
const expected = Buffer.from(authorization);

// The app's database and its own migrations, which drizzle-kit made from schema/sqlite.ts; then the capture.
const client = new Database(file);
client.pragma("journal_mode = WAL");
const db = drizzle({ client });
migrate(db, { migrationsFolder: fileURLToPath(new URL("migrations", import.meta.url)) });
const node = createNode({ db, registry, nodeId: name });
await node.ensureShadowTables();

// The network cable of the demo: PUT /network with true or false. The app itself stays within reach.
let online = true;
const app = new Hono();
app.put("/network", async (c) => {
  online = (await c.req.json()) === true;
  return c.json({ online });
});
app.use("/sync/*", async (c, next) => (online ? next() : c.text("offline", 503)));

app.route("/documents", documentRoutes(db));
app.route("/sync", syncRouter(node, { authenticate }));

function authenticate(c: Context) {
  const given = Buffer.from(c.req.header("authorization") ?? "");
  return given.length === expected.length && timingSafeEqual(given, expected) ? "demo" : null;
}

const syncer = createSyncer(node, {
  peers: hub ? [httpTransport(`${hub}/sync`, { headers: () => ({ authorization }), fetch: fetchOnline })] : [],
  interval: 100,
  minRetry: 100,
  maxRetry: 500,
}).start();

async function fetchOnline(url: string, init: RequestInit) {
  if (!online) throw new TypeError("offline");
  return fetch(url, init);
}

serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, ({ port }) => process.send?.({ port }));

// main.ts decides when to end: it lets go of this process. Ctrl-C reaches both, but only main.ts listens to it.
process.on("SIGINT", () => {});
process.on("disconnect", async () => {
  await syncer.stop();
  client.close();
  process.exit();
});
