// Merge: what a row becomes when a change from another node meets it. Every rule of precedence is here or in the
// types' joins: the greater causal length, else life and entries each by their own join.
//
// Where deleted rows keep entries, all or those of fixed fields, these outlive their life: a delete takes none of them away,
// and what was written to the life at the same time still joins them, whichever came first. A later life begins with none.

import { isDefault } from "./adoption";
import { sameValue } from "./canonical";
import { ENTRY_PARTS, type RowChange, type WireRegister } from "./change";
import type { CellWrite, ChangeSet } from "./changeset";
import { CellWrites, NO_BASE_WRITE, unchanged } from "./changeset";
import { emptiedCell } from "./emptied";
import { joinEnds, type Mortal, sameEnds } from "./ends";
import type { Entry } from "./entry";
import { bury, makeExplicit } from "./hidden";
import { incomingFields } from "./incoming";
import { type FieldModel, isNested, type Json, type TableModel } from "./model";
import {
  entriesOf,
  type FieldState,
  fieldNamed,
  isAlive,
  lifeOf,
  lwwFields,
  NO_FIELDS,
  NO_SHAPE,
  outlives,
  type Row,
  registerOf,
  rowValues,
  valueAt,
} from "./row";
import { compareStamps, RESERVED_NODE } from "./stamp";
import { crdtTypes } from "./types/index";

export interface MergeContext {
  /** The sequence number that the row gets if the change changes it. */
  readonly seq: number;
  /** The peer that sent the change; null when there is none (merging states in memory). */
  readonly from: string | null;
  /**
   * The change is what the row was told of columns before the schema had them ({@link decodeWaiting}). It is complete: who was
   * the first to change an implicit field sent its implicit entries along.
   */
  readonly waited?: boolean;
}

/** The local side of a merge. */
export interface Local {
  readonly row: Row | null;
  /** The base table has the row. */
  readonly present: boolean;
  /** Canonical values of the base row, when {@link needsBase} asked for them. */
  readonly values?: Readonly<Record<string, Json>>;
}

export interface Merged extends ChangeSet {
  readonly outcome: "applied" | "superseded";
}

type Values = Record<string, Json>;

/** Whether deciding takes the base row's values: equal stamps, implicit entries, a life whose stamp changes or that ends. */
export function needsBase(model: TableModel, row: Row | null, change: RowChange): boolean {
  if (!row || lifeOf(model, row) !== lifeOf(model, change)) return false;
  const { life, lww } = change;
  if (isAlive(row) && (!isAlive(change) || compareStamps({ hlc: life[0], node: life[1] }, row) > 0)) return true;
  for (const field in lww) {
    const [, hlc = life[0], node = life[1]] = lww[field] as WireRegister;
    const known = registerOf(row, field);
    if (known.state === undefined && known.hlc === hlc && known.node === node) return true;
  }
  const implicit = (field: string) => isAlive(row) && !row.fields.has(field) && fieldNamed(model, field) !== undefined;
  return ENTRY_PARTS.some((part) => Object.keys(change[part] ?? {}).some(implicit));
}

const NOBODY: Mortal = { cl: 0, hlc: 0 };
const mortal = ({ cl, life: [hlc], ends }: RowChange): Mortal => ({ cl, hlc, ends });
/** The ends of a change as a row keeps them. */
const plainEnds = (said: Mortal) => joinEnds(NOBODY, said, said);

function withEnds({ ends: _, ...row }: Row, ends: Row["ends"]): Row {
  return ends ? { ...row, ends } : row;
}

/** The row with what it and the change know of its ends; itself where that is no more. `via`: whom the result came from. */
function joinedEnds(
  row: Row,
  change: RowChange,
  from: string | null,
): { readonly row: Row; readonly via: string | null } {
  const other = mortal(change);
  const later = other.cl > row.cl || (other.cl === row.cl && other.hlc > row.hlc) ? other : row;
  const ends = joinEnds(row, other, later);
  return {
    row: sameEnds(ends, row.ends) ? row : withEnds(row, ends),
    via: sameEnds(ends, plainEnds(other)) ? from : null,
  };
}

