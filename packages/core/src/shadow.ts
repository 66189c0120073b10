// How a row's shadow is stored: the columns of `_t_crdt` and `_t_crdt_cells`, and the row in memory.
// Node ids are short integers there (`_grove_nodes`), lists of field names likewise (`_grove_shapes`).
import type { RowChange } from "./change";
import { isEmptied } from "./emptied";
import type { Ends } from "./ends";
import type { Entry } from "./entry";
import type { CrdtTypeName, FieldModel, Json, TableModel } from "./model";
import { type FieldState, fieldNamed, NO_FIELDS, NO_SHAPE, type Row, registerOf } from "./row";
import { crdtTypes } from "./types/index";
import { NOT_REMOVED } from "./types/set";

/** Short integers for node ids and for lists of field names, kept per database and never reused. */
export interface Interned {
  nodeId(node: string): number;
  nodeName(id: number): string;
  shapeId(fields: readonly string[]): number;
  shapeFields(id: number): readonly string[];
}

/** One row of `_t_crdt` without its key. */
export interface StoredRow {
  readonly id: number;
  readonly cl: number;
  readonly hlc: number;
  readonly node: number;
  readonly born: number;
  readonly via: number | null;
  readonly shape: number | null;
  /** JSON: LWW field name to `[hlc, node, seq]` or `[hlc, node, seq, via]`, only fields that differ from `shape`; under "" the row's ends. */
  readonly clocks: string | null;
  readonly seq: number;
}

/** One row of `_t_crdt_cells`. */
export interface StoredCell {
  readonly id: number;
  readonly row: number;
  readonly field: string;
  readonly key: string;
  readonly node: number;
  readonly hlc: number;
  readonly state: string | null;
  readonly seq: number;
  readonly via: number | null;
}

type Clock = [hlc: number, node: number, seq: number, via?: number];
type Clocks = Record<string, Clock>;
/** Among the clocks, the place of the row's ends: no column has this name. */
const ENDS = "";

/** The ends that a row's stored clocks hold. */
export const storedEnds = (clocks: string | null): Ends | undefined =>
  clocks === null ? undefined : (JSON.parse(clocks) as Record<string, Ends | undefined>)[ENDS];

/** Stored clocks with other ends. */
export function withEnds(clocks: string | null, ends: Ends | undefined): string | null {
  const { [ENDS]: _, ...rest } = JSON.parse(clocks ?? "{}") as Record<string, unknown>;
  const all = ends ? { ...rest, [ENDS]: ends } : rest;
  return Object.keys(all).length === 0 ? null : JSON.stringify(all);
}

/**
 * The name under which a cell stores its field. Fields that this node's schema does not know (from a newer peer)
 * carry their type, so that they still merge and are relayed.
 */
export function cellField(model: TableModel, field: string, type: CrdtTypeName): string {
  return fieldNamed(model, field) ? field : `?${type}:${field}`;
}

interface CellField {
  readonly field: string;
  readonly type: CrdtTypeName;
  /** It came before the schema had this column: it waits to be merged into it ({@link decodeWaiting}). */
  readonly waits?: true;
}

function readCellField(model: TableModel, stored: string): CellField {
  const known = fieldNamed(model, stored);
  if (known) return { field: stored, type: known.type };
  const colon = stored.indexOf(":");
  const type = stored.slice(1, colon) as CrdtTypeName;
  if (stored[0] === "?" && crdtTypes[type]) {
    const field = stored.slice(colon + 1);
    return fieldNamed(model, field) ? { field, type, waits: true } : { field, type };
  }
  // A column that this schema had once: its entries stay registers without a column.
  return { field: stored, type: "lww" };
}

// A set's entries mostly say that nobody removed them; in any other type the same number is a value like others.
const stateToText = (type: CrdtTypeName, state: Json | undefined): string | null =>
  state === undefined || (type === "set" && state === NOT_REMOVED) ? null : JSON.stringify(state);

const textToState = (type: CrdtTypeName, text: string | null): Json | undefined =>
  text === null ? (type === "set" ? NOT_REMOVED : undefined) : (JSON.parse(text) as Json);

/** The row that its stored parts make. */
export function decodeRow(model: TableModel, stored: StoredRow, cells: readonly StoredCell[], interned: Interned): Row {
  const row: Row = {
    id: stored.id,
    cl: stored.cl,
    hlc: stored.hlc,
    node: interned.nodeName(stored.node),
    born: stored.born,
    via: stored.via === null ? null : interned.nodeName(stored.via),
    seq: stored.seq,
    shape: stored.shape === null ? NO_SHAPE : interned.shapeFields(stored.shape),
    fields: NO_FIELDS,
  };
  if (stored.clocks === null && cells.length === 0) return row;
  const fields = new Map<string, FieldState>();
  let ends: Ends | undefined;
  if (stored.clocks !== null) {
    const clocks = JSON.parse(stored.clocks) as Clocks;
    for (const field of Object.keys(clocks)) {
      if (field === ENDS) {
        ends = clocks[field] as unknown as Ends;
        continue;
      }
      const [hlc, node, seq, via] = clocks[field] as Clock;
      const entry: Entry = {
        key: "",
        hlc,
        node: interned.nodeName(node),
        state: undefined,
        seq,
        via: via === undefined ? null : interned.nodeName(via),
      };
      fields.set(field, { type: "lww", entries: [entry] });
    }
  }
  for (const cell of cells) {
    const { field, type, waits } = readCellField(model, cell.field);
    const entry = decodeCell(type, cell, interned);
    if (waits) {
      // Its clock stands in the row, unless the column has been written since.
      const clock = fields.get(field)?.entries[0];
      if (clock?.hlc === entry.hlc && clock.node === entry.node) fields.delete(field);
      continue;
    }
    if (type === "lww") {
      // The clock is in the row; the cell only holds the value.
      const clock = fields.get(field)?.entries[0] ?? registerOf(row, field);
      fields.set(field, { type, entries: [{ ...clock, state: entry.state, cell: cell.id }] });
      continue;
    }
    const known = fields.get(field);
    if (isEmptied(type, entry)) {
      if (!known) fields.set(field, { type, entries: [] });
    } else if (known) (known.entries as Entry[]).push(entry);
    else fields.set(field, { type, entries: [entry] });
  }
  return ends ? { ...row, ends, fields } : { ...row, fields };
}

