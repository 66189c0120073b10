// One of two equal nodes: documents in Postgres, an application that serves them, and the other node as its peer.
import { drizzle } from "drizzle-orm/postgres-js";
import { migrate } from "drizzle-orm/postgres-js/migrator";
import { createNode, createSyncer, serveNode, streamingTransport, syncRouter } from "grove-crdt";
import { Hono } from "hono";
import { bearerAuth } from "hono/bearer-auth";
import postgres from "postgres";
import { registry } from "../../generated/postgres";
import { authenticate, headers } from "../auth";
import { line, lineActs } from "../line";
import { offer } from "../processes";
import { documentRoutes } from "./documents";

const client = postgres(process.env.DATABASE_URL as string, { onnotice: () => {} });
const db = drizzle({ client });

// The application's own migrations, which drizzle-kit made from schema/postgres.ts; then the capture.
await migrate(db, { migrationsFolder: "examples/migrations/postgres" });
const node = createNode({ db, registry, nodeId: process.env.NODE_ID, tables: ["documents"] });
await node.ensureShadowTables();

// A stream is asked for again after a second, so that there is something to see; usually after five.
const peer = streamingTransport(process.env.PEER_URL as string, { headers, reconnect: 1_000 });
const syncer = createSyncer(node, { peers: [peer], tables: ["documents"], interval: 10_000, onReport: line.meter });

const app = new Hono();
app.route("/sync", syncRouter(node, { authenticate }));
app.use("/documents/*", bearerAuth({ token: process.env.APP_TOKEN as string }));
// POST /documents, PUT /documents/:id, GET /documents
app.route("/documents", documentRoutes(db));

// Checks the capture, serves, syncs; on SIGTERM or Ctrl-C lets what is under way end.
const { stopped } = await serveNode(app, { node, syncer, hostname: "127.0.0.1", port: Number(process.env.PORT) });
offer(lineActs);
await stopped;
await client.end();
