// Merge on Postgres: lock the rows of a page, fold, read what shadow and base table know, decide row by row, write. Only
// rows that were locked are updated or deleted; others are inserted unless somebody was faster, and then all begins anew.
import {
  type Access,
  decideAdmitted,
  isAlive,
  isLinked,
  type Neighbours,
  type Outcome,
  type Row,
  type RowChange,
} from "@grove-crdt/core";
import { keyText } from "../key";
import { meet, type PageRow, refuse, sortPage, wavesOf } from "../page";
import type { MergeResult } from "../store";
import { allowed, linksOf } from "../tables";
import { applyMerged, type MergedRow } from "./apply";
import { printValues } from "./base-writes";
import { BUSY, keepBusy } from "./busy";
import { isRefusal } from "./driver";
import { recordHistory } from "./history";
import { anyParked, readRefusals } from "./parking";
import { project, type Tables } from "./projection";
import { keyList, readBase, readRows } from "./read";
import { hasTriggers, keepReceived } from "./received";
import { RowAppeared, type Session } from "./session";
import { inSlices } from "./slices";
import type { Table } from "./table";

interface Work extends PageRow<readonly string[]> {
  /** The row is in the base table and locked by this transaction. */
  locked: boolean;
}

type Decided = MergedRow & { readonly work: Work };
interface Wave {
  readonly options: MergeOptions;
  readonly outcomes: Outcome[];
  /** Keys of rows that this transaction wrote, where they may come again. */
  readonly ours: Set<string> | null;
  /**
   * Nothing was folded, passed over or written since the rows were locked: the base table had those and no others. One that
   * came since is met by its insert; a change without one counts as made before it.
   */
  readonly quiet: boolean;
}

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
  /** Folds what was captured since the last look. */
  readonly fold: () => Promise<unknown>;
}

/** Locks the rows that are there, in the order of their keys. A key that its column cannot hold is rejected here. */
async function lock(
  session: Session,
  table: Table,
  rows: readonly PageRow<readonly string[]>[],
  outcomes: Outcome[],
): Promise<Work[]> {
  // Property by property: a spread of each row takes longer than all else here.
  const work = rows.map(({ index, change, key, latest }): Work => ({ index, change, key, latest, locked: false }));
  const { giveWay, careful } = session.manner;
  const good: Work[] = [];
  for (const forDelete of [false, true]) {
    const some = work.filter(({ change }) => isAlive(change) !== forDelete);
    await session.inHalves(
      some,
      async (items) => {
        const keys = keyList(
          table,
          items.map(({ key }) => key),
        );
        if (careful) await session.rows(table.castKeys, keys);
        return session.rows(table.lockBase(forDelete, giveWay), keys);
      },
      (items, places) => {
        for (const [place] of places) (items[Number(place) - 1] as Work).locked = true;
        good.push(...items);
      },
      ({ index, change }) => {
        const message = `The key ${JSON.stringify(change.pk)} does not fit ${table.model.name}.`;
        outcomes[index] = { outcome: "rejected", code: "bad_value", message };
      },
      isRefusal,
    );
  }
  return good.sort((a, b) => a.index - b.index);
}

/** Rows that are decided at a time, while the database writes those before them. */
const SLICE = 250;

