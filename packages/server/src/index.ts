// Server: the Hono router.
export * from "./router";
