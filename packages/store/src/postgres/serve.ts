// Serve on Postgres: a page of rows in the order of their numbers, across all tables asked for.
import {
  advance,
  fingerprints,
  type Incarnation,
  type Interned,
  type Json,
  jsonLength,
  type RowChange,
  type RowSum,
  resume,
  type ServeOptions,
  type StoredCell,
  type StoredRow,
  WHOLE,
} from "@grove-crdt/core";
import { keyText } from "../key";
import { type ServedRow, serveRow } from "../served-row";
import type { Page, ServeQuery } from "../store";
import type { PostgresTransaction, RawRow } from "./driver";
import { elsewhereNames, elsewhereNumbers, readElsewherePage } from "./elsewhere";
import { addCell, readCells } from "./read";
import { readRejected, readRejecting } from "./rejections";
import { SHADOW_COLUMNS } from "./statements";
import { rawToCell, type Table } from "./table";

/** The columns by which the rows of a table are told to be in the view. */
const scopedColumns = ({ view }: ServeQuery, table: string): readonly string[] =>
  Object.keys(view?.get(table)?.where ?? {});

/** Params of the condition that the rows of a table are in its view; nothing for a table that is seen whole. */
type Scopes = ReadonlyMap<Table, readonly (string | null)[]>;

/**
 * Of the next `$3` rows after `$1` and up to `$2`, over all tables: how many are in each table that has any, by its place, and the
 * last number there. Each part walks its own index; the last one is that of rows elsewhere.
 */
function pageParts(tables: readonly Table[], elsewhere: boolean, query: ServeQuery, scopes: Scopes): string {
  let first = 4;
  const parts = tables.map((table) => {
    const part = table.readNumbers(scopedColumns(query, table.model.name), first, 3);
    first += scopes.get(table)?.length ?? 0;
    return part;
  });
  if (elsewhere) parts.push(elsewhereNumbers(first));
  const placed = parts.map((part, place) => `(SELECT seq, ${place} AS place FROM ${part} p)`);
  return `SELECT place, count(*), max(seq) FROM (SELECT * FROM (${placed.join(" UNION ALL ")}) s ORDER BY seq LIMIT $3::text::bigint) w GROUP BY place`;
}

/** The number of the row `$3` rows after `$1`, over all tables. */
const windowEnd = (tables: readonly Table[]): string =>
  `SELECT max(seq), count(*) FROM (SELECT seq FROM (${tables.map((table) => table.readNumbers([], 4, 3)).join(" UNION ALL ")}) s ORDER BY seq LIMIT $3::text::bigint) w`;

const NONE: ReadonlySet<string> = new Set();

interface Reader {
  readonly tx: PostgresTransaction;
  readonly names: Interned;
}

async function readTable(
  { tx, names }: Reader,
  table: Table,
  from: number,
  to: number,
  options: ServeOptions,
  query: ServeQuery,
  scopes: Scopes,
  page: ServedRow[],
): Promise<void> {
  const { model } = table;
  const columns = scopedColumns(query, model.name);
  const scope = scopes.get(table) ?? [];
  // Together, since one answer does not depend on another.
  const [raws, above, rejected] = await Promise.all([
    tx.rows(table.readPage(columns), [String(from), String(to), ...scope]),
    tx.rows(table.readPageCells(columns), [String(from), String(to), String(options.floor), ...scope]),
    query.peer === null ? NONE : readRejected(tx, table, query.peer),
  ]);
  const cells = new Map<number, StoredCell[]>();
  for (const raw of above) addCell(cells, rawToCell(raw));
  const keys = model.key.length;
  const serve = (raw: RawRow, stored: StoredRow, pk: Json[], whole: boolean) => {
    const row = table.decode(stored, cells.get(stored.id), names);
    // A deleted row may show as well, while another one refers to it.
    const shows = Number(raw[raw.length - 1]) === 1;
    const values = shows ? table.values(raw, keys + SHADOW_COLUMNS) : ({} as Record<string, Json>);
    return serveRow(model, { pk, row, values, whole }, options, query);
  };
  for (const raw of raws) {
    const stored = table.stored(raw, keys);
    if (!stored) continue;
    const pk = table.pk(raw, 0);
    // What the peer rejected it does not have, so the row goes whole.
    let served = rejected.size > 0 && rejected.has(keyText(pk)) ? "whole" : serve(raw, stored, pk, false);
    if (served === "whole") {
      cells.set(stored.id, (await readCells(tx, table, [stored.id])).get(stored.id) ?? []);
      served = serve(raw, stored, pk, true);
    }
    page.push(served as ServedRow);
  }
}

