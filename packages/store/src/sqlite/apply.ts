// Writes decided change sets: shadow row, cells, the user's own row. Statements are prepared once and run row by row
// inside the caller's transaction; on this driver that is faster than one statement of many VALUES (bench/README.md).
import {
  type BaseWrite,
  type CellWrite,
  type ChangeSet,
  defer,
  encodeCell,
  encodeRow,
  fieldNamed,
  hide,
  isAlive,
  isGroveError,
  type Json,
  type Neighbours,
  NO_BASE_WRITE,
  type Refusal,
  type Row,
  registerOf,
  rowValues,
  sameValue,
} from "@grove-crdt/core";
import { UnfitValue } from "../wire-value";
import { localParams, readLocal, unpark } from "./parking";
import { readBase, readRows } from "./read";
import { mayDiffer } from "./received";
import { isConstraint, type Session } from "./session";
import type { Table } from "./table";

/** Inserts or updates the cells of shadow row `row`. */
export function writeCells(session: Session, table: Table, row: number, cells: readonly CellWrite[]): void {
  for (const { field, type, entry } of cells) {
    const cell = encodeCell(table.model, row, field, type, entry, session.names);
    if (entry.cell !== undefined) {
      session.statements.writer(table.updateCell).run(cell.node, cell.hlc, cell.state, cell.seq, cell.via, entry.cell);
    } else {
      session.statements
        .writer(table.insertCell)
        .run(cell.row, cell.field, cell.key, cell.node, cell.hlc, cell.state, cell.seq, cell.via);
    }
  }
}

/** Writes the shadow's part of a change set and returns the row's id. `key` is what binds to the key columns. */
export function applyShadow(session: Session, table: Table, key: readonly unknown[], changes: ChangeSet): number {
  const { row } = changes;
  const stored = encodeRow(row, session.names);
  const { cl, hlc, node, born, via, shape, clocks, seq } = stored;
  const id = row.id === 0 ? row.seq : row.id;
  if (row.id === 0)
    session.statements.writer(table.insertShadow).run(...key, id, cl, hlc, node, born, via, shape, clocks, seq);
  else session.statements.writer(table.updateShadow).run(cl, hlc, node, born, via, shape, clocks, seq, id);
  if (changes.clearCells) session.statements.writer(table.clearCells).run(id);
  for (const cell of changes.deletes) session.statements.writer(table.deleteCell).run(cell);
  if (changes.cells.length > 0) writeCells(session, table, id, changes.cells);
  return id;
}

/** Writes to the user's table, uncaptured. Returns why the database refused, or null. */
export function applyBase(session: Session, table: Table, key: readonly unknown[], write: BaseWrite): Refusal | null {
  if (write.op === "none") return null;
  const { statements } = session;
  session.uncapture();
  try {
    if (write.op === "delete") {
      statements.writer(table.deleteBase).run(...key);
      return null;
    }
    const columns = Object.keys(write.values);
    const params: unknown[] = [];
    for (const name of columns) {
      const field = table.field(name);
      try {
        params.push(table.param(field, write.values[name] as Json));
      } catch (error) {
        // Each increment was right where it was made; only their sum does not fit the column.
        if (field.type !== "counter" && !(error instanceof UnfitValue)) throw error;
        const message = `${table.model.name}.${name}: ${String(write.values[name])} does not fit the column.`;
        return { code: "bad_value", message };
      }
    }
    if (write.op === "insert") statements.writer(table.insertBase(columns)).run(...key, ...params);
    else statements.writer(table.updateBase(columns)).run(...params, ...key);
    return null;
  } catch (error) {
    if (!isConstraint(error)) throw error;
    return { code: "constraint", message: error.message };
  }
}

/** The columns of a base write, all or only those in a list, but for the key's. */
const columnsOf = (table: Table, values: Readonly<Record<string, Json>>, wanted?: ReadonlySet<string>) =>
  Object.fromEntries(
    table.model.fields.flatMap(({ name }) => {
      const value = values[name];
      return value !== undefined && (wanted?.has(name) ?? true) ? [[name, value]] : [];
    }),
  );

/**
 * Writes a merged row. What may show or hide other rows, or meet them, waits in the shadow for the projection; the rest
 * goes to the base table at once.
 *
 * @param present whether the base table has the row
 */
export function applyMerged(
  session: Session,
  table: Table,
  around: Neighbours,
  pk: readonly Json[],
  key: readonly unknown[],
  changes: ChangeSet,
  present: boolean,
): void {
  const { model } = table;
  const { base, row } = changes;
  const linked = around.structural.size > 0 || around.in.length > 0;
  const known = row.id !== 0;
  const touch = (stale?: readonly string[]) => session.touch({ table: model.name, pk, stale });
  const keep = (kept: ChangeSet) => {
    checkKept(table, kept);
    applyShadow(session, table, key, kept);
  };
  if (base.op === "insert") {
    const refusal = linked && known ? WAITS : applyBase(session, table, key, base);
    keep(refusal || known ? hide(model, changes, base.values) : changes);
    if (!refusal && known) {
      writeLocal(session, table, pk, key);
      settleCells(session, table, key, { ...base.values }, base.values);
      unpark(session, table, pk);
    }
    if (refusal || linked) touch();
    return;
  }
  if (base.op === "update") {
    const waiting = defer(model, changes, around.structural);
    checkKept(table, waiting);
    const refusal = applyBase(session, table, key, waiting.base);
    const all = new Set(Object.keys(base.values));
    keep(refusal ? defer(model, waiting, all) : waiting);
    if (refusal) touch([...all]);
    else if (waiting.base !== base) touch();
    return;
  }
  if (base.op === "delete" && around.in.length === 0) {
    const refusal = applyBase(session, table, key, base);
    if (refusal) touch();
  }
  keep(changes);
  if (isAlive(row)) return;
  if (linked) touch();
  else if (!present || base.op === "delete") unpark(session, table, pk);
}

