// Touch: what the log says of one key since the last fold, its rows taken together, oldest first. It says only that the
// row was touched and what was before; nested triggers write in inverted order, so what is now comes from the table.
import { FIELDS_PER_MASK, type FieldModel, type Json, type TableModel } from "./model";
import type { Neighbours } from "./projection/link";
import type { Touched } from "./projection/query";

type Values = Readonly<Record<string, Json>>;

/** All log rows of one key, taken together. */
export interface Touch {
  /** Latest time of write, microseconds since 1970. */
  at: number;
  /** What the log rows are, oldest first: one letter each, see {@link LogRow}. */
  ops: string;
  inserted: boolean;
  deleted: boolean;
  /** The row has no shadow, but was in the table before these writes: see {@link existedBefore}. */
  existed?: boolean;
  /** Bits of the changed fields, {@link FIELDS_PER_MASK} to a number. */
  readonly masks: number[];
  /** Value of each changed counter and set before its first captured write. */
  before: Values | null;
  /**
   * Where deleted rows keep values: what the row had when it was deleted last, canonical, what {@link before} said until
   * then, and what it had when it was deleted first, where that was another time: that life others may know.
   */
  old?: { readonly values: Values; readonly before: Values | null; readonly first?: Values };
}

/** One row of the log. */
export interface LogRow {
  /** I inserted, U updated, D deleted, R perhaps replaced by a row with another key. */
  readonly op: string;
  /** Microseconds since 1970. */
  readonly at: number;
  /** As many as the table has mask columns; null where nothing is said. */
  readonly masks: readonly (number | null)[];
  /** Canonical: of an update the old values of changed counters and sets, of a delete the old row where it is kept. */
  readonly before: Values | null;
}

export const noTouch = (masks: number): Touch => ({
  at: 0,
  ops: "",
  inserted: false,
  deleted: false,
  masks: Array<number>(masks).fill(0),
  before: null,
});

/** @param present whether the table has the row now */
export function addLogRow(touch: Touch, { op, at, masks, before }: LogRow, present: boolean): void {
  touch.ops += op;
  touch.at = Math.max(touch.at, at);
  if (op === "I") touch.inserted = true;
  // A row that a REPLACE may have removed: gone means deleted, still there means nothing happened.
  else if (op === "D" || (op === "R" && !present)) {
    touch.deleted = true;
    const earlier = touch.old && { first: touch.old.first ?? touch.old.values };
    if (before) touch.old = { values: before, before: touch.before, ...earlier };
    // What a field was before belongs to the life that has ended.
    touch.before = null;
  }
  for (let n = 0; n < touch.masks.length; n++) {
    const mask = masks[n] ?? null;
    if (mask !== null) touch.masks[n] = union(touch.masks[n] as number, mask);
  }
  // The first captured write of a field tells what it was before.
  if (op === "U" && before) touch.before = { ...before, ...touch.before };
}

/** Bitwise or of masks of up to 52 bits: the operator alone has 32. */
const HIGH = 2 ** 26;
const union = (a: number, b: number): number =>
  a === b ? a : (Math.floor(a / HIGH) | Math.floor(b / HIGH)) * HIGH + ((a % HIGH) | (b % HIGH));

/** The masks that name these fields. */
export function masksOf({ fields }: TableModel, names: readonly string[]): number[] {
  const masks = Array<number>(Math.max(1, Math.ceil(fields.length / FIELDS_PER_MASK))).fill(0);
  fields.forEach(({ name }, index) => {
    if (!names.includes(name)) return;
    const place = Math.floor(index / FIELDS_PER_MASK);
    masks[place] = (masks[place] as number) + 2 ** (index % FIELDS_PER_MASK);
  });
  return masks;
}

/** The fields that the masks name. */
export function touchedFields(model: TableModel, touch: Touch): FieldModel[] {
  return model.fields.filter((_, index) => {
    const mask = touch.masks[Math.floor(index / FIELDS_PER_MASK)] ?? 0;
    // Division instead of shifts: bits above 31 are in use.
    return Math.floor(mask / 2 ** (index % FIELDS_PER_MASK)) % 2 === 1;
  });
}

const changesAny = (model: TableModel, touch: Touch, names: ReadonlySet<string>): boolean =>
  touch.inserted || touch.deleted || touchedFields(model, touch).some(({ name }) => names.has(name));

/** What the projection must look at after a fold: the row, where it may show or hide rows, itself or others; else null. */
export function decideTouched({ model, structural }: Neighbours, pk: readonly Json[], touch: Touch): Touched | null {
  if (!changesAny(model, touch, structural)) return null;
  return { table: model.name, pk, before: beforeDelete(model, pk, touch) };
}

/** What is known of a row that went: at least its key, under which others may refer to it. */
function beforeDelete(model: TableModel, pk: readonly Json[], { deleted, old }: Touch): Values | undefined {
  if (!deleted) return undefined;
  const key = model.key.map(({ name }, n): [string, Json] => [name, pk[n] as Json]);
  return { ...Object.fromEntries(key), ...old?.values };
}

/**
 * Whether the write may have taken away a unique key that others refer to: then those are to be found.
 *
 * @param known the shadow has the row
 */
export function leavesKey({ model, referencedColumns }: Neighbours, touch: Touch, known: boolean): boolean {
  // A new row leaves none.
  if (referencedColumns.size === 0 || (touch.inserted && !known)) return false;
  return changesAny(model, touch, referencedColumns);
}
