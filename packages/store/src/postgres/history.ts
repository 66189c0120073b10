// History on Postgres: after each fold and merge, in its transaction, what they made of the rows is read once more and kept.
import {
  type HistoryRecord,
  type Interned,
  type Json,
  type RowChange,
  type StoredCell,
  wholeState,
} from "@grove-crdt/core";
import {
  boundOf,
  boundRow,
  changeText,
  endedOf,
  historyRow,
  kindNumber,
  mayEnd,
  mostRecords,
  type NewRecord,
  overruledRecords,
  ROWS_PER_WALK,
  recordGone,
  recordOf,
  recordWhole,
  rowsToBound,
  toRecord,
  WALKED,
  type WrittenRow,
} from "../history";
import type { PostgresTransaction, RawRow } from "./driver";
import { addCell } from "./read";
import type { Session } from "./session";
import { type ListColumn, numbers, rowsFrom, toParams } from "./sql";
import { SHADOW_COLUMNS } from "./statements";
import { readStates } from "./states";
import { rawToCell, type Table } from "./table";

const HISTORY = "public._grove_history";
const STORED: readonly ListColumn[] = [
  ["id", "bigint"],
  ["at", "bigint"],
  ["ended", "bigint"],
  ["via", "integer"],
  ["kind", "integer"],
  ["tbl", "text"],
  ["row", "text"],
  ["change", "text"],
];
const NAMES = STORED.map(([name]) => `"${name}"`).join(", ");
const INSERT = `INSERT INTO ${HISTORY} (${NAMES}) SELECT ${STORED.map(([name]) => `v."${name}"`).join(", ")} FROM ${rowsFrom("v", STORED)}`;
const IN_ROWS = `"row" = ANY($1::text::text[])`;

const texts = (items: readonly string[]): string =>
  toParams(
    1,
    items.map((item) => [item]),
  )[0] as string;

/** What records are read through: a session, or a snapshot with the names that it needs. */
export interface HistoryReader {
  readonly tx: Pick<PostgresTransaction, "rows">;
  readonly names: Interned;
}

/** The next rows numbered after one and up to another: with their cells numbered above the floor, or all. */
async function* readWritten(
  { tx, names }: Session,
  table: Table,
  from: number,
  to: number,
  floor = from,
): AsyncGenerator<WrittenRow> {
  const keys = table.model.key.length;
  for (let after = from; after < to; ) {
    const found = await tx.rows(table.readNumbers([], 4, 3), [String(after), String(to), String(ROWS_PER_WALK)]);
    const end = found.length < ROWS_PER_WALK ? to : Number(found.at(-1)?.[0]);
    if (found.length > 0) {
      const range = [String(after), String(end)];
      const cells = new Map<number, StoredCell[]>();
      for (const raw of await tx.rows(table.readPageCells([]), [...range, String(floor)]))
        addCell(cells, rawToCell(raw));
      for (const raw of await tx.rows(table.readPage([]), range)) {
        const stored = table.stored(raw, keys) as NonNullable<ReturnType<Table["stored"]>>;
        const values = Number(raw[raw.length - 1]) === 1 ? table.values(raw, keys + SHADOW_COLUMNS) : {};
        yield { pk: table.pk(raw, 0), row: table.decode(stored, cells.get(stored.id), names), values };
      }
    }
    after = end;
  }
}

async function lastRecord(session: Session): Promise<{ readonly id: number; readonly at: number }> {
  const [row] = await session.rows(`SELECT id, at FROM ${HISTORY} WHERE id > 0 ORDER BY id DESC LIMIT 1`);
  return { id: Number(row?.[0] ?? 0), at: Number(row?.[1] ?? 0) };
}

/**
 * Keeps what the transaction has made of rows since the last call.
 *
 * @param from the peer whose changes were merged; null = what was written here
 * @param monotone rows were folded or merged, and nothing else
 */
export async function recordHistory(session: Session, from: string | null, monotone = true): Promise<void> {
  const { history, now } = session;
  if (!history || (session.seq === history.floor && history.isSilent)) return;
  const last = await lastRecord(session);
  const { floor } = history;
  history.floor = session.seq;
  // Time does not go back in it, whatever the clock does.
  const timeOf = (at: number) => Math.max(last.at, Math.min(at, now));
  const written: NewRecord[] = [];
  for (const table of session.historied) {
    for await (const one of readWritten(session, table, floor, session.seq, monotone ? floor : 0)) {
      const at = timeOf(history.times.get(one.row.seq) ?? now);
      const record = recordOf(table.model, one, { floor, at, from, monotone });
      if (record) written.push(record);
    }
  }
  history.times.clear();
  const overruled = history.takeOverruled();
  const ids = overruled.map(({ change }) => historyRow(change.table, change.pk));
  const known = ids.length > 0 ? await readRows(session, ids) : new Map<string, HistoryRecord[]>();
  const records = [...(await withFirst(session, written)), ...overruledRecords(overruled, known, timeOf(now))];
  records.sort((a, b) => a.at - b.at);
  await write(session, records, last.id);
}

