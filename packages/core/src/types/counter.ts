// counter: a number to which every node adds.
// State: a birth register (key ""), and per incarnation of a node a total up and a total down (key = incarnation).
// Join: the register by stamp, the greater of each total. Becomes: birth + all ups - all downs, exact in 64 bits
// and beyond. Source: Shapiro et al. 2011, PN-Counter, 3.1.3. Totals belong to incarnations and not to nodes, so
// that a restored or copied database never counts on from totals that others already know.
import type { WireCounter } from "../change";
import { type CrdtType, type Entry, UNNUMBERED } from "../entry";
import type { Json } from "../model";
import { RESERVED_NODE } from "../stamp";
import { isReserved, joinRegisters, register, restampEntry, writersOf } from "./lww";

type Totals = readonly [up: string, down: string];

const totalsOf = (entry: Entry) => entry.state as unknown as Totals;
const greater = (a: string, b: string) => (a === b || BigInt(a) >= BigInt(b) ? a : b);

function joinTotals(a: Entry, b: Entry): Entry {
  const [aUp, aDown] = totalsOf(a);
  const [bUp, bDown] = totalsOf(b);
  const up = greater(aUp, bUp);
  const down = greater(aDown, bDown);
  const hlc = Math.max(a.hlc, b.hlc);
  if (up === aUp && down === aDown && hlc === a.hlc) return a;
  if (up === bUp && down === bDown && hlc === b.hlc) return b;
  return { ...a, hlc, state: [up, down], seq: UNNUMBERED, via: null };
}

function sum(entries: readonly Entry[]): bigint {
  let value = 0n;
  for (const entry of entries) {
    if (entry.key === "") value += BigInt(entry.state as string);
    else value += BigInt(totalsOf(entry)[0]) - BigInt(totalsOf(entry)[1]);
  }
  return value;
}

export const counter: CrdtType = {
  name: "counter",
  // With its node, so that nobody counts on another one's incarnation.
  identity: ({ key, node }) => (key === "" ? "" : `${key} ${node}`),
  join: (a, b) => (a.key === "" ? joinRegisters(a, b) : joinTotals(a, b)),
  latest: ({ hlc }) => hlc,
  restamp: restampEntry,
  writers: writersOf,
  implicit: (value) => [register(value, 0, RESERVED_NODE)],
  without: (_constant, value) => [register(value, 0, RESERVED_NODE)],
  isFirst: (entry) => entry.key === "" && isReserved(entry),
  create: (value, context) => [register(value, context.tick(), context.node)],
  fold(entries, value, context) {
    const delta = BigInt(value as string) - sum(entries);
    if (delta === 0n) return [];
    const own = entries.find(({ key, node }) => key === context.incarnation && node === context.node);
    const [up, down] = own ? totalsOf(own) : ["0", "0"];
    const state = delta > 0n ? [String(BigInt(up) + delta), down] : [up, String(BigInt(down) - delta)];
    const { node, incarnation } = context;
    return [{ key: incarnation, hlc: context.tick(), node, state, seq: UNNUMBERED, via: null, cell: own?.cell }];
  },
  materialize: (entries) => String(sum(entries)),
  encode(entries) {
    const birth = entries.find(({ key }) => key === "");
    const totals = entries.filter(({ key }) => key !== "");
    const wire: WireCounter = {
      ...(birth && { birth: [birth.state as string, birth.hlc, birth.node] }),
      ...(totals.length > 0 && {
        totals: totals.map((entry) => [entry.key, entry.node, ...totalsOf(entry), entry.hlc] as const),
      }),
    };
    return wire as unknown as Json;
  },
  decode(wire) {
    const { birth, totals = [] } = wire as unknown as WireCounter;
    const entries = birth ? [register(birth[0], birth[1], birth[2])] : [];
    for (const [key, node, up, down, hlc] of totals)
      entries.push({ key, hlc, node, state: [up, down], seq: UNNUMBERED, via: null });
    return entries;
  },
};
