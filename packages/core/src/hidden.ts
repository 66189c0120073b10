// Hidden rows: rows that live in the shadow but that a constraint keeps out of the base table, and deleted rows that may
// have to be shown. Their values wait in cells, so they are still merged, served and superseded.
import { sameValue } from "./canonical";
import { type CellWrite, type CellWrites, type ChangeSet, NO_BASE_WRITE, unchanged } from "./changeset";
import { emptiedCell } from "./emptied";
import { isNested, type Json, type TableModel } from "./model";
import {
  entriesOf,
  type FieldState,
  fieldNamed,
  isAlive,
  keptFields,
  type Row,
  registerOf,
  rowValues,
  spreadShape,
} from "./row";
import type { Touch } from "./touch";

/** All fields with entries of their own; those of multi-valued fields that were implicit are added to `cells`. */
export function makeExplicit(
  model: TableModel,
  row: Row,
  values: Readonly<Record<string, Json>>,
  cells: CellWrites,
): Map<string, FieldState> {
  const fields = spreadShape(row);
  for (const field of model.fields) {
    const { name, type } = field;
    if (fields.has(name)) continue;
    if (type === "lww") {
      fields.set(name, { type, entries: [registerOf(row, name)] });
      continue;
    }
    const entries = entriesOf(row, field, values[name]);
    if (entries.length === 0) continue;
    fields.set(name, { type, entries });
    for (const entry of entries) cells.add({ field: name, type, entry });
  }
  return fields;
}

/**
 * The fields that a row keeps when it is deleted, explicit, under their old numbers, in cells. Where it keeps some of its
 * fields only, all of its cells are to be dropped first: those of the others go, and these are new.
 */
export function bury(
  model: TableModel,
  row: Row,
  values: Readonly<Record<string, Json>>,
  cells: CellWrites,
): Map<string, FieldState> {
  if (!model.keepsDeleted) return buryFixed(model, row, values, cells);
  const fields = makeExplicit(model, row, values, cells);
  for (const { name, type } of model.fields) {
    const entry = fields.get(name)?.entries[0];
    const state = values[name];
    if (isNested(type) && !fields.has(name) && state !== undefined) {
      fields.set(name, { type, entries: [] });
      cells.add(emptiedCell(name, type, row));
      continue;
    }
    if (type !== "lww" || !entry || entry.state !== undefined || state === undefined) continue;
    const own = { ...entry, state };
    fields.set(name, { type, entries: [own] });
    cells.add({ field: name, type, entry: own });
  }
  return fields;
}

function buryFixed(
  model: TableModel,
  row: Row,
  values: Readonly<Record<string, Json>>,
  cells: CellWrites,
): Map<string, FieldState> {
  const fields = new Map<string, FieldState>();
  for (const { name, type } of keptFields(model)) {
    const entry = { ...registerOf(row, name, values[name]), cell: undefined };
    // A row that went unseen has no values left, and a stamp without a value would beat those that others have.
    if (entry.state === undefined) continue;
    fields.set(name, { type, entries: [entry] });
    cells.add({ field: name, type, entry });
  }
  return fields;
}

/**
 * The change set with the new values of these columns left out of the base table: they wait in the shadow, those of LWW
 * columns in cells, until the projection writes them, in the order that unique keys and references allow.
 */
export function defer(model: TableModel, changes: ChangeSet, columns: ReadonlySet<string>): ChangeSet {
  const { base } = changes;
  if (base.op !== "update" || !Object.keys(base.values).some((name) => columns.has(name))) return changes;
  const cells = [...changes.cells];
  const deletes = new Set(changes.deletes);
  const fields = new Map(changes.row.fields);
  const values: Record<string, Json> = {};
  for (const [name, value] of Object.entries(base.values)) {
    if (!columns.has(name)) {
      values[name] = value;
      continue;
    }
    if (fieldNamed(model, name)?.type !== "lww") continue;
    const entry = registerOf(changes.row, name);
    const own = { ...entry, state: value };
    if (own.cell !== undefined) deletes.delete(own.cell);
    fields.set(name, { type: "lww", entries: [own] });
    cells.push({ field: name, type: "lww", entry: own });
  }
  const left = Object.keys(values).length > 0;
  return {
    ...changes,
    row: { ...changes.row, fields },
    cells,
    deletes: [...deletes],
    base: left ? { op: "update", values } : NO_BASE_WRITE,
  };
}

