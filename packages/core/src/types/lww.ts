// lww: a last-writer-wins register.
// State: one entry; its stamp and its value. Join: the greater stamp; of equal stamps the greater canonical bytes.
// Source: Shapiro et al. 2011, "A comprehensive study of Convergent and Commutative Replicated Data Types", 3.2.1.
import { compareValues, sameValue } from "../canonical";
import { type ClockReading, type CrdtType, type Entry, UNNUMBERED } from "../entry";
import type { Json } from "../model";
import { compareStamps, RESERVED_NODE } from "../stamp";

/** A register's entry, not yet numbered. */
export const register = (value: Json, hlc: number, node: string): Entry => ({
  key: "",
  hlc,
  node,
  state: value,
  seq: UNNUMBERED,
  via: null,
});

/** Joins two registers; both must carry their values when their stamps are equal. */
export function joinRegisters(a: Entry, b: Entry): Entry {
  const order = compareStamps(a, b) || compareValues(a.state as Json, b.state as Json);
  return order >= 0 ? a : b;
}

/** Stamped by no write. */
export const isReserved = ({ hlc, node }: Entry): boolean => hlc === 0 && node === RESERVED_NODE;

/** Who wrote a register that is another one now. */
export function writersOf(before: Entry | undefined, after: Entry): readonly string[] {
  const known = before && compareStamps(before, after) === 0;
  const same = after.state === undefined || (before?.state !== undefined && sameValue(before.state, after.state));
  return known && same ? [] : [after.node];
}

/** The same register, or the same totals, under another clock reading. */
export function restampEntry(entry: Entry, read: ClockReading): Entry {
  const hlc = read(entry.hlc, entry.node);
  return hlc === entry.hlc ? entry : { ...entry, hlc };
}

export const lww: CrdtType = {
  name: "lww",
  identity: () => "",
  join: joinRegisters,
  latest: ({ hlc }) => hlc,
  restamp: restampEntry,
  writers: (before, after) => writersOf(before, after),
  implicit: (value) => [register(value, 0, RESERVED_NODE)],
  without: (_constant, value) => [register(value, 0, RESERVED_NODE)],
  isFirst: isReserved,
  create: (value, context) => [register(value, context.tick(), context.node)],
  fold: (_entries, value, context) => [register(value, context.tick(), context.node)],
  materialize: (entries) => (entries[0]?.state ?? null) as Json,
  // Registers travel with their row's stamp; see serve.ts.
  encode: ([entry]) => (entry ? [entry.state as Json, entry.hlc, entry.node] : null),
  decode: (wire) => {
    const [state, hlc, node] = wire as unknown as readonly [Json, number, string];
    return [register(state, hlc, node)];
  },
};