/** The row takes the change as it is: it was unknown, or the change's life is a later one. */
function takeOver(model: TableModel, local: Local, change: RowChange, { seq, from }: MergeContext): Merged {
  const [hlc, node] = change.life;
  const previous = local.row;
  const id = previous?.id ?? 0;
  const { cl } = change;
  const said = mortal(change);
  const ends = joinEnds(previous ?? NOBODY, said, { cl, hlc });
  // What the peer sent stands as it sent it; with more ends it is news to it as well.
  const via = sameEnds(ends, plainEnds(said)) ? from : null;
  const begin = (shape: Row["shape"], fields: Row["fields"]): Row => {
    const row = { id, cl, hlc, node, born: seq, via, seq, shape, fields };
    return ends ? { ...row, ends } : row;
  };
  const clearCells = previous !== null;
  if (!isAlive(change)) {
    const kept = new Map([...incomingFields(change, seq, from)].filter(([field]) => outlives(model, field)));
    const row = begin(NO_SHAPE, kept);
    return {
      outcome: "applied",
      row,
      clearCells,
      cells: [...kept].flatMap(([field, { type, entries }]) =>
        isNested(type) && entries.length === 0
          ? [emptiedCell(field, type, row)]
          : entries.map((entry) => ({ field, type, entry })),
      ),
      deletes: [],
      base: local.present ? { op: "delete" } : NO_BASE_WRITE,
    };
  }
  const values: Values = {};
  const cells: CellWrite[] = [];
  let carriesAll = true;
  for (const name of lwwFields(model)) {
    const register = change.lww && Object.hasOwn(change.lww, name) ? change.lww[name] : undefined;
    if (register) values[name] = register[0];
    else carriesAll = false;
  }
  const shape = carriesAll ? lwwFields(model) : NO_SHAPE;
  const incoming = incomingFields(change, seq, from, shape);
  const fields = incoming.size === 0 ? null : new Map<string, FieldState>();
  for (const [name, { type, entries }] of incoming) {
    const field = fieldNamed(model, name);
    if (type === "lww" && field) {
      fields?.set(name, { type, entries: [{ ...(entries[0] as Entry), state: undefined }] });
      continue;
    }
    if (field) {
      values[name] = crdtTypes[type].materialize(entries);
      if (entries.every((entry) => entry.node === RESERVED_NODE) && isImplicit(field, entries, values[name] as Json))
        continue;
    }
    fields?.set(name, { type, entries });
    for (const entry of entries) cells.push({ field: name, type, entry });
    // Of a newer schema: whoever has the column is told.
    if (!field && isNested(type) && entries.length === 0) cells.push(emptiedCell(name, type, { born: seq, via: from }));
  }
  if (local.present) {
    // A new life begins from the defaults, not from what the old one left behind.
    for (const field of model.fields)
      if (!Object.hasOwn(values, field.name)) values[field.name] = field.default ?? null;
  }
  return {
    outcome: "applied",
    row: begin(shape, fields ?? NO_FIELDS),
    clearCells,
    cells,
    deletes: [],
    base: { op: local.present ? "update" : "insert", values },
  };
}

/** The entries say no more than the value itself would as an implicit field. */
function isImplicit(field: FieldModel, entries: readonly Entry[], value: Json): boolean {
  const { identity, implicit } = crdtTypes[field.type];
  const said = new Map(entries.map((entry) => [identity(entry), entry]));
  const own = implicit(value, field);
  return (
    own.length === entries.length &&
    own.every((entry) => {
      const other = said.get(identity(entry));
      return other?.hlc === entry.hlc && sameValue(entry.state as Json, other.state as Json);
    })
  );
}

/**
 * Whether the change says only what is known: registers that were written with the life, at the values that stand here. Most of
 * what comes again does, and the rules below would find nothing won or lost in it, in four times the time.
 */
function isRepeated(row: Row, change: RowChange, values: Local["values"]): boolean {
  const { lww } = change;
  for (const name in lww) {
    const register = lww[name] as WireRegister;
    if (register.length > 1 || row.fields.has(name) || !row.shape.includes(name)) return false;
    const own = valueAt(values, name);
    if (own === undefined || !sameValue(own, register[0])) return false;
  }
  return !ENTRY_PARTS.some((part) => change[part] !== undefined);
}

const superseded = (row: Row): Merged => ({ outcome: "superseded", ...unchanged(row) });

