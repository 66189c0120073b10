// A spoke: orders and inventory in a SQLite file, and the hub as its only peer. What it writes is pushed to the hub, what
// the hub knows streams in.
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { migrate } from "drizzle-orm/better-sqlite3/migrator";
import { createNode, createSyncer, streamingTransport } from "grove-crdt";
import { registry } from "../../generated/sqlite";
import { headers } from "../auth";
import { line, lineActs } from "../line";
import { offer } from "../processes";
import { openShop } from "../shop/sqlite";

const client = new Database(process.env.DATABASE_URL);
client.pragma("journal_mode = WAL");
const db = drizzle({ client });

// The application's own migrations, which drizzle-kit made from schema/sqlite.ts; then the capture.
migrate(db, { migrationsFolder: "examples/migrations/sqlite" });
const node = createNode({ db, registry, nodeId: process.env.NODE_ID, tables: ["orders", "inventory"] });
await node.ensureShadowTables();

// A second, so that there is something to see; usually five.
const hub = streamingTransport(process.env.HUB_URL as string, { headers, reconnect: 1_000, fetch: line.fetch });
const syncer = createSyncer(node, { peers: [hub], onReport: line.meter }).start();

offer({ ...openShop(db), ...lineActs });
process.once("SIGTERM", async () => {
  await syncer.stop();
  client.close();
});
