// Values that come out of the base table different from what went in: a user's trigger changed them, or the column's
// type did. The shadow keeps them as received, so that every node still serves the same value under its stamp.
import { decideReceived, type Json, type RowChange, settleCells } from "@grove-crdt/core";
import { roundsOf } from "../page";
import { readBase, readRows } from "./read";
import type { Session } from "./session";
import { ShadowWrites } from "./shadow-writes";
import type { Table } from "./table";
import { survives } from "./values";

/** Whether triggers of the user's own stand on the table. */
export async function hasTriggers(session: Session, table: Table): Promise<boolean> {
  const ours = ["insert", "update", "delete", "truncate"].map((event) => `_${table.model.name}_${event}`);
  const found = await session.rows(
    "SELECT 1 FROM pg_trigger WHERE tgrelid = $1::text::regclass AND NOT tgisinternal AND tgname <> ALL($2::text::text[]) LIMIT 1",
    [table.name, `{${ours.map((name) => `"${name.replaceAll(/["\\]/g, "\\$&")}"`).join(",")}}`],
  );
  return found.length > 0;
}

/** Whether anything on this database may change a value on its way into the table. */
export const mayDiffer = async (session: Session, table: Table): Promise<boolean> =>
  table.inexact.size > 0 || (await hasTriggers(session, table));

/** Whether the columns of a change certainly give back what it says. */
function isCertain({ inexact }: Table, { lww = {} }: RowChange): boolean {
  for (const [name, field] of inexact) {
    const register = lww[name];
    if (register && !survives(field, register[0])) return false;
  }
  return true;
}

interface Written {
  readonly change: RowChange;
  readonly key: readonly string[];
}

/**
 * Compares what the base table has now with what these changes said, and keeps what differs in cells.
 *
 * @param triggers see {@link hasTriggers}: asked after the writes, since from then on nobody can add one
 */
export async function keepReceived(
  session: Session,
  table: Table,
  written: readonly Written[],
  triggers: boolean,
): Promise<void> {
  const doubtful = triggers ? written : written.filter(({ change }) => !isCertain(table, change));
  for (const round of roundsOf(doubtful)) await keepRound(session, table, round);
}

async function keepRound(session: Session, table: Table, doubtful: readonly Written[]): Promise<void> {
  const keys = doubtful.map(({ key }) => key);
  const rows = await readRows(session, table, keys);
  const bases = await readBase(session, table, keys, [...keys.keys()]);
  const writes = new ShadowWrites(session, table);
  doubtful.forEach(({ change, key }, n) => {
    const received = decideReceived(rows[n]?.row ?? null, change, bases.get(n));
    if (received) writes.add(key, received);
  });
  await writes.flush();
}

type Values = Readonly<Record<string, Json>>;

/** Settles the cells of rows whose values were written. */
export async function writeSettled(
  session: Session,
  table: Table,
  items: readonly { readonly key: readonly string[]; readonly shadow: Values; readonly written: Values }[],
): Promise<void> {
  const keys = items.map(({ key }) => key);
  const rows = await readRows(session, table, keys);
  const shown = (await mayDiffer(session, table))
    ? await readBase(session, table, keys, [...keys.keys()])
    : new Map<number, Values>();
  const writes = new ShadowWrites(session, table);
  items.forEach(({ key, shadow, written }, n) => {
    const settled = settleCells(table.model, rows[n]?.row ?? null, shadow, shown.get(n) ?? written);
    if (settled) writes.add(key, settled);
  });
  await writes.flush();
}
