// Values that come out of the base table different from what went in: a user's trigger changed them, or the column's
// affinity did. The shadow keeps them as received, so that every node still serves the same value under its stamp.
import { decideReceived, fieldNamed, type RowChange, type WireRegister } from "@grove-crdt/core";
import { roundsOf } from "../page";
import { writeCells } from "./apply";
import { readBase, readRows } from "./read";
import type { Session } from "./session";
import type { Table } from "./table";
import { isExact, survives } from "./values";

/** Whether triggers of the user's own stand on the table. */
function hasTriggers(session: Session, table: Table): boolean {
  const triggers = session.statements.rows(
    "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?",
    table.model.name,
  );
  return triggers.some(([name]) => !(name as string).startsWith(`_${table.model.name}_`));
}

/** Whether anything on this database may change a value on its way into the table. */
export const mayDiffer = (session: Session, table: Table): boolean =>
  table.model.fields.some((field) => field.type === "lww" && !isExact(field)) || hasTriggers(session, table);

/** Whether the columns of a change certainly give back what it says. */
function isCertain({ model }: Table, { lww }: RowChange): boolean {
  for (const name in lww) {
    const [value] = lww[name] as WireRegister;
    const field = fieldNamed(model, name);
    if (field !== undefined && !survives(field, value)) return false;
  }
  return true;
}

interface Written {
  readonly change: RowChange;
  readonly key: readonly unknown[];
}

/** Compares what the base table has now with what these changes said, and keeps what differs in cells. */
export function keepReceived(session: Session, table: Table, written: readonly Written[]): void {
  const doubtful = hasTriggers(session, table) ? written : written.filter(({ change }) => !isCertain(table, change));
  for (const round of roundsOf(doubtful)) {
    const keys = round.map(({ key }) => key);
    const rows = readRows(session, table, keys);
    const bases = readBase(session, table, keys, [...keys.keys()]);
    round.forEach(({ change }, n) => {
      const received = decideReceived(rows[n]?.row ?? null, change, bases.get(n));
      if (received) writeCells(session, table, received.row.id, received.cells);
    });
  }
}
