// Rejoining on SQLite: what nobody has acknowledged is set aside, the shadow is forgotten, and in the end rows go that the peer lacks.
import {
  type Acknowledged,
  acknowledgedBy,
  type Json,
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
import { readRejections, recordRejection } from "./rejections";
import type { Session } from "./session";
import { ident, keyColumn } from "./sql";
import type { Table } from "./table";

const ROWS_PER_STEP = 500;

function unsentOf(session: Session, table: Table, acknowledged: Acknowledged) {
  const unsent: { change: RowChange; outcome: Outcome }[] = [];
  const keys = [...allRows(session, table, session.seq, `seq > ${acknowledged.position}`)].map(({ key }) => key);
  for (let start = 0; start < keys.length; start += ROWS_PER_STEP) {
    const some = keys.slice(start, start + ROWS_PER_STEP);
    const known = readRows(session, table, some);
    const present = known.flatMap((one, n) => (one.present ? [n] : []));
    const values = readBase(session, table, some, present);
    known.forEach(({ row }, n) => {
      const part = row && unsentPart(row, acknowledged);
      if (!part) return;
      const pk = table.pk(some[n] as RawRow, 0);
      const options = { floor: acknowledged.floor, exclude: null };
      const change = rowToChange(table.model, pk, part.row, values.get(n) ?? {}, options);
      if (!change) return;
      unsent.push({ change, outcome: recordOf(part, change) });
    });
  }
  return unsent;
}

/** The log must be empty. What is set aside stands under the node's own id, so that no exchange with a peer settles it. */
export function beginRejoin(
  session: Session,
  tables: readonly Table[],
  collected: number,
  rounds: readonly Round[],
  at: RejoinPeer | null,
): void {
  const { statements } = session;
  const peers = statements
    .rows("SELECT peer, push_cursor FROM _grove_peers")
    .map(([peer, cursor]) => [peer as string, cursor as string | null] as const);
  const facts = { self: session.node, collected, rounds, peers, at };
  const unsent = tables.flatMap((table) => unsentOf(session, table, acknowledgedBy(facts, table.model.name)));
  statements.run("DELETE FROM _grove_parked WHERE peer IS NULL OR sent = 0");
  for (const one of outdatedRecords(readRejections(statements, null), session.node, collected))
    statements.run("UPDATE _grove_parked SET change = ? WHERE id = ?", outdatedText(one), one.id);
  // What was set aside before stays, also of these rows: it may have been written to another life of theirs.
  for (const { change, outcome } of unsent) recordRejection(session, session.node, true, change, outcome);
  for (const { cells, shadow } of tables) {
    statements.run(`DELETE FROM ${cells}`);
    statements.run(`UPDATE ${shadow} SET ${FORGET_LIVES}`);
  }
  statements.run("DELETE FROM _grove_hidden_keys");
  statements.run("DELETE FROM _grove_elsewhere");
  statements.run("UPDATE _grove_trees SET shape = ''");
  // Where peers were seen stays true, and tells them what of theirs may be known here.
  statements.run("UPDATE _grove_peers SET pull_cursor = NULL, push_cursor = NULL");
  statements.run(
    "INSERT INTO _grove_collection (id, upto, rounds, rejoining) VALUES (1, ?, ?, 1) ON CONFLICT (id) DO UPDATE SET upto = excluded.upto, rounds = excluded.rounds, rejoining = 1",
    collected,
    JSON.stringify(rounds),
  );
  session.renew();
  statements.run("UPDATE _grove_collection SET closed = ?", session.incarnation);
}

/** Keys of the rows of which the peer knows nothing, where history is to be told. */
function lackedRows({ statements }: Session, table: Table): Json[][] {
  if (!table.model.history) return [];
  const keys = table.model.key.map(({ name }) => ident(keyColumn(name)));
  return statements.rows(`SELECT ${keys.join(", ")} FROM ${table.shadow} WHERE cl = 0`).map((raw) => table.pk(raw, 0));
}

/** Takes rows out of the tables of which the peer knows nothing; returns how many. */
export function endRejoin(session: Session, tables: readonly Table[]): number {
  const { statements } = session;
  session.uncapture();
  statements.run("PRAGMA defer_foreign_keys = ON");
  let gone = 0;
  for (const table of tables) {
    const { name, shadow, model } = table;
    const same = model.key
      .map((column) => `s.${ident(keyColumn(column.name))} = t.${ident(column.name)}`)
      .join(" AND ");
    recordGoneRows(session, table, lackedRows(session, table));
    gone += statements.run(
      `DELETE FROM ${name} AS t WHERE EXISTS (SELECT 1 FROM ${shadow} s WHERE s.cl = 0 AND ${same})`,
    );
    statements.run(`DELETE FROM ${shadow} WHERE cl = 0`);
  }
  // What could not show beside them may be able to now.
  for (const row of readAllParked(session))
    if (tables.some(({ model }) => model.name === row.table)) session.touch(row);
  statements.run("UPDATE _grove_collection SET rejoining = 0");
  return gone;
}
