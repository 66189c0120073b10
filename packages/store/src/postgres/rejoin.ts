// Rejoining on Postgres: what nobody has acknowledged is set aside, the shadow is forgotten, and in the end rows go that the peer lacks.
import { type Acknowledged, type Links, type Outcome, type RowChange, rowToChange, unsentPart } from "@grove-crdt/core";
import { FORGET_CURSORS } from "../identity";
import { acknowledgedBy, FORGET_LIVES, SET_ASIDE } from "../rejoin";
import { allRows } from "./all-rows";
import type { RawRow } from "./driver";
import { readAllParked } from "./parking";
import { readBase, readRows } from "./read";
import { settleRejections } from "./rejections";
import type { Session } from "./session";
import { ident, keyColumn } from "./sql";
import type { Table } from "./table";

async function unsentOf(session: Session, table: Table, acknowledged: Acknowledged) {
  const rows: RowChange[] = [];
  const outcomes: Outcome[] = [];
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
      rows.push(change);
      outcomes.push(part.isWhole ? SET_ASIDE : { ...SET_ASIDE, fields: [...part.row.fields.keys()] });
    });
  }
  return { rows, outcomes };
}

/** The log must be empty. What is set aside stands under the node's own id, so that no exchange with a peer settles it. */
export async function beginRejoin(session: Session, tables: readonly Table[], collected: number): Promise<void> {
  const cursors = await session.rows("SELECT push_cursor FROM public._grove_peers WHERE push_cursor IS NOT NULL");
  const acknowledged = acknowledgedBy(cursors.map(([cursor]) => cursor as string));
  const unsent = [];
  for (const table of tables) unsent.push(await unsentOf(session, table, acknowledged));
  await session.rows("DELETE FROM public._grove_parked WHERE peer IS NULL OR sent = 0");
  for (const { rows, outcomes } of unsent) await settleRejections(session, session.node, true, rows, outcomes);
  for (const { cells, shadow } of tables) {
    await session.rows(`DELETE FROM ${cells}`);
    await session.rows(`UPDATE ${shadow} SET ${FORGET_LIVES}`);
  }
  await session.rows("DELETE FROM public._grove_hidden_keys");
  await session.rows("DELETE FROM public._grove_elsewhere");
  await session.rows("UPDATE public._grove_trees SET shape = ''");
  await session.rows(`UPDATE public._grove_peers SET ${FORGET_CURSORS}`);
  await session.rows(
    "INSERT INTO public._grove_collection (id, upto, rounds, rejoining) VALUES (1, $1::text::bigint, '[]', 1) ON CONFLICT (id) DO UPDATE SET upto = excluded.upto, rounds = '[]', rejoining = 1",
    [String(collected)],
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

/** Takes rows out of the tables of which the peer knows nothing; returns how many. */
export async function endRejoin(session: Session, tables: readonly Table[], links: Links): Promise<number> {
  let gone = 0;
  for (const { name, shadow, model } of childrenFirst(tables, links)) {
    const same = model.key
      .map((column) => `s.${ident(keyColumn(column.name))} = t.${ident(column.name)}`)
      .join(" AND ");
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
