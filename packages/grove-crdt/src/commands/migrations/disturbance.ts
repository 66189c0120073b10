// Which tables' capture the statements of a migration disturb: their triggers would vanish, stand in the way, or take
// the rows that a dropped table takes along for deleted ones.
import { logTable } from "@grove-crdt/core";
import type { Context, MigrationDialect } from "./dialect";
import { type History, tablesBeside } from "./history";
import type { Statement } from "./statement";

/** drizzle-kit copies a table under this prefix, drops the original and renames the copy. */
const COPY = "__new_";
export const isCopy = (table: string): boolean => table.startsWith(COPY);
export const original = (table: string): string => (isCopy(table) ? table.slice(COPY.length) : table);

const disturbing = new Set(["drop table", "rename table", "rename column", "drop column"]);

/** The replicated table beside which `name` stands, if it is one of ours. */
export const ownerOf = (name: string, replicated: Iterable<string>): string | undefined =>
  [...replicated].find((table) => tablesBeside(table).includes(name));

/** Tables that were replicated before the migration, as far as migrations and snapshots tell. */
export function replicatedBefore(history: History, { before }: Context): Set<string> {
  const known = new Set([...history.fields.keys(), ...history.captured()]);
  const names = Object.values(before?.tables ?? {}).map(({ name }) => name);
  for (const name of names) if (names.includes(logTable(name))) known.add(name);
  return known;
}

/** The tables that one statement disturbs; `"all"` where it touches what every trigger reads, or nobody can tell. */
export function disturbedBy(
  statement: Statement,
  replicated: Iterable<string>,
  dialect: MigrationDialect,
  context: Context,
): readonly string[] | "all" {
  if (!disturbing.has(statement.kind)) return [];
  const table = original(statement.table);
  if (table === "_grove_node") return "all";
  const owner = ownerOf(table, replicated);
  if (owner !== undefined) return [owner];
  if (statement.kind !== "drop table") return [table];
  // Without a snapshot nobody can tell which rows go along.
  if (context.before === undefined && dialect.isRebuilding) return "all";
  return [table, ...dialect.dependents(table, context)];
}

/** Whether the migration, as it stands, disturbs capture that is installed when it runs. */
export function disturbs(
  statements: readonly Statement[],
  history: History,
  dialect: MigrationDialect,
  context: Context,
): boolean {
  const now = history.copy();
  const replicated = replicatedBefore(history, context);
  for (const statement of statements) {
    const captured = now.captured();
    const tables = disturbedBy(statement, replicated, dialect, context);
    if (captured.size > 0 && (tables === "all" || tables.some((table) => captured.has(table)))) return true;
    now.apply(statement);
  }
  return false;
}
