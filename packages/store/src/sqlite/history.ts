// History on SQLite: after each fold and merge, in its transaction, what they made of the rows is read once more and kept.
import { type HistoryRecord, type Json, type RowChange, wholeState } from "@grove-crdt/core";
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
  type StoredRecord,
  toRecord,
  WALKED,
  type WrittenRow,
} from "../history";
import type { RawRow, Statements } from "./driver";
import { addCell } from "./read";
import type { Session } from "./session";
import { readStates } from "./states";
import { rawToCell, SHADOW_COLUMNS, type Table } from "./table";

const COLUMNS = "id, at, via, kind, change";
const INSERT =
  "INSERT INTO _grove_history (id, at, ended, via, kind, tbl, row, change) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
const IN_ROWS = "row IN (SELECT value FROM json_each(?))";

type Reader = Pick<Session, "statements" | "names">;

/** Rows numbered after one and up to another, in steps: with their cells numbered above the floor, or all. */
function* readWritten(
  { statements, names }: Reader,
  table: Table,
  from: number,
  to: number,
  floor = from,
): Generator<WrittenRow> {
  for (let after = from; after < to; ) {
    const numbers = statements.rows(`${table.readNumbers([])} ORDER BY seq LIMIT ?`, after, to, ROWS_PER_WALK);
    const end = numbers.length < ROWS_PER_WALK ? to : (numbers.at(-1)?.[0] as number);
    const cells = new Map<number, ReturnType<typeof rawToCell>[]>();
    if (numbers.length > 0) {
      for (const raw of statements.rows(table.readPageCells([]), after, end, floor, floor))
        addCell(cells, rawToCell(raw));
      for (const raw of statements.rows(table.readPage([]), after, end)) yield toWritten(table, names, raw, cells);
    }
    after = end;
  }
}

function toWritten(
  table: Table,
  names: Reader["names"],
  raw: RawRow,
  cells: ReadonlyMap<number, ReturnType<typeof rawToCell>[]>,
): WrittenRow {
  const keys = table.model.key.length;
  const stored = table.stored(raw, keys) as NonNullable<ReturnType<Table["stored"]>>;
  const values = raw[raw.length - 1] === 1 ? table.values(raw, keys + SHADOW_COLUMNS) : {};
  return { pk: table.pk(raw, 0), row: table.decode(stored, cells.get(stored.id), names), values };
}

function lastRecord(statements: Statements): { readonly id: number; readonly at: number } {
  const [id = 0, at = 0] = (statements.row("SELECT id, at FROM _grove_history WHERE id > 0 ORDER BY id DESC LIMIT 1") ??
    []) as [number?, number?];
  return { id, at };
}

/**
 * Keeps what the transaction has made of rows since the last call.
 *
 * @param from the peer whose changes were merged; null = what was written here
 * @param monotone rows were folded or merged, and nothing else
 */
export function recordHistory(session: Session, from: string | null, monotone = true): void {
  const { history, statements, now } = session;
  if (!history || (session.seq === history.floor && history.isSilent)) return;
  const last = lastRecord(statements);
  const { floor } = history;
  history.floor = session.seq;
  // Time does not go back in it, whatever the clock does.
  const timeOf = (at: number) => Math.max(last.at, Math.min(at, now));
  const written: NewRecord[] = [];
  for (const table of session.historied) {
    for (const one of readWritten(session, table, floor, session.seq, monotone ? floor : 0)) {
      const at = timeOf(history.times.get(one.row.seq) ?? now);
      const record = recordOf(table.model, one, { floor, at, from, monotone });
      if (record) written.push(record);
    }
  }
  history.times.clear();
  const overruled = history.takeOverruled();
  const known =
    overruled.length > 0
      ? readRecords(
          session,
          overruled.map(({ change }) => change),
        )
      : new Map();
  const records = [...withFirst(session, written), ...overruledRecords(overruled, known, timeOf(now))];
  records.sort((a, b) => a.at - b.at);
  write(session, records, last.id);
}

/** A row that has no record yet, and was there before, is told whole. */
function withFirst(session: Session, records: readonly NewRecord[]): NewRecord[] {
  const some = records.filter(({ needsFirst }) => needsFirst).map(({ row }) => row);
  if (some.length === 0) return [...records];
  const sql = `SELECT DISTINCT row FROM _grove_history WHERE ${IN_ROWS} AND kind < ${kindNumber("overruled")}`;
  const known = new Set(session.statements.rows(sql, JSON.stringify(some)).map(([row]) => row));
  const first = records.filter(({ needsFirst, row }) => needsFirst && !known.has(row));
  if (first.length === 0) return [...records];
  const states = readStates(
    session,
    tablesOf(session),
    first.map(({ change }) => [change.table, change.pk]),
  );
  const whole = new Map(first.map((record, n) => [record, states[n] as RowChange]));
  return records.map((record) => {
    const state = whole.get(record);
    return state ? recordWhole(state, record.at, record.from) : record;
  });
}

const tablesOf = ({ historied }: Session): ReadonlyMap<string, Table> =>
  new Map(historied.map((table) => [table.model.name, table]));

/** All records of these rows, the oldest first. */
function readRecords(reader: Reader, rows: readonly { readonly table: string; readonly pk: readonly Json[] }[]) {
  const ids = [...new Set(rows.map(({ table, pk }) => historyRow(table, pk)))];
  return readRows(reader, ids);
}

function readRows({ statements, names }: Reader, ids: readonly string[]): Map<string, HistoryRecord[]> {
  const found = new Map<string, HistoryRecord[]>();
  const sql = `SELECT row, tbl, ${COLUMNS} FROM _grove_history WHERE ${IN_ROWS} ORDER BY id`;
  for (const [row, table, id, at, via, kind, change] of statements.rows(sql, JSON.stringify(ids))) {
    const stored = { id, at, via, kind, change } as StoredRecord;
    const list = found.get(row as string) ?? [];
    found.set(row as string, list);
    list.push(toRecord(table as string, stored, (node) => names.nodeName(node)));
  }
  return found;
}

