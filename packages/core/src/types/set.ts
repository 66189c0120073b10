// set: elements that nodes add and remove; a concurrent add wins over a removal.
// State: per element and node the stamp of its latest add, and the stamp up to which that node's adds were seen
// removed. Join: the greater of each. Becomes: the elements with an add later than its removal, ordered by that add.
// Source: Bieniusa et al. 2012, "An Optimized Conflict-free Replicated Set": one dot per element and node instead of
// one per add, so a million adds and removals cost no more than one.
import { canonicalize, compareBytes } from "../canonical";
import type { WireElement } from "../change";
import { type CrdtType, type Entry, UNNUMBERED } from "../entry";
import type { Json } from "../model";
import { compareStamps, RESERVED_NODE } from "../stamp";

/** The removal mark of an entry whose adds nobody removed yet. */
export const NOT_REMOVED = -1;

const removedAt = (entry: Entry) => entry.state as number;
const lives = (entry: Entry) => entry.hlc > removedAt(entry);

const added = (key: string, hlc: number, node: string, previous?: Entry): Entry => ({
  key,
  hlc,
  node,
  state: previous ? removedAt(previous) : NOT_REMOVED,
  seq: UNNUMBERED,
  via: null,
  cell: previous?.cell,
});

/** Canonical text of each element, duplicates left out, in the order given. */
function elementKeys(value: Json): string[] {
  return [...new Set((value as readonly Json[]).map(canonicalize))];
}

/** Most elements are texts, and the canonical form of a text in which nothing is escaped is that text in quotes. */
const elementOf = (key: string): Json =>
  key.startsWith('"') && !key.includes("\\") ? key.slice(1, -1) : (JSON.parse(key) as Json);

function toWire({ key, hlc, node, state }: Entry): WireElement {
  const element = elementOf(key);
  return state === NOT_REMOVED ? [element, hlc, node] : [element, hlc, node, state as number];
}

export const set: CrdtType = {
  name: "set",
  identity: (entry) => `${entry.node}\n${entry.key}`,
  join(a, b) {
    const hlc = Math.max(a.hlc, b.hlc);
    const removed = Math.max(removedAt(a), removedAt(b));
    if (hlc === a.hlc && removed === removedAt(a)) return a;
    if (hlc === b.hlc && removed === removedAt(b)) return b;
    return { ...a, hlc, state: removed, seq: UNNUMBERED, via: null };
  },
  latest: (entry) => Math.max(entry.hlc, removedAt(entry)),
  restamp(entry, read) {
    const removed = removedAt(entry);
    const again = (hlc: number) => read(hlc, entry.node);
    const [hlc, state] = [again(entry.hlc), removed === NOT_REMOVED ? removed : again(removed)];
    return hlc === entry.hlc && state === removed ? entry : { ...entry, hlc, state };
  },
  // Of an element that another node added, anybody may say that it was removed.
  writers: (before, { hlc, node }) => (before && compareStamps(before, { hlc, node }) === 0 ? [] : [node]),
  // The place in the array stands in for the clock, so an adopted array keeps its order on every node.
  implicit: (value) => elementKeys(value).map((key, place) => added(key, place, RESERVED_NODE)),
  without(constant, value) {
    const own = set.implicit(value, {});
    const kept = new Set(own.map(({ key }) => key));
    const gone = set.implicit(constant, {}).filter(({ key }) => !kept.has(key));
    return [...own, ...gone.map((entry) => ({ ...entry, state: entry.hlc }))];
  },
  isFirst: ({ node, state }) => node === RESERVED_NODE && state === NOT_REMOVED,
  create: (value, context) => elementKeys(value).map((key) => added(key, context.tick(), context.node)),
  fold(entries, value, context) {
    const changed: Entry[] = [];
    const wanted = new Set(elementKeys(value));
    const living = new Set<string>();
    const own = new Map<string, Entry>();
    for (const entry of entries) {
      if (entry.node === context.node) own.set(entry.key, entry);
      if (!lives(entry)) continue;
      living.add(entry.key);
      if (!wanted.has(entry.key)) changed.push({ ...entry, state: entry.hlc, seq: UNNUMBERED, via: null });
    }
    for (const key of wanted) {
      if (!living.has(key)) changed.push(added(key, context.tick(), context.node, own.get(key)));
    }
    return changed;
  },
  materialize(entries) {
    const latest = new Map<string, Entry>();
    for (const entry of entries) {
      if (!lives(entry)) continue;
      const known = latest.get(entry.key);
      if (!known || compareStamps(entry, known) > 0) latest.set(entry.key, entry);
    }
    const ordered = [...latest.values()].sort((a, b) => compareStamps(a, b) || compareBytes(a.key, b.key));
    return ordered.map((entry) => elementOf(entry.key));
  },
  encode: (entries) => entries.map(toWire) as unknown as Json,
  decode: (wire) =>
    (wire as unknown as readonly WireElement[]).map(([element, hlc, node, state = NOT_REMOVED]) => ({
      key: canonicalize(element),
      hlc,
      node,
      state,
      seq: UNNUMBERED,
      via: null,
    })),
};
