// Made by grove-crdt from the Drizzle schema. Do not edit: change the schema and run `npx grove-crdt generate`.
// Merge without a database: two states of one row become one. Calls the core and holds no rule of its own.

import { type Json, materializeState, mergeStates, type TableModel } from "grove-crdt";
import { productsModel, salesModel } from "./registry.js";
import type { ProductsState, SalesState } from "./types.js";

const merge = mergeStates as <State>(model: TableModel, a: State, b: State) => State;
const materialize = materializeState as (model: TableModel, state: unknown) => Record<string, Json> | null;

/** The least state that covers both: commutative, associative, idempotent. For one row of products. */
export const mergeProducts = (a: ProductsState, b: ProductsState): ProductsState =>
  merge(productsModel, a, b);

/** The row of products that the state stands for, in wire values by column name; null when it is deleted. */
export const materializeProducts = (state: ProductsState): Record<string, Json> | null =>
  materialize(productsModel, state);

/** The least state that covers both: commutative, associative, idempotent. For one row of sales. */
export const mergeSales = (a: SalesState, b: SalesState): SalesState =>
  merge(salesModel, a, b);

/** The row of sales that the state stands for, in wire values by column name; null when it is deleted. */
export const materializeSales = (state: SalesState): Record<string, Json> | null =>
  materialize(salesModel, state);
