// Adoption: rows that were in a table before capture count as the oldest possible writes, those of the reserved node. Here
// is what follows: when a touched row counts as one, by which sum two nodes see that they adopted the same, and what
// becomes of a column that was added later.
import { canonicalize, sameValue } from "./canonical";
import { ENTRY_PARTS, type RowChange } from "./change";
import { type CellWrite, type ChangeSet, NO_BASE_WRITE } from "./changeset";
import { digest } from "./digest";
import type { Entry } from "./entry";
import type { CrdtTypeName, FieldModel, Json, TableModel } from "./model";
import { type FieldState, isAlive, type Row } from "./row";
import { rowToChange } from "./serve";
import { sortedState } from "./sorted";
import { RESERVED_NODE } from "./stamp";
import { crdtTypes } from "./types/index";

/** A row by its key. */
export type RowKey = readonly [table: string, pk: readonly Json[]];

/** A row that its sender adopted and nobody has written since: {@link sumOf} its state instead of the values. */
export type RowSum = readonly [table: string, pk: readonly Json[], sum: string];

/**
 * Whether a row without shadow was in the table before these writes: then it was never adopted, and counts as if.
 *
 * @param ops the row's log, oldest first: I inserted, U updated, D deleted, R perhaps replaced
 * @param present whether the table has the row now
 */
export function existedBefore(ops: string, present: boolean): boolean {
  const count = (op: string) => ops.split(op).length - 1;
  // Who is perhaps replaced was there. Nested triggers write in inverted order, so else the numbers count, not the first.
  return ops[0] === "R" || count("I") === 0 || Number(present) + count("D") - count("I") > 0;
}

const isReserved = (hlc = 0, node: string = RESERVED_NODE): boolean => hlc === 0 && node === RESERVED_NODE;

/** Whether a whole state says only what was there before capture. */
function isUnwritten(change: RowChange): boolean {
  const { cl, life, lww = {} } = change;
  return (
    cl === 1 &&
    isReserved(...life) &&
    Object.values(lww).every(([, hlc, node]) => isReserved(hlc, node)) &&
    ENTRY_PARTS.every((type) =>
      Object.values(change[type] ?? {}).every((part) =>
        crdtTypes[type].decode(part as unknown as Json).every(isFirst(type)),
      ),
    )
  );
}

/** An entry that a field stands for without any. */
const isFirst =
  (type: CrdtTypeName) =>
  (entry: Entry): boolean =>
    crdtTypes[type].isFirst(entry);

/**
 * 128 bits of SHA-256 over a whole state without table and key, as base64url. Equal sums, equal states: merging one into
 * the other would change nothing.
 */
export function sumOf(change: RowChange): string {
  const { lww, counter, set, list, document } = sortedState(change);
  const state = {
    ...(lww && { lww }),
    ...(counter && { counter }),
    ...(set && { set }),
    ...(list && { list }),
    ...(document && { document }),
  };
  return digest(canonicalize(state as unknown as Json));
}

/** The sum under which a row may travel; null when it must travel with its values. */
export function adoptedSum(
  model: TableModel,
  pk: readonly Json[],
  row: Row,
  values: Readonly<Record<string, Json>>,
): string | null {
  if (row.cl !== 1 || !isReserved(row.hlc, row.node)) return null;
  const whole = wholeState(model, pk, row, values);
  return whole && isUnwritten(whole) ? sumOf(whole) : null;
}

/** All that is known of a row, whoever it came from. */
export const wholeState = (
  model: TableModel,
  pk: readonly Json[],
  row: Row,
  values: Readonly<Record<string, Json>>,
  fields?: ReadonlySet<string>,
): RowChange | null => rowToChange(model, pk, row, values, { floor: -1, exclude: null, fields });

/**
 * A column was added after the row: a value that is not the column's default, which may be another one on every node, becomes
 * entries of the reserved node, numbered so that all nodes hear of it. At its default a field stays implicit.
 *
 * @param fields the added columns
 * @param values the base row's canonical values, of these columns at least
 * @returns null when nothing differs
 */
export function decideAdded(
  row: Row,
  fields: readonly FieldModel[],
  values: Readonly<Record<string, Json>>,
  seq: number,
): ChangeSet | null {
  if (!isAlive(row)) return null;
  const states = new Map<string, FieldState>(row.fields);
  const cells: CellWrite[] = [];
  for (const field of fields) {
    const { name, type } = field;
    const value = values[name];
    const own = states.has(name) || row.shape.includes(name);
    if (own || value === undefined || isDefault(field, value)) continue;
    const entries = addedEntries(field, value).map((entry): Entry => ({ ...entry, seq, via: null }));
    if (type === "lww") states.set(name, { type, entries: entries.map((entry) => ({ ...entry, state: undefined })) });
    else {
      states.set(name, { type, entries });
      for (const entry of entries) cells.push({ field: name, type, entry });
    }
  }
  if (states.size === row.fields.size) return null;
  return { row: { ...row, fields: states, seq }, clearCells: false, cells, deletes: [], base: NO_BASE_WRITE };
}

/** Whether the value is the one that a field stands for where nobody ever said anything. */
export const isDefault = ({ default: constant = null }: FieldModel, value: Json): boolean => sameValue(value, constant);

/** What the column's default has and the value has not, as removed: elsewhere the default is implicit and would stay. */
function addedEntries(field: FieldModel, value: Json): Entry[] {
  const { implicit, without } = crdtTypes[field.type];
  const { default: constant } = field;
  return constant === undefined ? implicit(value, field) : without(constant, value, field);
}
