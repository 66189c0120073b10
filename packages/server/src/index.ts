// Server: the Hono router, who may use it, and a node's life in a process.
export type { AccessOptions, Scope } from "./access";
export type { Audit, AuditEvent } from "./audit";
export * from "./bearer";
export { type HealthOptions, healthRouter } from "./health";
export * from "./jwt";
export { DEFAULT_LIMITS, type Limits, STATUS, type SyncRouterOptions, syncRouter } from "./router";
export * from "./serve-node";
