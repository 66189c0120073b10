// drizzle-kit changes most things of an SQLite table by copying it and dropping the original. It switches foreign keys off
// for that, which does nothing inside the transaction that every migrator opens: the drop then deletes or empties the
// rows that refer to the table. So those rows are set aside first, where foreign keys are on, and come back afterwards.
import { comment, ident, lines, list, type Sql, sql } from "@grove-crdt/codegen";
import type { Context } from "../dialect";
import type { SnapshotTable } from "../folder";

const kept = (table: string): string => `__grove_keep_${table}`;

/** Tables by name, and which of them refer to which. */
function references({ before, after }: Context): Map<string, Set<string>> {
  const children = new Map<string, Set<string>>();
  for (const snapshot of [before, after]) {
    for (const table of Object.values(snapshot?.tables ?? {})) {
      for (const { tableTo } of Object.values(table.foreignKeys)) {
        children.set(tableTo, (children.get(tableTo) ?? new Set()).add(table.name));
      }
    }
  }
  return children;
}

/** Parents first; `table` itself only if it refers to itself, by whatever way. */
export function dependents(table: string, context: Context): string[] {
  const children = references(context);
  const found: string[] = [];
  const visit = (name: string, open: ReadonlySet<string>) => {
    for (const child of children.get(name) ?? []) {
      if (open.has(child)) {
        if (child === table && !found.includes(table)) found.push(table);
        continue;
      }
      visit(child, new Set([...open, child]));
      // Behind all that refer to it, and turned round at the end.
      if (!found.includes(child)) found.push(child);
    }
  };
  visit(table, new Set([table]));
  const order = found.filter((name) => name !== table).reverse();
  return found.includes(table) ? [table, ...order] : order;
}

const enforced = sql`(SELECT "foreign_keys" FROM pragma_foreign_keys)`;

/** `*`, or by name where the database computes a column itself. */
function columnsOf(table: SnapshotTable | undefined): Sql {
  const columns = Object.values(table?.columns ?? {});
  if (!columns.some(({ generated }) => generated)) return sql`*`;
  return list(columns.filter(({ generated }) => !generated).map(({ name }) => ident(name)));
}

export function keepDependents(
  rebuild: { table: string; copy: string },
  context: Context,
): { before: Sql[]; after: Sql[] } {
  const exists = (name: string) => context.before === undefined || context.before.tables[name] !== undefined;
  const names = dependents(rebuild.table, context).filter((name) => exists(name) && context.after?.tables[name]);
  if (names.length === 0) return { before: [], after: [] };
  const columns = (name: string) => columnsOf(context.after?.tables[name]);
  // A table that refers to itself loses rows of its own new copy.
  const source = (name: string) => ident(name === rebuild.table ? rebuild.copy : name);
  return {
    before: [
      lines(
        comment(
          "grove-crdt: inside a transaction foreign keys stay on, and the drop below would take these rows along.",
        ),
        sql`PRAGMA defer_foreign_keys = ON`,
      ),
      ...names.map((name) => sql`DROP TABLE IF EXISTS ${ident(kept(name))}`),
      ...names.map(
        (name) =>
          sql`CREATE TABLE ${ident(kept(name))} AS SELECT ${columns(name)} FROM ${source(name)} WHERE ${enforced}`,
      ),
      ...[...names].reverse().map((name) => sql`DELETE FROM ${source(name)} WHERE ${enforced}`),
    ],
    after: names.flatMap((name) => {
      const into = columns(name).toString() === "*" ? sql`` : sql` (${columns(name)})`;
      return [
        sql`INSERT INTO ${ident(name)}${into} SELECT ${columns(name)} FROM ${ident(kept(name))}`,
        sql`DROP TABLE ${ident(kept(name))}`,
      ];
    }),
  };
}
