// Merge on SQLite: read what shadow and base table know of a page's rows, decide row by row, write.
import {
  adoptedRow,
  checkChange,
  decideMerge,
  GroveError,
  isGroveError,
  type Json,
  latestStamp,
  type Neighbours,
  needsBase,
  type Outcome,
  type Row,
  type RowChange,
} from "@grove-crdt/core";
import type { MergeResult } from "../store";
import { applyMerged } from "./apply";
import { anyParked, readRefusal } from "./parking";
import { linksOf, project } from "./projection";
import { readBase, readRows } from "./read";
import { keepReceived } from "./received";
import type { Session } from "./session";
import { keyText, type Table } from "./table";

interface Work {
  readonly index: number;
  readonly change: RowChange;
  readonly key: readonly unknown[];
  /** The greatest clock reading in the change. */
  readonly latest: number;
}

export interface MergeOptions {
  readonly from: string;
  /** Greatest stamp that is welcome, microseconds since 1970. */
  readonly horizon: number;
}

function refuse(error: unknown): Outcome {
  if (!isGroveError(error)) throw error;
  return { outcome: "rejected", code: error.code, message: error.message };
}

/** The page by table, in waves in which no key comes twice; what is not welcome gets its outcome at once. */
function sort(
  tables: ReadonlyMap<string, Table>,
  rows: readonly RowChange[],
  horizon: number,
  now: number,
  outcomes: Outcome[],
): Map<Table, Work[][]> {
  const work = new Map<Table, Work[][]>();
  const seen = new Map<Table, Map<string, number>>();
  rows.forEach((sent, index) => {
    try {
      const table = tables.get(sent.table);
      if (!table)
        throw new GroveError("unknown_table", `The table ${JSON.stringify(sent.table)} is not synced by this node.`);
      checkChange(table.model, sent);
      const key = table.keyParams(sent.pk);
      const change = { ...sent, pk: table.canonicalKey(key) };
      const latest = latestStamp(change);
      if (latest > horizon) {
        const seconds = ((latest - now) / 1e6).toFixed(1);
        outcomes[index] = {
          outcome: "refused",
          code: "clock_drift",
          message: `A stamp lies ${seconds} s ahead of this node's clock. Correct the clock of the node that wrote it.`,
        };
        return;
      }
      const text = keyText(change.pk);
      const keys = seen.get(table) ?? new Map<string, number>();
      seen.set(table, keys);
      const wave = keys.get(text) ?? 0;
      keys.set(text, wave + 1);
      const waves = work.get(table) ?? [];
      work.set(table, waves);
      waves[wave] ??= [];
      waves[wave].push({ index, change, key, latest });
    } catch (error) {
      outcomes[index] = refuse(error);
    }
  });
  return work;
}

function mergeWave(
  session: Session,
  table: Table,
  around: Neighbours,
  wave: readonly Work[],
  from: string,
  outcomes: Outcome[],
): Work[] {
  const keys = wave.map((work) => work.key);
  const known = readRows(session, table, keys);
  // A row that is there and was never captured counts as adopted: its values are the oldest, and none is lost unseen.
  const rows = known.map(({ row, present }) => row ?? (present ? adoptedRow(session.next) : null));
  const places = wave.flatMap(({ change }, n) =>
    needsBase(table.model, rows[n] as Row | null, change) && known[n]!.present ? [n] : [],
  );
  const bases = places.length > 0 ? readBase(session, table, keys, places) : new Map<number, Record<string, Json>>();
  const changed: Work[] = [];
  wave.forEach((work, n) => {
    const { index, change, key, latest } = work;
    const { present } = known[n]!;
    const row = rows[n] as Row | null;
    const local = { row, present, values: bases.get(n) };
    try {
      const merged = decideMerge(table.model, local, change, { seq: session.next, from });
      if (merged.row !== row) {
        applyMerged(session, table, around, change.pk, key, merged, present);
        session.take();
        changed.push(work);
      }
      // Only now: a change that was rejected moves nothing.
      session.clock = Math.max(session.clock, latest);
      outcomes[index] = { outcome: merged.outcome };
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
  { from, horizon }: MergeOptions,
): MergeResult {
  const outcomes: Outcome[] = [];
  const links = linksOf(tables);
  const merged: { table: Table; written: Work[] }[] = [];
  for (const [table, waves] of sort(tables, rows, horizon, session.now, outcomes)) {
    const around = links.get(table.model.name) as Neighbours;
    const written = waves.flatMap((wave) => mergeWave(session, table, around, wave, from, outcomes));
    if (written.length === 0) continue;
    keepReceived(session, table, written);
    merged.push({ table, written });
  }
  if (merged.length === 0) return { outcomes, changed: false };
  project(session, tables);
  if (anyParked(session)) {
    for (const { table, written } of merged) {
      for (const { index, change } of written) {
        const refusal = readRefusal(session, table, change.pk);
        if (refusal) outcomes[index] = { outcome: "parked", code: refusal.code, message: refusal.message };
      }
    }
  }
  return { outcomes, changed: true };
}
