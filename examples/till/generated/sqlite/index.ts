// Made by grove-crdt from the Drizzle schema. Do not edit: change the schema and run `npx grove-crdt generate`.
// Everything generated but shadow.ts, which drizzle-kit reads by itself, and schemas.ts.

export * from "./merge.js";
export * from "./registry.js";
export * from "./types.js";
