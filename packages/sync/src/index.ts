// Sync: node, syncer and transports.
export type { ChangesOptions, TableEvent } from "./changes";
export * from "./http-transport";
export * from "./node";
export type { PeerStatus } from "./peer";
export type { PeerReport } from "./report";
export * from "./streaming-transport";
export * from "./syncer";
export * from "./transport";
