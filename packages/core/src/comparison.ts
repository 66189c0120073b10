// What of a row's base values the shadow does not explain: the base table is the shadow's projection, so every difference
// was made by somebody whom no trigger saw, or by the user's own triggers and column types.
import { sameValue } from "./canonical";
import type { Json, TableModel } from "./model";
import type { Row } from "./row";
import { crdtTypes } from "./types/index";

/** A field in which a row differs from its entries. */
export interface FieldDifference {
  readonly field: string;
  readonly problem: "missed_value" | "changed_value";
}

/** What `verify` found in one row or field, and what it did about it. */
export interface Discrepancy {
  readonly table: string;
  readonly pk: readonly Json[];
  /** The column; absent where it is the row as a whole. */
  readonly field?: string;
  /**
   * `unknown_row`: the table has a row of which the shadow does not know that it lives. `missing_row`: a row that lives is
   * not in the table. `missed_value`: a counter or set is not what its entries make. `changed_value`: a value came out of
   * the table different from what was received; a user's trigger or the column's type changed it.
   */
  readonly problem: "unknown_row" | "missing_row" | "missed_value" | "changed_value";
  /** The write that this counts as from now on; `none` where the shadow keeps what it has. */
  readonly action: "insert" | "delete" | "update" | "none";
}

/**
 * Compares the fields of a row that shows with its entries. LWW values live in the base table alone, so of those only the
 * ones can be told that were kept as received.
 */
export function compareFields(model: TableModel, row: Row, base: Readonly<Record<string, Json>>): FieldDifference[] {
  // Where a parent is not there, the projection itself shows NULL or the default.
  const loose = new Set(
    (model.references ?? []).flatMap(({ columns, onDelete }) =>
      onDelete === "set null" || onDelete === "set default" ? columns : [],
    ),
  );
  return model.fields.flatMap(({ name, type, default: fallback = null }): FieldDifference[] => {
    const entries = row.fields.get(name)?.entries;
    const found = base[name];
    if (!entries || found === undefined) return [];
    if (type !== "lww") {
      const expected = crdtTypes[type].materialize(entries);
      return sameValue(expected, found) ? [] : [{ field: name, problem: "missed_value" }];
    }
    const kept = entries[0]?.state;
    if (kept === undefined || sameValue(kept, found)) return [];
    if (loose.has(name) && (found === null || sameValue(found, fallback))) return [];
    return [{ field: name, problem: "changed_value" }];
  });
}
