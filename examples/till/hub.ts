// The hub: the tables in a SQLite file, and the endpoints with which the tills sync. It only serves.
import { serveNode, syncRouter } from "grove-crdt";
import { Hono } from "hono";
import { authenticate } from "../auth";
import { offer } from "../processes";
import { openDatabase } from "./database";
import { goods } from "./goods";
import { products } from "./schema";

const { client, db, node } = await openDatabase(process.env.DATABASE_URL as string, "hub");

// A hub that is started again has it already.
db.insert(products).values(goods).onConflictDoNothing().run();

const app = new Hono();
app.route("/sync", syncRouter(node, { authenticate }));

const { stopped } = await serveNode(app, { node, hostname: "127.0.0.1", port: Number(process.env.PORT) });
offer();
await stopped;
client.close();
