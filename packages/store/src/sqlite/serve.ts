// Serve on SQLite: a page of rows in the order of their numbers, across all tables asked for.
import {
  adoptedSum,
  advance,
  type Cursor,
  changesForSenders,
  type Incarnation,
  type Json,
  jsonLength,
  type RowChange,
  type RowSum,
  resume,
  rowToChange,
  type ServeOptions,
  type StoredCell,
} from "@grove-crdt/core";
import { keyText } from "../key";
import type { Served, ServeQuery } from "../store";
import { readRejected, readRejecting } from "./parking";
import { addCell, readCells } from "./read";
import type { Connection } from "./session";
import { rawToCell, SHADOW_COLUMNS, type Table } from "./table";

/** Numbers of the next `?` rows after a position, over all tables: each part walks its own index. */
const pageNumbers = (tables: readonly Table[]): string =>
  `${tables.map((table) => `SELECT seq FROM ${table.shadow} WHERE seq > ?`).join(" UNION ALL ")} ORDER BY seq LIMIT ?`;

const NONE: ReadonlySet<string> = new Set();
const NOBODY: ReadonlyMap<string, RowChange | null> = new Map();

interface Page {
  readonly seq: number;
  readonly change: RowChange | null;
  /** Stands for the change where it says only what this node adopted. */
  readonly sum: string | null;
  /** For many readers: what goes to those who sent a part of the row. */
  readonly senders: ReadonlyMap<string, RowChange | null>;
}

function readTable(
  connection: Connection,
  table: Table,
  from: number,
  to: number,
  { floor, exclude }: ServeOptions,
  { peer, sums = false }: ServeQuery,
  page: Page[],
): void {
  const { statements, names } = connection;
  const raws = statements.rows(table.readPage, from, to);
  if (raws.length === 0) return;
  const cells = new Map<number, StoredCell[]>();
  for (const raw of statements.rows(table.readPageCells, from, to, floor, floor)) addCell(cells, rawToCell(raw));
  const keys = table.model.key.length;
  const rejected = peer === null ? NONE : readRejected(statements, table, peer);
  for (const raw of raws) {
    const stored = table.stored(raw, keys);
    if (!stored) continue;
    const pk = table.pk(raw, 0);
    // What the peer rejected it does not have, so the row goes whole.
    const whole = rejected.size > 0 && rejected.has(keyText(pk));
    if (whole) cells.set(stored.id, readCells(statements, table, [stored.id]).get(stored.id) ?? []);
    const row = table.decode(stored, cells.get(stored.id), names);
    // A deleted row may show as well, while another one refers to it.
    const values = raw[raw.length - 1] === 1 ? table.values(raw, keys + SHADOW_COLUMNS) : ({} as Record<string, Json>);
    const options = whole ? { floor: 0, exclude: null } : { floor, exclude };
    const change = rowToChange(table.model, pk, row, values, options);
    const senders = peer === null ? changesForSenders(table.model, pk, row, values, floor) : NOBODY;
    const asSum = sums && !whole && change !== null && row.born > floor;
    page.push({ seq: stored.seq, change, sum: asSum ? adoptedSum(table.model, pk, row, values) : null, senders });
  }
}

/** Rows that one step reads: what a page holds in memory is bounded by its bytes, however large its rows are. */
const ROWS_PER_STEP = 250;
/** Rows that one page may pass over because the peer itself sent them. */
const ROWS_PER_PAGE = 20_000;

/** Reads one page inside the caller's transaction, with an empty log. */
export function servePage(
  connection: Connection,
  tables: readonly Table[],
  query: ServeQuery,
  incarnations: readonly Incarnation[],
  last: number,
): Served {
  const names = tables.map((table) => table.model.name);
  const { floor, position, full, reset } = resume(query.cursor, names, incarnations, last);
  const incarnation = incarnations[incarnations.length - 1]?.id ?? "";
  const rows: RowChange[] = [];
  const sums: RowSum[] = [];
  const senders = new Map<number, ReadonlyMap<string, RowChange | null>>();
  const done = (end: number, drained: boolean): Served => {
    const cursor: Cursor = advance({ floor, full, position: drained ? last : end, drained }, incarnation, last, names);
    const apart = query.peer === null ? { senders, rejecting: readRejecting(connection.statements) } : undefined;
    return { rows, sums, cursor, more: !drained, reset, apart };
  };
  if (query.rows === 0) {
    const cursor: Cursor = { incarnation, floor, position, last, tables: [...names].sort(), full };
    return { rows, sums, cursor, more: position < last, reset };
  }
  const sql = pageNumbers(tables);
  const options = { floor, exclude: full ? null : query.peer };
  let bytes = 0;
  let end = position;
  for (let scanned = 0; rows.length + sums.length < query.rows && scanned < ROWS_PER_PAGE; ) {
    const step = Math.min(ROWS_PER_STEP, query.rows - rows.length - sums.length);
    const numbers = connection.statements.rows(sql, ...tables.map(() => end), step);
    if (numbers.length === 0) return done(end, true);
    scanned += numbers.length;
    const to = numbers[numbers.length - 1]![0] as number;
    const page: Page[] = [];
    for (const table of tables) readTable(connection, table, end, to, options, query, page);
    if (tables.length > 1) page.sort((a, b) => a.seq - b.seq);
    for (const { seq, change, sum, senders: some } of page) {
      if (change) {
        const short: RowSum | null = sum === null ? null : [change.table, change.pk, sum];
        const size = jsonLength(short ?? change);
        if (rows.length + sums.length > 0 && bytes + size > query.bytes) return done(end, false);
        bytes += size;
        if (short) sums.push(short);
        else {
          if (some.size > 0) senders.set(rows.length, some);
          rows.push(change);
        }
      }
      end = seq;
    }
    if (numbers.length < step) return done(end, true);
  }
  return done(end, false);
}
