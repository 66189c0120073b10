// Stores: the port and its implementations.

export { type CollectionStep, checkCollected } from "./collection";
export type { Examined, ExamineOptions } from "./examined";
export { drawName } from "./identity";
export { type DatabaseClient, openStore } from "./open";
export type { NodePostgresPool, PGliteClient, PostgresClient, PostgresJsClient } from "./postgres/driver";
export { PostgresStore } from "./postgres/store";
export type { RejectedChange, Rejection } from "./rejection";
export type { SqliteDatabase, SqliteStatement } from "./sqlite/driver";
export { SqliteStore } from "./sqlite/store";
export type { PeerStanding, RowCount, StatusOptions, StoredStatus, Waiting } from "./status";
export * from "./store";
export type { Paths, TableDigest } from "./tree";
