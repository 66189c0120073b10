// Every row of a shadow table, or those of a condition, in the order of their numbers, for work that has to see them all.
import type { Row, StoredRow } from "@grove-crdt/core";
import { readCells } from "./read";
import type { Session } from "./session";
import { ident, keyColumn } from "./sql";
import { SHADOW } from "./statements";
import type { Table } from "./table";

const ROWS_PER_STEP = 1_000;

export interface ShadowRow {
  readonly key: readonly string[];
  readonly row: Row;
}

/**
 * Some at a time.
 *
 * @param last rows numbered up to this: those that are written meanwhile come after it
 */
export async function* allRows(
  session: Session,
  table: Table,
  last: number,
  where = "",
): AsyncGenerator<readonly ShadowRow[]> {
  const keys = table.model.key.map(({ name }) => `${ident(keyColumn(name))}::text`);
  const only = where && ` AND (${where})`;
  const sql = `SELECT ${[...keys, ...SHADOW].join(", ")} FROM ${table.shadow} WHERE seq > $1::text::bigint AND seq <= $2::text::bigint${only} ORDER BY seq LIMIT ${ROWS_PER_STEP}`;
  for (let after = 0; ; ) {
    const raws = await session.rows(sql, [String(after), String(last)]);
    if (raws.length === 0) return;
    const stored = raws.map((raw) => table.stored(raw, keys.length) as StoredRow);
    const ids = stored.map(({ id }) => id);
    const cells = await readCells(session.tx, table, ids);
    yield raws.map((raw, n): ShadowRow => {
      const own = stored[n] as StoredRow;
      return {
        key: raw.slice(0, keys.length) as string[],
        row: table.decode(own, cells.get(own.id), session.names),
      };
    });
    after = (stored.at(-1) as StoredRow).seq;
  }
}
