// Where a SQLite table declares unique keys besides the primary key.
import type { FieldModel } from "@grove-crdt/core";
import { is } from "drizzle-orm";
import { SQLiteColumn } from "drizzle-orm/sqlite-core";
import { decideUniques } from "../unique";
import type { ReadColumn, TableSource } from "./table";

export const readUniques = (
  source: TableSource,
  key: readonly ReadColumn[],
  fields: readonly FieldModel[],
): string[][] => {
  const named = [...inlineUniques(source), ...constraints(source), ...indexes(source)];
  return decideUniques(source, key, fields, named, isComparable);
};

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

function isComparable({ columns, report }: TableSource, name: string): boolean {
  const type = columns.find((read) => read.name === name)?.column.getSQLType() ?? "";
  if (!/\bcollate\b/i.test(type)) return true;
  report({
    column: name,
    code: "collation",
    problem: "it is part of a unique key and compared under a collation",
    cure: "Leave the collation out of the column; put it into the queries that need it.",
  });
  return false;
}
