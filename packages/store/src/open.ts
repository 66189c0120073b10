// Which store belongs to a Drizzle database: told by the registry's dialect, and checked against the client.
import { GroveError, type Registry } from "@grove-crdt/core";
import { type PostgresClient, postgresDriver } from "./postgres/driver";
import { PostgresStore } from "./postgres/store";
import type { SqliteDatabase } from "./sqlite/driver";
import { SqliteStore } from "./sqlite/store";
import type { Store, StoreOptions } from "./store";

/** The driver behind a Drizzle database: better-sqlite3, postgres.js, a node-postgres Pool, or PGlite. */
export type DatabaseClient = SqliteDatabase | PostgresClient;

const isSqlite = (client: unknown): client is SqliteDatabase =>
  typeof (client as SqliteDatabase | undefined)?.prepare === "function" &&
  typeof (client as SqliteDatabase).exec === "function";

/** @throws GroveError `bad_request` when the client is not of the registry's dialect, `unknown_table` */
export function openStore(
  client: unknown,
  registry: Registry,
  options: StoreOptions,
  tables: readonly string[] | undefined,
): Store {
  if (registry.dialect === "sqlite") {
    if (isSqlite(client)) return new SqliteStore(client, registry, options, tables);
    throw new GroveError(
      "bad_request",
      "createNode: the registry is SQLite's and `db` is not a Drizzle database over better-sqlite3. Pass drizzle({ client: new Database(file) }), or the registry of the other dialect.",
    );
  }
  const driver = isSqlite(client) ? null : postgresDriver(client);
  if (driver) return new PostgresStore(driver, registry, options, tables);
  throw new GroveError(
    "bad_request",
    "createNode: the registry is Postgres's and `db` is not a Drizzle database over postgres.js, a node-postgres Pool or PGlite. Pass drizzle({ client: postgres(url) }), or the registry of the other dialect.",
  );
}
