// The laws of merging, by property: whatever arrives in whatever order, every node ends with the same state.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { effort } from "../../../test/support/effort";
import {
  type CrdtTypeName,
  canonicalize,
  crdtTypes,
  type Entry,
  type Json,
  materializeState,
  mergeStates,
  NOT_REMOVED,
  type RowChange,
  replaceEntries,
  type TypeOptions,
  type WriteContext,
} from "../src/index";
import { counter, document, list, NODES, nested, nestedState, PATHS, register, set } from "./arbitrary";

const RUNS = Number(process.env.GROVE_RUNS ?? effort(1_000));
const merge = (a: RowChange, b: RowChange) => mergeStates(nested, a, b);
const text = (change: RowChange) => canonicalize(change as unknown as Json);

/** States of one living row that differ in one field only. */
const field = (type: CrdtTypeName, name: string, values: fc.Arbitrary<unknown>): fc.Arbitrary<RowChange> =>
  values.map(
    (value) => ({ table: "things", pk: ["r"], cl: 1, life: [3, "b"], [type]: { [name]: value } }) as RowChange,
  );

const kinds: [string, fc.Arbitrary<RowChange>][] = [
  ["lww", field("lww", "title", register)],
  ["counter", field("counter", "stock", counter)],
  ["set", field("set", "marks", set)],
  ["list", field("list", "cards", list)],
  ["document", field("document", "meta", document)],
  ["row (causal length, life and all types)", nestedState],
];

describe.each(kinds)("merging states of a %s", (_, states) => {
  test("is commutative", () => {
    fc.assert(
      fc.property(states, states, (a, b) => void expect(text(merge(a, b))).toBe(text(merge(b, a)))),
      { numRuns: RUNS },
    );
  });
  test("is associative", () => {
    fc.assert(
      fc.property(
        states,
        states,
        states,
        (a, b, c) => void expect(text(merge(merge(a, b), c))).toBe(text(merge(a, merge(b, c)))),
      ),
      { numRuns: RUNS },
    );
  });
  test("is idempotent", () => {
    fc.assert(
      fc.property(states, states, (a, b) => {
        const both = merge(a, b);
        expect(text(merge(both, a))).toBe(text(both));
        expect(text(merge(both, both))).toBe(text(both));
      }),
      { numRuns: RUNS },
    );
  });
  test("materializes to the same values on every node", () => {
    fc.assert(
      fc.property(
        states,
        states,
        (a, b) => void expect(materializeState(nested, merge(a, b))).toEqual(materializeState(nested, merge(b, a))),
      ),
      { numRuns: RUNS },
    );
  });
});