/** A row that has no record yet, and was there before, is told whole. */
async function withFirst(session: Session, records: readonly NewRecord[]): Promise<readonly NewRecord[]> {
  const some = records.filter(({ needsFirst }) => needsFirst).map(({ row }) => row);
  if (some.length === 0) return records;
  const sql = `SELECT DISTINCT "row" FROM ${HISTORY} WHERE ${IN_ROWS} AND kind < ${kindNumber("overruled")}`;
  const known = new Set((await session.rows(sql, [texts(some)])).map(([row]) => row));
  const first = records.filter(({ needsFirst, row }) => needsFirst && !known.has(row));
  if (first.length === 0) return records;
  const states = await statesOf(
    session,
    first.map(({ change }) => change),
  );
  const whole = new Map(first.map((record, n) => [record, states[n]]));
  return records.map((record) => {
    const state = whole.get(record);
    return state ? recordWhole(state, record.at, record.from) : record;
  });
}

const statesOf = (session: Session, rows: readonly Pick<RowChange, "table" | "pk">[]): Promise<(RowChange | null)[]> =>
  readStates(
    session,
    new Map(session.historied.map((table) => [table.model.name, table])),
    rows.map(({ table, pk }) => [table, pk]),
  );

async function readRows({ tx, names }: HistoryReader, ids: readonly string[]): Promise<Map<string, HistoryRecord[]>> {
  const found = new Map<string, HistoryRecord[]>();
  const sql = `SELECT "row", tbl, id, at, via, kind, change FROM ${HISTORY} WHERE ${IN_ROWS} ORDER BY id`;
  for (const [row, table, id, at, via, kind, change] of await tx.rows(sql, [texts([...new Set(ids)])])) {
    const stored = {
      id: Number(id),
      at: Number(at),
      via: via === null ? null : Number(via),
      kind: Number(kind),
      change: change as string,
    };
    const list = found.get(row as string) ?? [];
    found.set(row as string, list);
    list.push(toRecord(table as string, stored, (node) => names.nodeName(node)));
  }
  return found;
}

/** The records of one row, the oldest first. */
export async function readHistory(
  reader: HistoryReader,
  table: string,
  pk: readonly Json[],
): Promise<readonly HistoryRecord[]> {
  const id = historyRow(table, pk);
  return (await readRows(reader, [id])).get(id) ?? [];
}

/** @param last the id of the last record that there is */
async function write(session: Session, records: readonly NewRecord[], last: number): Promise<void> {
  if (records.length === 0) return;
  const { names } = session;
  const latest = String(Math.max(...records.map(({ at }) => at)));
  for (const { model } of session.historied) {
    const rows = records.flatMap((record) => (record.table === model.name ? [record.row] : []));
    if (model.history?.days === undefined || rows.length === 0) continue;
    await session.rows(
      `UPDATE ${HISTORY} SET ended = $2::text::bigint WHERE (ended IS NULL OR ended <= at) AND ${IN_ROWS}`,
      [texts(rows), latest],
    );
  }
  const stored = records.map((record, n) => {
    const { table, row, at, from, kind, change } = record;
    const via = from === null ? null : names.nodeId(from);
    return [last + 1 + n, at, mayEnd(record) ? at : null, via, kindNumber(kind), table, row, changeText(change)];
  });
  await session.rows(INSERT, toParams(STORED.length, stored));
  for (const table of session.historied) await bound(session, table, records);
}

