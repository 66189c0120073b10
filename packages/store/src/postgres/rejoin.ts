// Rejoining on Postgres: what nobody has acknowledged is set aside, the shadow is forgotten, and in the end rows go that the peer lacks.
import {
  type Acknowledged,
  acknowledgedBy,
  type Json,
  type Links,
  type Outcome,
  type RejoinPeer,
  type Round,
  type RowChange,
  rowToChange,
  unsentPart,
} from "@grove-crdt/core";
import { FORGET_LIVES, outdatedRecords, outdatedText, recordOf } from "../rejoin";
import { allRows } from "./all-rows";
import type { RawRow } from "./driver";
import { recordGoneRows } from "./history";
import { readAllParked } from "./parking";
import { readBase, readRows } from "./read";
import { readRejections, recordRejections } from "./rejections";
import type { Session } from "./session";
import { ident, keyColumn } from "./sql";
import type { Table } from "./table";

async function unsentOf(session: Session, table: Table, acknowledged: Acknowledged) {
  const unsent: { change: RowChange; outcome: Outcome }[] = [];
  for await (const step of allRows(session, table, session.seq, `seq > ${acknowledged.position}`)) {
    const keys = step.map(({ key }) => key);
    const known = await readRows(session, table, keys);
    const present = known.flatMap((one, n) => (one.present ? [n] : []));
    const values = await readBase(session, table, keys, present);
    known.forEach(({ row }, n) => {
      const part = row && unsentPart(row, acknowledged);
      if (!part) return;
      const pk = table.pk(keys[n] as RawRow, 0);
      const options = { floor: acknowledged.floor, exclude: null };
      const change = rowToChange(table.model, pk, part.row, values.get(n) ?? {}, options);
      if (!change) return;
      unsent.push({ change, outcome: recordOf(part, change) });
    });
  }
  return unsent;
}

/** The log must be empty. What is set aside stands under the node's own id, so that no exchange with a peer settles it. */
export async function beginRejoin(
  session: Session,
  tables: readonly Table[],
  collected: number,
  rounds: readonly Round[],
  at: RejoinPeer | null,
): Promise<void> {
  const known = await session.rows("SELECT peer, push_cursor FROM public._grove_peers");
  const peers = known.map(([peer, cursor]) => [peer as string, cursor as string | null] as const);
  const facts = { self: session.node, collected, rounds, peers, at };
  const unsent = [];
  for (const table of tables) unsent.push(await unsentOf(session, table, acknowledgedBy(facts, table.model.name)));
  await session.rows("DELETE FROM public._grove_parked WHERE peer IS NULL OR sent = 0");
  for (const one of outdatedRecords(await readRejections(session, null), session.node, collected))
    await session.rows("UPDATE public._grove_parked SET change = $1::text WHERE id = $2::text::bigint", [
      outdatedText(one),
      String(one.id),
    ]);
  // What was set aside before stays, also of these rows: it may have been written to another life of theirs.
  for (const one of unsent) await recordRejections(session, session.node, true, one);
  for (const { cells, shadow } of tables) {
    await session.rows(`DELETE FROM ${cells}`);
    await session.rows(`UPDATE ${shadow} SET ${FORGET_LIVES}`);
  }
  await session.rows("DELETE FROM public._grove_hidden_keys");
  await session.rows("DELETE FROM public._grove_elsewhere");
  await session.rows("UPDATE public._grove_trees SET shape = ''");
  // Where peers were seen stays true, and tells them what of theirs may be known here.
  await session.rows("UPDATE public._grove_peers SET pull_cursor = NULL, push_cursor = NULL");
  await session.rows(
    "INSERT INTO public._grove_collection (id, upto, rounds, rejoining) VALUES (1, $1::text::bigint, $2::text, 1) ON CONFLICT (id) DO UPDATE SET upto = excluded.upto, rounds = excluded.rounds, rejoining = 1",
    [String(collected), JSON.stringify(rounds)],
  );
  session.renew();
}

/** Children before their parents; of those that refer to each other in a ring, in the order given. */
function childrenFirst(tables: readonly Table[], links: Links): readonly Table[] {
  const order: Table[] = [];
  const visit = (table: Table, path: readonly Table[]) => {
    if (order.includes(table) || path.includes(table)) return;
    for (const { child } of links.get(table.model.name)?.in ?? []) {
      const first = tables.find(({ model }) => model === child);
      if (first) visit(first, [...path, table]);
    }
    order.push(table);
  };
  for (const table of tables) visit(table, []);
  return order;
}

/** Keys of the rows of which the peer knows nothing, where history is to be told. */
async function lackedRows(session: Session, table: Table): Promise<Json[][]> {
  if (!table.model.history) return [];
  const keys = table.model.key.map(({ name }) => `${ident(keyColumn(name))}::text`);
  const rows = await session.rows(`SELECT ${keys.join(", ")} FROM ${table.shadow} WHERE cl = 0`);
  return rows.map((raw) => table.pk(raw, 0));
}

/** Takes rows out of the tables of which the peer knows nothing; returns how many. */
export async function endRejoin(session: Session, tables: readonly Table[], links: Links): Promise<number> {
  let gone = 0;
  for (const table of childrenFirst(tables, links)) {
    const { name, shadow, model } = table;
    const same = model.key
      .map((column) => `s.${ident(keyColumn(column.name))} = t.${ident(column.name)}`)
      .join(" AND ");
    await recordGoneRows(session, table, await lackedRows(session, table));
    const [row] = await session.rows(
      `WITH gone AS (DELETE FROM ${name} t USING ${shadow} s WHERE s.cl = 0 AND ${same} RETURNING 1) SELECT count(*) FROM gone`,
    );
    await session.rows(`DELETE FROM ${shadow} WHERE cl = 0`);
    gone += Number(row?.[0]);
  }
  // What could not show beside them may be able to now.
  for (const row of await readAllParked(session))
    if (tables.some(({ model }) => model.name === row.table)) session.touch(row);
  await session.rows("UPDATE public._grove_collection SET rejoining = 0");
  return gone;
}
