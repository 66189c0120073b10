// What the dialects do differently around a migration.

import type { Sql } from "@grove-crdt/codegen";
import type { TableModel } from "@grove-crdt/core";
import type { Snapshot } from "./folder";

export interface Context {
  readonly before: Snapshot | undefined;
  readonly after: Snapshot | undefined;
}

export interface MigrationDialect {
  /** Whether tables are changed by dropping them, and rows of other tables may go along. */
  readonly isRebuilding: boolean;
  /** The table's key in a snapshot. */
  snapshotName(table: string): string;
  dropTrigger(name: string, table: string): Sql;
  /** Null where triggers have no functions. */
  dropFunction: ((name: string) => Sql) | null;
  /** Tables whose rows go when rows of `table` go, as the schemas say, and `table` itself if it refers to itself. */
  dependents(table: string, context: Context): string[];
  /** What goes before and after the statements that rebuild a table, so that no row of another table goes with it. */
  keepDependents(rebuild: { table: string; copy: string }, context: Context): { before: Sql[]; after: Sql[] };
  renameTable(from: string, to: string): Sql;
  renameColumn(table: string, from: string, to: string): Sql;
  dropIndex(name: string): Sql;
  /** The shadow follows a table, a column. `table` is the table's name by then. */
  moveTable(from: string, to: string): Sql[];
  moveField(table: string, from: string, to: string): Sql[];
  forgetField(table: string, field: string): Sql[];
  forgetTable(table: string): Sql[];
  /** Bits of log rows that wait to be folded, moved to where the fields are from now on. */
  moveMasks(table: string, fields: readonly string[], masks: number): Sql;
  /** Tells the node which fields the bits mean; what the node itself must look at first is left untold. */
  recordFields(table: TableModel, added: readonly AddedField[]): Sql[];
}

/** A column that became a field while the table was captured. */
export interface AddedField {
  readonly name: string;
  /** Its default in the database, as SQL. */
  readonly default: string;
}
