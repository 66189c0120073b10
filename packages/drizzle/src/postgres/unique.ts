// Where a Postgres table declares unique keys besides the primary key.
import type { FieldModel } from "@grove-crdt/core";
import { is } from "drizzle-orm";
import { IndexedColumn } from "drizzle-orm/pg-core";
import { findColumn } from "../source";
import { decideUniques } from "../unique";
import { isExact, readType } from "./kinds";
import type { ReadColumn, TableSource } from "./table";

export const readUniques = (
  source: TableSource,
  key: readonly ReadColumn[],
  fields: readonly FieldModel[],
): string[][] => {
  const named = [...inlineUniques(source), ...constraints(source), ...indexes(source)];
  return decideUniques(source, key, fields, named, isComparable);
};

const inlineUniques = (source: TableSource): string[][] =>
  source.columns.flatMap((read) => {
    if (!read.column.isUnique) return [];
    checkNulls(source, [read], read.column.uniqueType === "not distinct", read.column.uniqueName);
    return [[read.name]];
  });

const constraints = (source: TableSource): string[][] =>
  source.config.uniqueConstraints.map((constraint) => {
    const columns = constraint.columns.flatMap((column) => findColumn(source, column) ?? []);
    checkNulls(source, columns, constraint.nullsNotDistinct, constraint.getName());
    return columns.map(({ name }) => name);
  });

function indexes({ columns, config, report }: TableSource): string[][] {
  return config.indexes.flatMap(({ config: index }) => {
    if (!index.unique) return [];
    const names = index.columns.flatMap((part) =>
      // An index holds copies of its columns, which have kept nothing but their names.
      is(part, IndexedColumn) ? (columns.find(({ column }) => column.name === part.name)?.name ?? []) : [],
    );
    if (names.length === index.columns.length && index.where === undefined) return [names];
    report({
      code: "unique_expression",
      problem: `the unique index ${index.name ?? ""} is over ${index.where === undefined ? "an expression" : "part of the rows"}, which other nodes cannot decide alike`,
      cure: "Make it an index that is not unique, or a unique one over whole columns of all rows.",
    });
    return [];
  });
}

/** NULLs are equal to no other NULL on any node; where a column cannot be NULL, it makes no difference. */
function checkNulls(
  { report }: TableSource,
  columns: readonly ReadColumn[],
  notDistinct: boolean,
  constraint: string | undefined,
): void {
  if (!notDistinct || columns.every(({ column }) => column.notNull || column.primary)) return;
  report({
    ...(columns.length === 1 && { column: columns[0]?.name }),
    code: "unique_nulls",
    problem: `the unique key ${constraint ?? ""} takes two NULLs for equal, as no other database does`,
    cure: "Drop NULLS NOT DISTINCT, or add `.notNull()`.",
  });
}

function isComparable({ columns, report }: TableSource, name: string): boolean {
  const column = columns.find((read) => read.name === name)?.column;
  const type = column && readType(column);
  if (type === undefined) return false;
  if (type.base.collated) {
    report({
      column: name,
      code: "collation",
      problem: "it is part of a unique key and compared under a collation",
      cure: "Leave the collation out of the column; put it into the queries that need it.",
    });
    return false;
  }
  if (!isExact(type)) {
    report({
      column: name,
      code: "unique_kind",
      problem: `it is part of a unique key and ${type.sqlType}, of which one value has several stored forms`,
      cure: "Use text, varchar, uuid, an integer or a timestamp of full precision, or drop the unique key.",
    });
    return false;
  }
  return true;
}
