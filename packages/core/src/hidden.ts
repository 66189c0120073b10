// Hidden rows: rows that live in the shadow but that a constraint keeps out of the base table. Their values wait in
// cells, so they are still merged, served and superseded.
import type { CellWrite, ChangeSet } from "./changeset";
import { NO_BASE_WRITE } from "./changeset";
import type { Json, TableModel } from "./model";
import { entriesOf, type FieldState, type Row, registerOf } from "./row";

/** The change set with all of the row's values moved into cells and the base table left alone. */
export function hide(model: TableModel, changes: ChangeSet, values: Readonly<Record<string, Json>>): ChangeSet {
  const cells: CellWrite[] = [...changes.cells];
  const fields = new Map<string, FieldState>(changes.row.fields);
  const written = new Set(cells.map((cell) => cell.field));
  for (const { name, type } of model.fields) {
    const value = values[name];
    if (type === "lww") {
      const entry = registerOf(changes.row, name, value);
      if (value === undefined || written.has(name)) continue;
      const own = { ...entry, state: value };
      fields.set(name, { type, entries: [own] });
      cells.push({ field: name, type, entry: own });
    } else if (!fields.has(name)) {
      const entries = entriesOf(changes.row, name, type, value);
      fields.set(name, { type, entries });
      for (const entry of entries) cells.push({ field: name, type, entry });
    }
  }
  return { ...changes, row: { ...changes.row, fields }, cells, base: NO_BASE_WRITE };
}

/** Ids of the cells that hold values of LWW columns: they go once the base table has the row. */
export function valueCells(model: TableModel, row: Row): number[] {
  const ids: number[] = [];
  for (const { name, type } of model.fields) {
    const cell = type === "lww" ? row.fields.get(name)?.entries[0]?.cell : undefined;
    if (cell !== undefined) ids.push(cell);
  }
  return ids;
}
