// Made by grove-crdt from the Drizzle schema. Do not edit: change the schema and run `npx grove-crdt generate`.
// What the schema says, for `createNode({ db, registry })`.

import type { Registry, TableModel } from "grove-crdt";
import { hash, system, tables } from "./capture.js";

/** articles */
export const articlesModel = {
  name: "articles",
  exportName: "articles",
  key: [{ name: "id", property: "id", kind: "text", storage: "text", sqlType: "text", notNull: true }],
  fields: [
    { name: "name", property: "name", kind: "text", storage: "text", sqlType: "text", notNull: true, type: "lww" },
    {
      name: "price",
      property: "price",
      kind: "integer",
      storage: "integer",
      sqlType: "integer",
      notNull: true,
      type: "lww",
    },
    {
      name: "stock",
      property: "stock",
      kind: "integer",
      storage: "integer",
      sqlType: "integer",
      notNull: true,
      type: "counter",
      default: "0",
    },
  ],
  local: [],
  uniques: [],
} as const satisfies TableModel;

/** Everything that is replicated, and the SQL that captures it. */
export const registry = { dialect: "sqlite", tables: [articlesModel], capture: { hash, system, tables } } as const satisfies Registry;
