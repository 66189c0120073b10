// Rows of tables that this node does not have, from peers of a newer schema: kept whole, merged by the same rules as others, passed on,
// and merged into the table once the node has it.
import { type Access, decideAdmitted } from "./admission";
import { wholeState } from "./adoption";
import { FIELD_PARTS, type RowChange } from "./change";
import { collectRow } from "./collection/collect";
import type { Round } from "./collection/round";
import { decideMerge } from "./merge";
import type { TableModel } from "./model";
import type { Row } from "./row";
import { WHOLE } from "./view";
import type { Outcome } from "./wire/protocol";

/** Most tables of which a node keeps rows without having them. */
export const MAX_TABLES_ELSEWHERE = 256;

/** A row of a table that this node does not have. */
export interface RowElsewhere {
  /** All that is known of it. */
  readonly state: RowChange;
  readonly seq: number;
  /** The peer that all of it came from; null = several, or some of it did not come as it is now. */
  readonly via: string | null;
}

/**
 * What is not known of a table: all of its columns are of a newer schema.
 *
 * @param keepsDeleted a deletion of it carries values: then the rest of what the row had may be wanted as well
 */
const modelOf = (name: string, keepsDeleted: boolean): TableModel => ({
  name,
  exportName: name,
  key: [],
  fields: [],
  local: [],
  uniques: [],
  keepsDeleted,
});

const keepsValues = (state: RowChange): boolean => state.cl % 2 === 0 && FIELD_PARTS.some((part) => state[part]);

function toRow(model: TableModel, { state, seq, via }: RowElsewhere): Row {
  const { row } = decideMerge(model, { row: null, present: false }, state, { seq, from: via });
  // It is stored.
  return { ...row, id: 1 };
}

/** Where all that a row has came from. */
function viaOf({ via, fields }: Row): string | null {
  for (const { entries } of fields.values()) if (entries.some((entry) => entry.via !== via)) return null;
  return via;
}

/** A column that the change has under another type than the row, or under two. */
function misfit({ fields }: Pick<Row, "fields">, change: RowChange): string | null {
  const types = new Map<string, string>([...fields].map(([name, { type }]) => [name, type]));
  for (const type of FIELD_PARTS) {
    for (const name of Object.keys(change[type] ?? {})) {
      if ((types.get(name) ?? type) !== type) return name;
      types.set(name, type);
    }
  }
  return null;
}

/** Decides what a kept row becomes when `change` meets it; `kept` is null where nothing changes. */
export function decideElsewhere(
  known: RowElsewhere | null,
  change: RowChange,
  context: { readonly seq: number; readonly from: string },
  access?: Access,
): { readonly kept: RowElsewhere | null; readonly outcome: Outcome } {
  const model = modelOf(change.table, keepsValues(change) || (known !== null && keepsValues(known.state)));
  const row = known && toRow(model, known);
  const strange = misfit({ fields: row && row.cl === change.cl ? row.fields : new Map() }, change);
  if (strange !== null) {
    const message = `${change.table}.${strange} comes under two types of column.`;
    return { kept: null, outcome: { outcome: "rejected", code: "bad_change", message } };
  }
  const local = { row, present: false, values: {} };
  const { merged, outcome } = decideAdmitted(model, local, change, context, access && { ...access, view: WHOLE });
  if (!merged || merged.row === row) return { kept: null, outcome };
  const state = wholeState(model, change.pk, merged.row, {}) as RowChange;
  return { kept: { state, seq: context.seq, via: viaOf(merged.row) }, outcome };
}

/**
 * What becomes of a kept row in a collection. Every member does the same, whether it has the table or not: who told others of what
 * they have forgotten would bring it back.
 *
 * @returns null when nothing does; `forgotten` when nothing is left of it
 */
export function collectElsewhere(known: RowElsewhere, round: Round): RowElsewhere | "forgotten" | null {
  const { table, pk } = known.state;
  const model = modelOf(table, keepsValues(known.state));
  const changes = collectRow(model, toRow(model, known), round);
  if (changes === null || changes === "forgotten") return changes;
  return { ...known, state: wholeState(model, pk, changes.row, {}) as RowChange };
}
