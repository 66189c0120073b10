// Merge on Postgres: lock the rows of a page, fold, read what shadow and base table know, decide row by row, write. Only
// rows that were locked are updated or deleted; others are inserted unless somebody was faster, and then all begins anew.
import {
  adoptedRow,
  checkChange,
  decideMerge,
  GroveError,
  isAlive,
  isGroveError,
  latestStamp,
  type Merged,
  type Neighbours,
  needsBase,
  type Outcome,
  type Row,
  type RowChange,
} from "@grove-crdt/core";
import type { MergeResult } from "../store";
import { applyMerged, fieldParam, type MergedRow } from "./apply";
import { isRefusal } from "./driver";
import { anyParked, BUSY, keepBusy, readRefusals } from "./parking";
import { linksOf, project, type Tables } from "./projection";
import { keyList, readBase, readRows } from "./read";
import { keepReceived } from "./received";
import { RowAppeared, type Session } from "./session";
import { keyText, type Table } from "./table";
import { UnfitValue } from "./values";

interface Work {
  readonly index: number;
  readonly change: RowChange;
  readonly key: readonly string[];
  /** The greatest clock reading in the change. */
  readonly latest: number;
  /** The row is in the base table and locked by this transaction. */
  locked: boolean;
}

export interface MergeOptions {
  readonly from: string;
  /** Greatest stamp that is welcome, microseconds since 1970. */
  readonly horizon: number;
  /** Folds what was captured since the last look. */
  readonly fold: () => Promise<unknown>;
}

function refuse(error: unknown): Outcome {
  if (!isGroveError(error)) throw error;
  return { outcome: "rejected", code: error.code, message: error.message };
}

/** The page by table; what is not welcome gets its outcome at once. */
function sort(
  tables: ReadonlyMap<string, Table>,
  rows: readonly RowChange[],
  horizon: number,
  now: number,
  outcomes: Outcome[],
): Map<Table, Work[]> {
  const work = new Map<Table, Work[]>();
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
      const list = work.get(table) ?? [];
      work.set(table, list);
      list.push({ index, change, key, latest, locked: false });
    } catch (error) {
      outcomes[index] = refuse(error);
    }
  });
  return work;
}

/** Waves in which no key comes twice. */
function waves(work: readonly Work[]): Work[][] {
  const result: Work[][] = [];
  const seen = new Map<string, number>();
  for (const item of work) {
    const text = keyText(item.change.pk);
    const wave = seen.get(text) ?? 0;
    seen.set(text, wave + 1);
    result[wave] ??= [];
    result[wave].push(item);
  }
  return result;
}

/** Locks the rows that are there, in the order of their keys. A key that its column cannot hold is rejected here. */
async function lock(session: Session, table: Table, work: readonly Work[], outcomes: Outcome[]): Promise<Work[]> {
  const { giveWay } = session.manner;
  const good: Work[] = [];
  for (const forDelete of [false, true]) {
    const some = work.filter(({ change }) => isAlive(change) !== forDelete);
    await session.inHalves(
      some,
      (items) =>
        session.rows(
          table.lockBase(forDelete, giveWay),
          keyList(
            table,
            items.map(({ key }) => key),
          ),
        ),
      (items, places) => {
        for (const [place] of places) (items[Number(place) - 1] as Work).locked = true;
        good.push(...items);
      },
      ({ index, change }, error) => {
        const message = `The key ${JSON.stringify(change.pk)} does not fit ${table.model.name}: ${error.message}`;
        outcomes[index] = { outcome: "rejected", code: "bad_value", message };
      },
      isRefusal,
    );
  }
  return good.sort((a, b) => a.index - b.index);
}

