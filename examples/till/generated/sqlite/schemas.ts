// Made by grove-crdt from the Drizzle schema. Do not edit: change the schema and run `npx grove-crdt generate`.
// Schemas of states and changes that come from elsewhere: `documentsStateSchema.parse(json)`.

import { changeSchema, stateSchema } from "grove-crdt";
import type { ZodType } from "zod";
import { productsModel, salesModel } from "./registry.js";
import type { ProductsChange, ProductsState, SalesChange, SalesState } from "./types.js";

/** The merge state of one row of products. */
export const productsStateSchema = stateSchema(productsModel) as unknown as ZodType<ProductsState>;

/** One field's change in products. */
export const productsChangeSchema = changeSchema(productsModel) as unknown as ZodType<ProductsChange>;

/** The merge state of one row of sales. */
export const salesStateSchema = stateSchema(salesModel) as unknown as ZodType<SalesState>;

/** One field's change in sales. */
export const salesChangeSchema = changeSchema(salesModel) as unknown as ZodType<SalesChange>;
