// Made by grove-crdt from the Drizzle schema. Do not edit: change the schema and run `npx grove-crdt generate`.
// Merge without a database: two states of one row become one. Calls the core and holds no rule of its own.

import { type Json, materializeState, mergeStates, type TableModel } from "grove-crdt";
import { articlesModel } from "./registry.js";
import type { ArticlesState } from "./types.js";

const merge = mergeStates as <State>(model: TableModel, a: State, b: State) => State;
const materialize = materializeState as (model: TableModel, state: unknown) => Record<string, Json> | null;

/** The least state that covers both: commutative, associative, idempotent. For one row of articles. */
export const mergeArticles = (a: ArticlesState, b: ArticlesState): ArticlesState =>
  merge(articlesModel, a, b);

/** The row of articles that the state stands for, in wire values by column name; null when it is deleted. */
export const materializeArticles = (state: ArticlesState): Record<string, Json> | null =>
  materialize(articlesModel, state);
