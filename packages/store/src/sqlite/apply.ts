// Writes decided change sets: shadow row, cells, the user's own row. Statements are prepared once and run row by row
// inside the caller's transaction; on this driver that is faster than one statement of many VALUES (bench/README.md).
import {
  type BaseWrite,
  type CellWrite,
  type ChangeSet,
  decideLeaving,
  decidePlacement,
  decideSettlement,
  encodeCell,
  encodeRow,
  fieldNamed,
  fieldValues,
  isGroveError,
  type Json,
  type Neighbours,
  type Refusal,
  type Row,
  rowValues,
  settleCells,
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
    const { op } = write;
    const { sql, fields } = table.writeBase(op, Object.keys(write.values));
    const params: unknown[] = op === "insert" ? [...key] : [];
    for (const field of fields) {
      const { name, type } = field;
      try {
        params.push(table.param(field, write.values[name] as Json));
      } catch (error) {
        // Each increment was right where it was made; only their sum does not fit the column.
        if (type !== "counter" && !(error instanceof UnfitValue)) throw error;
        const message = `${table.model.name}.${name}: ${String(write.values[name])} does not fit the column.`;
        return { code: "bad_value", message };
      }
    }
    if (op === "update") params.push(...key);
    statements.writer(sql).run(...params);
    return null;
  } catch (error) {
    if (!isConstraint(error)) throw error;
    return { code: "constraint", message: error.message };
  }
}

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
  const placement = decidePlacement(around, changes);
  checkKept(table, placement.rest);
  const refusal = applyBase(session, table, key, placement.write);
  const settlement = decideSettlement(around, pk, changes, placement, present, refusal !== null);
  const { kept, touched, shown, gone } = settlement;
  checkKept(table, kept);
  applyShadow(session, table, key, kept);
  if (shown) {
    writeLocal(session, table, pk, key);
    writeSettled(session, table, key, shown, shown);
  }
  if (shown || gone) unpark(session, table, pk);
  if (touched) session.touch(touched);
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
  const leaving = decideLeaving(table.model, row, base);
  if (leaving) applyShadow(session, table, key, leaving);
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
  const written = fieldValues(table.model, values, kind === "set" ? columns : undefined);
  try {
    const refusal = applyBase(session, table, key, { op: kind === "in" ? "insert" : "update", values: written });
    if (refusal) return refusal;
  } catch (error) {
    if (!isGroveError(error)) throw error;
    return { code: error.code, message: error.message };
  }
  if (kind === "in") writeLocal(session, table, pk, key, local);
  writeSettled(session, table, key, shadow, { ...base, ...written });
  return null;
}

const readRow = (session: Session, table: Table, key: readonly unknown[]): Row | null =>
  readRows(session, table, [key])[0]?.row ?? null;

/** Settles the cells of a row whose values were written. */
function writeSettled(
  session: Session,
  table: Table,
  key: readonly unknown[],
  shadow: Readonly<Record<string, Json>>,
  written: Readonly<Record<string, Json>>,
): void {
  const row = readRow(session, table, key);
  const shown = mayDiffer(session, table) ? (readBase(session, table, [key], [0]).get(0) ?? written) : written;
  const settled = settleCells(table.model, row, shadow, shown);
  if (!settled) return;
  for (const cell of settled.deletes) session.statements.writer(table.deleteCell).run(cell);
  writeCells(session, table, settled.row.id, settled.cells);
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
