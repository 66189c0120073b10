// Overruled: what of a change lost against what a row had already, so that the row never shows it. History keeps it.
import type { RowChange } from "./change";
import type { Entry } from "./entry";
import { incomingFields } from "./incoming";
import type { CrdtTypeName, TableModel } from "./model";
import { fieldNamed, isAlive, lifeOf, outlives, type Row, registerOf } from "./row";
import { compareStamps } from "./stamp";
import { crdtTypes } from "./types/index";

/** Types of which an entry that loses may say something that the row does not say. Totals and dots only grow. */
const LOSES: ReadonlySet<CrdtTypeName> = new Set(["lww", "list", "document"]);

/** The part of the change that lost; null where nothing did. `row` is the row before it came. */
export function overruledPart(model: TableModel, row: Row | null, change: RowChange): RowChange | null {
  if (!row || !isAlive(change)) return null;
  const order = lifeOf(model, change) - lifeOf(model, row);
  if (order > 0) return null;
  const lost = new Map<string, readonly Entry[]>();
  const types = new Map<string, CrdtTypeName>();
  for (const [name, { type, entries }] of incomingFields(change)) {
    const known = fieldNamed(model, name);
    if (known && known.type !== type) continue;
    types.set(name, type);
    // Of a life that has ended, all is lost; of one that ended by this, what does not outlive it.
    const ended = order < 0 || (!isAlive(row) && !outlives(model, name));
    const some = ended ? entries : entries.filter((entry) => loses(row, name, type, entry));
    if (some.length > 0) lost.set(name, some);
  }
  return partOf(change, types, lost);
}

function loses(row: Row, name: string, type: CrdtTypeName, entry: Entry): boolean {
  if (!LOSES.has(type)) return false;
  if (type === "lww") return compareStamps(registerOf(row, name), entry) > 0;
  const { identity, join } = crdtTypes[type];
  const id = identity(entry);
  const mine = row.fields.get(name)?.entries.find((other) => identity(other) === id);
  return (
    mine !== undefined && compareStamps(mine, entry) !== 0 && join(mine, entry) === mine && join(entry, mine) !== entry
  );
}

/** These entries of the change and no others; null where that is nothing. */
export function partOf(
  { table, pk, cl, life, ends }: RowChange,
  types: ReadonlyMap<string, CrdtTypeName>,
  fields: ReadonlyMap<string, readonly Entry[]>,
): RowChange | null {
  if (fields.size === 0) return null;
  const parts: { [Type in CrdtTypeName]?: Record<string, unknown> } = {};
  for (const [name, entries] of fields) {
    const type = types.get(name) as CrdtTypeName;
    parts[type] ??= {};
    parts[type][name] = crdtTypes[type].encode(entries);
  }
  return { table, pk, cl, life, ...(ends && { ends }), ...parts } as RowChange;
}