/** Same life on both sides, ended or not: life, registers and entries each join. */
function join(
  model: TableModel,
  local: Local,
  current: Row,
  change: RowChange,
  { seq, from, waited = false }: MergeContext,
): Merged {
  const cells = new CellWrites();
  const deletes: number[] = [];
  const values: Values = {};
  let row = current;
  let applied = false;
  let renumbered = false;

  const lifeOrder = change.cl - current.cl || compareStamps({ hlc: change.life[0], node: change.life[1] }, current);
  const dies = change.cl > current.cl;
  const { row: longest, via } = joinedEnds(current, change, from);
  if (lifeOrder === 0 && longest === current && isRepeated(current, change, local.values)) return superseded(current);
  if (dies) {
    const fields = bury(model, current, local.values ?? {}, cells);
    const [hlc, node] = change.life;
    row = { ...longest, cl: change.cl, hlc, node, born: seq, via, shape: NO_SHAPE, fields };
    applied = true;
  } else if (lifeOrder > 0) {
    // What was numbered by the old life becomes explicit, under its old number, before the life's stamp moves.
    const fields = isAlive(current) ? makeExplicit(model, current, local.values ?? {}, cells) : current.fields;
    if (isAlive(current)) tell(model, current, local.values, fields as Map<string, FieldState>, cells, seq);
    row = { ...longest, hlc: change.life[0], node: change.life[1], born: seq, via, shape: NO_SHAPE, fields };
    // What is empty travels with the life, and the sender says nothing of it: then this is news to it as well.
    if (isEmptySince(model, row, local.values, change)) row = { ...row, via: null };
    applied = true;
  } else if (longest !== current || (lifeOrder < 0 && from !== null && current.via === from)) {
    row = { ...longest, born: seq, via: null };
    renumbered = true;
  }

  // Deleted for good: it does not show, so what it keeps stands in cells alone.
  const rests = !isAlive(row) && !model.keepsDeleted;
  const fields = new Map(row.fields);
  for (const [name, incoming] of incomingFields(change)) {
    const known = fieldNamed(model, name);
    const { type } = incoming;
    if ((known && known.type !== type) || (rests && !outlives(model, name))) continue;
    if (type === "lww") {
      const mine = registerOf(row, name, valueAt(local.values, name));
      const theirs = incoming.entries[0] as Entry;
      const tie = compareStamps(mine, theirs) === 0;
      // Nobody here ever heard of the field: it is of a newer schema, or the state at hand is partial.
      const absent = tie && mine.state === undefined;
      const winner = absent ? theirs : crdtTypes.lww.join(mine, theirs);
      if (winner === mine) {
        const equal = tie && sameValue(mine.state as Json, theirs.state as Json);
        // A default that nobody wrote is never sent by itself: who says otherwise at the same stamp must hear of it.
        const untold = tie && !equal && isUntold(row, known, mine.state as Json);
        if (equal || from === null || (mine.via !== from && !untold)) continue;
        renumbered = true;
        const kept = { ...(row.fields.get(name)?.entries[0] ?? { ...mine, state: undefined }), seq, via: null };
        fields.set(name, { type, entries: [kept] });
        // A cell is served by its own number: with the old one the base row's value would go in its place.
        if (kept.cell !== undefined) cells.add({ field: name, type, entry: kept });
        continue;
      }
      applied = true;
      // The value goes to the base table; into a cell while there is no column or no row to take it.
      const inCell = !known || !local.present || dies || rests;
      const { hlc, node } = theirs;
      const state = inCell ? theirs.state : undefined;
      const entry: Entry = { key: "", hlc, node, state, seq, via: from, cell: mine.cell };
      if (inCell) cells.add({ field: name, type, entry });
      else if (mine.cell !== undefined) deletes.push(mine.cell);
      fields.set(name, { type, entries: [entry] });
      if (known) values[name] = theirs.state as Json;
      continue;
    }
    const { identity, join: joinEntries, materialize } = crdtTypes[type];
    const implicit = isAlive(row) && known !== undefined && !row.fields.has(name);
    const shown = known && isAlive(row) ? valueAt(local.values, name) : undefined;
    const untold = implicit && isUntold(row, known, shown);
    // Where others said something, the default is this table's own, from its migration: the row never had it.
    const replaced = waited && untold && !isImplicit(known, incoming.entries, shown as Json);
    const value = replaced ? undefined : shown;
    if (isNested(type) && incoming.entries.length === 0 && !row.fields.has(name) && value === undefined) {
      fields.set(name, { type, entries: [] });
      cells.add(emptiedCell(name, type, { born: seq, via: from }));
      if (replaced) values[name] = materialize([]);
      // What is empty travels with the life.
      if (!waited && row.born !== seq) row = { ...row, born: seq, via: null };
      applied = true;
      continue;
    }
    const mine = entriesOf(row, known ?? { name, type }, value);
    const result = new Map(mine.map((entry) => [identity(entry), entry]));
    const changed: Entry[] = [];
    let won = false;
    for (const theirs of incoming.entries) {
      const id = identity(theirs);
      const stored = result.get(id);
      const winner = stored ? joinEntries(stored, theirs) : theirs;
      if (stored && winner === stored) {
        if (from === null || joinEntries(theirs, stored) === theirs) continue;
        if (stored.via !== from && !untold) continue;
        renumbered = true;
        changed.push({ ...stored, seq, via: null });
      } else {
        won = true;
        // What the peer sent stands as it sent it; a mixture of both sides is news to it as well.
        const { key, hlc, node, state } = winner;
        changed.push({ key, hlc, node, state, seq, via: winner === theirs ? from : null, cell: stored?.cell });
      }
      result.set(id, changed[changed.length - 1] as Entry);
    }
    // Who sent the field without the default's entries must hear of them, though there is nothing that they win against.
    const heard = new Set(incoming.entries.map(identity));
    const tells = untold && from !== null && mine.some((entry) => !heard.has(identity(entry)));
    if (changed.length === 0 && !tells) continue;
    renumbered ||= tells;
    if (implicit) {
      const fresh = new Set(changed);
      for (const entry of result.values()) if (!fresh.has(entry)) changed.push({ ...entry, seq, via: null });
    }
    for (const entry of changed) {
      result.set(identity(entry), entry);
      cells.add({ field: name, type, entry });
    }
    const entries = [...result.values()];
    fields.set(name, { type, entries });
    applied ||= won;
    if (won && known) values[name] = materialize(entries);
  }

  if (!applied && !renumbered) return superseded(current);
  row = { ...row, fields, seq };
  const outcome = applied ? "applied" : "superseded";
  if (dies) {
    const base = local.present ? ({ op: "delete" } as const) : NO_BASE_WRITE;
    return { outcome, row, clearCells: rests, cells: cells.list(), deletes, base };
  }
  if (!local.present && isAlive(row)) {
    return {
      outcome,
      row,
      clearCells: false,
      cells: cells.list(),
      deletes,
      base: { op: "insert", values: rowValues(model, row, {}) },
    };
  }
  const shows = local.present && !rests && Object.keys(values).length > 0;
  const base = shows ? ({ op: "update", values } as const) : NO_BASE_WRITE;
  return { outcome, row, clearCells: false, cells: cells.list(), deletes, base };
}