/** Rows that one step reads: what a page holds in memory is bounded by its bytes, however large its rows are. */
const ROWS_PER_STEP = 1_000;
/** Rows that one page may pass over because the peer itself sent them. */
const ROWS_PER_PAGE = 20_000;

/** Reads one page inside the caller's transaction, with an empty log. */
export async function servePage(
  reader: Reader,
  asked: readonly Table[],
  elsewhere: readonly string[],
  query: ServeQuery,
  incarnations: readonly Incarnation[],
  last: number,
): Promise<Page> {
  const names = [...asked.map((table) => table.model.name), ...elsewhere];
  const views = fingerprints(query.view ?? WHOLE, names);
  const place = resume(query.cursor, names, incarnations, last, views);
  const { floor, position, full, reset } = place;
  const tables = asked.filter((table) => place.tables.includes(table.model.name));
  const others = elsewhere.filter((name) => place.tables.includes(name));
  const incarnation = incarnations[incarnations.length - 1]?.id ?? "";
  const rows: RowChange[] = [];
  const sums: RowSum[] = [];
  const senders = new Map<number, ReadonlyMap<string, RowChange | null>>();
  const done = async (end: number, drained: boolean): Promise<Page> => {
    const ended = { position: drained ? last : end, drained };
    const { cursor, more } = advance(place, ended, incarnation, last, names, views);
    const apart = query.peer === null ? { senders, rejecting: await readRejecting(reader.tx) } : undefined;
    return { rows, sums, cursor, more, reset, apart };
  };
  if (query.rows === 0) {
    const { cursor } = advance(place, { position, drained: false }, incarnation, last, names, views);
    return { rows, sums, cursor, more: position < last || place.waiting !== null, reset };
  }
  // For some callers no table exists.
  if (position >= last || tables.length + others.length === 0) return done(last, true);
  const scopes: Scopes = new Map(
    tables.map((table) => [table, table.scopeParams(query.view?.get(table.model.name)?.where ?? {})]),
  );
  const scopeParams = tables.flatMap((table) => scopes.get(table) ?? []);
  const sql = pageParts(tables, others.length > 0, query, scopes);
  const otherParams = others.length > 0 ? [elsewhereNames(others)] : [];
  const options = { floor, exclude: full ? null : query.peer };
  let bytes = 0;
  let end = position;
  for (let scanned = 0; rows.length + sums.length < query.rows && scanned < ROWS_PER_PAGE; ) {
    const step = Math.min(ROWS_PER_STEP, query.rows - rows.length - sums.length);
    // Where few rows are the reader's, a page looks at so many and no more.
    let bound = last;
    if (scopeParams.length > 0) {
      const after = [String(end), String(last), String(ROWS_PER_PAGE)];
      const [window] = await reader.tx.rows(windowEnd(tables), after);
      if (Number(window?.[1]) === ROWS_PER_PAGE) bound = Number(window?.[0]);
    }
    const found = await reader.tx.rows(sql, [String(end), String(bound), String(step), ...scopeParams, ...otherParams]);
    let count = 0;
    let furthest = end;
    for (const [, rows, seq] of found) {
      count += Number(rows);
      furthest = Math.max(furthest, Number(seq));
    }
    const isFull = count === step;
    const to = isFull ? furthest : bound;
    if (count === 0) {
      end = to;
      if (to === last) return done(end, true);
      break;
    }
    scanned += isFull ? count : ROWS_PER_PAGE;
    const page: ServedRow[] = [];
    for (const place of found.map(([place]) => Number(place))) {
      const table = tables[place];
      if (table) await readTable(reader, table, end, to, options, query, scopes, page);
      else page.push(...(await readElsewherePage(reader, others, end, to, options.exclude)));
    }
    if (found.length > 1 || others.length > 0) page.sort((a, b) => a.seq - b.seq);
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
