// One Drizzle table to its model. Each part reads what it is about and reports what stands in the way; a table with
// problems still goes through every part, so that all of them are told.
import type { ColumnModel, TableModel } from "@grove-crdt/core";
import { getTableColumns } from "drizzle-orm";
import { getTableConfig, type SQLiteColumn, type SQLiteTable } from "drizzle-orm/sqlite-core";
import type { Report } from "../diagnostics";
import { type Mark, readMark } from "../mark";
import { type Casing, columnName } from "../names";
import { checkCounters } from "./check";
import { readFields } from "./field";
import { readKey } from "./key";
import { type Kind, readKind } from "./kinds";
import { readUniques } from "./unique";

export interface TableOptions {
  readonly casing: Casing;
  /** What columns without an annotation are. Without it, they are refused. */
  readonly unmarked?: "lww" | "local";
}

/** A column with what the parts need to know of it. */
export interface ReadColumn {
  readonly column: SQLiteColumn;
  readonly property: string;
  readonly name: string;
  readonly mark: Mark;
}

/** A Drizzle table being read. */
export interface TableSource {
  readonly table: SQLiteTable;
  readonly name: string;
  readonly exportName: string;
  readonly columns: readonly ReadColumn[];
  readonly config: ReturnType<typeof getTableConfig>;
  readonly options: TableOptions;
  readonly report: Report;
}

export function openTable(table: SQLiteTable, exportName: string, options: TableOptions, report: Report): TableSource {
  const columns = Object.entries(getTableColumns(table)).map(([property, column]) => ({
    column,
    property,
    name: columnName(column, options.casing),
    mark: readMark(column),
  }));
  const config = getTableConfig(table);
  return { table, name: config.name, exportName, columns, config, options, report };
}

/** Only tables with an annotation take part; a lost or doubled one counts, so that it is reported. */
export const isAnnotated = ({ columns }: TableSource): boolean =>
  columns.some(({ mark }) => mark.annotation !== undefined || mark.conflicting !== undefined || mark.lost);

export function readTable(source: TableSource): TableModel {
  const key = readKey(source);
  const { fields, local } = readFields(source, key);
  checkCounters(source, fields);
  const uniques = readUniques(source, key, fields);
  return {
    name: source.name,
    exportName: source.exportName,
    key: key.map((column) => describe(column, { kind: "text", storage: "text" })),
    fields,
    local,
    uniques,
  };
}

/** The column's model. `fallback` stands in where the kind is unknown, which was reported. */
export function describe({ column, name, property }: ReadColumn, fallback: Kind): ColumnModel {
  const { kind, storage } = readKind(column) ?? fallback;
  const notNull = column.notNull || column.primary;
  return { name, property, kind, storage, sqlType: column.getSQLType(), notNull };
}
