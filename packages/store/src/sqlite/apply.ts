// Writes decided change sets: shadow row, cells, the user's own row. Statements are prepared once and run row by row
// inside the caller's transaction; on this driver that is faster than one statement of many VALUES (bench/README.md).
import {
  type BaseWrite,
  type CellWrite,
  type ChangeSet,
  encodeCell,
  encodeRow,
  hide,
  isAlive,
  type Json,
  type Row,
  rowValues,
  valueCells,
} from "@grove-crdt/core";
import { park, parkedLocal, type Refusal, readLocal, unpark } from "./parking";
import { readBase } from "./read";
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
        if (field.type !== "counter") throw error;
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

/**
 * Writes a merged row: shadow and base table together. When a constraint keeps the row out of the base table, its
 * values move to cells and the row waits in `_grove_parked`.
 *
 * @param present whether the base table has the row
 */
export function applyMerged(
  session: Session,
  table: Table,
  pk: readonly Json[],
  key: readonly unknown[],
  changes: ChangeSet,
  present: boolean,
): void {
  const refusal = applyBase(session, table, key, changes.base);
  if (!refusal) {
    const shown = changes.base.op === "insert" && changes.row.id !== 0;
    applyShadow(session, table, key, shown ? withoutValueCells(table, changes) : changes);
    if (shown) writeLocal(session, table, pk, key);
    if (shown || !isAlive(changes.row)) unpark(session, table, pk);
  } else if (present) {
    const values = { ...readBase(session, table, [key], [0]).get(0), ...written(changes.base) };
    takeOut(session, table, pk, key, changes, values, refusal);
  } else {
    applyShadow(session, table, key, hide(table.model, changes, written(changes.base)));
    park(session, table, pk, refusal);
  }
}

const written = (base: BaseWrite) => (base.op === "insert" || base.op === "update" ? base.values : {});

/** Takes a row out of the base table; what it had, its `local` columns included, waits to be shown again. */
export function takeOut(
  session: Session,
  table: Table,
  pk: readonly Json[],
  key: readonly unknown[],
  changes: ChangeSet,
  values: Readonly<Record<string, Json>>,
  refusal: Refusal,
): void {
  const local = readLocal(session, table, key);
  session.uncapture();
  session.statements.writer(table.deleteBase).run(...key);
  applyShadow(session, table, key, hide(table.model, changes, values));
  park(session, table, pk, refusal, local);
}

/** The base table has the row now, so the cells that held LWW values go. */
function withoutValueCells(table: Table, changes: ChangeSet): ChangeSet {
  const gone = new Set(valueCells(table.model, changes.row));
  const lww = new Set(table.model.fields.filter((field) => field.type === "lww").map((field) => field.name));
  return {
    ...changes,
    cells: changes.cells.filter((cell) => !lww.has(cell.field)),
    deletes: [...new Set([...changes.deletes, ...gone])],
  };
}

/** Gives a row that is shown again what it had in `local` columns. */
function writeLocal(session: Session, table: Table, pk: readonly Json[], key: readonly unknown[]): void {
  if (table.model.local.length === 0) return;
  const [columns, params] = parkedLocal(session, table, pk);
  if (columns.length === 0) return;
  session.uncapture();
  session.statements.writer(table.updateBase(columns)).run(...params, ...key);
}

/** Tries to show a row that was kept out; a row that still cannot be shown gets the present reason. */
export function tryShow(session: Session, table: Table, pk: readonly Json[], row: Row): void {
  const key = table.keyParams(pk);
  const refusal = applyBase(session, table, key, { op: "insert", values: rowValues(table.model, row, {}) });
  if (refusal) {
    park(session, table, pk, refusal);
    return;
  }
  writeLocal(session, table, pk, key);
  for (const cell of valueCells(table.model, row)) session.statements.writer(table.deleteCell).run(cell);
  unpark(session, table, pk);
}
