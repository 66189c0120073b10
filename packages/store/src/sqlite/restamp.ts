// Restamping on SQLite: every row of the shadow is read, and written where a stamp of it is false.
import { FalseStamps, type Row, restampRow, type StoredRow, type Suspicion } from "@grove-crdt/core";
import { applyShadow } from "./apply";
import { readCells } from "./read";
import type { Session } from "./session";
import { ident, keyColumn } from "./sql";
import { SHADOW, type Table } from "./table";

const ROWS_PER_STEP = 500;

interface Known {
  readonly key: readonly unknown[];
  readonly row: Row;
}

/** The rows numbered up to `last`, in the order of their numbers. */
function* allRows({ statements, names }: Session, table: Table, last: number): Generator<Known> {
  const keys = table.model.key.map(({ name }) => ident(keyColumn(name)));
  const sql = `SELECT ${[...keys, ...SHADOW].join(", ")} FROM ${table.shadow} WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?`;
  for (let after = 0; ; ) {
    const raws = statements.rows(sql, after, last, ROWS_PER_STEP);
    if (raws.length === 0) return;
    const stored = raws.map((raw) => table.stored(raw, keys.length) as StoredRow);
    const ids = stored.map(({ id }) => id);
    const cells = readCells(statements, table, ids);
    for (const [n, raw] of raws.entries()) {
      const own = stored[n] as StoredRow;
      yield { key: raw.slice(0, keys.length), row: table.decode(own, cells.get(own.id), names) };
    }
    after = (stored.at(-1) as StoredRow).seq;
  }
}

/** The log must be empty. @returns how many rows have other stamps now */
export function restamp(session: Session, tables: readonly Table[], suspicion: Suspicion): number {
  const last = session.seq;
  const stamps = new FalseStamps(suspicion);
  for (const table of tables) for (const { row } of allRows(session, table, last)) stamps.note(row);
  const mended = stamps.mend();
  if (!mended) return 0;
  const { read, latest } = mended;
  let count = 0;
  for (const table of tables)
    for (const { key, row } of allRows(session, table, last)) {
      const changes = restampRow(row, read, session.next);
      if (!changes) continue;
      applyShadow(session, table, key, changes);
      session.take();
      count++;
    }
  session.clock = latest;
  return count;
}
