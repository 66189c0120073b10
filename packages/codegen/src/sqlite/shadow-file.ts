// shadow.ts: our tables as Drizzle tables, so that drizzle-kit migrates them. It imports drizzle and nothing else, since
// drizzle-kit loads it by itself.
import type { TableModel } from "@grove-crdt/core";
import type { LayoutColumn } from "../layout";
import type { Names } from "../names";
import { emitShadowTables, fieldsOf, type ShadowDialect } from "../typescript/shadow-tables";
import { header, quote } from "../typescript/text";
import { systemTables, tablesBeside } from "./layout";

export function emitShadowFile(tables: readonly TableModel[], names: ReadonlyMap<string, Names>): string {
  const body = emitShadowTables(dialect, tables, names);
  const imports = [
    "blob",
    "customType",
    "index",
    "integer",
    "numeric",
    "real",
    "sqliteTable",
    "text",
    "uniqueIndex",
  ].filter((name) => new RegExp(`\\b${name}[(<]`).test(body));
  return `${header("Our tables as Drizzle tables. List this file under `schema` in drizzle.config.ts, so that they are migrated.")}
import { ${imports.join(", ")} } from "drizzle-orm/sqlite-core";

${body}`;
}

const dialect: ShadowDialect = {
  tableWord: "sqliteTable",
  systemTables,
  tablesBeside,
  emitColumn,
  emitExtra: (table, nameOf) =>
    table.indexes.map(
      ({ name, columns, unique }) => `${unique ? "uniqueIndex" : "index"}(${nameOf(name)}).on(${fieldsOf(columns)})`,
    ),
};

function emitColumn(column: LayoutColumn): string {
  const chain = [
    column.primaryKey ? ".primaryKey()" : "",
    column.notNull && !column.primaryKey ? ".notNull()" : "",
    column.default === undefined ? "" : `.default(${column.default})`,
    column.unique ? ".unique()" : "",
  ];
  return builder(column.name, column.sqlType) + chain.join("");
}

/** The builder whose declared type is exactly `sqlType`. */
function builder(name: string, sqlType: string): string {
  if (/^(blob|integer|numeric|real|text)$/.test(sqlType)) return `${sqlType}(${quote(name)})`;
  const length = /^text\((\d+)\)$/.exec(sqlType)?.[1];
  if (length) return `text(${quote(name)}, { length: ${length} })`;
  return `customType<{ data: unknown }>({ dataType: () => ${quote(sqlType)} })(${quote(name)})`;
}
