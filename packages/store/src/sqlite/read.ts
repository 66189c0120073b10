// Reads the shadow for a list of keys in a few statements, whatever their number.
import type { Json, Row, StoredCell, StoredRow } from "@grove-crdt/core";
import type { TouchedCells } from "../touched-cells";
import type { Statements } from "./driver";
import type { Session } from "./session";
import { gatheredCells, KEYS_PER_READ, rawToCell, type Table } from "./table";

/** What rows are read through: a session, or a snapshot with the names that it needs. */
export type StateReader = Pick<Session, "statements" | "names">;

/** So many rows are read with all their cells gathered in one result: a row may have ten thousand, and most have two. */
const FEW = 16;

/** Cells by shadow row id. Tables of LWW fields alone mostly have none, which one probe tells. */
export const readCells = (statements: Statements, table: Table, ids: readonly number[]): Map<number, StoredCell[]> =>
  readTouchedCells(statements, table, { whole: ids, written: [], fields: [] });

/** Those that a fold must read. */
export function readTouchedCells(
  statements: Statements,
  table: Table,
  { whole, written, fields }: TouchedCells,
): Map<number, StoredCell[]> {
  const cells = new Map<number, StoredCell[]>();
  if (whole.length + written.length === 0 || !statements.row(table.hasCells)) return cells;
  const read = (ids: readonly number[], names: readonly string[]) => {
    const few = ids.length <= FEW;
    const raws = statements.rows(table.readCells(names.length, few), JSON.stringify(ids), ...names);
    for (const raw of raws) {
      if (few) cells.set(raw[0] as number, gatheredCells(raw));
      else addCell(cells, rawToCell(raw));
    }
  };
  if (whole.length > 0) read(whole, []);
  if (written.length > 0 && fields.length > 0) read(written, fields);
  return cells;
}

export function addCell(cells: Map<number, StoredCell[]>, cell: StoredCell): void {
  const known = cells.get(cell.row);
  if (known) known.push(cell);
  else cells.set(cell.row, [cell]);
}

export interface KnownRow {
  readonly row: Row | null;
  /** The base table has the row. */
  readonly present: boolean;
}

const UNKNOWN: KnownRow = { row: null, present: false };

/** Runs `sql(count)` over the keys in chunks; each result's first column is the place of its key. */
function inChunks(
  session: StateReader,
  keys: readonly (readonly unknown[])[],
  sql: (count: number) => string,
  each: (raw: readonly unknown[]) => void,
): void {
  for (let start = 0; start < keys.length; start += KEYS_PER_READ) {
    const chunk = keys.slice(start, start + KEYS_PER_READ);
    // Short chunks repeat their last key, so that one prepared text serves most lengths.
    const size = chunk.length <= 4 ? chunk.length : chunk.length <= 32 ? 32 : KEYS_PER_READ;
    const params: unknown[] = [];
    for (let n = 0; n < size; n++) {
      const place = Math.min(n, chunk.length - 1);
      params.push(start + place, ...(chunk[place] as readonly unknown[]));
    }
    const seen = size === chunk.length ? null : new Set<unknown>();
    for (const raw of session.statements.rows(sql(size), ...params)) {
      if (seen?.has(raw[0])) continue;
      seen?.add(raw[0]);
      each(raw);
    }
  }
}

/** What shadow and base table know of each key, in the order of `keys`. */
export function readRows(session: StateReader, table: Table, keys: readonly (readonly unknown[])[]): KnownRow[] {
  const rows: KnownRow[] = keys.map(() => UNKNOWN);
  const found: { place: number; stored: StoredRow; present: boolean }[] = [];
  inChunks(
    session,
    keys,
    (count) => table.readByKeys(count),
    (raw) => {
      const [place, present] = [raw[0] as number, raw[1] === 1];
      const stored = table.stored(raw, 2);
      if (stored) found.push({ place, stored, present });
      else rows[place] = { row: null, present };
    },
  );
  const ids = found.map(({ stored }) => stored.id);
  const cells = readCells(session.statements, table, ids);
  for (const { place, stored, present } of found) {
    rows[place] = { row: table.decode(stored, cells.get(stored.id), session.names), present };
  }
  return rows;
}

/** Canonical values of the base rows at `places` of `keys`. */
export function readBase(
  session: StateReader,
  table: Table,
  keys: readonly (readonly unknown[])[],
  places: readonly number[],
): Map<number, Record<string, Json>> {
  const values = new Map<number, Record<string, Json>>();
  const wanted = places.map((place) => keys[place] as readonly unknown[]);
  inChunks(
    session,
    wanted,
    (count) => table.readBase(count),
    (raw) => {
      values.set(places[raw[0] as number] as number, table.values(raw, 1));
    },
  );
  return values;
}
