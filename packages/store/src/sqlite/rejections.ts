// Rejected changes on SQLite, in `_grove_parked` under the peer's id; and what takes one back, or sends it again.
import {
  decideRevert,
  type Json,
  latestStamp,
  type Neighbours,
  type Outcome,
  type RowChange,
  unchanged,
  wholeState,
} from "@grove-crdt/core";
import { keyText } from "../key";
import { REJECTION_COLUMNS, type RejectedChange, rejectionText, rowToRejection } from "../rejection";
import { linksOf } from "../tables";
import { applyMerged, applyShadow } from "./apply";
import type { Statements } from "./driver";
import { mergePage } from "./merge";
import { project } from "./projection";
import { readBase, readRows } from "./read";
import type { Session } from "./session";
import type { Table } from "./table";
import { forgetInTree } from "./tree";

/** Records what was rejected, and forgets the records of rows that were taken after all. `sent`: the peer rejected it. */
export function settleRejections(
  session: Session,
  peer: string,
  sent: boolean,
  rows: readonly RowChange[],
  outcomes: readonly Outcome[],
): void {
  rows.forEach((change, n) => {
    const outcome = outcomes[n] as Outcome;
    if (outcome.outcome === "refused") return;
    session.statements.run(
      "DELETE FROM _grove_parked WHERE peer = ? AND sent = ? AND tbl = ? AND pk = ?",
      peer,
      Number(sent),
      change.table,
      JSON.stringify(change.pk),
    );
    if (outcome.outcome === "rejected") recordRejection(session, peer, sent, change, outcome);
  });
}

/** Beside what is on record of the row. */
export function recordRejection(
  { statements, now }: Session,
  peer: string,
  sent: boolean,
  change: RowChange,
  outcome: Outcome,
): void {
  const { code = "bad_change", message = "" } = outcome;
  statements.run(
    "INSERT INTO _grove_parked (peer, sent, tbl, pk, code, message, change, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    peer,
    Number(sent),
    change.table,
    JSON.stringify(change.pk),
    code,
    message,
    rejectionText(change, outcome),
    now,
  );
}

/** Whether anything is on record of a peer. */
export const anyRejected = (statements: Statements, peer: string, sent: boolean): boolean =>
  statements.row("SELECT 1 FROM _grove_parked WHERE peer = ? AND sent = ? LIMIT 1", peer, Number(sent)) !== undefined;

/** Keys, as canonical texts, of a table's rows that `peer` rejected: it may lack parts of them that it was sent before. */
export function readRejected(statements: Statements, table: Table, peer: string): ReadonlySet<string> {
  const rows = statements.rows(
    "SELECT pk FROM _grove_parked WHERE peer = ? AND sent = 1 AND tbl = ?",
    peer,
    table.model.name,
  );
  return new Set(rows.map(([pk]) => keyText(JSON.parse(pk as string) as Json[])));
}

/** The peers that rejected anything. */
export const readRejecting = (statements: Statements): ReadonlySet<string> =>
  new Set(
    statements
      .rows("SELECT DISTINCT peer FROM _grove_parked WHERE peer IS NOT NULL AND sent = 1")
      .map(([peer]) => peer as string),
  );

/** All of them, or the one with this id. */
export function readRejections(statements: Statements, id: number | null): RejectedChange[] {
  const where = id === null ? "peer IS NOT NULL" : "peer IS NOT NULL AND id = ?";
  const sql = `SELECT ${REJECTION_COLUMNS} FROM _grove_parked WHERE ${where} ORDER BY id`;
  return statements.rows(sql, ...(id === null ? [] : [id])).map(rowToRejection);
}

export const forgetRejection = (statements: Statements, id: number): number =>
  statements.run("DELETE FROM _grove_parked WHERE id = ?", id);

/** Numbers a row anew, so that it comes up again for those who rejected it. */
export function renumber(session: Session, table: Table, pk: readonly Json[]): void {
  const key = table.keyParams(pk);
  const row = readRows(session, table, [key])[0]?.row;
  if (!row) return;
  applyShadow(session, table, key, unchanged({ ...row, seq: session.next }));
  session.take();
}

/**
 * Takes back what a peer rejected, inside the caller's transaction and with an empty log.
 *
 * @param theirs the row as the peer has it; null = it has none
 */
export function revert(
  session: Session,
  tables: ReadonlyMap<string, Table>,
  table: Table,
  rejection: RejectedChange,
  theirs: RowChange | null,
): void {
  const { pk, peer, change, fields } = rejection;
  const key = table.keyParams(pk);
  const { row = null, present = false } = readRows(session, table, [key])[0] ?? {};
  const values = present ? (readBase(session, table, [key], [0]).get(0) ?? {}) : {};
  const mine = row && wholeState(table.model, pk, row, values);
  if (!mine) return;
  // Whoever still has what goes must not meet its stamp again on another value.
  session.clock = Math.max(session.clock, latestStamp(mine)) + 1;
  const plan = decideRevert(table.model, { row, present, values }, mine, change, theirs, {
    whole: fields === null,
    peer,
    seq: session.next,
  });
  const horizon = Number.MAX_SAFE_INTEGER;
  if (plan.kind === "forget") {
    mergePage(session, tables, [plan.tombstone], { from: peer, horizon });
    const after = readRows(session, table, [key])[0];
    // While another row refers to it, it shows, and stays as deleted as it is.
    if (!after?.row || after.present) return;
    session.statements.run(`DELETE FROM ${table.cells} WHERE row = ?`, after.row.id);
    session.statements.run(`DELETE FROM ${table.shadow} WHERE id = ?`, after.row.id);
    forgetInTree(session, table, [after.row.id]);
  } else if (plan.kind === "replace") {
    if (plan.recounts) session.renew();
    applyMerged(session, table, linksOf(tables).get(table.model.name) as Neighbours, pk, key, plan.changes, present);
    session.take();
    project(session, tables);
    if (plan.rest) mergePage(session, tables, [plan.rest], { from: session.node, horizon });
  }
}
