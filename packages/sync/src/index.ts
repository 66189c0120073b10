// Sync: node, syncer and transports.

export type { Caller, RefusedRow, ValueLimits } from "./caller";
export type { ChangesOptions, TableEvent } from "./changes";
export * from "./collection-status";
export type { AnyHook, HookContext, SyncHook } from "./hook";
export * from "./http-transport";
export type { Logger } from "./logger";
export type { Meter } from "./metrics";
export * from "./node";
export { Observer, type ObserverOptions } from "./observer";
export type { MergeReport } from "./passage";
export type { PeerStatus } from "./peer";
export type { RejoinReport } from "./rejoin";
export type { PeerReport } from "./report";
export type { KnownPeer, Lag, NodeStatus, RowCount, StatusOptions } from "./status";
export * from "./streaming-transport";
export * from "./syncer";
export * from "./transport";
export type { DifferingRow, VerifyOptions, VerifyReport } from "./verify";
