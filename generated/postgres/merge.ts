// Made by grove-crdt from the Drizzle schema. Do not edit: change the schema and run `npx grove-crdt generate`.
// Merge without a database: two states of one row become one. Calls the core and holds no rule of its own.

import { type Json, materializeState, mergeStates, type RowChange } from "grove-crdt";
import { documentsModel, inventoryModel, ordersModel, plansModel } from "./registry.js";
import type { DocumentsState, InventoryState, OrdersState, PlansState } from "./types.js";

/** The least state that covers both: commutative, associative, idempotent. For one row of documents. */
export const mergeDocuments = (a: DocumentsState, b: DocumentsState): DocumentsState =>
  mergeStates(documentsModel, a as RowChange, b as RowChange) as DocumentsState;

/** The row of documents that the state stands for, in wire values by column name; null when it is deleted. */
export const materializeDocuments = (state: DocumentsState): Record<string, Json> | null =>
  materializeState(documentsModel, state as RowChange);

/** The least state that covers both: commutative, associative, idempotent. For one row of inventory. */
export const mergeInventory = (a: InventoryState, b: InventoryState): InventoryState =>
  mergeStates(inventoryModel, a as RowChange, b as RowChange) as InventoryState;

/** The row of inventory that the state stands for, in wire values by column name; null when it is deleted. */
export const materializeInventory = (state: InventoryState): Record<string, Json> | null =>
  materializeState(inventoryModel, state as RowChange);

/** The least state that covers both: commutative, associative, idempotent. For one row of orders. */
export const mergeOrders = (a: OrdersState, b: OrdersState): OrdersState =>
  mergeStates(ordersModel, a as RowChange, b as RowChange) as OrdersState;

/** The row of orders that the state stands for, in wire values by column name; null when it is deleted. */
export const materializeOrders = (state: OrdersState): Record<string, Json> | null =>
  materializeState(ordersModel, state as RowChange);

/** The least state that covers both: commutative, associative, idempotent. For one row of plans. */
export const mergePlans = (a: PlansState, b: PlansState): PlansState =>
  mergeStates(plansModel, a as RowChange, b as RowChange) as PlansState;

/** The row of plans that the state stands for, in wire values by column name; null when it is deleted. */
export const materializePlans = (state: PlansState): Record<string, Json> | null =>
  materializeState(plansModel, state as RowChange);
