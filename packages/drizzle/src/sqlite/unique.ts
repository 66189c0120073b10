// Unique keys besides the primary key. Every node decides from the merged registers which row holds a key, so a key may
// consist of registers and key columns only.
import type { FieldModel } from "@grove-crdt/core";
import { is } from "drizzle-orm";
import { SQLiteColumn } from "drizzle-orm/sqlite-core";
import type { ReadColumn, TableSource } from "./table";

export function readUniques(
  source: TableSource,
  key: readonly ReadColumn[],
  fields: readonly FieldModel[],
): string[][] {
  const keyNames = key.map((column) => column.name);
  const found = new Map<string, string[]>();
  for (const names of [...inlineUniques(source), ...constraints(source), ...indexes(source)]) {
    // A key that contains the primary key cannot be violated by another row.
    if (keyNames.length > 0 && keyNames.every((name) => names.includes(name))) continue;
    if (isMergeable(source, names, keyNames, fields)) found.set(JSON.stringify(names), names);
  }
  return [...found.values()];
}

const inlineUniques = ({ columns }: TableSource): string[][] =>
  columns.filter(({ column }) => column.isUnique).map(({ name }) => [name]);

const constraints = ({ columns, config }: TableSource): string[][] =>
  config.uniqueConstraints.map((constraint) =>
    constraint.columns.flatMap((column) => columns.find((read) => read.column === column)?.name ?? []),
  );

function indexes({ columns, config, report }: TableSource): string[][] {
  return config.indexes.flatMap(({ config: index }) => {
    if (!index.unique) return [];
    const names = index.columns.flatMap((part) =>
      is(part, SQLiteColumn) ? (columns.find((read) => read.column === part)?.name ?? []) : [],
    );
    if (names.length === index.columns.length && index.where === undefined) return [names];
    report({
      code: "unique_expression",
      problem: `the unique index ${index.name} is over ${index.where === undefined ? "an expression" : "part of the rows"}, which other nodes cannot decide alike`,
      cure: "Make it an index that is not unique, or a unique one over whole columns of all rows.",
    });
    return [];
  });
}

function isMergeable(
  { columns, report }: TableSource,
  names: readonly string[],
  keyNames: readonly string[],
  fields: readonly FieldModel[],
): boolean {
  const registers = new Set([...keyNames, ...fields.filter(({ type }) => type === "lww").map(({ name }) => name)]);
  for (const name of names) {
    const type = columns.find((read) => read.name === name)?.column.getSQLType() ?? "";
    if (!registers.has(name)) {
      report({
        column: name,
        code: "unique_unmergeable",
        problem: "it is part of a unique key, but no register that every node knows",
        cure: "Annotate it with lww(), or drop the unique key.",
      });
      return false;
    }
    if (/\bcollate\b/i.test(type)) {
      report({
        column: name,
        code: "collation",
        problem: "it is part of a unique key and compared under a collation",
        cure: "Leave the collation out of the column; put it into the queries that need it.",
      });
      return false;
    }
  }
  return true;
}
