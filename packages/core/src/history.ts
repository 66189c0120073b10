// History: what was known of a row, and when. A record holds what one transaction made of the row, as a peer would be sent it; so
// the row of any time is the join of its records up to then, by the rules of merging and no others. What a peer wrote and lost is
// a record as well, since the row itself never shows it.
import { FIELD_PARTS, type RowChange } from "./change";
import { type RowThen, rowOf } from "./history-row";
import type { Json, TableModel } from "./model";
import { isAlive, rowValues } from "./row";
import { rowToChange } from "./serve";
import { isInView, type TableView } from "./view";

/**
 * part: what a transaction changed. whole: all that was known of the row after it; older records do not matter then. new: the
 * same, of a row that nobody here knew before. gone: the row was forgotten. overruled: what a peer wrote and lost.
 */
export const HISTORY_KINDS = ["part", "whole", "new", "gone", "overruled"] as const;
export type HistoryKind = (typeof HISTORY_KINDS)[number];

/** One record of a row's history. */
export interface HistoryRecord {
  /** Grows with time. */
  readonly id: number;
  /** When the node heard of it, or had it written: microseconds since 1970, by the node's own clock. */
  readonly at: number;
  readonly kind: HistoryKind;
  /** The peer that sent it; null = written here, or decided here. */
  readonly from: string | null;
  readonly change: RowChange;
}

/** The row after one more record; null while nothing is known of it. */
export function rowAfter(model: TableModel, before: RowThen | null, { kind, change }: HistoryRecord): RowThen | null {
  if (kind === "overruled") return before;
  if (kind === "gone") return null;
  return rowOf(model, kind === "part" ? before : null, change);
}

/** The row that records make, the oldest first. */
export const joinHistory = (model: TableModel, records: readonly HistoryRecord[]): RowThen | null =>
  records.reduce<RowThen | null>((before, record) => rowAfter(model, before, record), null);

/** All that was known, as it would travel. */
export const changeOf = (model: TableModel, pk: readonly Json[], { row, values }: RowThen): RowChange =>
  rowToChange(model, pk, row, values, { floor: 0, exclude: null }) as RowChange;

/** Whether the record says what the row became. */
const isTold = ({ kind }: HistoryRecord): boolean => kind !== "overruled";

export interface BoundedHistory {
  /** What is left, the oldest first. */
  readonly records: readonly HistoryRecord[];
  /** The record that now stands for what lay before the bounds; null where there is none that was not there before. */
  readonly joined: HistoryRecord | null;
  /** Ids of the records that are no more. */
  readonly gone: readonly number[];
}

/**
 * A row's history within its bounds: what lies before them is joined into one record. Of a row that was deleted before them, nothing
 * is left.
 *
 * @param records all of the row's, the oldest first
 * @param before microseconds since 1970: what was heard up to it lies before the bounds
 */
export function boundHistory(
  model: TableModel,
  records: readonly HistoryRecord[],
  before: number,
  depth = Number.POSITIVE_INFINITY,
): BoundedHistory {
  const old = records.findLastIndex(({ at }) => at <= before) + 1;
  const count = Math.max(old, records.length - depth);
  if (count <= 0) return { records, joined: null, gone: [] };
  const [some, rest] = [records.slice(0, count), records.slice(count)];
  const last = some.findLast(isTold);
  const then = joinHistory(model, some);
  const hasEnded = !then || (!isAlive(then.row) && old === count && !rest.some(isTold));
  if (!last || !then || hasEnded) return { records: rest, joined: null, gone: some.map(({ id }) => id) };
  if (count === 1) return { records, joined: null, gone: [] };
  const joined: HistoryRecord = { ...last, kind: "whole", from: null, change: changeOf(model, last.change.pk, then) };
  const gone = some.flatMap(({ id }) => (id === last.id ? [] : [id]));
  return { records: [joined, ...rest], joined, gone };
}

/** A row as it was. */
export interface StateThen {
  /** Since when it was so, and no more than what is kept tells: microseconds since 1970. */
  readonly since: number;
  /** The peer that brought its last change; null = it was made here. */
  readonly from: string | null;
  /** All that was known of the row, stamps included. */
  readonly change: RowChange;
}

/**
 * The row at a time; null where nobody here knew of it, `unknown` where what is kept does not reach so far back.
 *
 * @param at microseconds since 1970
 */
export function stateThen(
  model: TableModel,
  records: readonly HistoryRecord[],
  at: number,
): StateThen | null | "unknown" {
  const [first] = records;
  if (!first) return null;
  const until = records.filter((record) => record.at <= at && isTold(record));
  const last = until.at(-1);
  if (!last) return begins(records) ? null : "unknown";
  const then = joinHistory(model, until);
  return then && { since: last.at, from: last.from, change: changeOf(model, last.change.pk, then) };
}

/** Whether the first thing that is known of the row is that it came. */
const begins = (records: readonly HistoryRecord[]): boolean => records.find(isTold)?.kind === "new";

/** The values of a row as it was, by column; null when it was deleted. */
export function valuesThen(model: TableModel, change: RowChange): Record<string, Json> | null {
  const { row, values } = rowOf(model, null, change);
  if (!isAlive(row)) return null;
  const key = Object.fromEntries(model.key.map((column, n) => [column.name, change.pk[n] as Json]));
  return { ...key, ...rowValues(model, row, values) };
}

/**
 * The records that a reader may see: those after which the row was among its rows, if it is so still. Of what was overruled the
 * life that it was written to counts as well.
 */
export function seenHistory(
  model: TableModel,
  view: TableView | undefined,
  records: readonly HistoryRecord[],
): readonly HistoryRecord[] {
  const last = joinHistory(model, records);
  const [first] = records;
  if (!view || !first) return records;
  const isSeen = (then: RowThen | null, pk: readonly Json[]) =>
    then !== null && isInView(model, view, pk, then.row, then.values);
  if (!isSeen(last, first.change.pk)) return [];
  const seen: HistoryRecord[] = [];
  let then: RowThen | null = null;
  let isWhole = true;
  for (const record of records) {
    const { change, kind } = record;
    then = rowAfter(model, then, record);
    const own = kind === "overruled" && then && change.cl !== then.row.cl ? rowOf(model, null, change) : then;
    const shows = isSeen(then, change.pk) && isSeen(own, change.pk);
    if (kind !== "overruled") {
      // Of a row that has come into the view the reader has nothing yet.
      const { kind: shown, change: all }: Pick<HistoryRecord, "kind" | "change"> =
        isWhole || !then ? record : { kind: "new", change: changeOf(model, change.pk, then) };
      isWhole = shows;
      if (shows) seen.push(limited({ ...record, kind: shown, change: all }, view));
    } else if (shows) seen.push(limited(record, view));
  }
  return seen;
}

/** Without what the view does not show of the row. */
const limited = (record: HistoryRecord, { fields }: TableView): HistoryRecord =>
  fields ? { ...record, change: onlyFields(record.change, fields) } : record;

function onlyFields(change: RowChange, fields: ReadonlySet<string>): RowChange {
  const parts = FIELD_PARTS.map((type) => [
    type,
    change[type] && Object.fromEntries(Object.entries(change[type]).filter(([name]) => fields.has(name))),
  ]);
  return { ...change, ...Object.fromEntries(parts.filter(([, part]) => part)) };
}
