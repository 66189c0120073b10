// A row's shadow in memory: its causal length, the stamp of its present life, and the entries of its fields.
// Causal length after Yu and Rostad 2020, "A Low-Cost Set CRDT Based on Causal Lengths".
import type { Ends } from "./ends";
import type { Entry } from "./entry";
import type { CrdtTypeName, FieldModel, Json, TableModel } from "./model";
import { RESERVED_NODE, type Stamp } from "./stamp";
import { crdtTypes } from "./types/index";

export interface FieldState {
  readonly type: CrdtTypeName;
  readonly entries: readonly Entry[];
}

/** Immutable; fold and merge make new rows. */
export interface Row extends Stamp {
  /** Row id in the shadow table: the row's first sequence number. 0 while it is not stored. */
  readonly id: number;
  /** Odd = lives, even = deleted; only grows. */
  readonly cl: number;
  /** When its earlier lives ended, where the row says more than `cl` and `hlc` do; see ends.ts. */
  readonly ends?: Ends;
  /** The sequence number at which this life (or death) began: it numbers the life and all implicit entries. */
  readonly born: number;
  /** The peer that sent this life, while it still equals what that peer sent. */
  readonly via: string | null;
  /** The row's latest sequence number. */
  readonly seq: number;
  /** LWW fields whose entry is the life's own: same stamp, number and via. A stored row of one insert has no others. */
  readonly shape: readonly string[];
  /** Fields with entries of their own; they override `shape`. A field in neither is implicit. */
  readonly fields: ReadonlyMap<string, FieldState>;
}

export const NO_FIELDS: ReadonlyMap<string, FieldState> = new Map();
export const NO_SHAPE: readonly string[] = [];

/**
 * Greatest causal length that travels. No row is deleted and inserted again so often; a greater one would soon leave the
 * integers that JavaScript counts in, on every node that deletes the row.
 */
export const MAX_CAUSAL_LENGTH = 2 ** 48;

export const isAlive = (row: { readonly cl: number } | null): boolean => row !== null && row.cl % 2 === 1;

const keptByModel = new WeakMap<TableModel, readonly FieldModel[]>();

/**
 * The fields whose entries a deleted row keeps: all where another table may still refer to it, else the fixed ones, which
 * say who may hear of the deletion.
 */
export function keptFields(model: TableModel): readonly FieldModel[] {
  let kept = keptByModel.get(model);
  if (!kept) {
    kept = model.keepsDeleted ? model.fields : model.fields.filter(({ fixed }) => fixed);
    keptByModel.set(model, kept);
  }
  return kept;
}

/** Whether the entries of a life outlive it, all or some. */
export const keepsEntries = (model: TableModel): boolean => model.keepsDeleted === true || keptFields(model).length > 0;

/** Whether a deleted row takes entries of this column. One that keeps none of its own passes on what it hears. */
export const outlives = (model: TableModel, column: string): boolean =>
  model.keepsDeleted === true || !keepsEntries(model) || fieldNamed(model, column)?.fixed === true;

/** The life that the row's entries belong to: of a deleted row that keeps some, the life that has ended. */
export const lifeOf = (model: TableModel, { cl }: { readonly cl: number }): number =>
  keepsEntries(model) && cl % 2 === 0 ? cl - 1 : cl;

/** A row that was in the base table before capture: it lives since stamp 0 and all its fields are implicit. */
export function adoptedRow(seq: number): Row {
  return { id: 0, cl: 1, hlc: 0, node: RESERVED_NODE, born: seq, via: null, seq, shape: NO_SHAPE, fields: NO_FIELDS };
}

const lwwNames = new WeakMap<TableModel, readonly string[]>();

/** Names of the table's LWW fields, always the same array. */
export function lwwFields(model: TableModel): readonly string[] {
  let names = lwwNames.get(model);
  if (!names) {
    names = model.fields.filter((field) => field.type === "lww").map((field) => field.name);
    lwwNames.set(model, names);
  }
  return names;
}

const fieldsByName = new WeakMap<TableModel, ReadonlyMap<string, FieldModel>>();

export function fieldNamed(model: TableModel, name: string): FieldModel | undefined {
  let byName = fieldsByName.get(model);
  if (!byName) {
    byName = new Map(model.fields.map((field) => [field.name, field]));
    fieldsByName.set(model, byName);
  }
  return byName.get(name);
}

/** A column's value among those of a row: a column may bear the name of what every object has. */
export const valueAt = (values: Readonly<Record<string, Json>> | undefined, name: string): Json | undefined =>
  values !== undefined && Object.hasOwn(values, name) ? values[name] : undefined;

/** The register of an LWW field, with its value when the caller knows it: stored, the life's own, or implicit. */
export function registerOf(row: Row, field: string, value?: Json): Entry {
  const stored = row.fields.get(field)?.entries[0];
  if (stored) return stored.state === undefined && value !== undefined ? { ...stored, state: value } : stored;
  const own = row.shape.includes(field);
  return {
    key: "",
    hlc: own ? row.hlc : 0,
    node: own ? row.node : RESERVED_NODE,
    state: value,
    seq: row.born,
    via: row.via,
  };
}

/** The entries of a multi-valued field: those it has, else the implicit ones made of `value`. */
export function entriesOf(
  row: Row,
  field: Pick<FieldModel, "name" | "type" | "itemKey" | "paths">,
  value: Json | undefined,
): readonly Entry[] {
  const stored = row.fields.get(field.name)?.entries;
  if (stored) return stored;
  if (value === undefined) return [];
  return crdtTypes[field.type].implicit(value, field).map((entry) => ({ ...entry, seq: row.born, via: row.via }));
}

/** Puts `changed` into `entries`, replacing those of the same identity. */
export function replaceEntries(
  type: CrdtTypeName,
  entries: readonly Entry[],
  changed: readonly Entry[],
): readonly Entry[] {
  if (changed.length === 0) return entries;
  const { identity } = crdtTypes[type];
  const fresh = new Map(changed.map((entry) => [identity(entry), entry]));
  const result: Entry[] = [];
  for (const entry of entries) {
    const id = identity(entry);
    const replacement = fresh.get(id);
    if (replacement) fresh.delete(id);
    result.push(replacement ?? entry);
  }
  result.push(...fresh.values());
  return result;
}

/** The life's LWW fields as entries of their own: needed when the life's stamp or number is about to change. */
export function spreadShape(row: Row): Map<string, FieldState> {
  const fields = new Map(row.fields);
  for (const field of row.shape) {
    if (!fields.has(field)) fields.set(field, { type: "lww", entries: [registerOf(row, field)] });
  }
  return fields;
}

/** The values that the row's entries materialize to, by column; a register's own value goes before `base`. */
export function rowValues(model: TableModel, row: Row, base: Readonly<Record<string, Json>>): Record<string, Json> {
  const values: Record<string, Json> = {};
  for (const { name, type } of model.fields) {
    const stored = row.fields.get(name);
    // NULL is a value like others.
    const own = type === "lww" ? stored?.entries[0]?.state : stored && crdtTypes[type].materialize(stored.entries);
    const value = own === undefined ? base[name] : own;
    if (value !== undefined) values[name] = value;
  }
  return values;
}
