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
    "bigint",
    "boolean",
    "char",
    "customType",
    "date",
    "index",
    "integer",
    "pgEnum",
    "pgSchema",
    "pgTable",
    "primaryKey",
    "smallint",
    "text",
    "uuid",
    "varchar",
  ].filter((name) => new RegExp(`(?<![.\\w])${name}[(<]`).test(body));
  return `${header("Our tables as Drizzle tables. List this file under `schema` in drizzle.config.ts, so that they are migrated.")}
import { ${imports.join(", ")} } from "drizzle-orm/pg-core";

${body}`;
}

const dialect: ShadowDialect = {
  tableWord: "pgTable",
  systemTables,
  tablesBeside,
  emitColumn,
  emitExtra: ({ primaryKey, indexes }, nameOf) => [
    ...(primaryKey === undefined
      ? []
      : [`primaryKey({ name: ${nameOf(primaryKey.name)}, columns: [${fieldsOf(primaryKey.columns)}] })`]),
    ...indexes.map(({ name, columns, hash }) =>
      hash
        ? `index(${nameOf(name)}).using("hash", ${fieldsOf(columns)})`
        : `index(${nameOf(name)}).on(${fieldsOf(columns)})`,
    ),
  ],
};

const identities = { always: ".generatedAlwaysAsIdentity()", "by default": ".generatedByDefaultAsIdentity()" } as const;

function emitColumn(column: LayoutColumn): string {
  const chain = [
    column.primaryKey ? ".primaryKey()" : "",
    column.identity === undefined ? "" : identities[column.identity],
    column.notNull && !column.primaryKey ? ".notNull()" : "",
    column.default === undefined ? "" : `.default(${column.default})`,
    column.unique ? ".unique()" : "",
  ];
  return builder(column.name, column.sqlType) + chain.join("");
}

/** The builder whose declared type is exactly `sqlType`. */
function builder(name: string, sqlType: string): string {
  if (/^(boolean|date|integer|smallint|text|uuid|varchar)$/.test(sqlType)) return `${sqlType}(${quote(name)})`;
  if (sqlType === "bigint") return `bigint(${quote(name)}, { mode: "number" })`;
  const [, sized, length] = /^(char|varchar)\((\d+)\)$/.exec(sqlType) ?? [];
  if (sized !== undefined) return `${sized}(${quote(name)}, { length: ${length} })`;
  const named = quotedName(sqlType);
  if (named !== undefined) return `${named}(${quote(name)})`;
  return `customType<{ data: unknown }>({ dataType: () => ${quote(sqlType)} })(${quote(name)})`;
}

/**
 * An enum of the user's. Not exported, so that drizzle-kit does not create it twice, and without its values, which no
 * column of ours depends on. A custom type would not do: drizzle-kit quotes its name once more and forgets its schema.
 */
function quotedName(sqlType: string): string | undefined {
  const parts = /^(?:"((?:[^"]|"")+)"\.)?"((?:[^"]|"")+)"$/.exec(sqlType);
  if (parts === null) return undefined;
  const [schema, name = ""] = [parts[1], parts[2]].map((part) => part?.replaceAll('""', '"'));
  const values = '["see the user\'s enum"]';
  if (schema === undefined || schema === "public") return `pgEnum(${quote(name)}, ${values})`;
  return `pgSchema(${quote(schema)}).enum(${quote(name)}, ${values})`;
}
