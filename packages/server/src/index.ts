// Server: the Hono router.
export * from "./router";
export * from "./serve-node";
