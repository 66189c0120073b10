// A schema's exports to the models of its annotated tables, or to one error that tells everything that is wrong.
import type { TableModel } from "@grove-crdt/core";
import { type Column, is, Table } from "drizzle-orm";
import { type Diagnostic, type Report, schemaError } from "./diagnostics";
import { readMark } from "./mark";
import type { ReadTable } from "./reference";
import type { ReadSchema, SchemaModule } from "./schema";
import { configOf, isAnnotated, type TableConfig, type TableOptions, type TableSource } from "./source";

/** What the dialects see differently. */
export interface SchemaRules<C extends Column, Config extends TableConfig> {
  /** A table of this dialect, and none of our own; else undefined. */
  open(
    value: unknown,
    exportName: string,
    options: TableOptions,
    reportFor: (table: string) => Report,
  ): TableSource<C, Config> | undefined;
  /** Equal for two Drizzle tables that are one table in the database. */
  identity(source: TableSource<C, Config>): string;
  /** A view's name and the columns that it selects or declares; undefined for what is no view. */
  view(value: unknown): { readonly name: string; readonly columns: readonly Column[] } | undefined;
  /** What is told of names. */
  checkNames(annotated: readonly TableSource<C, Config>[], all: readonly TableSource<C, Config>[]): void;
  readTable(source: TableSource<C, Config>): TableModel;
  /** The models with their references. */
  readReferences(read: readonly ReadTable[]): TableModel[];
}

export function readModules<C extends Column, Config extends TableConfig>(
  modules: readonly SchemaModule[],
  options: TableOptions,
  rules: SchemaRules<C, Config>,
): ReadSchema {
  const diagnostics: Diagnostic[] = [];
  const reportFor =
    (table: string): Report =>
    (found) =>
      diagnostics.push({ table, ...found });

  const sources = new Map<string, TableSource<C, Config>>();
  const files = new Map<string, string>();
  for (const { path, source } of findTables(modules, options, rules, reportFor)) {
    const identity = rules.identity(source);
    const before = sources.get(identity);
    if (before === undefined) {
      sources.set(identity, source);
      if (!files.has(source.name) || isAnnotated(source)) files.set(source.name, path);
    } else if (isAnnotated(before) || isAnnotated(source)) {
      const problem = "two Drizzle tables have this name in the database";
      source.report({ code: "duplicate_table", problem, cure: "Keep one of them." });
    }
  }
  const all = [...sources.values()];
  const annotated = all.filter(isAnnotated);
  for (const [name, columns] of annotatedViews(modules, all, rules)) {
    const cure = "Take the annotations off: annotate the tables that the view reads.";
    reportFor(name)({ code: "view", problem: `it is a view with annotated columns (${columns.join(", ")})`, cure });
  }
  if (annotated.length === 0 && diagnostics.length === 0) {
    const others = modules.flatMap(({ exports }) => Object.values(exports)).filter((value) => is(value, Table));
    reportFor("")(
      all.length === 0 && others.length > 0
        ? {
            code: "no_annotated_table",
            problem: "its tables are made for another dialect than the one that drizzle.config.ts names",
            cure: "Import the table's functions from the dialect's own entry: drizzle-orm/sqlite-core or drizzle-orm/pg-core.",
          }
        : {
            code: "no_annotated_table",
            problem: "no table has an annotated column",
            cure: 'Annotate at least one: `title: lww(text("title").notNull())`, imported from "grove-crdt/schema".',
          },
    );
  }

  rules.checkNames(annotated, all);
  checkBuilders(annotated);
  const read = annotated.map((source) => ({ source: source as TableSource, model: rules.readTable(source) }));
  const tables = rules.readReferences(read).map((model) => withHistory(model, options));
  for (const table of Object.keys(options.history ?? {})) {
    if (annotated.some(({ name }) => name === table)) continue;
    const cure = `Name an annotated table as the database does: ${annotated.map(({ name }) => name).join(", ")}.`;
    reportFor(table)({ code: "history_table", problem: "history is asked for, and no such table is annotated", cure });
  }
  for (const table of Array.isArray(options.tables) ? (options.tables as readonly string[]) : []) {
    if (all.some(({ name }) => name === table)) continue;
    const cure = `Name a table as the database does: ${all.map(({ name }) => name).join(", ")}.`;
    reportFor(table)({ code: "no_such_table", problem: "the config names it, and the schema has no such table", cure });
  }
  if (diagnostics.length > 0) throw schemaError(diagnostics);
  return { tables, files };
}

function withHistory(model: TableModel, { history = {} }: TableOptions): TableModel {
  const bounds = Object.hasOwn(history, model.name) ? history[model.name] : undefined;
  return bounds ? { ...model, history: bounds } : model;
}

/** Every table once, under the first name that exports it. */
function findTables<C extends Column, Config extends TableConfig>(
  modules: readonly SchemaModule[],
  options: TableOptions,
  rules: SchemaRules<C, Config>,
  reportFor: (table: string) => Report,
): { path: string; source: TableSource<C, Config> }[] {
  const seen = new Set<unknown>();
  return modules.flatMap(({ path, exports }) =>
    Object.entries(exports).flatMap(([exportName, value]) => {
      if (seen.has(value)) return [];
      const source = rules.open(value, exportName, options, reportFor);
      if (source === undefined) return [];
      seen.add(value);
      return [{ path, source }];
    }),
  );
}

/** Views that declare annotated columns of their own; one that selects from annotated tables is fine. */
function annotatedViews<C extends Column, Config extends TableConfig>(
  modules: readonly SchemaModule[],
  tables: readonly TableSource<C, Config>[],
  rules: SchemaRules<C, Config>,
): Map<string, string[]> {
  const configs = new Set(tables.flatMap(({ columns }) => columns.map(({ column }) => configOf(column))));
  const found = new Map<string, string[]>();
  for (const view of modules.flatMap(({ exports }) => Object.values(exports).map(rules.view))) {
    const own = view?.columns.filter(
      (column) => readMark(column).annotation !== undefined && !configs.has(configOf(column)),
    );
    if (view !== undefined && own !== undefined && own.length > 0) {
      found.set(
        view.name,
        own.map((column) => column.name),
      );
    }
  }
  return found;
}

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
