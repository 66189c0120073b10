// Restamping on Postgres: every row of the shadow is read, and written where a stamp of it is false.
import { FalseStamps, type Row, restampRow, type StoredRow, type Suspicion } from "@grove-crdt/core";
import { readCells } from "./read";
import type { Session } from "./session";
import { ShadowWrites } from "./shadow-writes";
import { ident, keyColumn } from "./sql";
import { SHADOW } from "./statements";
import type { Table } from "./table";

const ROWS_PER_STEP = 1_000;

interface Known {
  readonly key: readonly string[];
  readonly row: Row;
}

/** The rows numbered up to `last`, in the order of their numbers, some at a time. */
async function* allRows(session: Session, table: Table, last: number): AsyncGenerator<readonly Known[]> {
  const keys = table.model.key.map(({ name }) => `${ident(keyColumn(name))}::text`);
  const sql = `SELECT ${[...keys, ...SHADOW].join(", ")} FROM ${table.shadow} WHERE seq > $1::text::bigint AND seq <= $2::text::bigint ORDER BY seq LIMIT ${ROWS_PER_STEP}`;
  for (let after = 0; ; ) {
    const raws = await session.rows(sql, [String(after), String(last)]);
    if (raws.length === 0) return;
    const stored = raws.map((raw) => table.stored(raw, keys.length) as StoredRow);
    const ids = stored.map(({ id }) => id);
    const cells = await readCells(session.tx, table, ids);
    yield raws.map((raw, n): Known => {
      const own = stored[n] as StoredRow;
      return {
        key: raw.slice(0, keys.length) as string[],
        row: table.decode(own, cells.get(own.id), session.names),
      };
    });
    after = (stored.at(-1) as StoredRow).seq;
  }
}

/** The log must be empty. @returns how many rows have other stamps now */
export async function restamp(session: Session, tables: readonly Table[], suspicion: Suspicion): Promise<number> {
  const last = session.seq;
  const stamps = new FalseStamps(suspicion);
  for (const table of tables)
    for await (const rows of allRows(session, table, last)) for (const { row } of rows) stamps.note(row);
  const mended = stamps.mend();
  if (!mended) return 0;
  const { read, latest } = mended;
  let count = 0;
  for (const table of tables)
    for await (const rows of allRows(session, table, last)) {
      const writes = new ShadowWrites(session, table);
      for (const { key, row } of rows) {
        const changes = restampRow(row, read, session.next);
        if (!changes) continue;
        writes.add(key, changes);
        session.take();
        count++;
      }
      await writes.flush();
    }
  session.clock = latest;
  return count;
}
