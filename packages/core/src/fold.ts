// Fold: what a touched row now says that the shadow does not know. The trigger only says that a row was touched;
// existence and values come from the base table, because nested triggers write log rows in inverted order.

import { sameValue } from "./canonical";
import type { CellWrite, ChangeSet } from "./changeset";
import { CellWrites, NO_BASE_WRITE } from "./changeset";
import { endsAfter } from "./ends";
import { type Entry, latestHlc, type WriteContext } from "./entry";
import { bury } from "./hidden";
import type { FieldModel, Json, TableModel } from "./model";
import {
  adoptedRow,
  entriesOf,
  type FieldState,
  isAlive,
  keepsEntries,
  keptFields,
  lwwFields,
  NO_FIELDS,
  NO_SHAPE,
  type Row,
  registerOf,
  replaceEntries,
} from "./row";
import { type Touch, touchedFields } from "./touch";
import { crdtTypes } from "./types/index";

/** The row as the base table now has it; null when it is gone. Values of fields with entries only, canonical. */
export interface BaseRow {
  readonly values: Readonly<Record<string, Json>>;
  /** Stored text of sets, lists and documents, to see whether it must be normalized. */
  readonly texts?: Readonly<Record<string, string>>;
}

/** Who folds, and the clock that the fold moves. */
export interface FoldClock {
  readonly node: string;
  readonly incarnation: string;
  /**
   * What was written before `until`, microseconds since 1970, counts under the incarnation of then: the database was restored or
   * copied since, and who has the other history counts those writes as well. Under one incarnation they are one.
   */
  readonly former?: { readonly incarnation: string; readonly until: number };
  /** Physical time, microseconds since 1970. */
  readonly now: number;
  /** Greatest stamp known to this node; each fold moves it. */
  clock: number;
}

