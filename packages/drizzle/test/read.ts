// What the tests of this folder share: reading tables given as exports, and what was found wrong with them.
import { GroveError, type TableModel } from "@grove-crdt/core";
import { type Diagnostic, type ReadOptions, readSchema } from "../src/index";

type Exports = Readonly<Record<string, unknown>>;

export const read = (exports: Exports, options: Partial<ReadOptions> = {}): readonly TableModel[] =>
  readSchema([{ path: "/schema.ts", exports }], { dialect: "sqlite", ...options }).tables;

/** The model of the only table. */
export function readOne(table: unknown, options: Partial<ReadOptions> = {}): TableModel {
  const [model, ...others] = read({ table }, options);
  if (model === undefined || others.length > 0) throw new Error("expected one table");
  return model;
}

/** The error, which every problem is in. */
export function schemaErrorOf(exports: Exports, options: Partial<ReadOptions> = {}): GroveError {
  try {
    read(exports, options);
  } catch (error) {
    if (error instanceof GroveError && error.code === "schema_invalid") return error;
    throw error;
  }
  throw new Error("the schema was accepted");
}

/** `table.column code` of each problem, in the order in which they are told. */
export const problems = (exports: Exports, options: Partial<ReadOptions> = {}): string[] =>
  (schemaErrorOf(exports, options).details as Diagnostic[]).map(
    ({ table, column, code }) => `${[table, column].filter(Boolean).join(".")} ${code}`,
  );
