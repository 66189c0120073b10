// Serve on SQLite: a page of rows in the order of their numbers, across all tables asked for.
import {
  advance,
  fingerprints,
  type Incarnation,
  type Json,
  jsonLength,
  type RowChange,
  type RowSum,
  resume,
  type ServeOptions,
  type StoredCell,
  WHOLE,
} from "@grove-crdt/core";
import { keyText } from "../key";
import { type ServedRow, serveRow } from "../served-row";
import type { Page, ServeQuery } from "../store";
import { ELSEWHERE_NUMBERS, readElsewherePage } from "./elsewhere";
import { addCell, readCells } from "./read";
import { readRejected, readRejecting } from "./rejections";
import type { Connection } from "./session";
import { rawToCell, SHADOW_COLUMNS, type Table } from "./table";

/** The columns by which the rows of a table are told to be in the view. */
const scopedColumns = ({ view }: ServeQuery, table: string): readonly string[] =>
  Object.keys(view?.get(table)?.where ?? {});

/** Numbers of the next `?` rows after a position, over all tables: each part walks its own index. */
const pageNumbers = (tables: readonly Table[], elsewhere: boolean, query: ServeQuery): string =>
  `${[
    ...tables.map((table) => table.readNumbers(scopedColumns(query, table.model.name))),
    ...(elsewhere ? [ELSEWHERE_NUMBERS] : []),
  ].join(" UNION ALL ")} ORDER BY seq LIMIT ?`;

/** The number of the `?`th row after a position, over all tables. */
const windowEnd = (tables: readonly Table[]): string =>
  `${tables.map((table) => table.readNumbers([])).join(" UNION ALL ")} ORDER BY seq LIMIT 1 OFFSET ?`;

/** Those tables that have rows after a position, by one look: most pulls find few. */
function tablesAfter({ statements }: Connection, tables: readonly Table[], position: number): readonly Table[] {
  if (tables.length < 2) return tables;
  const found = tables.map(({ shadow }) => `EXISTS (SELECT 1 FROM ${shadow} WHERE seq > ?)`).join(", ");
  const flags = statements.row(`SELECT ${found}`, ...tables.map(() => position)) ?? [];
  return tables.filter((_, n) => flags[n] === 1);
}

const NONE: ReadonlySet<string> = new Set();

/** Params of the condition that the rows of a table are in its view; nothing for a table that is seen whole. */
type Scopes = ReadonlyMap<Table, readonly unknown[]>;

function readTable(
  connection: Connection,
  table: Table,
  from: number,
  to: number,
  options: ServeOptions,
  query: ServeQuery,
  scopes: Scopes,
  page: ServedRow[],
): void {
  const { statements, names } = connection;
  const { model } = table;
  const columns = scopedColumns(query, model.name);
  const params = [from, to, ...(scopes.get(table) ?? [])];
  const raws = statements.rows(table.readPage(columns), ...params);
  if (raws.length === 0) return;
  const cells = new Map<number, StoredCell[]>();
  const { floor } = options;
  for (const raw of statements.rows(table.readPageCells(columns), ...params, floor, floor))
    addCell(cells, rawToCell(raw));
  const keys = model.key.length;
  const rejected = query.peer === null ? NONE : readRejected(statements, table, query.peer);
  for (const raw of raws) {
    const stored = table.stored(raw, keys);
    if (!stored) continue;
    const pk = table.pk(raw, 0);
    // A deleted row may show as well, while another one refers to it.
    const values = raw[raw.length - 1] === 1 ? table.values(raw, keys + SHADOW_COLUMNS) : ({} as Record<string, Json>);
    const serve = (whole: boolean) => {
      if (whole) cells.set(stored.id, readCells(statements, table, [stored.id]).get(stored.id) ?? []);
      const row = table.decode(stored, cells.get(stored.id), names);
      return serveRow(model, { pk, row, values, whole }, options, query);
    };
    // What the peer rejected it does not have, so the row goes whole.
    const served = serve(rejected.size > 0 && rejected.has(keyText(pk)));
    page.push((served === "whole" ? serve(true) : served) as ServedRow);
  }
}

