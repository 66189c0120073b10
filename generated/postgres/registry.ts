// Made by grove-crdt from the Drizzle schema. Do not edit: change the schema and run `npx grove-crdt generate`.
// What the schema says, for `createNode({ db, registry })`.

import type { Registry, TableModel } from "grove-crdt";
import { hash, system, tables } from "./capture.js";

/** documents */
export const documentsModel = {
  name: "documents",
  exportName: "documents",
  key: [{ name: "id", property: "id", kind: "text", storage: "native", sqlType: "text", notNull: true }],
  fields: [
    { name: "title", property: "title", kind: "text", storage: "native", sqlType: "text", notNull: true, type: "lww" },
    {
      name: "body",
      property: "body",
      kind: "text",
      storage: "native",
      sqlType: "text",
      notNull: true,
      type: "lww",
      default: "",
    },
    {
      name: "view_count",
      property: "viewCount",
      kind: "integer",
      storage: "native",
      sqlType: "bigint",
      notNull: true,
      type: "counter",
      default: "0",
    },
    {
      name: "tags",
      property: "tags",
      kind: "json",
      storage: "array",
      sqlType: "text[]",
      notNull: true,
      element: { kind: "text", storage: "native", sqlType: "text" },
      type: "set",
      default: [],
    },
  ],
  local: [],
  uniques: [],
} as const satisfies TableModel;

/** inventory */
export const inventoryModel = {
  name: "inventory",
  exportName: "inventory",
  key: [
    { name: "store", property: "store", kind: "text", storage: "native", sqlType: "text", notNull: true },
    { name: "sku", property: "sku", kind: "text", storage: "native", sqlType: "text", notNull: true },
  ],
  fields: [
    { name: "name", property: "name", kind: "text", storage: "native", sqlType: "text", notNull: true, type: "lww" },
    {
      name: "quantity",
      property: "quantity",
      kind: "integer",
      storage: "native",
      sqlType: "bigint",
      notNull: true,
      type: "counter",
      default: "0",
    },
  ],
  local: ["shelf"],
  uniques: [],
} as const satisfies TableModel;

/** orders */
export const ordersModel = {
  name: "orders",
  exportName: "orders",
  key: [{ name: "id", property: "id", kind: "text", storage: "native", sqlType: "text", notNull: true }],
  fields: [
    {
      name: "status",
      property: "status",
      kind: "text",
      storage: "native",
      sqlType: "text",
      notNull: true,
      type: "lww",
      default: "open",
    },
    { name: "note", property: "note", kind: "text", storage: "native", sqlType: "text", notNull: false, type: "lww" },
    {
      name: "total",
      property: "total",
      kind: "integer",
      storage: "native",
      sqlType: "bigint",
      notNull: true,
      type: "lww",
    },
    {
      name: "placed_at",
      property: "placedAt",
      kind: "timestamp",
      storage: "native",
      sqlType: "timestamp with time zone",
      notNull: true,
      type: "lww",
    },
  ],
  local: [],
  uniques: [],
} as const satisfies TableModel;

/** plans */
export const plansModel = {
  name: "plans",
  exportName: "plans",
  key: [{ name: "id", property: "id", kind: "text", storage: "native", sqlType: "text", notNull: true }],
  fields: [
    {
      name: "steps",
      property: "steps",
      kind: "json",
      storage: "array",
      sqlType: "text[]",
      notNull: true,
      element: { kind: "text", storage: "native", sqlType: "text" },
      type: "list",
      default: [],
    },
    {
      name: "cards",
      property: "cards",
      kind: "json",
      storage: "jsonb",
      sqlType: "jsonb",
      notNull: true,
      type: "list",
      itemKey: "id",
      default: [],
    },
    {
      name: "data",
      property: "data",
      kind: "json",
      storage: "jsonb",
      sqlType: "jsonb",
      notNull: true,
      type: "document",
      paths: [
        { path: ["stats", "views"], type: "counter" },
        { path: ["labels"], type: "set" },
        { path: ["stops"], type: "list" },
      ],
      default: {},
    },
  ],
  local: [],
  uniques: [],
} as const satisfies TableModel;

/** Everything that is replicated, and the SQL that captures it. */
export const registry = {
  dialect: "postgres",
  tables: [documentsModel, inventoryModel, ordersModel, plansModel],
  capture: { hash, system, tables },
} as const satisfies Registry;
