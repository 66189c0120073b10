// Which cells a fold must read, the same in every dialect. Of a row that was only updated it looks at the columns that were
// written: a list of ten thousand items beside them need not be read for the sake of a title.
import { type FieldModel, isAlive, type TableModel, type Touch, touchedFields } from "@grove-crdt/core";

export interface TouchedCells {
  /** Shadow rows of which all cells are read. */
  readonly whole: readonly number[];
  /** Shadow rows of which those of {@link fields} are. */
  readonly written: readonly number[];
  readonly fields: readonly string[];
}

/** A touched row that has a shadow. */
export interface TouchedShadow {
  readonly touch: Touch;
  /** The base table has the row. */
  readonly present: boolean;
  readonly id: number;
  readonly cl: number;
}

/** @param multi the table's fields with entries */
export function touchedCells(
  model: TableModel,
  multi: readonly FieldModel[],
  rows: Iterable<TouchedShadow>,
): TouchedCells {
  const [all, whole, written]: [number[], number[], number[]] = [[], [], []];
  const fields = new Set<string>();
  for (const row of rows) {
    const { touch, present, id } = row;
    all.push(id);
    // A life that begins or ends is later than every entry that the row has.
    if (!present || touch.inserted || touch.deleted || !isAlive(row)) {
      whole.push(id);
      continue;
    }
    written.push(id);
    for (const { name } of touchedFields(model, touch)) fields.add(name);
  }
  // Where nothing can be left out, one statement reads everything, and faster.
  if (multi.every(({ name }) => fields.has(name))) return { whole: all, written: [], fields: [] };
  return { whole, written, fields: [...fields] };
}