/** What waits in cells will be shown some day, so it must fit. @throws GroveError `bad_value` */
function checkKept(table: Table, { cells }: ChangeSet): void {
  for (const { field, type, entry } of cells) {
    if (type !== "lww" || entry.state === undefined || !fieldNamed(table.model, field)) continue;
    try {
      table.param(table.field(field), entry.state);
    } catch (error) {
      // Then it stays in the shadow.
      if (!(error instanceof UnfitValue)) throw error;
    }
  }
}

const WAITS: Refusal = { code: "constraint", message: "" };

export interface BaseMove {
  readonly kind: "out" | "in" | "set";
  readonly values: Readonly<Record<string, Json>>;
  /** Of `set`: the columns to write. */
  readonly columns: ReadonlySet<string>;
  /** Of `in`: what the row had in `local` columns when it went out before. */
  readonly local?: string;
}

/** Moves what the base table alone has of a row to cells, before it goes. Returns its `local` columns. */
export function saveRow(session: Session, table: Table, pk: readonly Json[]): string | undefined {
  const key = table.keyParams(pk);
  const row = readRow(session, table, key);
  const base = readBase(session, table, [key], [0]).get(0);
  if (!base) return undefined;
  const kept = row !== null && (isAlive(row) || (table.model.keepsDeleted && row.fields.size > 0));
  if (kept && row.id !== 0)
    applyShadow(session, table, key, hide(table.model, unchanged(row), rowValues(table.model, row, base)));
  return readLocal(session, table, key);
}

/**
 * Makes one move of a projection, uncaptured: what the base table shows of a row stands there, the rest in cells. Rows
 * that go have been saved before, lest another one's foreign key takes them along.
 *
 * @returns why the database refused, or null
 */
export function makeMove(
  session: Session,
  table: Table,
  pk: readonly Json[],
  { kind, values, columns, local }: BaseMove,
): Refusal | null {
  const key = table.keyParams(pk);
  const row = readRow(session, table, key);
  const base = kind === "in" ? {} : (readBase(session, table, [key], [0]).get(0) ?? {});
  const shadow = row ? rowValues(table.model, row, base) : base;
  if (kind === "out") {
    saveRow(session, table, pk);
    return applyBase(session, table, key, { op: "delete" });
  }
  const written = columnsOf(table, values, kind === "set" ? columns : undefined);
  try {
    const refusal = applyBase(session, table, key, { op: kind === "in" ? "insert" : "update", values: written });
    if (refusal) return refusal;
  } catch (error) {
    if (!isGroveError(error)) throw error;
    return { code: error.code, message: error.message };
  }
  if (kind === "in") writeLocal(session, table, pk, key, local);
  settleCells(session, table, key, shadow, { ...base, ...written });
  return null;
}

const readRow = (session: Session, table: Table, key: readonly unknown[]): Row | null =>
  readRows(session, table, [key])[0]?.row ?? null;

const unchanged = (row: Row): ChangeSet => ({ row, clearCells: false, cells: [], deletes: [], base: NO_BASE_WRITE });

/** A value that the base table shows needs no cell; one that it shows otherwise, or not at all, has one. */
function settleCells(
  session: Session,
  table: Table,
  key: readonly unknown[],
  shadow: Readonly<Record<string, Json>>,
  written: Readonly<Record<string, Json>>,
): void {
  const row = readRow(session, table, key);
  if (!row || row.id === 0) return;
  const shown = mayDiffer(session, table) ? (readBase(session, table, [key], [0]).get(0) ?? written) : written;
  for (const { name, type } of table.model.fields) {
    const value = shadow[name];
    if (type !== "lww" || value === undefined) continue;
    const entry = registerOf(row, name);
    const equal = shown[name] !== undefined && sameValue(shown[name], value);
    if (equal && entry.cell !== undefined) session.statements.writer(table.deleteCell).run(entry.cell);
    else if (!equal && entry.cell === undefined)
      writeCells(session, table, row.id, [{ field: name, type, entry: { ...entry, state: value } }]);
  }
}

/** Gives a row that is shown again what it had in `local` columns. */
function writeLocal(
  session: Session,
  table: Table,
  pk: readonly Json[],
  key: readonly unknown[],
  local?: string,
): void {
  if (table.model.local.length === 0) return;
  const [columns, params] = localParams(session, table, pk, local);
  if (columns.length === 0) return;
  session.uncapture();
  session.statements.writer(table.updateBase(columns)).run(...params, ...key);
}