const decodeCell = (type: CrdtTypeName, cell: StoredCell, interned: Interned): Entry => ({
  key: cell.key,
  hlc: cell.hlc,
  node: interned.nodeName(cell.node),
  state: textToState(type, cell.state),
  seq: cell.seq,
  via: cell.via === null ? null : interned.nodeName(cell.via),
  cell: cell.id,
});

/** The names of cells that may wait for columns that the schema has now. */
export const waitingCells = ({ fields }: Pick<TableModel, "fields">): string[] =>
  fields.map(({ name, type }) => `?${type}:${name}`);

/** What a row was told of columns before the schema had them. */
export interface WaitingRow {
  /** The row's number in the shadow. */
  readonly id: number;
  readonly change: RowChange;
  /** Numbers of the cells that it was made of, by column. */
  readonly cells: ReadonlyMap<string, readonly number[]>;
}

/** As a change, to be merged. A column that is of another type now than there is not in it. */
export function decodeWaiting(
  model: TableModel,
  pk: readonly Json[],
  { id, cl, hlc, node }: StoredRow,
  stored: readonly StoredCell[],
  interned: Interned,
): WaitingRow {
  const fields = new Map<string, Entry[]>();
  for (const cell of stored) {
    const { field, type, waits } = readCellField(model, cell.field);
    if (!waits || fieldNamed(model, field)?.type !== type) continue;
    const entry = decodeCell(type, cell, interned);
    const known = fields.get(field);
    if (known) known.push(entry);
    else fields.set(field, [entry]);
  }
  const parts: { [Type in CrdtTypeName]?: [name: string, part: unknown][] } = {};
  for (const [field, entries] of fields) {
    const { type } = fieldNamed(model, field) as FieldModel;
    const [{ state, hlc, node }] = entries as [Entry];
    parts[type] ??= [];
    const said = entries.filter((entry) => !isEmptied(type, entry));
    parts[type].push([field, type === "lww" ? [state, hlc, node] : crdtTypes[type].encode(said)]);
  }
  const told = Object.entries(parts).map(([type, part]) => [type, Object.fromEntries(part)]);
  const life = [hlc, interned.nodeName(node)];
  return {
    id,
    change: { table: model.name, pk, cl, life, ...Object.fromEntries(told) } as RowChange,
    cells: new Map([...fields].map(([field, entries]) => [field, entries.map(({ cell }) => cell as number)])),
  };
}

/** The columns that store the row; its cells are written on their own. */
export function encodeRow(row: Row, interned: Interned): StoredRow {
  let clocks: Clocks | null = row.ends ? { [ENDS]: row.ends as unknown as Clock } : null;
  for (const [field, state] of row.fields) {
    const entry = state.type === "lww" ? state.entries[0] : undefined;
    if (!entry) continue;
    const own = entry.hlc === row.hlc && entry.node === row.node && entry.seq === row.born && entry.via === row.via;
    if (own && row.shape.includes(field)) continue;
    clocks ??= {};
    const node = interned.nodeId(entry.node);
    clocks[field] =
      entry.via === null ? [entry.hlc, node, entry.seq] : [entry.hlc, node, entry.seq, interned.nodeId(entry.via)];
  }
  return {
    id: row.id,
    cl: row.cl,
    hlc: row.hlc,
    node: interned.nodeId(row.node),
    born: row.born,
    via: row.via === null ? null : interned.nodeId(row.via),
    shape: row.shape.length === 0 ? null : interned.shapeId(row.shape),
    clocks: clocks === null ? null : JSON.stringify(clocks),
    seq: row.seq,
  };
}

/** The columns that store one entry of row `row`. */
export function encodeCell(
  model: TableModel,
  row: number,
  field: string,
  type: CrdtTypeName,
  entry: Entry,
  interned: Interned,
): Omit<StoredCell, "id"> {
  return {
    row,
    field: cellField(model, field, type),
    key: entry.key,
    node: interned.nodeId(entry.node),
    hlc: entry.hlc,
    state: stateToText(type, entry.state),
    seq: entry.seq,
    via: entry.via === null ? null : interned.nodeId(entry.via),
  };
}
