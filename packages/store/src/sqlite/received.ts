// Values that come out of the base table different from what went in: a user's trigger changed them, or the column's
// affinity did. The shadow keeps them as received, so that every node still serves the same value under its stamp.
import { isAlive, type Row, type RowChange, registerOf, sameValue } from "@grove-crdt/core";
import { writeCells } from "./apply";
import { readBase, readRows } from "./read";
import type { Session } from "./session";
import type { Table } from "./table";

/** Whether anything on this database may change a value on its way into the table. */
function mayDiffer(session: Session, table: Table): boolean {
  if (table.model.fields.some(({ kind, type }) => kind === "numeric" && type === "lww")) return true;
  const triggers = session.statements.rows(
    "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?",
    table.model.name,
  );
  return triggers.some(([name]) => !(name as string).startsWith(`_${table.model.name}_`));
}

/** Compares what the base table has now with what these changes said, and keeps what differs in cells. */
export function keepReceived(
  session: Session,
  table: Table,
  written: readonly { readonly change: RowChange; readonly key: readonly unknown[] }[],
): void {
  if (!mayDiffer(session, table)) return;
  const keys = written.map(({ key }) => key);
  const rows = readRows(session, table, keys);
  const bases = readBase(session, table, keys, [...keys.keys()]);
  written.forEach(({ change }, n) => {
    const row = rows[n]?.row as Row | null;
    const base = bases.get(n);
    if (!row || !base || !isAlive(row)) return;
    for (const [field, [value, hlc = change.life[0], node = change.life[1]]] of Object.entries(change.lww ?? {})) {
      const entry = registerOf(row, field);
      const stored = base[field];
      if (stored === undefined || entry.state !== undefined || entry.hlc !== hlc || entry.node !== node) continue;
      if (sameValue(stored, value)) continue;
      writeCells(session, table, row.id, [{ field, type: "lww", entry: { ...entry, state: value } }]);
    }
  });
}
