// A node's database file: the application's own migrations, then the node with its capture. The hub's and a till's alike.
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { migrate } from "drizzle-orm/better-sqlite3/migrator";
import { createNode } from "grove-crdt";
import { registry } from "./generated/sqlite";

const migrationsFolder = fileURLToPath(new URL("migrations", import.meta.url));

export async function openDatabase(file: string, nodeId: string) {
  const client = new Database(file);
  client.pragma("journal_mode = WAL");
  const db = drizzle({ client });
  migrate(db, { migrationsFolder });
  const node = createNode({ db, registry, nodeId });
  await node.ensureShadowTables();
  return { client, db, node };
}
