// The cloud node: orders and inventory in Postgres, and the endpoints with which the stores sync.
import { timingSafeEqual } from "node:crypto";
import { fileURLToPath } from "node:url";
import { serve } from "@hono/node-server";
import { drizzle } from "drizzle-orm/postgres-js";
import { migrate } from "drizzle-orm/postgres-js/migrator";
import { createNode, syncRouter } from "grove-crdt";
import { type Context, Hono } from "hono";
import postgres from "postgres";
import { registry } from "../../../generated/postgres";
import { offer } from "../acts";
import { openShop } from "./shop";

const client = postgres(process.env.DATABASE_URL as string, { onnotice: () => {} });
const db = drizzle({ client });

// The application's own migrations, which drizzle-kit made from schema/postgres.ts; then the capture.
await migrate(db, { migrationsFolder: fileURLToPath(new URL("../migrations/postgres", import.meta.url)) });
const node = createNode({ db, registry, nodeId: "cloud-us-east", tables: ["orders", "inventory"] });
await node.ensureShadowTables();

const app = new Hono();
app.route("/sync", syncRouter(node, { authenticate }));

const expected = Buffer.from(`Bearer ${process.env.SYNC_TOKEN}`);
function authenticate(c: Context) {
  const given = Buffer.from(c.req.header("authorization") ?? "");
  return given.length === expected.length && timingSafeEqual(given, expected) ? "store" : null;
}

const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, ({ port }) => {
  offer({ ...openShop(db), url: () => `http://127.0.0.1:${port}/sync` }, async () => {
    server.close();
    await client.end();
  });
});