/** Joins what lies before the bounds, of rows that have more records now and of some whose days have passed. */
async function bound(session: Session, { model }: Table, records: readonly NewRecord[]): Promise<void> {
  const own = records.flatMap(({ table, row }) => (table === model.name ? [row] : []));
  if (own.length === 0) return;
  const { now } = session;
  const most = mostRecords(model);
  const old: RawRow[] = [];
  if (most !== null) {
    const sql = `SELECT "row" FROM ${HISTORY} WHERE ${IN_ROWS} GROUP BY "row" HAVING count(*) > $2::text::bigint`;
    old.push(...(await session.rows(sql, [texts(own), String(most)])));
  }
  if (model.history?.days !== undefined) {
    const sql = `SELECT "row" FROM ${HISTORY} WHERE tbl = $1::text AND ended <= $2::text::bigint LIMIT $3::text::bigint`;
    const params = [model.name, String(Math.floor(boundOf(model, now))), String(rowsToBound(own.length))];
    old.push(...(await session.rows(sql, params)));
  }
  const rows = [...new Set(old.map(([row]) => row as string))];
  if (rows.length === 0) return;
  const gone: number[] = [];
  const joined: (string | number | null)[][] = [];
  for (const some of (await readRows(session, rows)).values()) {
    const bounded = boundRow(model, some, now);
    gone.push(...bounded.gone);
    const { joined: one } = bounded;
    if (one) joined.push([one.id, kindNumber(one.kind), endedOf(bounded), changeText(one.change)]);
  }
  if (joined.length > 0) {
    const columns: readonly ListColumn[] = [
      ["id", "bigint"],
      ["kind", "integer"],
      ["ended", "bigint"],
      ["change", "text"],
    ];
    await session.rows(
      `UPDATE ${HISTORY} h SET kind = v.kind, via = NULL, ended = v.ended, change = v.change FROM ${rowsFrom("v", columns)} WHERE h.id = v.id`,
      toParams(columns.length, joined),
    );
  }
  await session.rows(`DELETE FROM ${HISTORY} WHERE id = ANY($1::text::bigint[])`, [numbers(gone)]);
}

const WALK = `SELECT id, at FROM ${HISTORY} WHERE "row" = '' AND tbl = $1::text`;

/**
 * Gives the next rows from before history was asked for their first record. The log must be empty.
 *
 * @returns whether none is left
 */
export async function walkHistory(session: Session, table: Table): Promise<boolean> {
  const { model } = table;
  const [mark] = await session.rows(WALK, [model.name]);
  const done = Number(mark?.[1] ?? 0);
  if (done === WALKED) return true;
  const records: NewRecord[] = [];
  const last = await lastRecord(session);
  const at = Math.max(last.at, session.now);
  let end = WALKED;
  for await (const { pk, row, values } of readWritten(session, table, done, session.seq, 0)) {
    const state = wholeState(model, pk, row, values);
    if (state) records.push(recordWhole(state, at));
    if (records.length < ROWS_PER_WALK) continue;
    end = row.seq;
    break;
  }
  const sql = `SELECT DISTINCT "row" FROM ${HISTORY} WHERE ${IN_ROWS}`;
  const known = new Set((await session.rows(sql, [texts(records.map(({ row }) => row))])).map(([row]) => row));
  await write(
    session,
    records.filter(({ row }) => !known.has(row)),
    last.id,
  );
  if (mark)
    await session.rows(`UPDATE ${HISTORY} SET at = $2::text::bigint WHERE id = $1::text::bigint`, [
      String(mark[0]),
      String(end),
    ]);
  else {
    const [least] = await session.rows(`SELECT least(min(id), 0) - 1 FROM ${HISTORY}`);
    const id = Number(least?.[0] ?? -1);
    await session.rows(
      INSERT,
      toParams(STORED.length, [[id, end, null, null, kindNumber("whole"), model.name, "", "{}"]]),
    );
  }
  return end === WALKED;
}

/** Keeps what rows are now, where they changed under the numbers that they had. */
export const recordStates = (session: Session, table: Table, pks: readonly (readonly Json[])[]): Promise<void> =>
  writeAlone(session, table, pks, async (at) => {
    const states = await statesOf(
      session,
      pks.map((pk) => ({ table: table.model.name, pk })),
    );
    return states.flatMap((state) => (state ? [recordWhole(state, at)] : []));
  });

/** Rows that went without a write of anybody's: those of a node that begins anew. */
export const recordGoneRows = (session: Session, table: Table, pks: readonly (readonly Json[])[]): Promise<void> =>
  writeAlone(session, table, pks, async (at) => pks.map((pk) => recordGone(table.model.name, pk, at)));

async function writeAlone(
  session: Session,
  { model }: Table,
  pks: readonly (readonly Json[])[],
  make: (at: number) => Promise<NewRecord[]>,
): Promise<void> {
  if (!model.history || pks.length === 0) return;
  const last = await lastRecord(session);
  await write(session, await make(Math.max(last.at, session.now)), last.id);
}
