// Values that come out of the base table different from what went in: a user's trigger changed them, or the column's
// type did. The shadow keeps them as received, so that every node still serves the same value under its stamp.
import { fieldNamed, isAlive, NO_BASE_WRITE, type Row, type RowChange, registerOf, sameValue } from "@grove-crdt/core";
import { ShadowWrites } from "./apply";
import { readBase, readRows } from "./read";
import type { Session } from "./session";
import type { Table } from "./table";
import { isExact, survives } from "./values";

/** Whether triggers of the user's own stand on the table. */
async function hasTriggers(session: Session, table: Table): Promise<boolean> {
  const ours = ["insert", "update", "delete", "truncate"].map((event) => `_${table.model.name}_${event}`);
  const found = await session.rows(
    "SELECT 1 FROM pg_trigger WHERE tgrelid = $1::text::regclass AND NOT tgisinternal AND tgname <> ALL($2::text::text[]) LIMIT 1",
    [table.name, `{${ours.map((name) => `"${name.replaceAll(/["\\]/g, "\\$&")}"`).join(",")}}`],
  );
  return found.length > 0;
}

/** Whether anything on this database may change a value on its way into the table. */
export const mayDiffer = async (session: Session, table: Table): Promise<boolean> =>
  table.model.fields.some((field) => field.type === "lww" && !isExact(field)) || (await hasTriggers(session, table));

/** Whether the columns of a change certainly give back what it says. */
const isCertain = ({ model }: Table, { lww = {} }: RowChange): boolean =>
  Object.entries(lww).every(([name, [value]]) => {
    const field = fieldNamed(model, name);
    return field === undefined || survives(field, value);
  });

interface Written {
  readonly change: RowChange;
  readonly key: readonly string[];
}

/** Compares what the base table has now with what these changes said, and keeps what differs in cells. */
export async function keepReceived(session: Session, table: Table, written: readonly Written[]): Promise<void> {
  const certain = (item: Written) => isCertain(table, item.change);
  const doubtful = (await hasTriggers(session, table)) ? written : written.filter((item) => !certain(item));
  if (doubtful.length === 0) return;
  const keys = doubtful.map(({ key }) => key);
  const rows = await readRows(session, table, keys);
  const bases = await readBase(session, table, keys, [...keys.keys()]);
  const writes = new ShadowWrites(session, table);
  doubtful.forEach(({ change, key }, n) => {
    const row = rows[n]?.row as Row | null;
    const base = bases.get(n);
    if (!row || !base || !isAlive(row)) return;
    const cells = [];
    for (const [field, [value, hlc = change.life[0], node = change.life[1]]] of Object.entries(change.lww ?? {})) {
      const entry = registerOf(row, field);
      const stored = base[field];
      if (stored === undefined || entry.state !== undefined || entry.hlc !== hlc || entry.node !== node) continue;
      if (!sameValue(stored, value)) cells.push({ field, type: "lww" as const, entry: { ...entry, state: value } });
    }
    if (cells.length > 0) writes.add(key, { row, clearCells: false, cells, deletes: [], base: NO_BASE_WRITE });
  });
  await writes.flush();
}
