// What is Postgres's own about reading a schema.
import { cellsTable, logTable, shadowTable } from "@grove-crdt/core";
import { getTableColumns, is } from "drizzle-orm";
import {
  getMaterializedViewConfig,
  getTableConfig,
  getViewConfig,
  PgColumn,
  PgMaterializedView,
  PgTable,
  PgView,
} from "drizzle-orm/pg-core";
import { besideTable, checkNames, isShadowTable, type NameRules } from "../collision";
import { readModules } from "../reader";
import { readReferences } from "../reference";
import type { ReadSchema, SchemaModule } from "../schema";
import { openSource, type TableOptions } from "../source";
import { readTable, type TableSource } from "./table";

const names: NameRules<TableSource> = {
  fold: (name) => name,
  constraints: ({ config, columns }) => [
    ...config.uniqueConstraints.flatMap((constraint) => constraint.getName() ?? []),
    ...config.primaryKeys.map((primaryKey) => primaryKey.getName()),
    ...columns.flatMap(({ column }) => (column.isUnique ? (column.uniqueName ?? []) : [])),
  ],
  // Keys have an index of their own, identities a sequence.
  beside: (t) => [
    `${logTable(t)}_pkey`,
    `${shadowTable(t)}_pkey`,
    `${cellsTable(t)}_pkey`,
    `${logTable(t)}_seq_seq`,
    `${cellsTable(t)}_id_seq`,
  ],
};

export const readPostgresSchema = (modules: readonly SchemaModule[], options: TableOptions): ReadSchema =>
  readModules(modules, options, {
    open(value, exportName, options, reportFor) {
      if (!is(value, PgTable)) return undefined;
      const config = getTableConfig(value);
      if (isShadowTable(config.name, new Set(config.columns.map((column) => column.name)))) return undefined;
      return openSource(value, exportName, getTableColumns(value), config, options, reportFor(config.name));
    },
    identity: ({ name, config }) => JSON.stringify([config.schema ?? "public", name]),
    view(value) {
      const config = is(value, PgView)
        ? getViewConfig(value)
        : is(value, PgMaterializedView)
          ? getMaterializedViewConfig(value)
          : undefined;
      if (config === undefined) return undefined;
      const columns = Object.values(config.selectedFields as object).filter((column): column is PgColumn =>
        is(column, PgColumn),
      );
      return { name: config.name, columns };
    },
    checkNames(annotated, all) {
      // Tables in other schemas have names of their own.
      checkNames(annotated, all.filter(isPublic), names);
      for (const source of annotated) {
        checkSchema(source);
        checkLengths(source);
      }
    },
    readTable,
    readReferences,
  });

const isPublic = ({ config }: TableSource): boolean => config.schema === undefined;

function checkSchema(source: TableSource): void {
  if (isPublic(source)) return;
  source.report({
    code: "pg_schema",
    problem: `it is in the schema ${source.config.schema}, and shadow tables and capture are made in public`,
    cure: "Keep annotated tables in public: make it with `pgTable(…)`.",
  });
}

/** Postgres cuts longer names without an error, and then two of ours may be one. */
const LONGEST_NAME = 63;
const bytes = (name: string): number => new TextEncoder().encode(name).length;

function checkLengths({ name, columns, report }: TableSource): void {
  const longest = besideTable(name, names).reduce((a, b) => (bytes(b) > bytes(a) ? b : a));
  if (bytes(longest) > LONGEST_NAME) {
    report({
      code: "name_too_long",
      problem: `its ${longest} would have a name of ${bytes(longest)} bytes, of which Postgres keeps ${LONGEST_NAME}`,
      cure: `Rename the table: ${LONGEST_NAME - (bytes(longest) - bytes(name))} bytes are left for its name.`,
    });
  }
  for (const { name: column } of columns) {
    // Our tables hold key columns as `pk_…`.
    if (bytes(`pk_${column}`) <= LONGEST_NAME) continue;
    report({
      column,
      code: "name_too_long",
      problem: `its name has ${bytes(column)} bytes, and Postgres keeps ${LONGEST_NAME} of a name`,
      cure: `Rename the column: ${LONGEST_NAME - 3} bytes are left for its name.`,
    });
  }
}
