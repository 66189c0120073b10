// SQLite around a migration.
import { ident, sql } from "@grove-crdt/codegen";
import type { MigrationDialect } from "../dialect";
import { forgetField, forgetTable, moveField, moveMasks, moveTable, recordFields } from "./moves";
import { dependents, keepDependents } from "./rebuild";

export const sqlite: MigrationDialect = {
  isRebuilding: true,
  snapshotName: (table) => table,
  dropTrigger: (name) => sql`DROP TRIGGER IF EXISTS ${ident(name)}`,
  dropFunction: null,
  dependents,
  keepDependents,
  renameTable: (from, to) => sql`ALTER TABLE ${ident(from)} RENAME TO ${ident(to)}`,
  renameColumn: (table, from, to) => sql`ALTER TABLE ${ident(table)} RENAME COLUMN ${ident(from)} TO ${ident(to)}`,
  dropIndex: (name) => sql`DROP INDEX IF EXISTS ${ident(name)}`,
  moveTable,
  moveField,
  forgetField,
  forgetTable,
  moveMasks,
  recordFields,
};
