// Stores: the port and its implementations.

export type { SqliteDatabase, SqliteStatement } from "./sqlite/driver";
export { SqliteStore } from "./sqlite/store";
export * from "./store";
