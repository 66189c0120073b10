// A Drizzle table being read, as far as it is the same in both dialects.
import type { HistoryBounds } from "@grove-crdt/core";
import { Column, is, type SQL, type Table } from "drizzle-orm";
import type { Report } from "./diagnostics";
import { type Mark, readMark } from "./mark";
import { type Casing, columnName } from "./names";

export interface TableOptions {
  /** `casing` of drizzle.config.ts. */
  readonly casing: Casing;
  /** What columns without an annotation are. Without it, they are refused. */
  readonly unmarked?: "lww" | "local";
  /** Tables that take part although none of their columns is annotated, by name in the database. */
  readonly tables?: "all" | readonly string[];
  /** By table name: that its history is kept, and how far back. */
  readonly history?: Readonly<Record<string, HistoryBounds>>;
}

/** A column with what the parts need to know of it. */
export interface ReadColumn<C extends Column = Column> {
  readonly column: C;
  readonly property: string;
  readonly name: string;
  readonly mark: Mark;
}

/** The slice of both dialects' `getTableConfig` that is read alike. */
export interface TableConfig<C extends Column = Column> {
  readonly name: string;
  readonly columns: readonly C[];
  readonly checks: readonly { readonly name: string; readonly value: SQL }[];
  readonly indexes: readonly { readonly config: { readonly name?: string } }[];
  readonly primaryKeys: readonly { readonly columns: readonly unknown[] }[];
  readonly foreignKeys: readonly ForeignKey[];
}

/** The slice of a foreign key. */
export interface ForeignKey {
  readonly onDelete: string | undefined;
  readonly onUpdate: string | undefined;
  getName(): string;
  reference(): {
    readonly columns: readonly Column[];
    readonly foreignTable: Table;
    readonly foreignColumns: readonly Column[];
  };
}

export interface TableSource<C extends Column = Column, Config extends TableConfig = TableConfig> {
  readonly table: Table;
  readonly name: string;
  readonly exportName: string;
  readonly columns: readonly ReadColumn<C>[];
  readonly config: Config;
  readonly options: TableOptions;
  readonly report: Report;
}

/** @param columns the table's columns by property */
export function openSource<C extends Column, Config extends TableConfig>(
  table: Table,
  exportName: string,
  columns: Readonly<Record<string, C>>,
  config: Config,
  options: TableOptions,
  report: Report,
): TableSource<C, Config> {
  const read = Object.entries(columns).map(([property, column]) => ({
    column,
    property,
    name: columnName(column, options.casing),
    mark: readMark(column),
  }));
  return { table, name: config.name, exportName, columns: read, config, options, report };
}

/**
 * Tables with an annotation take part, and those that the config names: a join table may have no column beside its key, and
 * so nothing to annotate. A lost or doubled annotation counts, so that it is reported.
 */
export const isAnnotated = ({ columns, name, options }: Pick<TableSource, "columns" | "name" | "options">): boolean =>
  options.tables === "all" ||
  options.tables?.includes(name) === true ||
  columns.some(({ mark }) => mark.annotation !== undefined || mark.conflicting !== undefined || mark.lost);

/** What a column is known by: Postgres hands out a second object for it in indexes and constraints, with one config. */
export const configOf = (column: unknown): unknown => (column as { config?: unknown }).config;

/** The column of this table that a key, a constraint or an index names. */
export const findColumn = <C extends Column>(
  { columns }: Pick<TableSource<C>, "columns">,
  named: unknown,
): ReadColumn<C> | undefined =>
  columns.find(({ column }) => configOf(column) === configOf(named)) ??
  // In 1.0 the second object has a copy of the config.
  columns.find(({ column }) => is(named, Column) && column.name === named.name);
