// Rejoining on SQLite: what nobody has acknowledged is set aside, the shadow is forgotten, and in the end rows go that the peer lacks.
import { type Acknowledged, type Outcome, type RowChange, rowToChange, unsentPart } from "@grove-crdt/core";
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

const ROWS_PER_STEP = 500;

function unsentOf(session: Session, table: Table, acknowledged: Acknowledged) {
  const rows: RowChange[] = [];
  const outcomes: Outcome[] = [];
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
      rows.push(change);
      outcomes.push(part.isWhole ? SET_ASIDE : { ...SET_ASIDE, fields: [...part.row.fields.keys()] });
    });
  }
  return { rows, outcomes };
}

/** The log must be empty. What is set aside stands under the node's own id, so that no exchange with a peer settles it. */
export function beginRejoin(session: Session, tables: readonly Table[], collected: number): void {
  const { statements } = session;
  const cursors = statements.rows("SELECT push_cursor FROM _grove_peers WHERE push_cursor IS NOT NULL");
  const acknowledged = acknowledgedBy(cursors.map(([cursor]) => cursor as string));
  const unsent = tables.map((table) => unsentOf(session, table, acknowledged));
  statements.run("DELETE FROM _grove_parked WHERE peer IS NULL OR sent = 0");
  for (const { rows, outcomes } of unsent) settleRejections(session, session.node, true, rows, outcomes);
  for (const { cells, shadow } of tables) {
    statements.run(`DELETE FROM ${cells}`);
    statements.run(`UPDATE ${shadow} SET ${FORGET_LIVES}`);
  }
  statements.run("DELETE FROM _grove_hidden_keys");
  statements.run("DELETE FROM _grove_elsewhere");
  statements.run("UPDATE _grove_trees SET shape = ''");
  statements.run(`UPDATE _grove_peers SET ${FORGET_CURSORS}`);
  statements.run(
    "INSERT INTO _grove_collection (id, upto, rounds, rejoining) VALUES (1, ?, '[]', 1) ON CONFLICT (id) DO UPDATE SET upto = excluded.upto, rounds = '[]', rejoining = 1",
    collected,
  );
  session.renew();
  statements.run("UPDATE _grove_collection SET closed = ?", session.incarnation);
}

/** Takes rows out of the tables of which the peer knows nothing; returns how many. */
export function endRejoin(session: Session, tables: readonly Table[]): number {
  const { statements } = session;
  session.uncapture();
  statements.run("PRAGMA defer_foreign_keys = ON");
  let gone = 0;
  for (const { name, shadow, model } of tables) {
    const same = model.key
      .map((column) => `s.${ident(keyColumn(column.name))} = t.${ident(column.name)}`)
      .join(" AND ");
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
