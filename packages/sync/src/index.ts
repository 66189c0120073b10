// Sync: node, syncer and transports.
export * from "./exchange";
export * from "./http-transport";
export * from "./node";
export * from "./syncer";
export * from "./transport";