/** What no number has ever sent is numbered anew as it becomes explicit: peers may have the row without it, from before the column. */
function tell(
  model: TableModel,
  before: Row,
  values: Local["values"],
  fields: Map<string, FieldState>,
  cells: CellWrites,
  seq: number,
): void {
  for (const field of model.fields) {
    const { name, type } = field;
    const known = fields.get(name);
    if (!known || !isUntold(before, field, valueAt(values, name))) continue;
    const entries = known.entries.map((entry) => ({ ...entry, seq, via: null }));
    fields.set(name, { type, entries });
    if (type !== "lww") for (const entry of entries) cells.add({ field: name, type, entry });
  }
}

/** Whether some set, list or document is empty here and not by default, and the change says nothing of it. */
function isEmptySince(model: TableModel, row: Row, values: Local["values"], change: RowChange): boolean {
  const isSilent = (type: FieldModel["type"], name: string) =>
    isNested(type) && !Object.hasOwn((change[type] as object | undefined) ?? {}, name);
  for (const [name, { type, entries }] of row.fields) if (entries.length === 0 && isSilent(type, name)) return true;
  return model.fields.some((field) => {
    const value = valueAt(values, field.name);
    if (row.fields.has(field.name) || value === undefined || !isSilent(field.type, field.name)) return false;
    return !isDefault(field, value) && crdtTypes[field.type].implicit(value, field).length === 0;
  });
}

/** An implicit field at its column's default: the column may be younger than the row, and then no number ever sends it. */
const isUntold = (row: Row, field: FieldModel | undefined, value: Json | undefined): boolean =>
  field !== undefined &&
  value !== undefined &&
  !row.fields.has(field.name) &&
  !row.shape.includes(field.name) &&
  isDefault(field, value);

/**
 * Decides what a row becomes when `change` meets it.
 *
 * The change must be valid (see wire/row.ts). The result is the same whatever the order in which changes arrive.
 * An entry that loses against one that came from the sender is numbered anew without `via`: the sender is behind
 * what it sent itself, so it must hear of the winner.
 */
export function decideMerge(model: TableModel, local: Local, change: RowChange, context: MergeContext): Merged {
  const { row } = local;
  const later = row === null ? 1 : lifeOf(model, change) - lifeOf(model, row);
  if (!row || later > 0) return takeOver(model, local, change, context);
  if (later === 0) return join(model, local, row, change, context);
  const behind = context.from !== null && row.via === context.from;
  const { row: longest } = joinedEnds(row, change, context.from);
  const kept = behind || longest !== row ? { ...longest, born: context.seq, seq: context.seq, via: null } : row;
  return superseded(kept);
}
