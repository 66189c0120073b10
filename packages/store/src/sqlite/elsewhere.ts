// Rows of tables that this database does not have, on SQLite.
import {
  collectElsewhere,
  type Outcome,
  type Round,
  type RowChange,
  type RowElsewhere,
  type RowKey,
} from "@grove-crdt/core";
import { elsewhereId, keepRows, keptTables, ROWS_PER_ARRIVAL } from "../elsewhere";
import type { ServedRow } from "../served-row";
import type { RawRow, Statements } from "./driver";
import type { MergeOptions } from "./merge";
import type { Connection, Session } from "./session";

const COLUMNS = "id, state, seq, via";
const TABLES = keptTables("_grove_elsewhere");
/** Numbers of the rows of some tables after one and up to another: a JSON array of names and two numbers. */
export const ELSEWHERE_NUMBERS =
  "SELECT seq FROM _grove_elsewhere WHERE tbl IN (SELECT value FROM json_each(?)) AND seq > ? AND seq <= ?";

type Reader = Pick<Connection, "statements" | "names">;

const toRow = ({ names }: Reader, [, state, seq, via]: RawRow): RowElsewhere => ({
  state: JSON.parse(state as string) as RowChange,
  seq: seq as number,
  via: via === null ? null : names.nodeName(via as number),
});

/** Names of the tables of which rows are kept. */
export const readElsewhereTables = (statements: Statements): string[] =>
  statements.rows(TABLES).map(([name]) => name as string);

function readRows(reader: Reader, ids: readonly string[]): Map<string, RowElsewhere> {
  const sql = `SELECT ${COLUMNS} FROM _grove_elsewhere WHERE id IN (SELECT value FROM json_each(?))`;
  return new Map(reader.statements.rows(sql, JSON.stringify(ids)).map((raw) => [raw[0] as string, toRow(reader, raw)]));
}

/** Whole states of rows, in the order of the keys; null where nothing is kept. */
export function readElsewhereStates(reader: Reader, keys: readonly RowKey[]): (RowChange | null)[] {
  const ids = keys.map(([table, pk]) => elsewhereId(table, pk));
  const known = readRows(reader, ids);
  return ids.map((id) => known.get(id)?.state ?? null);
}

/** Rows of a page, by number, after one and up to another. */
export function readElsewherePage(
  reader: Reader,
  tables: readonly string[],
  from: number,
  to: number,
  exclude: string | null,
): ServedRow[] {
  const sql = `SELECT ${COLUMNS} FROM _grove_elsewhere WHERE tbl IN (SELECT value FROM json_each(?)) AND seq > ? AND seq <= ?`;
  return reader.statements.rows(sql, JSON.stringify(tables), from, to).map((raw) => {
    const { state, seq, via } = toRow(reader, raw);
    const change = via !== null && via === exclude ? null : state;
    return { seq, change, sum: null, senders: new Map(via === null ? [] : [[via, null]]) };
  });
}

/** Merges rows of tables that are not here. @returns their outcomes, and whether anything changed */
export function mergeElsewhere(
  session: Session,
  rows: ReadonlyMap<number, RowChange>,
  { from, access, horizon }: Pick<MergeOptions, "from" | "access" | "horizon">,
): { readonly outcomes: ReadonlyMap<number, Outcome>; readonly changed: boolean } {
  const { statements, names, now, next } = session;
  const tables = new Set(readElsewhereTables(statements));
  const known = readRows(
    session,
    [...rows.values()].map(({ table, pk }) => elsewhereId(table, pk)),
  );
  const kept = keepRows(rows, { tables, known, from, access, horizon, now, next });
  const write = statements.writer(
    "INSERT INTO _grove_elsewhere (id, tbl, state, seq, via) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state, seq = excluded.seq, via = excluded.via",
  );
  for (const [id, { state, seq, via }] of kept.rows)
    write.run(id, state.table, JSON.stringify(state), seq, via === null ? null : names.nodeId(via));
  if (kept.rows.size > 0) session.take(kept.rows.size);
  session.clock = Math.max(session.clock, kept.latest);
  return { outcomes: kept.outcomes, changed: kept.rows.size > 0 };
}

/** The next rows of a table after an id, in the order of these. */
export function readArrivals({ statements }: Reader, table: string, after: string) {
  const sql = "SELECT id, state, seq FROM _grove_elsewhere WHERE tbl = ? AND id > ? ORDER BY id LIMIT ?";
  return statements.rows(sql, table, after, ROWS_PER_ARRIVAL).map(([id, state, seq]) => ({
    id: id as string,
    seq: seq as number,
    state: JSON.parse(state as string) as RowChange,
  }));
}

/** Rows that are in their table now, unless they have changed since they were read. */
export function forgetElsewhere(
  statements: Statements,
  rows: readonly { readonly id: string; readonly seq: number }[],
): void {
  for (const { id, seq } of rows) statements.run("DELETE FROM _grove_elsewhere WHERE id = ? AND seq = ?", id, seq);
}

/** Forgets what a round's verdict names of tables that are not here. */
export function collectKept(session: Session, round: Round): void {
  const { statements } = session;
  for (const table of readElsewhereTables(statements)) {
    for (let after = ""; ; ) {
      const raws = statements.rows(
        `SELECT ${COLUMNS} FROM _grove_elsewhere WHERE tbl = ? AND id > ? ORDER BY id LIMIT ?`,
        table,
        after,
        ROWS_PER_ARRIVAL,
      );
      if (raws.length === 0) break;
      for (const raw of raws) {
        const id = raw[0] as string;
        const left = collectElsewhere(toRow(session, raw), round);
        if (left === "forgotten") statements.run("DELETE FROM _grove_elsewhere WHERE id = ?", id);
        else if (left)
          statements.run("UPDATE _grove_elsewhere SET state = ? WHERE id = ?", JSON.stringify(left.state), id);
        after = id;
      }
    }
  }
}