describe("materialize after fold is the value that was written", () => {
  const context = (node: string, clock: { now: number }): WriteContext => ({
    node,
    incarnation: `${node}1`,
    tick: () => ++clock.now,
  });
  const elements = fc.array(fc.constantFrom<Json>("p", "q", "r", 1, "1", { a: 1 }, null), { maxLength: 5 });
  const integers = fc
    .oneof(fc.integer({ min: -9, max: 9 }), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }))
    .map(String);
  const items = fc.array(
    fc.record(
      { id: fc.constantFrom<Json>(1, "1", null), n: fc.constantFrom<Json>(0, 1) },
      { requiredKeys: [] },
    ) as fc.Arbitrary<Json>,
    { maxLength: 6 },
  );
  const names = fc.constantFrom("a", "b", "n", "o", "s", "l", "", "x.y", "p/q", "toString", "__proto__", '"');
  const { objects } = fc.letrec<{ objects: Json; any: Json }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 3, depthSize: "small" },
      elements as fc.Arbitrary<Json>,
      fc.constantFrom<Json>(null, 1, 2, -3, 0.5, "x", true),
      tie("objects"),
    ),
    objects: fc
      .array(fc.tuple(names, tie("any")), { maxLength: 4 })
      .map(
        (entries) =>
          JSON.parse(
            `{${entries.map(([name, own]) => `${JSON.stringify(name)}:${JSON.stringify(own)}`).join()}}`,
          ) as Json,
      ),
  }));
  /** Of two equal elements a set keeps one, and their order is that of their adding. */
  const asSetAt =
    ([first, second]: readonly [string, string]) =>
    (value: Json) => {
      const own = structuredClone(value) as { [name: string]: { [name: string]: Json } | undefined };
      const inner = Object.hasOwn(own, first) ? own[first] : undefined;
      if (inner && typeof inner === "object" && Object.hasOwn(inner, second) && Array.isArray(inner[second]))
        inner[second] = [...new Set((inner[second] as Json[]).map(canonicalize))].sort();
      return canonicalize(own as Json);
    };
  const cases = [
    ["lww", fc.constantFrom<Json>("x", 1, null, [1], { a: 2 }), (value: Json) => canonicalize(value)],
    ["counter", integers, (value: Json) => value],
    ["set", elements, (value: Json) => [...new Set((value as Json[]).map(canonicalize))].sort().join()],
    ["list", elements, canonicalize],
    ["list", items, canonicalize, { itemKey: "id" }],
    ["document", objects, canonicalize],
    ["document", objects, asSetAt(["o", "s"]), { paths: PATHS }],
  ] as const;

  test.each(cases)("%s", (name, values, normal, options: TypeOptions = {}) => {
    const type = crdtTypes[name];
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...NODES), values), { minLength: 1, maxLength: 8 }),
        values,
        (history, birth) => {
          const clock = { now: 0 };
          let entries: readonly Entry[] = type.implicit(birth as Json, options);
          for (const [node, value] of history) {
            entries = replaceEntries(name, entries, type.fold(entries, value as Json, context(node, clock), options));
            expect(normal(type.materialize(entries))).toBe(normal(value as Json));
          }
        },
      ),
      { numRuns: RUNS },
    );
  });

  test("a set keeps the order in which its elements were added", () => {
    const clock = { now: 0 };
    let entries = crdtTypes.set.create(["b", "a"], context("a", clock), {});
    entries = replaceEntries(
      "set",
      entries,
      crdtTypes.set.fold(entries, ["b", "a", "0"], context("b", clock), {}),
    ) as Entry[];
    expect(crdtTypes.set.materialize(entries)).toEqual(["b", "a", "0"]);
  });
});

describe("what each type promises under concurrency", () => {
  const context = (node: string, hlc: number): WriteContext => ({ node, incarnation: `${node}1`, tick: () => hlc++ });
  const { set: sets, counter: counters } = crdtTypes;

  test("set: a concurrent add wins over a removal, although the removal is later by the clock", () => {
    const base = sets.create(["x"], context("a", 1), {});
    const removed = replaceEntries("set", base, sets.fold(base, [], context("a", 100), {}));
    const added = replaceEntries("set", [], sets.fold([], ["x"], context("b", 5), {}));
    expect(sets.materialize([...removed, ...added])).toEqual(["x"]);
  });

  test("set: an element added and removed a thousand times by one node stays one entry", () => {
    let entries: readonly Entry[] = [];
    for (let n = 1; n <= 1000; n++) {
      entries = replaceEntries("set", entries, sets.fold(entries, n % 2 === 1 ? ["x"] : [], context("a", n * 2), {}));
    }
    expect(entries).toHaveLength(1);
    expect(sets.materialize(entries)).toEqual([]);
    expect(entries[0]?.state).not.toBe(NOT_REMOVED);
  });

  test("counter: concurrent increments add up beyond 2^53 and 64 bits", () => {
    const big = String(2n ** 63n - 1n);
    const one = counters.fold([], big, context("a", 1), {});
    const two = counters.fold([], big, context("b", 1), {});
    expect(counters.materialize([...one, ...two])).toBe(String(2n ** 64n - 2n));
  });

  test("merging states of different rows is refused", () => {
    const row = { table: "things", pk: ["r"], cl: 1, life: [1, "a"] } as const;
    expect(() => merge(row, { ...row, pk: ["s"] })).toThrow(expect.objectContaining({ code: "bad_change" }));
  });
});
