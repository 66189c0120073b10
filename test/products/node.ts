// A node on a product's database: its migrations by drizzle-orm's migrator, its rows from before adopted.
import Database from "better-sqlite3";
import { drizzle as onSqlite } from "drizzle-orm/better-sqlite3";
import { migrate as migrateSqlite } from "drizzle-orm/better-sqlite3/migrator";
import { drizzle as onPostgres } from "drizzle-orm/postgres-js";
import { migrate as migratePostgres } from "drizzle-orm/postgres-js/migrator";
import { createNode, type GroveNode, type Registry } from "grove-crdt";
import postgres from "postgres";
import { dropDatabase, newDatabase } from "../support/migrations-postgres";
import { type Casing, ProductDatabase, type ProductTable } from "./product";

export interface ProductNode {
  readonly id: string;
  readonly database: ProductDatabase;
  migrate(folder: string): Promise<void>;
  /** What the database is to become; nothing is installed by it. */
  create(registry: Registry): GroveNode;
  close(): Promise<void>;
}

export async function openSqlite(id: string, tables: readonly ProductTable[], casing: Casing): Promise<ProductNode> {
  const client = new Database(":memory:");
  return {
    id,
    database: ProductDatabase.onSqlite(tables, client, casing),
    migrate: async (migrationsFolder) => migrateSqlite(onSqlite({ client }), { migrationsFolder }),
    create: (registry) => createNode({ db: onSqlite({ client }), registry, nodeId: id }),
    close: async () => void client.close(),
  };
}

export async function openPostgres(id: string, tables: readonly ProductTable[], casing: Casing): Promise<ProductNode> {
  const url = await newDatabase();
  const application = postgres(url, { max: 1, onnotice: () => {} });
  const pool = postgres(url, { max: 2, onnotice: () => {} });
  return {
    id,
    database: ProductDatabase.onPostgres(tables, application, casing),
    migrate: (migrationsFolder) => migratePostgres(onPostgres({ client: application }), { migrationsFolder }),
    create: (registry) => createNode({ db: onPostgres({ client: pool }), registry, nodeId: id }),
    async close() {
      await application.end();
      await pool.end();
      await dropDatabase(url);
    },
  };
}
