// From what a schema file exports to what the generator prints.
import { type Dialect, GroveError, type TableModel } from "@grove-crdt/core";
import type { Casing } from "./names";
import { readSqliteSchema } from "./sqlite/schema";

/** A schema file that was loaded. */
export interface SchemaModule {
  readonly path: string;
  readonly exports: Readonly<Record<string, unknown>>;
}

export interface ReadOptions {
  readonly dialect: Dialect;
  /** `casing` of drizzle.config.ts. */
  readonly casing?: Casing;
  /** What columns without an annotation are. Without it, they are refused. */
  readonly unmarked?: "lww" | "local";
}

export interface ReadSchema {
  readonly tables: readonly TableModel[];
  /** The file that exports each table, by table name. */
  readonly files: ReadonlyMap<string, string>;
}

/**
 * The models of all annotated tables.
 * @throws GroveError `schema_invalid` with every problem in its message and, as a list of Diagnostic, in `details`
 */
export function readSchema(modules: readonly SchemaModule[], options: ReadOptions): ReadSchema {
  const { dialect, casing, unmarked } = options;
  if (dialect !== "sqlite") {
    throw new GroveError(
      "schema_load_failed",
      `The dialect ${dialect} comes in a later version; this one reads SQLite schemas.`,
    );
  }
  return readSqliteSchema(modules, { casing, ...(unmarked && { unmarked }) });
}
