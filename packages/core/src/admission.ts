// Admission: what one writer may change. A row is taken only if it is in the writer's scope, as it was and as it would be;
// columns that the writer may not write are left out and told; and who may not relay writes under its own name alone.
import { isDefault } from "./adoption";
import { sameValue } from "./canonical";
import { FIELD_PARTS, headOf, type RowChange, type WireCounter, type WireRegister } from "./change";
import { decideMerge, type Local, type MergeContext, type Merged } from "./merge";
import type { Json, TableModel } from "./model";
import { entriesOf, fieldNamed, lifeOf, registerOf } from "./row";
import { RESERVED_NODE } from "./stamp";
import { crdtTypes } from "./types/index";
import { isInView, type TableView, type View } from "./view";
import type { Outcome } from "./wire/protocol";

/** What a writer may do. Absent where everything is allowed. */
export interface Access {
  /** Names of the tables; others do not exist for the writer. */
  readonly tables: ReadonlySet<string>;
  readonly view: View;
  /** It may bring what other nodes wrote. */
  readonly mayRelay: boolean;
  /** Nothing narrows what it may see and write, so that it may bring and read rows of tables that this node does not have. */
  readonly elsewhere?: boolean;
  /** The node ids that are its own, beside the one under which it comes: a database may have been given another. */
  readonly own?: ReadonlySet<string>;
}

/** Whether a writer that comes as node `from` may bring what was written in a node's name. */
export const mayBring = (access: Access | undefined, from: string, node: string): boolean =>
  access === undefined || access.mayRelay || node === from || node === RESERVED_NODE || access.own?.has(node) === true;

const forbidden = (message: string, fields?: readonly string[]): Outcome => ({
  outcome: "rejected",
  code: "forbidden",
  message,
  ...(fields && { fields }),
});

/** Whether the row, as it stands here and as the change has it, is in the writer's scope. */
function isInScope(model: TableModel, view: TableView, { row, values = {} }: Local, change: RowChange): boolean {
  const { pk, lww } = change;
  const { where = {} } = view;
  if (row && !isInView(model, view, pk, row, values)) return false;
  const known = row !== null && lifeOf(model, change) <= lifeOf(model, row);
  if (view.keys && !isInView(model, { keys: view.keys }, pk, null, {})) return false;
  return Object.entries(where).every(([column, wanted]) => {
    const register = lww && Object.hasOwn(lww, column) ? lww[column] : undefined;
    const key = model.key.findIndex(({ name }) => name === column);
    const said = key >= 0 ? pk[key] : register?.[0];
    // A life that is new here must say whose it is.
    return said === undefined ? known : sameValue(said, wanted);
  });
}

/** A column at its default says nothing in a row that is new: every insert carries all columns. */
function saysNothing(model: TableModel, name: string, value: unknown): boolean {
  const field = fieldNamed(model, name);
  if (!field) return false;
  if (field.type === "lww") return isDefault(field, (value as WireRegister)[0]);
  if (field.type !== "counter") {
    const { decode, materialize } = crdtTypes[field.type];
    return decode(value as Json).length === 0 && isDefault(field, materialize([]));
  }
  const { birth, totals = [] } = value as WireCounter;
  return totals.length === 0 && (birth === undefined || isDefault(field, birth[0]));
}

/** The change without the columns that the writer may not write, and which of those said something. */
function withoutForbidden(
  model: TableModel,
  fields: ReadonlySet<string>,
  isNew: boolean,
  change: RowChange,
): { readonly change: RowChange; readonly left: readonly string[] } {
  const left: string[] = [];
  const kept: Record<string, object> = {};
  for (const type of FIELD_PARTS) {
    const some = Object.entries(change[type] ?? {}).filter(([name, value]) => {
      if (fields.has(name)) return true;
      if (!isNew || !saysNothing(model, name, value)) left.push(name);
      return false;
    });
    if (some.length > 0) kept[type] = Object.fromEntries(some);
  }
  return { change: { ...headOf(change), ...kept }, left };
}

/** The node in whose name the merge changed the row, and in whose the writer may bring nothing; null when there is none. */
function otherOrigin(
  model: TableModel,
  { row, values }: Local,
  merged: Merged,
  isOwn: (node: string) => boolean,
): string | null {
  const after = merged.row;
  const moved = !row || row.cl !== after.cl || row.hlc !== after.hlc || row.node !== after.node;
  if (moved && !isOwn(after.node)) return after.node;
  // What an earlier life said is no part of this one.
  const before = row && lifeOf(model, row) === lifeOf(model, after) ? row : null;
  const written = merged.base.op === "insert" || merged.base.op === "update" ? merged.base.values : {};
  for (const [name, { type, entries }] of after.fields) {
    const { identity, writers } = crdtTypes[type];
    const value = values && Object.hasOwn(values, name) ? values[name] : undefined;
    const field = fieldNamed(model, name) ?? { name, type };
    const mine = !before ? [] : type === "lww" ? [registerOf(before, name, value)] : entriesOf(before, field, value);
    const known = new Map(mine.map((entry) => [identity(entry), entry]));
    for (const entry of entries) {
      // Of a register, the value may be on its way to the base table.
      const state = entry.state ?? (type === "lww" && Object.hasOwn(written, name) ? written[name] : undefined);
      for (const writer of writers(known.get(identity(entry)), { ...entry, state })) if (!isOwn(writer)) return writer;
    }
  }
  return null;
}

export interface Admitted {
  /** Null when nothing of the change is taken. */
  readonly merged: Merged | null;
  readonly outcome: Outcome;
}

/** Decides a merge within what the sender may do; see {@link decideMerge}. */
export function decideAdmitted(
  model: TableModel,
  local: Local,
  sent: RowChange,
  context: MergeContext & { readonly from: string },
  access: Access | undefined,
): Admitted {
  if (!access) {
    const merged = decideMerge(model, local, sent, context);
    return { merged, outcome: { outcome: merged.outcome } };
  }
  const view = access.view.get(sent.table);
  if (view && !isInScope(model, view, local, sent))
    return { merged: null, outcome: forbidden("The row is outside of what this principal may write.") };
  const isNew = !local.row || sent.cl > local.row.cl;
  const { change, left } = view?.fields
    ? withoutForbidden(model, view.fields, isNew, sent)
    : { change: sent, left: [] as readonly string[] };
  const merged = decideMerge(model, local, change, context);
  const isOwn = (node: string) => mayBring(access, context.from, node);
  const other = access.mayRelay ? null : otherOrigin(model, local, merged, isOwn);
  if (other !== null) {
    const message = `The change was written by node ${JSON.stringify(other)}, and this principal may not relay.`;
    return { merged: null, outcome: forbidden(message) };
  }
  const outcome: Outcome =
    left.length > 0 ? forbidden("This principal may not write these columns.", left) : { outcome: merged.outcome };
  return { merged, outcome };
}
