// What is SQLite's own about reading a schema.
import { shadowTable } from "@grove-crdt/core";
import { getTableColumns, is } from "drizzle-orm";
import { getTableConfig, getViewConfig, SQLiteColumn, SQLiteTable, SQLiteView } from "drizzle-orm/sqlite-core";
import { checkNames, isShadowTable, type NameRules } from "../collision";
import { readModules } from "../reader";
import { readReferences } from "../reference";
import type { ReadSchema, SchemaModule } from "../schema";
import { openSource, type TableOptions } from "../source";
import { readTable, type TableSource } from "./table";

const names: NameRules<TableSource> = {
  // SQLite does not tell names apart by the case of their letters.
  fold: (name) => name.toLowerCase(),
  constraints: () => [],
  beside: (t) => [`${shadowTable(t)}_pk`],
};

export const readSqliteSchema = (modules: readonly SchemaModule[], options: TableOptions): ReadSchema =>
  readModules(modules, options, {
    open(value, exportName, options, reportFor) {
      if (!is(value, SQLiteTable)) return undefined;
      const config = getTableConfig(value);
      if (isShadowTable(config.name, new Set(config.columns.map((column) => column.name)))) return undefined;
      return openSource(value, exportName, getTableColumns(value), config, options, reportFor(config.name));
    },
    identity: ({ name }) => names.fold(name),
    view(value) {
      if (!is(value, SQLiteView)) return undefined;
      const { name, selectedFields } = getViewConfig(value);
      const columns = Object.values(selectedFields as object).filter((column): column is SQLiteColumn =>
        is(column, SQLiteColumn),
      );
      return { name, columns };
    },
    checkNames: (annotated, all) => checkNames(annotated, all, names),
    readTable,
    readReferences,
  });
