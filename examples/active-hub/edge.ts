// An edge that only serves: orders and inventory in a SQLite file. It knows no address of anybody; the hub comes to it.
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { migrate } from "drizzle-orm/better-sqlite3/migrator";
import { createNode, serveNode, syncRouter } from "grove-crdt";
import { Hono } from "hono";
import { registry } from "../../generated/sqlite";
import { authenticate } from "../auth";
import { offer } from "../processes";
import { openShop } from "../shop/sqlite";

const client = new Database(process.env.DATABASE_URL);
client.pragma("journal_mode = WAL");
const db = drizzle({ client });

// The application's own migrations, which drizzle-kit made from schema/sqlite.ts; then the capture.
migrate(db, { migrationsFolder: "examples/migrations/sqlite" });
const node = createNode({ db, registry, nodeId: process.env.NODE_ID, tables: ["orders", "inventory"] });
await node.ensureShadowTables();

const app = new Hono();
app.route("/sync", syncRouter(node, { authenticate, mayRelay: () => true }));

const { stopped } = await serveNode(app, { node, hostname: "127.0.0.1", port: Number(process.env.PORT) });
offer(openShop(db));
await stopped;
client.close();
