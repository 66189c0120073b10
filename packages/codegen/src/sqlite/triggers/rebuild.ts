// drizzle-kit changes most things of a table by copying it to `__new_…`, dropping it and renaming the copy. Inside a
// migrator's transaction foreign keys stay on, so the drop deletes or empties the rows that refer to the table: captured,
// that would be a mass delete on every node. So it is refused, and with it the loss here. (`generate` writes migrations
// in which these triggers are out of the way and the rows are kept.)
import type { FieldModel, TableModel } from "@grove-crdt/core";
import { comment, ident, list, literal, type Sql, sql } from "../../sql";
import { any, NEW, OLD, trigger } from "./parts";

/** The newest table is such a copy. Looked up by number: it costs the same however many tables there are. */
const isRebuilding = sql`(SELECT "tbl_name" FROM "sqlite_schema" ORDER BY "rowid" DESC LIMIT 1) GLOB '__new_*'`;

const refuse = (table: TableModel, what: string): Sql => sql`
  SELECT RAISE(ABORT, ${literal(
    `grove-crdt: this migration rebuilds a table and would ${what} rows of ${table.name} that refer to it, on every node. Run \`npx grove-crdt generate\`, which makes it safe, or switch foreign keys off before you migrate.`,
  )});
`;

export const emitRebuildDelete = (table: TableModel): Sql =>
  trigger({
    name: `_${table.name}_rebuild_delete`,
    about: comment("A table is being rebuilt, and rows that refer to it would go along: refuse it."),
    event: sql`BEFORE DELETE`,
    table,
    when: [isRebuilding],
    body: [refuse(table, "delete")],
  });

const emptied = (field: FieldModel): Sql => sql`(${NEW(field)} IS NULL AND ${OLD(field)} IS NOT NULL)`;

export function emitRebuildUpdate(table: TableModel): Sql | null {
  const nullable = table.fields.filter(({ notNull }) => !notNull);
  if (nullable.length === 0) return null;
  return trigger({
    name: `_${table.name}_rebuild_update`,
    about: comment("A table is being rebuilt, and what refers to it would be emptied: refuse it."),
    event: sql`BEFORE UPDATE OF ${list(nullable.map(({ name }) => ident(name)))}`,
    table,
    when: [any(nullable.map(emptied)), isRebuilding],
    body: [refuse(table, "empty")],
  });
}
