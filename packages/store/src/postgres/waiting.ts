// Cells on Postgres that came before the schema had their column.
import { decodeWaiting, type Interned, type StoredRow, type WaitingRow, waitingCells } from "@grove-crdt/core";
import type { PostgresTransaction } from "./driver";
import { readCells } from "./read";
import { ident, keyColumn } from "./sql";
import { SHADOW } from "./statements";
import type { Table } from "./table";

/** Rows that one transaction merges. */
const ROWS_PER_STEP = 1_000;

const IS_WAITING = "field IN (SELECT jsonb_array_elements_text($1::text::jsonb))";

/** Also rows that do not show may have such cells. */
export async function anyWaiting(tx: PostgresTransaction, { model, cells }: Table): Promise<boolean> {
  const waiting = JSON.stringify(waitingCells(model));
  return (await tx.rows(`SELECT 1 FROM ${cells} WHERE ${IS_WAITING} LIMIT 1`, [waiting])).length > 0;
}

/** The next rows after a number in the shadow, in the order of these numbers. */
export async function readWaiting(
  tx: PostgresTransaction,
  names: Interned,
  table: Table,
  after: number,
): Promise<WaitingRow[]> {
  const { model } = table;
  const keys = model.key.map(({ name }) => `${ident(keyColumn(name))}::text`);
  const raws = await tx.rows(
    `SELECT ${[...keys, ...SHADOW].join(", ")} FROM ${table.shadow} WHERE id IN (
  SELECT DISTINCT row FROM ${table.cells} WHERE row > $2::text::bigint AND ${IS_WAITING}
  ORDER BY row LIMIT ${ROWS_PER_STEP}
) ORDER BY id`,
    [JSON.stringify(waitingCells(model)), String(after)],
  );
  const rows = raws.map((raw) => ({ pk: table.pk(raw, 0), stored: table.stored(raw, keys.length) as StoredRow }));
  const ids = rows.map(({ stored }) => stored.id);
  const cells = await readCells(tx, table, ids);
  return rows.map(({ pk, stored }) => decodeWaiting(model, pk, stored, cells.get(stored.id) ?? [], names));
}
