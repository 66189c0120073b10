// The edge node of one store: orders and inventory in a SQLite file, which is there whether the cloud is or not.
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { migrate } from "drizzle-orm/better-sqlite3/migrator";
import { createNode, createSyncer, httpTransport } from "grove-crdt";
import { registry } from "../../../generated/sqlite";
import { offer } from "../acts";
import { openShop } from "./shop";

const client = new Database(process.env.EDGE_FILE);
client.pragma("journal_mode = WAL");
const db = drizzle({ client });

// The application's own migrations, which drizzle-kit made from schema/sqlite.ts; then the capture.
migrate(db, { migrationsFolder: fileURLToPath(new URL("../migrations/sqlite", import.meta.url)) });
const node = createNode({ db, registry, nodeId: "edge-store-42", tables: ["orders", "inventory"] });
await node.ensureShadowTables();

const cloud = httpTransport(process.env.CLOUD_URL as string, {
  headers: () => ({ authorization: `Bearer ${process.env.SYNC_TOKEN}` }),
  fetch: async (url, init) => {
    if (!plugged) throw new TypeError("the network cable is out");
    return fetch(url, init);
  },
});
// Short, so that there is something to see; by default the interval is 30 seconds.
const syncer = createSyncer(node, { peers: [cloud], interval: 200, minRetry: 100, maxRetry: 500 }).start();

// The network cable of the example.
let plugged = true;
const plug = (into: boolean) => {
  plugged = into;
};

offer({ ...openShop(db), plug }, async () => {
  await syncer.stop();
  client.close();
});
