// Reads shadow and base table for a list of keys: three statements, whatever their number.
import type { Interned, Json, Row, StoredCell, StoredRow } from "@grove-crdt/core";
import type { TouchedCells } from "../touched-cells";
import type { PostgresTransaction } from "./driver";
import type { Session } from "./session";
import { numbers, toParams } from "./sql";
import { rawToCell, type Table } from "./table";

/** A transaction to read rows in: a session, or a snapshot with the names that it needs. */
export type StateReader = Pick<Session, "rows" | "tx"> & { readonly names: Interned };

/** Cells by shadow row id. */
export const readCells = (
  tx: PostgresTransaction,
  table: Table,
  ids: readonly number[],
): Promise<Map<number, StoredCell[]>> => readTouchedCells(tx, table, { whole: ids, written: [], fields: [] });

/** Those that a fold must read. */
export async function readTouchedCells(
  tx: PostgresTransaction,
  table: Table,
  { whole, written, fields }: TouchedCells,
): Promise<Map<number, StoredCell[]>> {
  const cells = new Map<number, StoredCell[]>();
  const read = async (sql: string, ...params: string[]) => {
    for (const raw of await tx.rows(sql, params)) addCell(cells, rawToCell(raw));
  };
  if (whole.length > 0) await read(table.readCells, numbers(whole));
  if (written.length > 0 && fields.length > 0)
    await read(
      table.readFieldCells,
      numbers(written),
      ...toParams(
        1,
        fields.map((name) => [name]),
      ),
    );
  return cells;
}

export function addCell(cells: Map<number, StoredCell[]>, cell: StoredCell): void {
  const known = cells.get(cell.row);
  if (known) known.push(cell);
  else cells.set(cell.row, [cell]);
}

/** Parameters for a list of keys. */
export const keyList = (table: Table, keys: readonly (readonly string[])[]): string[] =>
  toParams(table.model.key.length, keys);

export interface KnownRow {
  readonly row: Row | null;
  /** The base table has the row. */
  readonly present: boolean;
}

const UNKNOWN: KnownRow = { row: null, present: false };

const UNCAPTURED: KnownRow = { row: null, present: true };

/**
 * What shadow and base table know of each key, in the order of `keys`.
 *
 * @param present which of them the base table has, if that is known
 */
export async function readRows(
  session: StateReader,
  table: Table,
  keys: readonly (readonly string[])[],
  present?: readonly boolean[],
): Promise<KnownRow[]> {
  const rows = keys.map((_, n): KnownRow => (present?.[n] ? UNCAPTURED : UNKNOWN));
  if (keys.length === 0) return rows;
  const found: { place: number; stored: StoredRow; present: boolean }[] = [];
  if (present) {
    for (const raw of await session.rows(table.readShadow, keyList(table, keys))) {
      const place = Number(raw[0]) - 1;
      found.push({ place, stored: table.stored(raw, 1) as StoredRow, present: present[place] as boolean });
    }
  } else {
    for (const raw of await session.rows(table.readByKeys, keyList(table, keys))) {
      const [place, present] = [Number(raw[0]) - 1, Number(raw[1]) === 1];
      const stored = table.stored(raw, 2);
      if (stored) found.push({ place, stored, present });
      else rows[place] = UNCAPTURED;
    }
  }
  const cells = await readCells(
    session.tx,
    table,
    found.map(({ stored }) => stored.id),
  );
  for (const { place, stored, present } of found) {
    rows[place] = { row: table.decode(stored, cells.get(stored.id), session.names), present };
  }
  return rows;
}

/** Canonical values of the base rows at `places` of `keys`. */
export async function readBase(
  session: StateReader,
  table: Table,
  keys: readonly (readonly string[])[],
  places: readonly number[],
): Promise<Map<number, Record<string, Json>>> {
  const values = new Map<number, Record<string, Json>>();
  if (places.length === 0) return values;
  const wanted = places.map((place) => keys[place] as readonly string[]);
  for (const raw of await session.rows(table.readBase, keyList(table, wanted))) {
    values.set(places[Number(raw[0]) - 1] as number, table.values(raw, 1));
  }
  return values;
}