/** A context that stamps after `floor`, after the node's clock and not before the write itself. */
class FoldContext implements WriteContext {
  readonly node: string;
  readonly incarnation: string;
  #next: number;
  constructor(
    private readonly clock: FoldClock,
    at: number,
    floor: number,
  ) {
    this.node = clock.node;
    this.incarnation = clock.former && at < clock.former.until ? clock.former.incarnation : clock.incarnation;
    // A write dated later than now was dated by a clock that has been set back since.
    this.#next = Math.max(Math.min(at, clock.now), clock.clock, floor + 1);
  }
  tick(): number {
    this.clock.clock = Math.max(this.clock.clock, this.#next);
    return this.#next++;
  }
}

function latestOf(row: Row | null): number {
  if (!row) return 0;
  let latest = row.hlc;
  for (const { type, entries } of row.fields.values()) latest = Math.max(latest, latestHlc(crdtTypes[type], entries));
  return latest;
}

/**
 * The entries with which a field is born. A counter is born with the value of the insert, and what was counted since
 * are totals like others: so a concurrent insert of the same key on another node adds to them and overrules nothing.
 */
function birthEntries(
  field: FieldModel,
  value: Json,
  before: Json | undefined,
  context: WriteContext,
): readonly Entry[] {
  const type = crdtTypes[field.type];
  const start = field.type === "counter" && before !== undefined ? before : value;
  // At its default a field stays implicit, which costs nothing.
  const implicit = field.default !== undefined && sameValue(start, field.default);
  if (implicit && start === value) return [];
  const born = implicit ? type.implicit(start, field) : type.create(start, context, field);
  return replaceEntries(field.type, born, type.fold(born, value, context, field));
}

/** A new life: its LWW fields carry its stamp. */
function begin(
  model: TableModel,
  row: Row | null,
  cl: number,
  base: BaseRow,
  before: Touch["before"],
  context: WriteContext,
  seq: number,
): ChangeSet {
  const hlc = context.tick();
  const cells: CellWrite[] = [];
  let fields: Map<string, FieldState> | undefined;
  for (const field of model.fields) {
    if (field.type === "lww") continue;
    const born = birthEntries(field, base.values[field.name] as Json, before?.[field.name], context);
    if (born.length === 0) continue;
    const entries = born.map((entry) => ({ ...entry, seq }));
    fields ??= new Map();
    fields.set(field.name, { type: field.type, entries });
    for (const entry of entries) cells.push({ field: field.name, type: field.type, entry });
  }
  const ends = endsAfter(row, { cl, hlc });
  const begun: Row = {
    id: row?.id ?? 0,
    cl,
    hlc,
    node: context.node,
    born: seq,
    via: null,
    seq,
    shape: lwwFields(model),
    fields: fields ?? NO_FIELDS,
  };
  return {
    row: ends ? { ...begun, ends } : begun,
    clearCells: row !== null,
    cells,
    deletes: [],
    base: normalize(model.fields, base, fields ?? NO_FIELDS),
  };
}

/**
 * Rewrites columns whose stored text is not what their entries materialize to (order, duplicates, spaces), so that
 * all nodes end with the same bytes.
 */
function normalize(
  fields: readonly FieldModel[],
  base: BaseRow,
  states: ReadonlyMap<string, FieldState>,
): ChangeSet["base"] {
  let values: Record<string, Json> | undefined;
  for (const field of fields) {
    if (field.type === "lww") continue;
    const state = states.get(field.name);
    const stored = base.values[field.name] as Json;
    const value = state ? crdtTypes[state.type].materialize(state.entries) : stored;
    const text = base.texts?.[field.name];
    if (text === undefined ? sameValue(value, stored) : text === JSON.stringify(value)) continue;
    values ??= {};
    values[field.name] = value;
  }
  return values ? { op: "update", values } : NO_BASE_WRITE;
}

const writtenFields = (model: TableModel, touch: Touch, whole: boolean): readonly FieldModel[] =>
  whole ? model.fields : touchedFields(model, touch);

/** The write of some fields of a living row. `whole` = the row was inserted over one that is not shown. */
function change(
  model: TableModel,
  row: Row,
  touch: Touch,
  base: BaseRow,
  clock: FoldClock,
  seq: number,
  whole: boolean,
  touched = writtenFields(model, touch, whole),
): ChangeSet | null {
  const cells: CellWrite[] = [];
  const deletes: number[] = [];
  const fields = new Map(row.fields);
  let wrote = false;
  for (const field of touched) {
    const type = crdtTypes[field.type];
    if (field.type === "lww") {
      const known = registerOf(row, field.name);
      const context = new FoldContext(clock, touch.at, known.hlc);
      const entry: Entry = { key: "", hlc: context.tick(), node: clock.node, state: undefined, seq, via: null };
      if (known.cell !== undefined) deletes.push(known.cell);
      fields.set(field.name, { type: "lww", entries: [entry] });
      wrote = true;
      continue;
    }
    const value = base.values[field.name] as Json;
    const implicit = !row.fields.has(field.name);
    const entries = entriesOf(row, field, touch.before?.[field.name] ?? field.default ?? value);
    const context = new FoldContext(clock, touch.at, latestHlc(type, entries));
    const changed = whole
      ? type.create(value, context, field).map((entry) => joinInto(type, entries, entry))
      : type.fold(entries, value, context, field);
    if (changed.length === 0) {
      if (!implicit) fields.set(field.name, { type: field.type, entries });
      continue;
    }
    wrote = true;
    // Implicit entries become entries like others, numbered anew, so that every peer learns of them.
    const numbered = (implicit ? replaceEntries(field.type, entries, changed) : changed).map((entry) => ({
      ...entry,
      seq,
      via: null,
    }));
    fields.set(field.name, { type: field.type, entries: replaceEntries(field.type, entries, numbered) });
    for (const entry of numbered) cells.push({ field: field.name, type: field.type, entry });
  }
  const baseWrite = normalize(touched, base, fields);
  if (!wrote && baseWrite.op === "none") return null;
  return { row: { ...row, fields, seq: wrote ? seq : row.seq }, clearCells: false, cells, deletes, base: baseWrite };
}

function joinInto(type: (typeof crdtTypes)[keyof typeof crdtTypes], entries: readonly Entry[], entry: Entry): Entry {
  const known = entries.find((other) => type.identity(other) === type.identity(entry));
  return known ? { ...type.join(known, entry), cell: known.cell } : entry;
}

/** The delete of a row that keeps values: what was written to it before the delete counts, too. */
function die(model: TableModel, row: Row, touch: Touch, clock: FoldClock, seq: number): ChangeSet | null {
  const { old } = touch;
  const cells = new CellWrites();
  if (!isAlive(row)) {
    // It was deleted before and showed all the same: what the base table had of it goes to cells.
    const fields = bury(model, row, old?.values ?? {}, cells);
    const moved = cells.list();
    return moved.length === 0
      ? null
      : { row: { ...row, fields }, clearCells: false, cells: moved, deletes: [], base: NO_BASE_WRITE };
  }
  const kept = keptFields(model);
  const values: Record<string, Json> = { ...old?.values };
  // Others know the life that was deleted first: by its fixed values they are told that it has ended.
  for (const { name, fixed } of kept) {
    const value = old?.first?.[name];
    if (fixed && value !== undefined) values[name] = value;
  }
  const touched = writtenFields(model, touch, touch.inserted).filter((field) => kept.includes(field));
  const written =
    old && change(model, row, { ...touch, before: old.before }, { values }, clock, seq, touch.inserted, touched);
  const last = written?.row ?? row;
  for (const cell of written?.cells ?? []) cells.add(cell);
  const fields = bury(model, last, values, cells);
  const context = new FoldContext(clock, touch.at, latestOf(last));
  const cl = row.cl + 1;
  const [hlc, node] = [context.tick(), clock.node];
  const ends = endsAfter(row, { cl, hlc });
  return {
    row: { id: row.id, cl, hlc, node, ...(ends && { ends }), born: seq, via: null, seq, shape: NO_SHAPE, fields },
    clearCells: !model.keepsDeleted,
    cells: cells.list(),
    deletes: written?.deletes ?? [],
    base: NO_BASE_WRITE,
  };
}

/**
 * Decides what one touched row says.
 *
 * @param row what the shadow knows; null when it knows nothing
 * @param base what the base table has now; null when the row is gone
 * @param hidden the shadow's row lives but is kept out of the base table
 * @param seq the sequence number that the write gets, if it is one
 * @returns null when the row says nothing new
 */
export function decideFold(
  model: TableModel,
  row: Row | null,
  touch: Touch,
  base: BaseRow | null,
  hidden: boolean,
  clock: FoldClock,
  seq: number,
): ChangeSet | null {
  // A row from before capture that was deleted or replaced was adopted first: its life has an end that others hear of.
  if (!row && touch.existed && (touch.deleted || touch.inserted))
    return decideFold(model, adoptedRow(seq), touch, base, hidden, clock, seq);
  // Only a row that shows although it is deleted can be deleted again.
  if (!base && row && touch.deleted && (model.keepsDeleted || (isAlive(row) && keepsEntries(model))))
    return die(model, row, touch, clock, seq);
  if (!base) {
    if (!row || !isAlive(row) || (hidden && !touch.deleted)) return null;
    const context = new FoldContext(clock, touch.at, latestOf(row));
    const [cl, hlc] = [row.cl + 1, context.tick()];
    const ends = endsAfter(row, { cl, hlc });
    const dead: Row = {
      id: row.id,
      cl,
      hlc,
      node: clock.node,
      ...(ends && { ends }),
      born: seq,
      via: null,
      seq,
      shape: NO_SHAPE,
      fields: NO_FIELDS,
    };
    return { row: dead, clearCells: true, cells: [], deletes: [], base: NO_BASE_WRITE };
  }
  if (row && isAlive(row) && hidden) return change(model, row, touch, base, clock, seq, true);
  if (!row && !touch.inserted && !touch.deleted) {
    // A row from before capture: it is adopted as it was, then changed.
    const adopted = adoptedRow(seq);
    const changed = change(model, adopted, touch, base, clock, seq, false);
    return changed ?? { row: adopted, clearCells: false, cells: [], deletes: [], base: NO_BASE_WRITE };
  }
  // A deleted row that shows, since another one refers to it, stays deleted whatever is written to it.
  const shown = model.keepsDeleted && row && !isAlive(row) && !touch.deleted && !touch.inserted;
  if (!shown && (!row || !isAlive(row) || touch.deleted || touch.inserted)) {
    const cl = row ? row.cl + (isAlive(row) ? 2 : 1) : 1;
    return begin(model, row, cl, base, touch.before, new FoldContext(clock, touch.at, latestOf(row)), seq);
  }
  return change(model, row as Row, touch, base, clock, seq, false);
}
