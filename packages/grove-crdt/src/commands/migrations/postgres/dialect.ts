// Postgres around a migration. Nothing is rebuilt here, so no row goes along with a table that is dropped.
import { ident, sql } from "@grove-crdt/codegen";
import type { MigrationDialect } from "../dialect";
import { forgetField, forgetTable, moveField, moveMasks, moveTable, recordFields } from "./moves";

export const postgres: MigrationDialect = {
  isRebuilding: false,
  snapshotName: (table) => `public.${table}`,
  dropTrigger: (name, table) => sql`DROP TRIGGER IF EXISTS ${ident(name)} ON "public".${ident(table)}`,
  dropFunction: (name) => sql`DROP FUNCTION IF EXISTS "public".${ident(name)}()`,
  dependents: () => [],
  keepDependents: () => ({ before: [], after: [] }),
  renameTable: (from, to) => sql`ALTER TABLE "public".${ident(from)} RENAME TO ${ident(to)}`,
  renameColumn: (table, from, to) =>
    sql`ALTER TABLE "public".${ident(table)} RENAME COLUMN ${ident(from)} TO ${ident(to)}`,
  dropIndex: (name) => sql`DROP INDEX IF EXISTS "public".${ident(name)}`,
  moveTable,
  moveField,
  forgetField,
  forgetTable,
  moveMasks,
  recordFields,
};
