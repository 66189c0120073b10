// Merge on SQLite: read what shadow and base table know of a page's rows, decide row by row, write.
import {
  checkChange,
  decideMerge,
  GroveError,
  isGroveError,
  type Json,
  latestStamp,
  needsBase,
  type Outcome,
  type RowChange,
} from "@grove-crdt/core";
import type { MergeResult } from "../store";
import { applyMerged, tryShow } from "./apply";
import { readBase, readRows } from "./read";
import type { Session } from "./session";
import { keyText, type Table } from "./table";

/** Hidden rows that one merge tries again. */
const RETRIES = 200;

interface Work {
  readonly index: number;
  readonly change: RowChange;
  readonly key: readonly unknown[];
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
  rows.forEach((change, index) => {
    try {
      const table = tables.get(change.table);
      if (!table)
        throw new GroveError("unknown_table", `The table ${JSON.stringify(change.table)} is not synced by this node.`);
      checkChange(table.model, change);
      const key = table.keyParams(change.pk);
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
      waves[wave].push({ index, change, key });
    } catch (error) {
      outcomes[index] = refuse(error);
    }
  });
  return work;
}

function mergeWave(session: Session, table: Table, wave: readonly Work[], from: string, outcomes: Outcome[]): boolean {
  const keys = wave.map((work) => work.key);
  const known = readRows(session, table, keys);
  const places = wave.flatMap(({ change }, n) =>
    needsBase(table.model, known[n]!.row, change) && known[n]!.present ? [n] : [],
  );
  const bases = places.length > 0 ? readBase(session, table, keys, places) : new Map<number, Record<string, Json>>();
  let changed = false;
  wave.forEach(({ index, change, key }, n) => {
    const { row, present } = known[n]!;
    const local = { row, present, values: bases.get(n) };
    const context = { seq: session.next, from };
    try {
      const merged = decideMerge(table.model, local, change, context);
      session.clock = Math.max(session.clock, latestStamp(change));
      if (merged.row === row) {
        outcomes[index] = { outcome: merged.outcome };
        return;
      }
      const readValues = () => readBase(session, table, keys, [n]).get(n) ?? {};
      const refusal = applyMerged(session, table, change.pk, key, merged, present, readValues, session.now);
      session.take();
      changed = true;
      outcomes[index] = refusal ? { outcome: "parked", ...refusal } : { outcome: merged.outcome };
    } catch (error) {
      outcomes[index] = refuse(error);
    }
  });
  return changed;
}

/** Shows hidden rows whose obstacle may be gone, until none moves. */
export function retryParked(session: Session, tables: ReadonlyMap<string, Table>): void {
  for (let shown = true; shown; ) {
    shown = false;
    for (const [name, pkText] of session.statements.rows(
      "SELECT tbl, pk FROM _grove_parked WHERE change IS NULL ORDER BY id LIMIT ?",
      RETRIES,
    )) {
      const table = tables.get(name as string);
      if (!table) continue;
      const pk = JSON.parse(pkText as string) as Json[];
      const row = readRows(session, table, [table.keyParams(pk)])[0]?.row;
      if (row && tryShow(session, table, pk, row)) shown = true;
    }
  }
}

/** Merges a page inside the caller's transaction, with an empty log. */
export function mergePage(
  session: Session,
  tables: ReadonlyMap<string, Table>,
  rows: readonly RowChange[],
  { from, horizon }: MergeOptions,
): MergeResult {
  const outcomes: Outcome[] = [];
  let changed = false;
  for (const [table, waves] of sort(tables, rows, horizon, session.now, outcomes)) {
    for (const wave of waves) changed = mergeWave(session, table, wave, from, outcomes) || changed;
  }
  if (changed) retryParked(session, tables);
  return { outcomes, changed };
}
