// `_grove_hidden_keys`: where rows are found that the base table does not show as they are, by the names of the keys that
// they claim or wait for. Which names these are is core's affair.
import type { Json } from "@grove-crdt/core";
import type { Session } from "./session";

export interface HiddenRow {
  readonly table: string;
  readonly pk: readonly Json[];
}

/** Mostly nothing is hidden, which one probe tells. */
export const anyHidden = (session: Session): boolean =>
  session.statements.row("SELECT 1 FROM _grove_hidden_keys LIMIT 1") !== undefined;

export function readHidden(session: Session, name: string): HiddenRow[] {
  return session.statements
    .rows("SELECT DISTINCT tbl, pk FROM _grove_hidden_keys WHERE name = ?", name)
    .map(([table, pk]) => ({ table: table as string, pk: JSON.parse(pk as string) as Json[] }));
}

/** Replaces the names of a row. */
export function saveHidden(session: Session, { table, pk }: HiddenRow, names: readonly string[]): void {
  const key = [table, JSON.stringify(pk)] as const;
  session.statements.run("DELETE FROM _grove_hidden_keys WHERE tbl = ? AND pk = ?", ...key);
  for (const name of names)
    session.statements.run("INSERT INTO _grove_hidden_keys (name, tbl, pk) VALUES (?, ?, ?)", name, ...key);
}
