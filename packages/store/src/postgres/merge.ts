// Merge on Postgres: lock the rows of a page, fold, read what shadow and base table know, decide row by row, write. Only
// rows that were locked are updated or deleted; others are inserted unless somebody was faster, and then all begins anew.
import {
  adoptedRow,
  type ChangeSet,
  checkChange,
  decideMerge,
  GroveError,
  hide,
  isAlive,
  isGroveError,
  type Json,
  latestStamp,
  type Merged,
  needsBase,
  type Outcome,
  type Row,
  type RowChange,
  valueCells,
} from "@grove-crdt/core";
import type { MergeResult } from "../store";
import { applyBase, type Contention, fieldParam, RowAppeared, ShadowWrites } from "./apply";
import { isRefusal } from "./driver";
import { BUSY, keepBusy, type ParkRow, park, readLocal, unpark, writeLocal } from "./parking";
import { project } from "./projection";
import { type KnownRow, keyList, readBase, readRows } from "./read";
import { keepReceived } from "./received";
import type { Session } from "./session";
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

export interface MergeOptions extends Contention {
  readonly from: string;
  /** Greatest stamp that is welcome, microseconds since 1970. */
  readonly horizon: number;
  /** Folds what was captured since the last look. */
  readonly fold: () => Promise<void>;
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
async function lock(
  session: Session,
  table: Table,
  work: readonly Work[],
  giveWay: boolean,
  outcomes: Outcome[],
): Promise<Work[]> {
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

/** A decided row on its way into the database. */
interface Decided {
  readonly work: Work;
  readonly key: readonly string[];
  readonly merged: Merged;
  readonly write: Merged["base"];
  readonly known: KnownRow;
}

async function mergeWave(
  session: Session,
  table: Table,
  wave: readonly Work[],
  options: MergeOptions,
  outcomes: Outcome[],
  ours: Set<string>,
): Promise<Work[]> {
  const { from, giveWay } = options;
  const keys = wave.map((work) => work.key);
  const known = await readRows(session, table, keys);
  // A row that is there and was never captured counts as adopted: its values are the oldest, and none is lost unseen.
  const rows = known.map(({ row, present }) => row ?? (present ? adoptedRow(session.next) : null));
  const places = wave.flatMap(({ change }, n) =>
    needsBase(table.model, rows[n] as Row | null, change) && known[n]!.present ? [n] : [],
  );
  const bases = await readBase(session, table, keys, places);
  const decided: Decided[] = [];
  const busy: Work[] = [];
  wave.forEach((work, n) => {
    const { present } = known[n]!;
    if (present && !work.locked && !ours.has(keyText(work.change.pk))) {
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
        decided.push({ work, key: work.key, merged, write: merged.base, known: known[n]! });
        session.take();
      }
      // Only now: a change that was rejected moves nothing.
      session.clock = Math.max(session.clock, work.latest);
      outcomes[work.index] = { outcome: merged.outcome };
    } catch (error) {
      outcomes[work.index] = refuse(error);
    }
  });

  const refusals = await applyBase(session, table, decided, options);
  const writes = new ShadowWrites(session, table);
  const parked: ParkRow[] = [];
  const shown: Decided[] = [];
  const gone: (readonly Json[])[] = [];
  const takenOut: (Decided & { readonly refusal: { code: string; message: string } })[] = [];
  for (const item of decided) {
    const { work, key, merged, known } = item;
    const { pk } = work.change;
    const refusal = refusals.get(item);
    if (refusal?.code === BUSY.code) {
      busy.push(work);
    } else if (!refusal) {
      ours.add(keyText(pk));
      const isShown = merged.base.op === "insert" && merged.row.id !== 0;
      if (isShown) shown.push(item);
      else if (!isAlive(merged.row)) gone.push(pk);
      writes.add(key, isShown ? withoutValueCells(table, merged) : merged);
    } else if (known.present) takenOut.push({ ...item, refusal });
    else {
      writes.add(key, hide(table.model, merged, written(merged)));
      parked.push({ pk, ...refusal });
    }
  }
  await takeOut(session, table, takenOut, writes, parked);
  await writes.flush();
  await writeLocal(
    session,
    table,
    shown.map(({ work }) => work.change.pk),
  );
  await unpark(session, table, [...shown.map(({ work }) => work.change.pk), ...gone]);
  await park(session, table, parked);
  await keepBusy(
    session,
    from,
    busy.map(({ change }) => change),
  );
  for (const { index } of busy) outcomes[index] = { outcome: "parked", ...BUSY };
  const waiting = new Set(busy);
  return decided.map(({ work }) => work).filter((work) => !waiting.has(work));
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

/** Takes rows that can no longer be as they are out of the base table; what they had waits to be shown again. */
async function takeOut(
  session: Session,
  table: Table,
  rows: readonly (Decided & { readonly refusal: { code: string; message: string } })[],
  writes: ShadowWrites,
  parked: ParkRow[],
): Promise<void> {
  if (rows.length === 0) return;
  const keys = rows.map(({ key }) => key);
  const bases = await readBase(session, table, keys, [...keys.keys()]);
  const locals = await readLocal(session, table, keys);
  await session.rows(table.deleteBase, keyList(table, keys));
  rows.forEach(({ work, key, merged, refusal }, n) => {
    const values = { ...bases.get(n), ...written(merged) };
    writes.add(key, hide(table.model, merged, values));
    parked.push({ pk: work.change.pk, ...refusal, local: locals.get(n) ?? null });
  });
}

const written = ({ base }: ChangeSet) => (base.op === "insert" || base.op === "update" ? base.values : {});

/** The base table has the row now, so the cells that held LWW values go. */
function withoutValueCells(table: Table, changes: ChangeSet): ChangeSet {
  const lww = new Set(table.model.fields.filter((field) => field.type === "lww").map((field) => field.name));
  return {
    ...changes,
    cells: changes.cells.filter((cell) => !lww.has(cell.field)),
    deletes: [...new Set([...changes.deletes, ...valueCells(table.model, changes.row)])],
  };
}

/** Merges a page inside the caller's transaction. */
export async function mergePage(
  session: Session,
  tables: ReadonlyMap<string, Table>,
  rows: readonly RowChange[],
  options: MergeOptions,
): Promise<MergeResult> {
  const outcomes: Outcome[] = [];
  let changed = false;
  const work = [...sort(tables, rows, options.horizon, session.now, outcomes)];
  // Before the locks, so that what a fold shows or hides is locked as well; and after, for what came in between.
  await options.fold();
  const locked: [Table, Work[]][] = [];
  for (const [table, items] of work) locked.push([table, await lock(session, table, items, options.giveWay, outcomes)]);
  await options.fold();
  for (const [table, items] of locked) {
    const written: Work[] = [];
    const ours = new Set<string>();
    for (const wave of waves(items)) written.push(...(await mergeWave(session, table, wave, options, outcomes, ours)));
    if (written.length === 0) continue;
    changed = true;
    await keepReceived(session, table, written);
    const parked = await project(session, table);
    if (parked.size === 0) continue;
    for (const { index, change } of written) {
      const refusal = parked.get(keyText(change.pk));
      if (refusal) outcomes[index] = { outcome: "parked", code: refusal.code, message: refusal.message };
    }
  }
  return { outcomes, changed };
}
