// shadow.ts: our tables as Drizzle tables, so that drizzle-kit migrates them. It imports drizzle and nothing else, since
// drizzle-kit loads it by itself.
import type { TableModel } from "@grove-crdt/core";
import type { LayoutColumn, LayoutTable } from "../layout";
import type { Names } from "../names";
import { docText, header, property, quote } from "../typescript/text";
import { systemTables, tablesBeside } from "./layout";

export function emitShadowFile(tables: readonly TableModel[], names: ReadonlyMap<string, Names>): string {
  const layout = [...systemTables(), ...tables.flatMap((table) => tablesBeside(table, names.get(table.name) as Names))];
  const body = layout.map(emitTable).join("\n");
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

function emitTable(table: LayoutTable): string {
  const columns = table.columns.map((column) => {
    const about = column.about === undefined ? "" : `  /** ${docText(column.about)} */\n`;
    return `${about}  ${property(column.name)}: ${emitColumn(column)},\n`;
  });
  const extra = table.indexes.map((index) => {
    const on = index.columns.map((name) => `t${access(name)}`).join(", ");
    return `${index.unique ? "uniqueIndex" : "index"}(${quote(index.name)}).on(${on})`;
  });
  const indexes = extra.length === 0 ? "" : `, (t) => [\n${extra.map((line) => `  ${line},\n`).join("")}]`;
  return `/** ${table.about} */
export const ${table.exportName} = sqliteTable(${quote(table.name)}, {
${columns.join("")}}${indexes});
`;
}

const access = (name: string): string => (property(name) === name ? `.${name}` : `[${quote(name)}]`);

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
