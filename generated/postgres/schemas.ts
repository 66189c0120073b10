// Made by grove-crdt from the Drizzle schema. Do not edit: change the schema and run `npx grove-crdt generate`.
// Schemas of states and changes that come from elsewhere: `documentsStateSchema.parse(json)`.

import { changeSchema, stateSchema } from "grove-crdt";
import type { ZodType } from "zod";
import { documentsModel, inventoryModel, ordersModel, plansModel } from "./registry.js";
import type { DocumentsChange, DocumentsState, InventoryChange, InventoryState, OrdersChange, OrdersState, PlansChange, PlansState } from "./types.js";

/** The merge state of one row of documents. */
export const documentsStateSchema = stateSchema(documentsModel) as unknown as ZodType<DocumentsState>;

/** One field's change in documents. */
export const documentsChangeSchema = changeSchema(documentsModel) as unknown as ZodType<DocumentsChange>;

/** The merge state of one row of inventory. */
export const inventoryStateSchema = stateSchema(inventoryModel) as unknown as ZodType<InventoryState>;

/** One field's change in inventory. */
export const inventoryChangeSchema = changeSchema(inventoryModel) as unknown as ZodType<InventoryChange>;

/** The merge state of one row of orders. */
export const ordersStateSchema = stateSchema(ordersModel) as unknown as ZodType<OrdersState>;

/** One field's change in orders. */
export const ordersChangeSchema = changeSchema(ordersModel) as unknown as ZodType<OrdersChange>;

/** The merge state of one row of plans. */
export const plansStateSchema = stateSchema(plansModel) as unknown as ZodType<PlansState>;

/** One field's change in plans. */
export const plansChangeSchema = changeSchema(plansModel) as unknown as ZodType<PlansChange>;
