// Cells on SQLite that came before the schema had their column.
import { decodeWaiting, type StoredRow, type WaitingRow, waitingCells } from "@grove-crdt/core";
import type { Statements } from "./driver";
import { readCells } from "./read";
import type { Connection } from "./session";
import { ident, keyColumn, placeholders } from "./sql";
import { SHADOW, type Table } from "./table";

/** Rows that one transaction merges. */
const ROWS_PER_STEP = 1_000;

/** Also rows that do not show may have such cells. */
export function anyWaiting(statements: Statements, { model, cells }: Table): boolean {
  const waiting = waitingCells(model);
  const sql = `SELECT 1 FROM ${cells} WHERE field IN (${placeholders(waiting.length)}) LIMIT 1`;
  return waiting.length > 0 && statements.row(sql, ...waiting) !== undefined;
}

/** The next rows after a number in the shadow, in the order of these numbers. */
export function readWaiting({ statements, names }: Connection, table: Table, after: number): WaitingRow[] {
  const { model } = table;
  const waiting = waitingCells(model);
  if (waiting.length === 0) return [];
  const keys = model.key.map(({ name }) => ident(keyColumn(name)));
  const raws = statements.rows(
    `SELECT ${[...keys, ...SHADOW].join(", ")} FROM ${table.shadow} WHERE id IN (
  SELECT DISTINCT row FROM ${table.cells} WHERE row > ? AND field IN (${placeholders(waiting.length)}) ORDER BY row LIMIT ?
) ORDER BY id`,
    after,
    ...waiting,
    ROWS_PER_STEP,
  );
  const rows = raws.map((raw) => ({ pk: table.pk(raw, 0), stored: table.stored(raw, keys.length) as StoredRow }));
  const cells = readCells(
    statements,
    table,
    rows.map(({ stored }) => stored.id),
  );
  return rows.map(({ pk, stored }) => decodeWaiting(model, pk, stored, cells.get(stored.id) ?? [], names));
}
