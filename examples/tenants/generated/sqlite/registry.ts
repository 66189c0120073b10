// Made by grove-crdt from the Drizzle schema. Do not edit: change the schema and run `npx grove-crdt generate`.
// What the schema says, for `createNode({ db, registry })`.

import type { Registry, TableModel } from "grove-crdt";
import { hash, system, tables } from "./capture.js";

/** tenant_acme_documents */
export const acmeDocumentsModel = {
  name: "tenant_acme_documents",
  exportName: "acmeDocuments",
  key: [{ name: "id", property: "id", kind: "text", storage: "text", sqlType: "text", notNull: true }],
  fields: [
    { name: "title", property: "title", kind: "text", storage: "text", sqlType: "text", notNull: true, type: "lww" },
    {
      name: "view_count",
      property: "viewCount",
      kind: "integer",
      storage: "integer",
      sqlType: "integer",
      notNull: true,
      type: "counter",
      default: "0",
    },
    {
      name: "tags",
      property: "tags",
      kind: "json",
      storage: "text",
      sqlType: "text",
      notNull: true,
      type: "set",
      default: [],
    },
  ],
  local: [],
  uniques: [],
} as const satisfies TableModel;

/** tenant_globex_documents */
export const globexDocumentsModel = {
  name: "tenant_globex_documents",
  exportName: "globexDocuments",
  key: [{ name: "id", property: "id", kind: "text", storage: "text", sqlType: "text", notNull: true }],
  fields: [
    { name: "title", property: "title", kind: "text", storage: "text", sqlType: "text", notNull: true, type: "lww" },
    {
      name: "view_count",
      property: "viewCount",
      kind: "integer",
      storage: "integer",
      sqlType: "integer",
      notNull: true,
      type: "counter",
      default: "0",
    },
    {
      name: "tags",
      property: "tags",
      kind: "json",
      storage: "text",
      sqlType: "text",
      notNull: true,
      type: "set",
      default: [],
    },
  ],
  local: [],
  uniques: [],
} as const satisfies TableModel;

/** Everything that is replicated, and the SQL that captures it. */
export const registry = { dialect: "sqlite", tables: [acmeDocumentsModel, globexDocumentsModel], capture: { hash, system, tables } } as const satisfies Registry;
