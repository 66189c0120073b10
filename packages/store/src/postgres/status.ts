// How a database stands, on Postgres. Reads indexes, and of what waits for peers the rows themselves; nothing else grows with the tables.
import { addWaiting, type Backlog, backlogOf, type StoredStatus, type Waiting } from "../status";
import { collectionOf } from "./collection";
import type { PostgresTransaction, RawRow } from "./driver";
import { readIncarnations } from "./session";
import type { Table } from "./table";

type Reader = Pick<PostgresTransaction, "rows">;

const toWaiting = ([rows, since]: RawRow): Waiting => ({
  rows: Number(rows),
  since: since === null ? null : Number(since),
});

/** What core's serve.ts takes for due: entries numbered above the floor that the peer did not send. Stamp 0 is no time. */
const due = ({ shadow, cells }: Table) => `SELECT count(DISTINCT id) AS rows, min(nullif(hlc, 0)) AS since FROM (
  SELECT s.id, s.hlc FROM place JOIN ${shadow} s ON s.seq > position WHERE s.born > floor AND s.via IS DISTINCT FROM peer
  UNION ALL
  SELECT s.id, (e.value ->> 0)::bigint FROM place JOIN ${shadow} s ON s.seq > position CROSS JOIN LATERAL json_each(s.clocks::json) e
  WHERE e.key <> '' AND (e.value ->> 2)::bigint > floor AND (e.value ->> 3)::integer IS DISTINCT FROM peer
  UNION ALL
  SELECT s.id, c.hlc FROM place JOIN ${shadow} s ON s.seq > position JOIN ${cells} c ON c.row = s.id
  WHERE c.seq > floor AND c.via IS DISTINCT FROM peer
) d`;

/** No peer has this short integer. */
const NOBODY = "-1";

async function countDue(
  tx: Reader,
  tables: readonly Table[],
  peer: string,
  backlog: readonly Backlog[],
): Promise<Waiting> {
  const parts: Waiting[] = [];
  for (const { tables: names, floor, position, full } of backlog) {
    const some = tables.filter(({ model }) => names.includes(model.name));
    if (some.length === 0) continue;
    const rows = await tx.rows(
      `WITH place AS (SELECT $1::text::bigint AS position, $2::text::bigint AS floor, $3::text::integer AS peer) ${some.map(due).join(" UNION ALL ")}`,
      [String(position), String(floor), full ? NOBODY : peer],
    );
    parts.push(...rows.map(toWaiting));
  }
  return addWaiting(parts);
}

/** @param counts also rows and tombstones: reads every shadow. The caller is in a snapshot. */
export async function readStatus(tx: Reader, tables: readonly Table[], counts: boolean): Promise<StoredStatus> {
  const [[node = null, seq = 0, clock = 0] = []] = await tx.rows(
    "SELECT node, seq, clock FROM public._grove_node WHERE id = 1",
  );
  const incarnations = await readIncarnations(tx);
  const names = tables.map(({ model }) => model.name);
  const log = await tx.rows(tables.map(({ log }) => `SELECT count(*), min(at) FROM ${log}`).join(" UNION ALL "));
  const [[parked, sent, received] = []] = await tx.rows(
    "SELECT count(*) FILTER (WHERE sent IS NULL), count(*) FILTER (WHERE sent = 1), count(*) FILTER (WHERE sent = 0) FROM public._grove_parked",
  );
  const peers = [];
  for (const [peer, url, principal, lastSuccess, lastError, cursor, id] of await tx.rows(
    'SELECT p.peer, p.url, p.principal, p.last_success, p.last_error, p.push_cursor, n.id FROM public._grove_peers p LEFT JOIN public._grove_nodes n ON n.node = p.peer ORDER BY p.peer COLLATE "C"',
  )) {
    const backlog = cursor === null ? null : backlogOf(cursor as string, names, incarnations, Number(seq));
    peers.push({
      peer: peer as string,
      url: url as string | null,
      principal: principal as string | null,
      waiting: backlog && (await countDue(tx, tables, String(id ?? NOBODY), backlog)),
      lastSuccess: lastSuccess === null ? null : Number(lastSuccess),
      lastError: lastError as string | null,
    });
  }
  return {
    node: node as string | null,
    incarnation: incarnations.at(-1)?.id ?? null,
    seq: Number(seq),
    clock: Number(clock),
    log: addWaiting(log.map(toWaiting)),
    peers,
    parked: Number(parked),
    rejected: { sent: Number(sent), received: Number(received) },
    collection: await collectionOf(tx),
    counts: counts ? await countRows(tx, tables) : null,
  };
}

async function countRows(tx: Reader, tables: readonly Table[]): Promise<StoredStatus["counts"]> {
  const counts = await tx.rows(
    tables
      .map(
        ({ shadow }) => `SELECT count(*) FILTER (WHERE cl % 2 = 1), count(*) FILTER (WHERE cl % 2 = 0) FROM ${shadow}`,
      )
      .join(" UNION ALL "),
  );
  return Object.fromEntries(
    tables.map(({ model }, n) => {
      const [rows, tombstones] = counts[n] as RawRow;
      return [model.name, { rows: Number(rows), tombstones: Number(tombstones) }];
    }),
  );
}
