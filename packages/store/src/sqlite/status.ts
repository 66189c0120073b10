// How a database stands, on SQLite. Reads indexes, and of what waits for peers the rows themselves; nothing else grows with the tables.
import { addWaiting, type Backlog, backlogOf, type RowCount, type StoredStatus, type Waiting } from "../status";
import { collectionOf } from "./collection";
import type { RawRow, Statements } from "./driver";
import type { Connection } from "./session";
import type { Table } from "./table";

const toWaiting = ([rows, since]: RawRow): Waiting => ({
  rows: rows as number,
  since: (since ?? null) as number | null,
});

/** What core's serve.ts takes for due: entries numbered above the floor that the peer did not send. Stamp 0 is no time. */
const due = ({ shadow, cells }: Table) => `WITH place (position, floor, peer) AS (SELECT ?, ?, ?)
SELECT count(DISTINCT id), min(nullif(hlc, 0)) FROM (
  SELECT s.id, s.hlc FROM place JOIN ${shadow} s ON s.seq > position WHERE s.born > floor AND s.via IS NOT peer
  UNION ALL
  SELECT s.id, e.value ->> 0 FROM place JOIN ${shadow} s ON s.seq > position JOIN json_each(s.clocks) e
  WHERE e.key <> '' AND e.value ->> 2 > floor AND e.value ->> 3 IS NOT peer
  UNION ALL
  SELECT s.id, c.hlc FROM place JOIN ${shadow} s ON s.seq > position JOIN ${cells} c ON c.row = s.id
  WHERE c.seq > floor AND c.via IS NOT peer
)`;

/** No peer has this short integer. */
const NOBODY = -1;

function countDue(
  statements: Statements,
  tables: readonly Table[],
  peer: number,
  backlog: readonly Backlog[],
): Waiting {
  return addWaiting(
    backlog.flatMap(({ tables: names, floor, position, full }) =>
      tables
        .filter(({ model }) => names.includes(model.name))
        .map((table) => toWaiting(statements.row(due(table), position, floor, full ? NOBODY : peer) as RawRow)),
    ),
  );
}

/** @param counts also rows and tombstones: reads every shadow. The caller is in a snapshot. */
export function readStatus(connection: Connection, tables: readonly Table[], counts: boolean): StoredStatus {
  const { statements } = connection;
  const [node = null, seq = 0, clock = 0] =
    statements.row("SELECT node, seq, clock FROM _grove_node WHERE id = 1") ?? [];
  const incarnations = connection.incarnations();
  const names = tables.map(({ model }) => model.name);
  const peers = statements.rows(
    "SELECT p.peer, p.url, p.principal, p.last_success, p.last_error, p.push_cursor, n.id FROM _grove_peers p LEFT JOIN _grove_nodes n ON n.node = p.peer ORDER BY p.peer",
  );
  const [parked, sent, received] = statements.row(
    "SELECT count(*) FILTER (WHERE peer IS NULL), count(*) FILTER (WHERE sent = 1), count(*) FILTER (WHERE sent = 0) FROM _grove_parked",
  ) as [number, number, number];
  return {
    node: node as string | null,
    incarnation: incarnations.at(-1)?.id ?? null,
    seq: seq as number,
    clock: clock as number,
    log: addWaiting(
      tables.map(({ log }) => toWaiting(statements.row(`SELECT count(*), min(at) FROM ${log}`) as RawRow)),
    ),
    peers: peers.map(([peer, url, principal, lastSuccess, lastError, cursor, id]) => ({
      peer: peer as string,
      url: url as string | null,
      principal: principal as string | null,
      waiting:
        cursor === null
          ? null
          : countDue(
              statements,
              tables,
              (id ?? NOBODY) as number,
              backlogOf(cursor as string, names, incarnations, seq as number),
            ),
      lastSuccess: lastSuccess as number | null,
      lastError: lastError as string | null,
    })),
    parked,
    rejected: { sent, received },
    collection: collectionOf(statements),
    counts: counts ? Object.fromEntries(tables.map((table) => [table.model.name, countRows(statements, table)])) : null,
  };
}

function countRows(statements: Statements, { shadow }: Table): RowCount {
  const [rows, tombstones] = statements.row(
    `SELECT count(*) FILTER (WHERE cl % 2 = 1), count(*) FILTER (WHERE cl % 2 = 0) FROM ${shadow}`,
  ) as [number, number];
  return { rows, tombstones };
}
