// Made by grove-crdt from the Drizzle schema. Do not edit: change the schema and run `npx grove-crdt generate`.
// Merge without a database: two states of one row become one. Calls the core and holds no rule of its own.

import { type Json, materializeState, mergeStates, type TableModel } from "grove-crdt";
import { acmeDocumentsModel, globexDocumentsModel } from "./registry.js";
import type { AcmeDocumentsState, GlobexDocumentsState } from "./types.js";

const merge = mergeStates as <State>(model: TableModel, a: State, b: State) => State;
const materialize = materializeState as (model: TableModel, state: unknown) => Record<string, Json> | null;

/** The least state that covers both: commutative, associative, idempotent. For one row of tenant_acme_documents. */
export const mergeAcmeDocuments = (a: AcmeDocumentsState, b: AcmeDocumentsState): AcmeDocumentsState =>
  merge(acmeDocumentsModel, a, b);

/** The row of tenant_acme_documents that the state stands for, in wire values by column name; null when it is deleted. */
export const materializeAcmeDocuments = (state: AcmeDocumentsState): Record<string, Json> | null =>
  materialize(acmeDocumentsModel, state);

/** The least state that covers both: commutative, associative, idempotent. For one row of tenant_globex_documents. */
export const mergeGlobexDocuments = (a: GlobexDocumentsState, b: GlobexDocumentsState): GlobexDocumentsState =>
  merge(globexDocumentsModel, a, b);

/** The row of tenant_globex_documents that the state stands for, in wire values by column name; null when it is deleted. */
export const materializeGlobexDocuments = (state: GlobexDocumentsState): Record<string, Json> | null =>
  materialize(globexDocumentsModel, state);
