// Made by grove-crdt from the Drizzle schema. Do not edit: change the schema and run `npx grove-crdt generate`.
// Merge without a database: two states of one row become one. Calls the core and holds no rule of its own.

import { type Json, materializeState, mergeStates, type TableModel } from "grove-crdt";
import { documentsModel, inventoryModel, ordersModel, plansModel } from "./registry.js";
import type { DocumentsState, InventoryState, OrdersState, PlansState } from "./types.js";

const merge = mergeStates as <State>(model: TableModel, a: State, b: State) => State;
const materialize = materializeState as (model: TableModel, state: unknown) => Record<string, Json> | null;

/** The least state that covers both: commutative, associative, idempotent. For one row of documents. */
export const mergeDocuments = (a: DocumentsState, b: DocumentsState): DocumentsState =>
  merge(documentsModel, a, b);

/** The row of documents that the state stands for, in wire values by column name; null when it is deleted. */
export const materializeDocuments = (state: DocumentsState): Record<string, Json> | null =>
  materialize(documentsModel, state);

/** The least state that covers both: commutative, associative, idempotent. For one row of inventory. */
export const mergeInventory = (a: InventoryState, b: InventoryState): InventoryState =>
  merge(inventoryModel, a, b);

/** The row of inventory that the state stands for, in wire values by column name; null when it is deleted. */
export const materializeInventory = (state: InventoryState): Record<string, Json> | null =>
  materialize(inventoryModel, state);

/** The least state that covers both: commutative, associative, idempotent. For one row of orders. */
export const mergeOrders = (a: OrdersState, b: OrdersState): OrdersState =>
  merge(ordersModel, a, b);

/** The row of orders that the state stands for, in wire values by column name; null when it is deleted. */
export const materializeOrders = (state: OrdersState): Record<string, Json> | null =>
  materialize(ordersModel, state);

/** The least state that covers both: commutative, associative, idempotent. For one row of plans. */
export const mergePlans = (a: PlansState, b: PlansState): PlansState =>
  merge(plansModel, a, b);

/** The row of plans that the state stands for, in wire values by column name; null when it is deleted. */
export const materializePlans = (state: PlansState): Record<string, Json> | null =>
  materialize(plansModel, state);
