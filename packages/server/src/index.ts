// Server: the Hono router, who may use it, and a node's life in a process.
export type { AccessOptions, Scope } from "./access";
export type { Audit, AuditEvent } from "./audit";
export * from "./bearer";
export * from "./jwt";
export { DEFAULT_LIMITS, type Limits, type SyncRouterOptions, syncRouter } from "./router";
export * from "./serve-node";
