// The hub: it connects to every edge, streams from each, and pushes to the others what came from one. Nobody connects to it.
import { drizzle } from "drizzle-orm/postgres-js";
import { migrate } from "drizzle-orm/postgres-js/migrator";
import { createNode, createSyncer, streamingTransport } from "grove-crdt";
import postgres from "postgres";
import { registry } from "../../generated/postgres";
import { headers } from "../auth";
import { line, lineActs } from "../line";
import { offer } from "../processes";
import { openShop } from "../shop/postgres";

const client = postgres(process.env.DATABASE_URL as string, { onnotice: () => {} });
const db = drizzle({ client });

// The application's own migrations, which drizzle-kit made from schema/postgres.ts; then the capture.
await migrate(db, { migrationsFolder: "examples/migrations/postgres" });
const tables = ["orders", "inventory"];
const node = createNode({ db, registry, nodeId: "hub", tables });
await node.ensureShadowTables();

// Asked for again after a second, so that there is something to see; usually after five.
const options = { headers, tables, reconnect: 1_000, fetch: line.fetch };
const syncer = createSyncer(node, {
  peers: [
    streamingTransport(process.env.EDGE_1_URL as string, options),
    streamingTransport(process.env.EDGE_2_URL as string, options),
    streamingTransport(process.env.EDGE_3_URL as string, options),
  ],
  tables,
  interval: 15_000,
  onReport: line.meter,
});

offer({ ...openShop(db), ...lineActs });
const ending = new AbortController();
process.once("SIGTERM", () => ending.abort());
const { signal } = ending;
await Promise.all([syncer.run({ signal }), syncer.stream({ signal })]);
await client.end();