/** The change set with all of the row's values moved into cells and the base table left alone. */
export function hide(model: TableModel, changes: ChangeSet, values: Readonly<Record<string, Json>>): ChangeSet {
  const cells: CellWrite[] = [...changes.cells];
  const fields = new Map<string, FieldState>(changes.row.fields);
  const written = new Set(cells.map((cell) => cell.field));
  for (const field of model.fields) {
    const { name, type } = field;
    const value = values[name];
    if (type === "lww") {
      const entry = registerOf(changes.row, name, value);
      // A value in a cell is the shadow's own; the base table may show another one.
      if (value === undefined || written.has(name) || entry.cell !== undefined) continue;
      const own = { ...entry, state: value };
      fields.set(name, { type, entries: [own] });
      cells.push({ field: name, type, entry: own });
    } else if (!fields.has(name)) {
      const entries = entriesOf(changes.row, field, value);
      fields.set(name, { type, entries });
      for (const entry of entries) cells.push({ field: name, type, entry });
      if (isNested(type) && entries.length === 0 && value !== undefined)
        cells.push(emptiedCell(name, type, changes.row));
    }
  }
  return { ...changes, row: { ...changes.row, fields }, cells, base: NO_BASE_WRITE };
}

/** Whether the row may have to be shown, now or later: it lives, or it is deleted and keeps its values. */
export const mayShow = ({ keepsDeleted }: TableModel, row: Row): boolean =>
  isAlive(row) || (keepsDeleted === true && row.fields.size > 0);

/** What must go to cells of a row that is about to leave the base table, which alone has it; null = nothing. */
export function decideLeaving(
  model: TableModel,
  row: Row | null,
  base: Readonly<Record<string, Json>>,
): ChangeSet | null {
  if (!row || row.id === 0 || !mayShow(model, row)) return null;
  return hide(model, unchanged(row), rowValues(model, row, base));
}

/**
 * Settles the cells of a row that was written to the base table: a value that it shows needs none; one that it shows
 * otherwise, or not at all, has one.
 *
 * @param values what the shadow says
 * @param shown what the base table has
 * @returns null when every cell is as it should be
 */
export function settleCells(
  model: TableModel,
  row: Row | null,
  values: Readonly<Record<string, Json>>,
  shown: Readonly<Record<string, Json>>,
): ChangeSet | null {
  if (!row || row.id === 0) return null;
  const cells: CellWrite[] = [];
  const deletes: number[] = [];
  for (const { name, type } of model.fields) {
    const value = values[name];
    if (type !== "lww" || value === undefined) continue;
    const entry = registerOf(row, name);
    const found = shown[name];
    const equal = found !== undefined && sameValue(found, value);
    if (equal && entry.cell !== undefined) deletes.push(entry.cell);
    else if (!equal && entry.cell === undefined) cells.push({ field: name, type, entry: { ...entry, state: value } });
  }
  return cells.length + deletes.length > 0 ? { ...unchanged(row), cells, deletes } : null;
}

/**
 * Whether a folded row lives in the shadow alone: it was kept out of the base table before these writes.
 *
 * @param present the base table has the row now
 * @param isParked whether it waits to be shown; asked only where that decides
 */
export function wasHidden(row: Row | null, touch: Touch, present: boolean, isParked: () => boolean): boolean {
  if (!isAlive(row)) return false;
  return present ? touch.inserted && isParked() : !touch.deleted;
}
