// The edge node of one store: orders and inventory in a SQLite file, which is there whether the cloud is or not.
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
const tables = ["orders", "inventory"];
const node = createNode({ db, registry, nodeId: "edge-store-42", tables });
await node.ensureShadowTables();

// What the cloud writes streams in. After a break, the stream is asked for again: here after a second, usually after five.
const cloud = streamingTransport(process.env.CLOUD_URL as string, {
  headers,
  tables,
  reconnect: 1_000,
  fetch: line.fetch,
});
const syncer = createSyncer(node, { peers: [cloud], tables, interval: 30_000, onReport: line.meter });

offer({ ...openShop(db), ...lineActs });
const ending = new AbortController();
process.once("SIGTERM", () => ending.abort());
const { signal } = ending;
await Promise.all([syncer.run({ signal }), syncer.stream({ signal })]);
client.close();
