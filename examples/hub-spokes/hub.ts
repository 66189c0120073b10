// The hub: orders and inventory in Postgres. It only answers; what one spoke sends, the others stream from it.
import { drizzle } from "drizzle-orm/postgres-js";
import { migrate } from "drizzle-orm/postgres-js/migrator";
import { createNode, serveNode, syncRouter } from "grove-crdt";
import { Hono } from "hono";
import postgres from "postgres";
import { registry } from "../../generated/postgres";
import { authenticate } from "../auth";
import { offer } from "../processes";
import { openShop } from "../shop/postgres";

const client = postgres(process.env.DATABASE_URL as string, { onnotice: () => {} });
const db = drizzle({ client });

// The application's own migrations, which drizzle-kit made from schema/postgres.ts; then the capture.
await migrate(db, { migrationsFolder: "examples/migrations/postgres" });
const node = createNode({ db, registry, nodeId: "hub", tables: ["orders", "inventory"] });
await node.ensureShadowTables();

const app = new Hono();
app.route("/sync", syncRouter(node, { authenticate }));

const { stopped } = await serveNode(app, { node, hostname: "127.0.0.1", port: Number(process.env.PORT) });
offer(openShop(db));
await stopped;
await client.end();
