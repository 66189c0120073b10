// A schema's exports to the models of its annotated tables, or to one error that tells everything that is wrong.
import type { TableModel } from "@grove-crdt/core";
import { is } from "drizzle-orm";
import {
  getTableConfig,
  getViewConfig,
  SQLiteColumn,
  SQLiteTable,
  SQLiteView,
  type SQLiteTable as Table,
} from "drizzle-orm/sqlite-core";
import { type Diagnostic, type Report, schemaError } from "../diagnostics";
import { readMark } from "../mark";
import type { ReadSchema, SchemaModule } from "../schema";
import { checkNames, isShadowTable } from "./collision";
import { checkReferences } from "./reference";
import { isAnnotated, openTable, readTable, type TableOptions, type TableSource } from "./table";

export function readSqliteSchema(modules: readonly SchemaModule[], options: TableOptions): ReadSchema {
  const diagnostics: Diagnostic[] = [];
  const reportFor =
    (table: string): Report =>
    (found) =>
      diagnostics.push({ table, ...found });

  const sources = new Map<string, TableSource>();
  const files = new Map<string, string>();
  for (const { path, exportName, table } of findTables(modules)) {
    const { name } = getTableConfig(table);
    const source = openTable(table, exportName, options, reportFor(name));
    // SQLite does not tell names apart by the case of their letters.
    const before = sources.get(name.toLowerCase());
    if (before === undefined) {
      sources.set(name.toLowerCase(), source);
      files.set(name, path);
    } else if (isAnnotated(before) || isAnnotated(source)) {
      const problem = "two Drizzle tables have this name in the database";
      source.report({ code: "duplicate_table", problem, cure: "Keep one of them." });
    }
  }
  const all = [...sources.values()];
  const annotated = all.filter(isAnnotated);
  for (const [name, columns] of annotatedViews(modules, new Set(all.map(({ table }) => table)))) {
    const cure = "Take the annotations off: annotate the tables that the view reads.";
    reportFor(name)({ code: "view", problem: `it is a view with annotated columns (${columns.join(", ")})`, cure });
  }
  if (annotated.length === 0 && diagnostics.length === 0) {
    const cure = 'Annotate at least one: `title: lww(text("title").notNull())`, imported from "grove-crdt/schema".';
    reportFor("")({ code: "no_annotated_table", problem: "no table has an annotated column", cure });
  }

  checkNames(annotated, all);
  checkBuilders(annotated);
  const tables: TableModel[] = annotated.map((source) => {
    checkReferences(source, new Set(annotated.map(({ table }) => table)));
    return readTable(source);
  });
  if (diagnostics.length > 0) throw schemaError(diagnostics);
  return { tables, files };
}

/** Every table once, under the first name that exports it. */
function findTables(modules: readonly SchemaModule[]): { path: string; exportName: string; table: Table }[] {
  const seen = new Set<unknown>();
  return modules.flatMap(({ path, exports }) =>
    Object.entries(exports).flatMap(([exportName, table]) => {
      if (!is(table, SQLiteTable) || seen.has(table) || isShadowTable(table)) return [];
      seen.add(table);
      return [{ path, exportName, table }];
    }),
  );
}

/** Views that declare annotated columns of their own; one that selects from annotated tables is fine. */
function annotatedViews(modules: readonly SchemaModule[], tables: ReadonlySet<Table>): Map<string, string[]> {
  const configs = new Set([...tables].flatMap((table) => configsOf(Object.values(table))));
  const found = new Map<string, string[]>();
  for (const { exports } of modules) {
    for (const view of Object.values(exports)) {
      if (!is(view, SQLiteView)) continue;
      const { name, selectedFields } = getViewConfig(view);
      const columns = Object.values(selectedFields as object).filter((column): column is SQLiteColumn =>
        is(column, SQLiteColumn),
      );
      const own = columns.filter(
        (column) => readMark(column).annotation !== undefined && !configs.has(configOf(column)),
      );
      if (own.length > 0)
        found.set(
          name,
          own.map((column) => column.name),
        );
    }
  }
  return found;
}

const configOf = (column: unknown): unknown => (column as { config?: unknown }).config;
const configsOf = (values: readonly unknown[]): unknown[] =>
  values.filter((value) => is(value, SQLiteColumn)).map(configOf);

/** One builder under two columns has one config, and so one name and one mark for both. */
function checkBuilders(annotated: readonly TableSource[]): void {
  const owners = new Map<unknown, string>();
  for (const { name, columns, report } of annotated) {
    for (const { column, property } of columns) {
      const owner = owners.get(configOf(column));
      if (owner !== undefined) {
        report({
          column: property,
          code: "shared_builder",
          problem: `it is made by the same column builder as ${owner}`,
          cure: "Make a builder for each column: put the shared definition into a function.",
        });
      }
      owners.set(configOf(column), `${name}.${property}`);
    }
  }
}
