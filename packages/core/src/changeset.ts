// What a decision (fold or merge) asks the store to write for one row. The store adds nothing of its own.
import type { Entry } from "./entry";
import type { CrdtTypeName, Json, TableModel } from "./model";
import type { Row } from "./row";
import { crdtTypes } from "./types/index";

export interface CellWrite {
  readonly field: string;
  readonly type: CrdtTypeName;
  /** With `cell` set: update that cell; without: insert one. */
  readonly entry: Entry;
}

/** What happens to the user's own row. Values are canonical, by column name. */
export type BaseWrite =
  | { readonly op: "none" }
  | { readonly op: "insert"; readonly values: Readonly<Record<string, Json>> }
  | { readonly op: "update"; readonly values: Readonly<Record<string, Json>> }
  | { readonly op: "delete" };

export interface ChangeSet {
  readonly row: Row;
  /** Drop every cell of the row first: a new life or a death. */
  readonly clearCells: boolean;
  readonly cells: readonly CellWrite[];
  /** Cell ids to delete. */
  readonly deletes: readonly number[];
  readonly base: BaseWrite;
}

/** At most one write for each entry of a row: an entry that was made explicit may be joined in the same merge. */
export class CellWrites {
  readonly #writes = new Map<string, CellWrite>();
  add(write: CellWrite): void {
    this.#writes.set(`${write.field}\n${crdtTypes[write.type].identity(write.entry)}`, write);
  }
  list(): CellWrite[] {
    return [...this.#writes.values()];
  }
}

export const NO_BASE_WRITE: BaseWrite = { op: "none" };

/** Nothing of the row changes. */
export const unchanged = (row: Row): ChangeSet => ({
  row,
  clearCells: false,
  cells: [],
  deletes: [],
  base: NO_BASE_WRITE,
});

/** What of a row's values stands in annotated columns, in all or in those of a list. */
export const fieldValues = (
  { fields }: TableModel,
  values: Readonly<Record<string, Json>>,
  wanted?: ReadonlySet<string>,
): Readonly<Record<string, Json>> =>
  Object.fromEntries(
    fields.flatMap(({ name }) => {
      const value = values[name];
      return value !== undefined && (wanted?.has(name) ?? true) ? [[name, value]] : [];
    }),
  );
