// Rows of tables that this database does not have, on Postgres.
import {
  collectElsewhere,
  type Interned,
  type Outcome,
  type Round,
  type RowChange,
  type RowElsewhere,
  type RowKey,
} from "@grove-crdt/core";
import { elsewhereId, keepRows, keptTables, ROWS_PER_ARRIVAL } from "../elsewhere";
import type { ServedRow } from "../served-row";
import type { PostgresTransaction, RawRow } from "./driver";
import type { MergeOptions } from "./merge";
import type { Session } from "./session";
import { type ListColumn, rowsFrom, toParams } from "./sql";

const TABLES = keptTables("public._grove_elsewhere");
const COLUMNS: ListColumn[] = [
  ["id", "text"],
  ["tbl", "text"],
  ["state", "text"],
  ["seq", "bigint"],
  ["via", "integer"],
];
const SELECT = "SELECT e.id, e.state, e.seq, e.via FROM public._grove_elsewhere e";

type Reader = Pick<PostgresTransaction, "rows">;
interface Named {
  readonly tx: Reader;
  readonly names: Interned;
}

const list = (texts: readonly string[]): string =>
  toParams(
    1,
    texts.map((text) => [text]),
  )[0] as string;

/** Numbers of the next `$3` rows of some tables after `$1` and up to `$2`; `names` is the place of the parameter with their names. */
export const elsewhereNumbers = (names: number): string =>
  `(SELECT seq FROM public._grove_elsewhere WHERE tbl = ANY($${names}::text::text[]) AND seq > $1::text::bigint AND seq <= $2::text::bigint ORDER BY seq LIMIT $3::text::bigint)`;
/** That parameter. */
export const elsewhereNames = (tables: readonly string[]): string => list(tables);

const toRow = (names: Interned, [, state, seq, via]: RawRow): RowElsewhere => ({
  state: JSON.parse(state as string) as RowChange,
  seq: Number(seq),
  via: via === null ? null : names.nodeName(Number(via)),
});

/** Names of the tables of which rows are kept. */
export const readElsewhereTables = async (tx: Reader): Promise<string[]> =>
  (await tx.rows(TABLES)).map(([name]) => name as string);

async function readRows({ tx, names }: Named, ids: readonly string[]): Promise<Map<string, RowElsewhere>> {
  const raws = await tx.rows(`${SELECT} WHERE e.id = ANY($1::text::text[])`, [list(ids)]);
  return new Map(raws.map((raw) => [raw[0] as string, toRow(names, raw)]));
}

/** Whole states of rows, in the order of the keys; null where nothing is kept. */
export async function readElsewhereStates(reader: Named, keys: readonly RowKey[]): Promise<(RowChange | null)[]> {
  const ids = keys.map(([table, pk]) => elsewhereId(table, pk));
  const known = await readRows(reader, ids);
  return ids.map((id) => known.get(id)?.state ?? null);
}

/** Rows of a page, by number, after one and up to another. */
export async function readElsewherePage(
  { tx, names }: Named,
  tables: readonly string[],
  from: number,
  to: number,
  exclude: string | null,
): Promise<ServedRow[]> {
  const sql = `${SELECT} WHERE e.tbl = ANY($1::text::text[]) AND e.seq > $2::text::bigint AND e.seq <= $3::text::bigint`;
  return (await tx.rows(sql, [list(tables), String(from), String(to)])).map((raw) => {
    const { state, seq, via } = toRow(names, raw);
    const change = via !== null && via === exclude ? null : state;
    return { seq, change, sum: null, senders: new Map(via === null ? [] : [[via, null]]) };
  });
}

/** Merges rows of tables that are not here. @returns their outcomes, and whether anything changed */
export async function mergeElsewhere(
  session: Session,
  rows: ReadonlyMap<number, RowChange>,
  { from, access, horizon }: Pick<MergeOptions, "from" | "access" | "horizon">,
): Promise<{ readonly outcomes: ReadonlyMap<number, Outcome>; readonly changed: boolean }> {
  const { names, now, next } = session;
  const tables = new Set(await readElsewhereTables(session));
  const ids = [...rows.values()].map(({ table, pk }) => elsewhereId(table, pk));
  const known = await readRows({ tx: session, names }, ids);
  const kept = keepRows(rows, { tables, known, from, access, horizon, now, next });
  const values = [...kept.rows].map(([id, { state, seq, via }]) => [
    id,
    state.table,
    JSON.stringify(state),
    seq,
    via === null ? null : names.nodeId(via),
  ]);
  if (values.length > 0) {
    await session.rows(
      `INSERT INTO public._grove_elsewhere (id, tbl, state, seq, via) SELECT v.id, v.tbl, v.state, v.seq, v.via FROM ${rowsFrom("v", COLUMNS)} ON CONFLICT (id) DO UPDATE SET state = excluded.state, seq = excluded.seq, via = excluded.via`,
      toParams(COLUMNS.length, values),
    );
    session.take(values.length);
  }
  session.clock = Math.max(session.clock, kept.latest);
  return { outcomes: kept.outcomes, changed: values.length > 0 };
}

/** The next rows of a table after an id, in the order of these. */
export async function readArrivals(tx: Reader, table: string, after: string) {
  const sql = `SELECT id, state, seq FROM public._grove_elsewhere WHERE tbl = $1::text AND id COLLATE "C" > $2::text ORDER BY id COLLATE "C" LIMIT $3::text::bigint`;
  return (await tx.rows(sql, [table, after, String(ROWS_PER_ARRIVAL)])).map(([id, state, seq]) => ({
    id: id as string,
    seq: Number(seq),
    state: JSON.parse(state as string) as RowChange,
  }));
}

/** Rows that are in their table now, unless they have changed since they were read. */
export async function forgetElsewhere(
  tx: Reader,
  rows: readonly { readonly id: string; readonly seq: number }[],
): Promise<void> {
  const from = rowsFrom("v", [
    ["id", "text"],
    ["seq", "bigint"],
  ]);
  const params = toParams(
    2,
    rows.map(({ id, seq }) => [id, seq]),
  );
  await tx.rows(`DELETE FROM public._grove_elsewhere e USING ${from} WHERE e.id = v.id AND e.seq = v.seq`, params);
}

/** Forgets what a round's verdict names of tables that are not here. */
export async function collectKept(session: Session, round: Round): Promise<void> {
  for (const table of await readElsewhereTables(session)) {
    for (let after = ""; ; ) {
      const raws = await session.rows(
        `${SELECT} WHERE e.tbl = $1::text AND e.id COLLATE "C" > $2::text ORDER BY e.id COLLATE "C" LIMIT $3::text::bigint`,
        [table, after, String(ROWS_PER_ARRIVAL)],
      );
      if (raws.length === 0) break;
      for (const raw of raws) {
        const id = raw[0] as string;
        const left = collectElsewhere(toRow(session.names, raw), round);
        if (left === "forgotten") await session.rows("DELETE FROM public._grove_elsewhere WHERE id = $1::text", [id]);
        else if (left)
          await session.rows("UPDATE public._grove_elsewhere SET state = $2::text WHERE id = $1::text", [
            id,
            JSON.stringify(left.state),
          ]);
        after = id;
      }
    }
  }
}