/** The records of one row, the oldest first. */
export const readHistory = (reader: Reader, table: string, pk: readonly Json[]): readonly HistoryRecord[] =>
  [...readRecords(reader, [{ table, pk }]).values()][0] ?? [];

/** @param last the id of the last record that there is */
function write(session: Session, records: readonly NewRecord[], last: number): void {
  if (records.length === 0) return;
  const { statements, names } = session;
  for (const table of session.historied) {
    const { name, history } = table.model;
    const rows = JSON.stringify(records.flatMap((record) => (record.table === name ? [record.row] : [])));
    if (history?.days === undefined || rows === "[]") continue;
    statements.run(
      `UPDATE _grove_history SET ended = ? WHERE (ended IS NULL OR ended <= at) AND ${IN_ROWS}`,
      Math.max(...records.map(({ at }) => at)),
      rows,
    );
  }
  const insert = statements.writer(INSERT);
  records.forEach((record, n) => {
    const { table, row, at, from, kind, change } = record;
    const via = from === null ? null : names.nodeId(from);
    insert.run(last + 1 + n, at, mayEnd(record) ? at : null, via, kindNumber(kind), table, row, changeText(change));
  });
  for (const table of session.historied) bound(session, table, records);
}

/** Joins what lies before the bounds, of rows that have more records now and of some whose days have passed. */
function bound(session: Session, { model }: Table, records: readonly NewRecord[]): void {
  const own = records.flatMap(({ table, row }) => (table === model.name ? [row] : []));
  if (own.length === 0) return;
  const { statements, now } = session;
  const most = mostRecords(model);
  const long =
    most === null
      ? []
      : statements.rows(
          `SELECT row FROM _grove_history WHERE ${IN_ROWS} GROUP BY row HAVING count(*) > ?`,
          JSON.stringify(own),
          most,
        );
  const old =
    model.history?.days === undefined
      ? []
      : statements.rows(
          "SELECT row FROM _grove_history WHERE tbl = ? AND ended <= ? LIMIT ?",
          model.name,
          boundOf(model, now),
          rowsToBound(own.length),
        );
  const rows = [...new Set([...long, ...old].map(([row]) => row as string))];
  if (rows.length === 0) return;
  const change = statements.writer(
    "UPDATE _grove_history SET kind = ?, via = NULL, ended = ?, change = ? WHERE id = ?",
  );
  const gone: number[] = [];
  for (const some of readRows(session, rows).values()) {
    const bounded = boundRow(model, some, now);
    gone.push(...bounded.gone);
    const { joined } = bounded;
    if (joined) change.run(kindNumber(joined.kind), endedOf(bounded), changeText(joined.change), joined.id);
  }
  statements.run("DELETE FROM _grove_history WHERE id IN (SELECT value FROM json_each(?))", JSON.stringify(gone));
}

const WALK = "SELECT id, at FROM _grove_history WHERE row = '' AND tbl = ?";

/**
 * Gives the next rows from before history was asked for their first record. The log must be empty.
 *
 * @returns whether none is left
 */
export function walkHistory(session: Session, table: Table): boolean {
  const { statements } = session;
  const { model } = table;
  const [id, done = 0] = (statements.row(WALK, model.name) ?? []) as [number?, number?];
  if (done === WALKED) return true;
  const records: NewRecord[] = [];
  const last = lastRecord(statements);
  const at = Math.max(last.at, session.now);
  let end = session.seq;
  for (const { pk, row, values } of readWritten(session, table, done, session.seq, 0)) {
    const state = wholeState(model, pk, row, values);
    if (state) records.push(recordWhole(state, at));
    end = row.seq;
    if (records.length === ROWS_PER_WALK) break;
  }
  const isDone = records.length < ROWS_PER_WALK;
  if (isDone) end = WALKED;
  const rows = JSON.stringify(records.map(({ row }) => row));
  const known = new Set(
    statements.rows(`SELECT DISTINCT row FROM _grove_history WHERE ${IN_ROWS}`, rows).map(([row]) => row),
  );
  write(
    session,
    records.filter(({ row }) => !known.has(row)),
    last.id,
  );
  if (id === undefined) {
    const least = statements.row("SELECT min(id) FROM _grove_history")?.[0] as number | null;
    statements.run(INSERT, Math.min(least ?? 0, 0) - 1, end, null, null, kindNumber("whole"), model.name, "", "{}");
  } else statements.run("UPDATE _grove_history SET at = ? WHERE id = ?", end, id);
  return isDone;
}

/** Keeps what rows are now, where they changed under the numbers that they had. */
export function recordStates(session: Session, table: Table, pks: readonly (readonly Json[])[]): void {
  writeAlone(session, table, pks, (at) =>
    readStates(
      session,
      tablesOf(session),
      pks.map((pk) => [table.model.name, pk]),
    ).flatMap((state) => (state ? [recordWhole(state, at)] : [])),
  );
}

/** Rows that went without a write of anybody's: those of a node that begins anew. */
export function recordGoneRows(session: Session, table: Table, pks: readonly (readonly Json[])[]): void {
  writeAlone(session, table, pks, (at) => pks.map((pk) => recordGone(table.model.name, pk, at)));
}

function writeAlone(
  session: Session,
  { model }: Table,
  pks: readonly (readonly Json[])[],
  make: (at: number) => NewRecord[],
): void {
  if (!model.history || pks.length === 0) return;
  const last = lastRecord(session.statements);
  write(session, make(Math.max(last.at, session.now)), last.id);
}
