// From what a schema file exports to what the generator prints.
import type { Dialect, TableModel } from "@grove-crdt/core";
import { readPostgresSchema } from "./postgres/schema";
import type { TableOptions } from "./source";
import { readSqliteSchema } from "./sqlite/schema";

/** A schema file that was loaded. */
export interface SchemaModule {
  readonly path: string;
  readonly exports: Readonly<Record<string, unknown>>;
}

export interface ReadOptions extends Partial<TableOptions> {
  readonly dialect: Dialect;
}

export interface ReadSchema {
  readonly tables: readonly TableModel[];
  /** The file that exports each table, by table name. */
  readonly files: ReadonlyMap<string, string>;
}

const readers: Readonly<Record<Dialect, (modules: readonly SchemaModule[], options: TableOptions) => ReadSchema>> = {
  sqlite: readSqliteSchema,
  postgres: readPostgresSchema,
};

/**
 * The models of all annotated tables.
 * @throws GroveError `schema_invalid` with every problem in its message and, as a list of Diagnostic, in `details`
 */
export function readSchema(modules: readonly SchemaModule[], options: ReadOptions): ReadSchema {
  const { dialect, casing, unmarked, tables, history } = options;
  return readers[dialect](modules, {
    casing,
    ...(unmarked && { unmarked }),
    ...(tables && { tables }),
    ...(history && { history }),
  });
}
