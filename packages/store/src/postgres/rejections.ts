// Rejected changes on Postgres, in `_grove_parked` under the peer's id; and what takes one back, or sends it again.
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
import { applyMerged } from "./apply";
import { printValues } from "./base-writes";
import type { PostgresTransaction } from "./driver";
import { mergePage } from "./merge";
import { project, type Tables } from "./projection";
import { keyList, readBase, readRows } from "./read";
import { RowAppeared, type Session } from "./session";
import { ShadowWrites } from "./shadow-writes";
import { toParams } from "./sql";
import type { Table } from "./table";
import { forgetInTree } from "./tree";

type Reader = Pick<PostgresTransaction, "rows">;

/** Records what was rejected, and forgets the records of rows that were taken after all. `sent`: the peer rejected it. */
export async function settleRejections(
  session: Session,
  peer: string,
  sent: boolean,
  rows: readonly RowChange[],
  outcomes: readonly Outcome[],
): Promise<void> {
  const settled = rows.flatMap((change, n) => {
    const outcome = outcomes[n] as Outcome;
    return outcome.outcome === "refused" ? [] : [{ change, outcome }];
  });
  if (settled.length === 0) return;
  const keys = settled.map(({ change }) => [change.table, JSON.stringify(change.pk)]);
  await session.rows(
    `DELETE FROM public._grove_parked p USING unnest($3::text::text[], $4::text::text[]) AS v(tbl, pk)
WHERE p.peer = $1::text AND p.sent = $2::text::integer AND p.tbl = v.tbl AND p.pk = v.pk`,
    [peer, String(Number(sent)), ...toParams(2, keys)],
  );
  const rejected = settled.filter(({ outcome }) => outcome.outcome === "rejected");
  await recordRejections(session, peer, sent, rejected);
}

/** Beside what is on record of the rows. */
export async function recordRejections(
  session: Session,
  peer: string,
  sent: boolean,
  rejected: readonly { readonly change: RowChange; readonly outcome: Outcome }[],
): Promise<void> {
  if (rejected.length === 0) return;
  await session.rows(
    `INSERT INTO public._grove_parked (peer, sent, at, tbl, pk, code, message, change)
SELECT $1::text, $2::text::integer, $3::text::bigint, v.* FROM unnest($4::text::text[], $5::text::text[], $6::text::text[], $7::text::text[], $8::text::text[]) v`,
    [
      peer,
      String(Number(sent)),
      String(session.now),
      ...toParams(
        5,
        rejected.map(({ change, outcome }) => {
          const { code = "bad_change", message = "" } = outcome;
          return [change.table, JSON.stringify(change.pk), code, message, rejectionText(change, outcome)];
        }),
      ),
    ],
  );
}

/** Whether anything is on record of a peer. */
export const anyRejected = async (reader: Reader, peer: string, sent: boolean): Promise<boolean> =>
  (
    await reader.rows("SELECT 1 FROM public._grove_parked WHERE peer = $1::text AND sent = $2::text::integer LIMIT 1", [
      peer,
      String(Number(sent)),
    ])
  ).length > 0;

/** Keys, as canonical texts, of a table's rows that `peer` rejected: it may lack parts of them that it was sent before. */
export async function readRejected(reader: Reader, table: Table, peer: string): Promise<ReadonlySet<string>> {
  const rows = await reader.rows(
    "SELECT pk FROM public._grove_parked WHERE peer = $1::text AND sent = 1 AND tbl = $2::text",
    [peer, table.model.name],
  );
  return new Set(rows.map(([pk]) => keyText(JSON.parse(pk as string) as Json[])));
}

/** The peers that rejected anything. */
export async function readRejecting(reader: Reader): Promise<ReadonlySet<string>> {
  const rows = await reader.rows("SELECT DISTINCT peer FROM public._grove_parked WHERE peer IS NOT NULL AND sent = 1");
  return new Set(rows.map(([peer]) => peer as string));
}

/** All of them, or the one with this id. */
export async function readRejections(reader: Reader, id: number | null): Promise<RejectedChange[]> {
  const where = id === null ? "" : " AND id = $1::text::bigint";
  const sql = `SELECT ${REJECTION_COLUMNS} FROM public._grove_parked WHERE sent IS NOT NULL${where} ORDER BY id`;
  return (await reader.rows(sql, id === null ? [] : [String(id)])).map(rowToRejection);
}

export const forgetRejection = async (reader: Reader, id: number): Promise<boolean> =>
  (await reader.rows("DELETE FROM public._grove_parked WHERE id = $1::text::bigint RETURNING 1", [String(id)])).length >
  0;

/** Numbers a row anew, so that it comes up again for those who rejected it. */
export async function renumber(session: Session, table: Table, pk: readonly Json[]): Promise<void> {
  const key = table.keyParams(pk);
  const row = (await readRows(session, table, [key]))[0]?.row;
  if (!row) return;
  const shadow = new ShadowWrites(session, table);
  shadow.add(key, unchanged({ ...row, seq: session.next }));
  session.take();
  await shadow.flush();
}

/**
 * Takes back what a peer rejected, inside the caller's transaction.
 *
 * @param theirs the row as the peer has it; null = it has none
 * @param fold folds what was captured since the last look
 */
export async function revert(
  session: Session,
  tables: Tables,
  table: Table,
  rejection: RejectedChange,
  theirs: RowChange | null,
  fold: () => Promise<unknown>,
): Promise<void> {
  const { pk, peer, change, fields } = rejection;
  const { model } = table;
  const key = table.keyParams(pk);
  // Whoever writes the row meanwhile waits, and writes after this.
  const locked = (await session.rows(table.lockBase(true, false), keyList(table, [key]))).length > 0;
  await fold();
  const { row = null, present = false } = (await readRows(session, table, [key]))[0] ?? {};
  if (present && !locked) throw new RowAppeared();
  const values = (present && (await readBase(session, table, [key], [0])).get(0)) || {};
  const mine = row && wholeState(model, pk, row, values);
  if (!mine) return;
  // Whoever still has what goes must not meet its stamp again on another value.
  session.clock = Math.max(session.clock, latestStamp(mine)) + 1;
  const plan = decideRevert(model, { row, present, values }, mine, change, theirs, {
    whole: fields === null,
    peer,
    seq: session.next,
  });
  const horizon = Number.MAX_SAFE_INTEGER;
  if (plan.kind === "forget") {
    await mergePage(session, tables, [plan.tombstone], { from: peer, horizon, fold });
    const after = (await readRows(session, table, [key]))[0];
    // While another row refers to it, it shows, and stays as deleted as it is.
    if (!after?.row || after.present) return;
    const id = [String(after.row.id)];
    await session.rows(`DELETE FROM ${table.cells} WHERE "row" = $1::text::bigint`, id);
    await session.rows(`DELETE FROM ${table.shadow} WHERE id = $1::text::bigint`, id);
    await forgetInTree(session, table, [after.row.id]);
  } else if (plan.kind === "replace") {
    const { changes, rest, recounts } = plan;
    if (recounts) session.renew();
    const around = linksOf(tables).get(model.name) as Neighbours;
    const printed = printValues(table, changes.base);
    session.take();
    await applyMerged(session, table, around, [{ pk, key, changes, present, printed }]);
    await project(session, tables);
    if (rest) await mergePage(session, tables, [rest], { from: session.node, horizon, fold });
  }
}
