// merge.ts: the core's merge functions, typed for each table.
import type { TableModel } from "@grove-crdt/core";
import type { Names } from "../names";
import { docText, header } from "./text";

export function emitMergeFile(tables: readonly TableModel[], names: ReadonlyMap<string, Names>): string {
  const named = tables.map((table) => ({ table, names: names.get(table.name) as Names }));
  const models = named.map(({ names }) => names.model).join(", ");
  const states = named.map(({ names }) => `${names.pascal}State`).join(", ");
  return `${header("Merge without a database: two states of one row become one. Calls the core and holds no rule of its own.")}
import { type Json, materializeState, mergeStates, type TableModel } from "grove-crdt";
import { ${models} } from "./registry.js";
import type { ${states} } from "./types.js";

const merge = mergeStates as <State>(model: TableModel, a: State, b: State) => State;
const materialize = materializeState as (model: TableModel, state: unknown) => Record<string, Json> | null;

${named.map(({ table, names }) => emitTable(table, names)).join("\n")}`;
}

function emitTable(table: TableModel, { pascal, model }: Names): string {
  const about = docText(table.name);
  return `/** The least state that covers both: commutative, associative, idempotent. For one row of ${about}. */
export const merge${pascal} = (a: ${pascal}State, b: ${pascal}State): ${pascal}State =>
  merge(${model}, a, b);

/** The row of ${about} that the state stands for, in wire values by column name; null when it is deleted. */
export const materialize${pascal} = (state: ${pascal}State): Record<string, Json> | null =>
  materialize(${model}, state);
`;
}
