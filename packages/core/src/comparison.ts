// What of a row's base values the shadow does not explain: the base table is the shadow's projection, so every difference
// was made by somebody whom no trigger saw, or by the user's own triggers and column types.
import { sameValue } from "./canonical";
import type { RowChange } from "./change";
import { type CellWrite, type ChangeSet, unchanged } from "./changeset";
import type { Json, TableModel } from "./model";
import { isAlive, type Row, registerOf } from "./row";
import { crdtTypes } from "./types/index";

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
export function compareFields(
  model: TableModel,
  pk: readonly Json[],
  row: Row,
  base: Readonly<Record<string, Json>>,
): Discrepancy[] {
  // Where a parent is not there, the projection itself shows NULL or the default.
  const loose = new Set(
    (model.references ?? []).flatMap(({ columns, onDelete }) =>
      onDelete === "set null" || onDelete === "set default" ? columns : [],
    ),
  );
  const { name: table } = model;
  return model.fields.flatMap(({ name: field, type, default: fallback = null }): Discrepancy[] => {
    const entries = row.fields.get(field)?.entries;
    const found = base[field];
    if (!entries || found === undefined) return [];
    if (type !== "lww") {
      const expected = crdtTypes[type].materialize(entries);
      return sameValue(expected, found) ? [] : [{ table, pk, field, problem: "missed_value", action: "update" }];
    }
    const kept = entries[0]?.state;
    if (kept === undefined || sameValue(kept, found)) return [];
    if (loose.has(field) && (found === null || sameValue(found, fallback))) return [];
    return [{ table, pk, field, problem: "changed_value", action: "none" }];
  });
}

/**
 * Values of a merged change that came out of the base table different from what they were: they are kept as received, so
 * that every node still serves the same value under its stamp.
 *
 * @param row what the shadow has now
 * @param base what the base table has now
 */
export function decideReceived(
  row: Row | null,
  { life, lww = {} }: RowChange,
  base: Readonly<Record<string, Json>> | undefined,
): ChangeSet | null {
  if (!row || !base || !isAlive(row)) return null;
  const cells: CellWrite[] = [];
  for (const [field, [value, hlc = life[0], node = life[1]]] of Object.entries(lww)) {
    const entry = registerOf(row, field);
    const stored = base[field];
    if (stored === undefined || entry.state !== undefined || entry.hlc !== hlc || entry.node !== node) continue;
    if (!sameValue(stored, value)) cells.push({ field, type: "lww", entry: { ...entry, state: value } });
  }
  return cells.length > 0 ? { ...unchanged(row), cells } : null;
}