/** Rows that one step reads: what a page holds in memory is bounded by its bytes, however large its rows are. */
const ROWS_PER_STEP = 250;
/** Rows that one page may pass over because the peer itself sent them. */
const ROWS_PER_PAGE = 20_000;

/** Reads one page inside the caller's transaction, with an empty log. */
export function servePage(
  connection: Connection,
  asked: readonly Table[],
  elsewhere: readonly string[],
  query: ServeQuery,
  incarnations: readonly Incarnation[],
  last: number,
): Page {
  const names = [...asked.map((table) => table.model.name), ...elsewhere];
  const views = fingerprints(query.view ?? WHOLE, names);
  const place = resume(query.cursor, names, incarnations, last, views);
  const { floor, position, full, reset } = place;
  const wanted = asked.filter((table) => place.tables.includes(table.model.name));
  const others = elsewhere.filter((name) => place.tables.includes(name));
  const incarnation = incarnations[incarnations.length - 1]?.id ?? "";
  const rows: RowChange[] = [];
  const sums: RowSum[] = [];
  const senders = new Map<number, ReadonlyMap<string, RowChange | null>>();
  const done = (end: number, drained: boolean): Page => {
    const ended = { position: drained ? last : end, drained };
    const { cursor, more } = advance(place, ended, incarnation, last, names, views);
    const apart = query.peer === null ? { senders, rejecting: readRejecting(connection.statements) } : undefined;
    return { rows, sums, cursor, more, reset, apart };
  };
  if (query.rows === 0) {
    const { cursor } = advance(place, { position, drained: false }, incarnation, last, names, views);
    return { rows, sums, cursor, more: position < last || place.waiting !== null, reset };
  }
  // For some callers no table exists.
  if (wanted.length + others.length === 0) return done(last, true);
  const scopes: Scopes = new Map(
    wanted.map((table) => [table, table.scopeParams(query.view?.get(table.model.name)?.where ?? {})]),
  );
  const options = { floor, exclude: full ? null : query.peer };
  const tables = tablesAfter(connection, wanted, position);
  if (tables.length + others.length === 0) return done(last, true);
  // One or all: each combination would be a statement of its own, kept for good.
  const walked = tables.length < 2 ? tables : wanted;
  const sql = pageNumbers(walked, others.length > 0, query);
  const isScoped = walked.some((table) => (scopes.get(table) ?? []).length > 0);
  let bytes = 0;
  let end = position;
  for (let scanned = 0; rows.length + sums.length < query.rows && scanned < ROWS_PER_PAGE; ) {
    const step = Math.min(ROWS_PER_STEP, query.rows - rows.length - sums.length);
    // Where few rows are the reader's, a page looks at so many and no more.
    const after = walked.flatMap(() => [end, last]);
    const bound =
      (isScoped ? connection.statements.row(windowEnd(walked), ...after, ROWS_PER_PAGE)?.[0] : last) ?? last;
    const params = [
      ...walked.flatMap((table) => [end, bound, ...(scopes.get(table) ?? [])]),
      ...(others.length > 0 ? [JSON.stringify(others), end, bound] : []),
    ];
    const numbers = connection.statements.rows(sql, ...params, step);
    const isFull = numbers.length === step;
    const to = (isFull ? numbers[step - 1]?.[0] : bound) as number;
    if (numbers.length === 0) {
      end = to;
      if (to === last) return done(end, true);
      break;
    }
    scanned += isFull ? numbers.length : ROWS_PER_PAGE;
    const page: ServedRow[] = [];
    for (const table of tables) readTable(connection, table, end, to, options, query, scopes, page);
    if (others.length > 0) page.push(...readElsewherePage(connection, others, end, to, options.exclude));
    if (tables.length + others.length > 1) page.sort((a, b) => a.seq - b.seq);
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
    if (!isFull && to === last) return done(end, true);
    end = to;
  }
  return done(end, false);
}
