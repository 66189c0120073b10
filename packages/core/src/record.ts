// Records: a row's changes field by field, as hooks see them, and back. A hook drops a record or gives an LWW column another
// value; everything else of a record is what was written, and stays.
import { isTooDeep, sameValue } from "./canonical";
import { type ChangeRecord, ENTRY_PARTS, headOf, type RowChange, type WireCounter, type WireRegister } from "./change";
import { GroveError } from "./errors";
import type { Json } from "./model";
import { crdtTypes } from "./types/index";

/** What a counter's or a set's change carries was written by several nodes: the latest of them stands for it. */
function latest(stamps: readonly (readonly [hlc: number, node: string])[], life: readonly [number, string]) {
  let [hlc, node] = stamps[0] ?? life;
  for (const [at, by] of stamps) if (at > hlc) [hlc, node] = [at, by];
  return { hlc, nodeId: node };
}

const counterStamps = ({ birth, totals = [] }: WireCounter): [number, string][] => [
  ...(birth ? [[birth[1], birth[2]] as [number, string]] : []),
  ...totals.map(([, node, , , hlc]): [number, string] => [hlc, node]),
];

/**
 * One record for each field of the change, in the order lww, counter, set, list, document. The row itself has a record, with an empty
 * field, where it was deleted, and where it carries no field.
 */
export function toRecords(change: RowChange): ChangeRecord[] {
  const { table, pk, cl, life, lww, counter } = change;
  const row = { table, pk, cl };
  const records: ChangeRecord[] = [];
  for (const [field, [value, hlc = life[0], nodeId = life[1]]] of Object.entries(lww ?? {}))
    records.push({ ...row, field, type: "lww", hlc, nodeId, value });
  for (const [field, value] of Object.entries(counter ?? {}))
    records.push({ ...row, field, type: "counter", ...latest(counterStamps(value), life), counter: value });
  for (const type of ["set", "list", "document"] as const) {
    for (const [field, part] of Object.entries(change[type] ?? {})) {
      const stamps = crdtTypes[type]
        .decode(part as unknown as Json)
        .map(({ hlc, node }): [number, string] => [hlc, node]);
      records.push({ ...row, field, type, ...latest(stamps, life), [type]: part });
    }
  }
  if (cl % 2 === 0 || records.length === 0) {
    const gone = cl % 2 === 0 ? { tombstone: true as const } : {};
    records.unshift({ ...row, field: "", type: "row", hlc: life[0], nodeId: life[1], ...gone });
  }
  return records;
}

/** Of a change that was taken apart: what is left of it, and the values that were put in place of others. */
export interface Reassembled {
  readonly change: RowChange;
  /** By column name. */
  readonly amended: Readonly<Record<string, Json>>;
}

const bad = (field: string, problem: string) =>
  new GroveError("hook_failed", `A hook returned what is no change of ${field || "the row"}: ${problem}.`);

/**
 * What a hook made of a record: null, or the record with perhaps another value.
 *
 * @throws GroveError `hook_failed` when it is neither
 */
export function checkRecord(before: ChangeRecord, after: unknown): ChangeRecord | null {
  if (after === null) return null;
  if (after === before) return before;
  if (typeof after !== "object" || after === undefined)
    throw bad(before.field, `${typeof after} is neither a change nor null`);
  const record = after as ChangeRecord;
  for (const name of ["table", "pk", "field", "type", "cl", "hlc", "nodeId", ...ENTRY_PARTS, "tombstone"] as const) {
    const [a, b] = [before[name], record[name]] as [Json | undefined, Json | undefined];
    if (a !== b && (a === undefined || b === undefined || isTooDeep(b) || !sameValue(a, b)))
      throw bad(before.field, `only the value of an lww column can be another, and ${name} is`);
  }
  if (before.type !== "lww") return before;
  if (!isJson(record.value)) throw bad(before.field, "the value is no JSON");
  return sameValue(before.value as Json, record.value) ? before : { ...before, value: record.value };
}

function isJson(value: unknown): value is Json {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || isTooDeep(value)) return false;
  if (Array.isArray(value)) return value.every(isJson);
  return Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(isJson);
}

/**
 * The change with these records of it; null when nothing is left. A row that was deleted and whose own record was dropped
 * goes whole.
 */
export function fromRecords(change: RowChange, records: readonly ChangeRecord[]): Reassembled | null {
  const isDead = change.cl % 2 === 0;
  if (records.length === 0 || (isDead && !records.some(({ type }) => type === "row"))) return null;
  const lww: Record<string, WireRegister> = {};
  const parts: { [Type in (typeof ENTRY_PARTS)[number]]?: Record<string, unknown> } = {};
  const amended: Record<string, Json> = {};
  for (const { field, type, value } of records) {
    if (type === "lww") {
      const register = change.lww?.[field] as WireRegister;
      if (sameValue(register[0], value as Json)) lww[field] = register;
      else amended[field] = value as Json;
    } else if (type !== "row") {
      parts[type] ??= {};
      parts[type][field] = change[type]?.[field];
    }
  }
  const left = { ...(Object.keys(lww).length > 0 && { lww }), ...parts };
  return { change: { ...headOf(change), ...left } as RowChange, amended };
}

/** The stamp of an LWW field that the change carries. */
export function stampOf({ lww = {}, life }: RowChange, field: string): readonly [hlc: number, node: string] {
  const [, hlc = life[0], node = life[1]] = lww[field] as WireRegister;
  return [hlc, node];
}
