// Serve on Postgres: a page of rows in the order of their numbers, across all tables asked for.
import {
  adoptedSum,
  advance,
  type Cursor,
  changesForSenders,
  type Incarnation,
  type Interned,
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
import type { PostgresTransaction } from "./driver";
import { readRejected, readRejecting } from "./parking";
import { addCell, readCells } from "./read";
import { SHADOW_COLUMNS } from "./statements";
import { rawToCell, type Table } from "./table";

/** Numbers of the next `$2` rows after a position, over all tables: each part walks its own index. */
const pageNumbers = (tables: readonly Table[]): string =>
  `SELECT seq FROM (${tables
    .map(
      (table) => `(SELECT seq FROM ${table.shadow} WHERE seq > $1::text::bigint ORDER BY seq LIMIT $2::text::bigint)`,
    )
    .join(" UNION ALL ")}) s ORDER BY seq LIMIT $2::text::bigint`;

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

interface Reader {
  readonly tx: PostgresTransaction;
  readonly names: Interned;
}

async function readTable(
  { tx, names }: Reader,
  table: Table,
  from: number,
  to: number,
  { floor, exclude }: ServeOptions,
  { peer, sums = false }: ServeQuery,
  page: Page[],
): Promise<void> {
  const raws = await tx.rows(table.readPage, [String(from), String(to)]);
  if (raws.length === 0) return;
  const cells = new Map<number, StoredCell[]>();
  for (const raw of await tx.rows(table.readPageCells, [String(from), String(to), String(floor)]))
    addCell(cells, rawToCell(raw));
  const keys = table.model.key.length;
  const rejected = peer === null ? NONE : await readRejected(tx, table, peer);
  for (const raw of raws) {
    const stored = table.stored(raw, keys);
    if (!stored) continue;
    const pk = table.pk(raw, 0);
    // What the peer rejected it does not have, so the row goes whole.
    const whole = rejected.size > 0 && rejected.has(keyText(pk));
    if (whole) cells.set(stored.id, (await readCells(tx, table, [stored.id])).get(stored.id) ?? []);
    const row = table.decode(stored, cells.get(stored.id), names);
    // A deleted row may show as well, while another one refers to it.
    const shows = Number(raw[raw.length - 1]) === 1;
    const values = shows ? table.values(raw, keys + SHADOW_COLUMNS) : ({} as Record<string, Json>);
    const options = whole ? { floor: 0, exclude: null } : { floor, exclude };
    const change = rowToChange(table.model, pk, row, values, options);
    const senders = peer === null ? changesForSenders(table.model, pk, row, values, floor) : NOBODY;
    const asSum = sums && !whole && change !== null && row.born > floor;
    page.push({ seq: stored.seq, change, sum: asSum ? adoptedSum(table.model, pk, row, values) : null, senders });
  }
}

/** Rows that one step reads: what a page holds in memory is bounded by its bytes, however large its rows are. */
const ROWS_PER_STEP = 1_000;
/** Rows that one page may pass over because the peer itself sent them. */
const ROWS_PER_PAGE = 20_000;

/** Reads one page inside the caller's transaction, with an empty log. */
export async function servePage(
  reader: Reader,
  tables: readonly Table[],
  query: ServeQuery,
  incarnations: readonly Incarnation[],
  last: number,
): Promise<Served> {
  const names = tables.map((table) => table.model.name);
  const { floor, position, full, reset } = resume(query.cursor, names, incarnations, last);
  const incarnation = incarnations[incarnations.length - 1]?.id ?? "";
  const rows: RowChange[] = [];
  const sums: RowSum[] = [];
  const senders = new Map<number, ReadonlyMap<string, RowChange | null>>();
  const done = async (end: number, drained: boolean): Promise<Served> => {
    const cursor: Cursor = advance({ floor, full, position: drained ? last : end, drained }, incarnation, last, names);
    const apart = query.peer === null ? { senders, rejecting: await readRejecting(reader.tx) } : undefined;
    return { rows, sums, cursor, more: !drained, reset, apart };
  };
  if (query.rows === 0) {
    const cursor: Cursor = { incarnation, floor, position, last, tables: [...names].sort(), full };
    return { rows, sums, cursor, more: position < last, reset };
  }
  if (position >= last) return done(last, true);
  const sql = pageNumbers(tables);
  const options = { floor, exclude: full ? null : query.peer };
  let bytes = 0;
  let end = position;
  for (let scanned = 0; rows.length + sums.length < query.rows && scanned < ROWS_PER_PAGE; ) {
    const step = Math.min(ROWS_PER_STEP, query.rows - rows.length - sums.length);
    const found = await reader.tx.rows(sql, [String(end), String(step)]);
    if (found.length === 0) return done(end, true);
    scanned += found.length;
    const to = Number(found[found.length - 1]![0]);
    const page: Page[] = [];
    for (const table of tables) await readTable(reader, table, end, to, options, query, page);
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
    if (found.length < step) return done(end, true);
  }
  return done(end, false);
}
