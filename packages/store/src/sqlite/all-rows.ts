// Every row of a shadow table, or those of a condition, in the order of their numbers, for work that has to see them all.
import type { Row, StoredRow } from "@grove-crdt/core";
import { readCells } from "./read";
import type { Session } from "./session";
import { ident, keyColumn } from "./sql";
import { SHADOW, type Table } from "./table";

const ROWS_PER_STEP = 500;

export interface ShadowRow {
  readonly key: readonly unknown[];
  readonly row: Row;
}

/** @param last rows numbered up to this: those that are written meanwhile come after it */
export function* allRows({ statements, names }: Session, table: Table, last: number, where = ""): Generator<ShadowRow> {
  const keys = table.model.key.map(({ name }) => ident(keyColumn(name)));
  const only = where && ` AND (${where})`;
  const sql = `SELECT ${[...keys, ...SHADOW].join(", ")} FROM ${table.shadow} WHERE seq > ? AND seq <= ?${only} ORDER BY seq LIMIT ?`;
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
