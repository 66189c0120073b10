// Merge on SQLite: read what shadow and base table know of a page's rows, decide row by row, write.
import {
  type Access,
  decideAdmitted,
  type Json,
  type Neighbours,
  type Outcome,
  type Row,
  type RowChange,
} from "@grove-crdt/core";
import { meet, type PageRow, refuse, sortPage, wavesOf } from "../page";
import type { MergeResult } from "../store";
import { allowed, linksOf } from "../tables";
import { applyMerged } from "./apply";
import { recordHistory } from "./history";
import { anyParked, readRefusal } from "./parking";
import { project } from "./projection";
import { readBase, readRows } from "./read";
import { keepReceived } from "./received";
import type { Session } from "./session";
import type { Table } from "./table";

type Work = PageRow<readonly unknown[]>;

export interface MergeOptions {
  readonly from: string;
  /** What the sender may change; absent = everything. */
  readonly access?: Access;
  /** Rows from this place on are this node's own. */
  readonly ownFrom?: number;
  /** They are what was told of columns before this schema had them. */
  readonly waited?: boolean;
  /** Greatest stamp that is welcome, microseconds since 1970. */
  readonly horizon: number;
}

function mergeWave(
  session: Session,
  table: Table,
  around: Neighbours,
  wave: readonly Work[],
  { from, access, ownFrom = Number.POSITIVE_INFINITY, waited }: MergeOptions,
  outcomes: Outcome[],
): Work[] {
  const keys = wave.map((work) => work.key);
  const known = readRows(session, table, keys);
  const { rows, places } = meet(table.model, wave, known, session.next, access?.view.get(table.model.name));
  const bases = places.length > 0 ? readBase(session, table, keys, places) : new Map<number, Record<string, Json>>();
  const changed: Work[] = [];
  wave.forEach((work, n) => {
    const { index, change, key, latest } = work;
    const { present } = known[n]!;
    const row = rows[n] as Row | null;
    const local = { row, present, values: bases.get(n) };
    try {
      const context = { seq: session.next, from: index < ownFrom ? from : session.node, waited };
      const { merged, outcome } = decideAdmitted(
        table.model,
        local,
        change,
        context,
        index < ownFrom ? access : undefined,
      );
      outcomes[index] = outcome;
      if (!merged) return;
      session.history?.met(table.model, row, change, context.from);
      if (merged.row !== row) {
        applyMerged(session, table, around, change.pk, key, merged, present);
        session.take();
        changed.push(work);
      }
      // Only now: a change that was rejected moves nothing.
      session.clock = Math.max(session.clock, latest);
    } catch (error) {
      outcomes[index] = refuse(error);
    }
  });
  return changed;
}

/** Merges a page inside the caller's transaction, with an empty log. */
export function mergePage(
  session: Session,
  tables: ReadonlyMap<string, Table>,
  rows: readonly RowChange[],
  options: MergeOptions,
): MergeResult {
  const outcomes: Outcome[] = [];
  const links = linksOf(tables);
  const merged: { table: Table; written: Work[] }[] = [];
  const open = allowed(tables, options.access);
  for (const [table, items] of sortPage(open, rows, options.horizon, session.now, outcomes)) {
    const around = links.get(table.model.name) as Neighbours;
    const written = wavesOf(items, outcomes).flatMap((wave) =>
      mergeWave(session, table, around, wave, options, outcomes),
    );
    if (written.length === 0) continue;
    keepReceived(session, table, written);
    merged.push({ table, written });
  }
  recordHistory(session, options.from);
  if (merged.length === 0) return { outcomes, changed: false };
  project(session, tables);
  if (anyParked(session)) {
    for (const { table, written } of merged) {
      for (const { index, change } of written) {
        const refusal = readRefusal(session, table, change.pk);
        if (refusal && outcomes[index]?.outcome !== "rejected")
          outcomes[index] = { outcome: "parked", code: refusal.code, message: refusal.message };
      }
    }
  }
  return { outcomes, changed: true };
}
