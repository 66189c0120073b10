// Equal states are equal texts: entries stand in the order of their texts, fields in that of their names.
import { canonicalize, compareBytes } from "./canonical";
import {
  FIELD_PARTS,
  type RowChange,
  type WireCounter,
  type WireDocument,
  type WireElement,
  type WireItem,
} from "./change";
import type { CrdtTypeName, Json } from "./model";

const byText = (a: Json, b: Json) => compareBytes(canonicalize(a), canonicalize(b));

/** Arrays of entries in the order of their texts; arrays of values are values. */
const ORDERS: { readonly [Type in CrdtTypeName]: (part: never) => unknown } = {
  lww: (register) => register,
  counter: (part: WireCounter) => ({ ...part, ...(part.totals && { totals: sortedList(part.totals) }) }),
  set: (elements: readonly WireElement[]) => sortedList(elements),
  list: (items: readonly WireItem[]) => sortedList(items),
  document: ({ values, counter, set, list }: WireDocument) => ({
    ...(values && { values: sortedList(values) }),
    ...(counter && { counter: sortedParts("counter", counter) }),
    ...(set && { set: sortedParts("set", set) }),
    ...(list && { list: sortedParts("list", list) }),
  }),
};
const sortedList = <T>(list: readonly T[]): T[] => ([...list] as unknown as Json[]).sort(byText) as unknown as T[];
const sortedParts = (type: CrdtTypeName, parts: readonly (readonly [path: readonly string[], part: unknown])[]) =>
  sortedList(parts.map(([path, part]) => [path, ORDERS[type](part as never)] as const));

/** One order for what has no order of its own, so that equal states are equal texts. */
export function sortedState(state: RowChange): RowChange {
  const parts: { [Type in CrdtTypeName]?: object } = {};
  for (const type of FIELD_PARTS) {
    const part = state[type];
    if (!part) continue;
    const names = Object.keys(part).sort();
    parts[type] = Object.fromEntries(
      names.map((name) => [name, ORDERS[type]((part as Record<string, never>)[name] as never)]),
    );
  }
  return { ...state, ...parts } as RowChange;
}