/** @returns the rows that were written */
async function mergeWave(
  session: Session,
  table: Table,
  around: Neighbours,
  wave: readonly Work[],
  { options: { from, access, ownFrom = Number.POSITIVE_INFINITY, waited }, outcomes, ours, quiet }: Wave,
): Promise<Work[]> {
  const { giveWay, careful } = session.manner;
  const keys = wave.map((work) => work.key);
  const present = quiet ? wave.map(({ locked }) => locked) : undefined;
  const known = await readRows(session, table, keys, present);
  const { rows, places } = meet(table.model, wave, known, session.next, access?.view.get(table.model.name));
  const bases = await readBase(session, table, keys, places);
  const busy: Work[] = [];
  const decide = (work: Work, n: number): Decided | null => {
    const { present } = known[n]!;
    const { pk } = work.change;
    const isHeld = present && !work.locked && !ours?.has(keyText(pk));
    if (isHeld && !giveWay) throw new RowAppeared();
    const row = rows[n] as Row | null;
    try {
      const local = { row, present, values: bases.get(n) };
      const isOwn = work.index >= ownFrom;
      const context = { seq: session.next, from: isOwn ? session.node : from, waited };
      const { merged, outcome } = decideAdmitted(table.model, local, work.change, context, isOwn ? undefined : access);
      outcomes[work.index] = outcome;
      if (!merged) return null;
      session.history?.met(table.model, row, work.change, context.from);
      if (isHeld) {
        busy.push(work);
        return null;
      }
      const news = merged.row !== row;
      // What is not of its column's kind is rejected before anything is written.
      const printed = news ? printValues(table, merged.base) : undefined;
      if (news) session.take();
      // Only now: a change that was rejected moves nothing.
      session.clock = Math.max(session.clock, work.latest);
      return news ? { work, pk, key: work.key, changes: merged, present, printed } : null;
    } catch (error) {
      outcomes[work.index] = refuse(error);
      return null;
    }
  };
  // Rows that do not concern each other may be written in any order.
  const size = careful || isLinked(around) ? wave.length : SLICE;
  const decideSlice = (slice: readonly Work[], first: number) =>
    slice.flatMap((work, n) => decide(work, first + n) ?? []);
  const written = await inSlices(wave, size, decideSlice, async (decided) => {
    const held = new Set(await applyMerged(session, table, around, decided));
    return { decided, held };
  });
  const done: Work[] = [];
  for (const { decided, held } of written) {
    for (const item of decided) {
      if (held.has(item)) busy.push(item.work);
      else {
        ours?.add(keyText(item.pk));
        done.push(item.work);
      }
    }
  }
  for (const own of [false, true]) {
    const some = busy.filter(({ index }) => index >= ownFrom === own);
    await keepBusy(
      session,
      own ? session.node : from,
      some.map(({ change }) => change),
      { access: own ? undefined : access, waited },
    );
  }
  for (const { index } of busy) outcomes[index] = { outcome: "parked", ...BUSY };
  return done;
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
  for (const [table, items] of sortPage(allowed(tables, options.access), rows, options.horizon, session.now, outcomes))
    locked.push([table, await lock(session, table, items, outcomes)]);
  await options.fold();
  let quiet = !session.folded && !session.manner.careful;
  const merged: { readonly table: Table; readonly written: Work[] }[] = [];
  for (const [table, items] of locked) {
    const around = links.get(table.model.name) as Neighbours;
    const written: Work[] = [];
    const waves = wavesOf(items, outcomes);
    // What one wave wrote, the next may write again.
    const ours = waves.length > 1 ? new Set<string>() : null;
    for (const wave of waves) {
      written.push(...(await mergeWave(session, table, around, wave, { options, outcomes, ours, quiet })));
      quiet = false;
    }
    if (written.length > 0) merged.push({ table, written });
  }
  await recordHistory(session, options.from);
  if (merged.length === 0) return { outcomes, changed: false };
  // Together, since one answer does not depend on another.
  const [parked, triggers] = await Promise.all([
    anyParked(session),
    Promise.all(merged.map(({ table }) => hasTriggers(session, table))),
    session.flush(),
  ]);
  for (const [n, { table, written }] of merged.entries())
    await keepReceived(session, table, written, triggers[n] as boolean);
  // Rows to look at are those that the page touched and those that wait.
  if (!parked && !session.hasTouched) return { outcomes, changed: true };
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
        if (refusal && outcomes[index]?.outcome !== "rejected")
          outcomes[index] = { outcome: "parked", code: refusal.code, message: refusal.message };
      }
    }
  }
  return { outcomes, changed: true };
}