/** @returns the rows that were written */
async function mergeWave(
  session: Session,
  table: Table,
  around: Neighbours,
  wave: readonly Work[],
  from: string,
  outcomes: Outcome[],
  ours: Set<string>,
): Promise<Work[]> {
  const { giveWay } = session.manner;
  const keys = wave.map((work) => work.key);
  const known = await readRows(session, table, keys);
  // A row that is there and was never captured counts as adopted: its values are the oldest, and none is lost unseen.
  const rows = known.map(({ row, present }) => row ?? (present ? adoptedRow(session.next) : null));
  const places = wave.flatMap(({ change }, n) =>
    needsBase(table.model, rows[n] as Row | null, change) && known[n]!.present ? [n] : [],
  );
  const bases = await readBase(session, table, keys, places);
  const decided: (MergedRow & { readonly work: Work })[] = [];
  const busy: Work[] = [];
  wave.forEach((work, n) => {
    const { present } = known[n]!;
    const { pk } = work.change;
    if (present && !work.locked && !ours.has(keyText(pk))) {
      if (!giveWay) throw new RowAppeared();
      busy.push(work);
      return;
    }
    const row = rows[n] as Row | null;
    try {
      const local = { row, present, values: bases.get(n) };
      const merged = decideMerge(table.model, local, work.change, { seq: session.next, from });
      if (merged.row !== row) {
        checkValues(table, merged);
        decided.push({ work, pk, key: work.key, changes: merged, present });
        session.take();
      }
      // Only now: a change that was rejected moves nothing.
      session.clock = Math.max(session.clock, work.latest);
      outcomes[work.index] = { outcome: merged.outcome };
    } catch (error) {
      outcomes[work.index] = refuse(error);
    }
  });
  const held = new Set(await applyMerged(session, table, around, decided));
  for (const item of decided) {
    if (held.has(item)) busy.push(item.work);
    else ours.add(keyText(item.pk));
  }
  await keepBusy(
    session,
    from,
    busy.map(({ change }) => change),
  );
  for (const { index } of busy) outcomes[index] = { outcome: "parked", ...BUSY };
  return decided.filter((item) => !held.has(item)).map(({ work }) => work);
}

/** Rejects values that are not of their column's kind, before anything is written. */
function checkValues(table: Table, { base }: Merged): void {
  if (base.op !== "insert" && base.op !== "update") return;
  for (const [name, value] of Object.entries(base.values)) {
    try {
      fieldParam(table.field(name), value);
    } catch (error) {
      if (!(error instanceof UnfitValue)) throw error;
    }
  }
}

/** Merges a page inside the caller's transaction. */
export async function mergePage(
  session: Session,
  tables: Tables,
  rows: readonly RowChange[],
  options: MergeOptions,
): Promise<MergeResult> {
  const outcomes: Outcome[] = [];
  const links = linksOf(tables);
  // A fold may have shown a row too late for the page's locks: this time before them.
  if (session.manner.appeared > 0) await options.fold();
  const locked: [Table, Work[]][] = [];
  for (const [table, items] of sort(tables, rows, options.horizon, session.now, outcomes))
    locked.push([table, await lock(session, table, items, outcomes)]);
  await options.fold();
  const merged: { readonly table: Table; readonly written: Work[] }[] = [];
  for (const [table, items] of locked) {
    const around = links.get(table.model.name) as Neighbours;
    const written: Work[] = [];
    const ours = new Set<string>();
    for (const wave of waves(items))
      written.push(...(await mergeWave(session, table, around, wave, options.from, outcomes, ours)));
    if (written.length === 0) continue;
    await keepReceived(session, table, written);
    merged.push({ table, written });
  }
  if (merged.length === 0) return { outcomes, changed: false };
  await project(session, tables);
  if (await anyParked(session)) {
    for (const { table, written } of merged) {
      const refusals = await readRefusals(
        session,
        table,
        written.map(({ change }) => change.pk),
      );
      for (const { index, change } of written) {
        const refusal = refusals.get(keyText(change.pk));
        if (refusal) outcomes[index] = { outcome: "parked", code: refusal.code, message: refusal.message };
      }
    }
  }
  return { outcomes, changed: true };
}
