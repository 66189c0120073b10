// A link of the chain on Postgres: it serves the one before it, and connects to the one behind it.
import { drizzle } from "drizzle-orm/postgres-js";
import { migrate } from "drizzle-orm/postgres-js/migrator";
import { createNode, createSyncer, serveNode, streamingTransport, syncRouter } from "grove-crdt";
import { Hono } from "hono";
import postgres from "postgres";
import { registry } from "../../generated/postgres";
import { authenticate, headers } from "../auth";
import { line, lineActs } from "../line";
import { offer } from "../processes";
import { openShop } from "../shop/postgres";

const client = postgres(process.env.DATABASE_URL as string, { onnotice: () => {} });
const db = drizzle({ client });

// The application's own migrations, which drizzle-kit made from schema/postgres.ts; then the capture.
await migrate(db, { migrationsFolder: "examples/migrations/postgres" });
const tables = ["orders", "inventory"];
const node = createNode({ db, registry, nodeId: process.env.NODE_ID, tables });
await node.ensureShadowTables();

// It serves the one before it.
const app = new Hono();
app.route("/sync", syncRouter(node, { authenticate, mayRelay: () => true }));

// It connects to the one behind it; the last has nobody. Asked for again after a second here; usually five.
const peers = (process.env.PEERS ?? "").split(" ").filter(Boolean);
const syncer = createSyncer(node, {
  peers: peers.map((url) => streamingTransport(url, { headers, reconnect: 1_000, fetch: line.fetch })),
  tables,
  interval: 30_000,
  onReport: line.meter,
});

const { stopped } = await serveNode(app, { node, syncer, hostname: "127.0.0.1", port: Number(process.env.PORT) });
offer({ ...openShop(db), ...lineActs });
await stopped;
await client.end();
