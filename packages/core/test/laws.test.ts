// The laws of merging, by property: whatever arrives in whatever order, every node ends with the same state.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  canonicalize,
  crdtTypes,
  type Entry,
  type Json,
  materializeState,
  mergeStates,
  NOT_REMOVED,
  type RowChange,
  replaceEntries,
  type WriteContext,
} from "../src/index";
import { counter, model, NODES, register, set, state } from "./arbitrary";

const RUNS = Number(process.env.GROVE_RUNS ?? 2_000);
const merge = (a: RowChange, b: RowChange) => mergeStates(model, a, b);
const text = (change: RowChange) => canonicalize(change as unknown as Json);

/** States of one living row that differ in one field only. */
const field = (type: "lww" | "counter" | "set", name: string, values: fc.Arbitrary<unknown>): fc.Arbitrary<RowChange> =>
  values.map(
    (value) => ({ table: "things", pk: ["r"], cl: 1, life: [3, "b"], [type]: { [name]: value } }) as RowChange,
  );

const kinds: [string, fc.Arbitrary<RowChange>][] = [
  ["lww", field("lww", "title", register)],
  ["counter", field("counter", "stock", counter)],
  ["set", field("set", "marks", set)],
  ["row (causal length, life and all types)", state],
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
        (a, b) => void expect(materializeState(model, merge(a, b))).toEqual(materializeState(model, merge(b, a))),
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
  const cases = [
    ["lww", fc.constantFrom<Json>("x", 1, null, [1], { a: 2 }), (value: Json) => canonicalize(value)],
    ["counter", integers, (value: Json) => value],
    ["set", elements, (value: Json) => [...new Set((value as Json[]).map(canonicalize))].sort().join()],
  ] as const;

  test.each(cases)("%s", (name, values, normal) => {
    const type = crdtTypes[name];
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...NODES), values), { minLength: 1, maxLength: 8 }),
        values,
        (history, birth) => {
          const clock = { now: 0 };
          let entries: readonly Entry[] = type.implicit(birth as Json);
          for (const [node, value] of history) {
            entries = replaceEntries(name, entries, type.fold(entries, value as Json, context(node, clock)));
            expect(normal(type.materialize(entries))).toBe(normal(value as Json));
          }
        },
      ),
      { numRuns: RUNS },
    );
  });

  test("a set keeps the order in which its elements were added", () => {
    const clock = { now: 0 };
    let entries = crdtTypes.set.create(["b", "a"], context("a", clock));
    entries = replaceEntries(
      "set",
      entries,
      crdtTypes.set.fold(entries, ["b", "a", "0"], context("b", clock)),
    ) as Entry[];
    expect(crdtTypes.set.materialize(entries)).toEqual(["b", "a", "0"]);
  });
});

describe("what each type promises under concurrency", () => {
  const context = (node: string, hlc: number): WriteContext => ({ node, incarnation: `${node}1`, tick: () => hlc++ });
  const { set: sets, counter: counters } = crdtTypes;

  test("set: a concurrent add wins over a removal, although the removal is later by the clock", () => {
    const base = sets.create(["x"], context("a", 1));
    const removed = replaceEntries("set", base, sets.fold(base, [], context("a", 100)));
    const added = replaceEntries("set", [], sets.fold([], ["x"], context("b", 5)));
    expect(sets.materialize([...removed, ...added])).toEqual(["x"]);
  });

  test("set: an element added and removed a thousand times by one node stays one entry", () => {
    let entries: readonly Entry[] = [];
    for (let n = 1; n <= 1000; n++) {
      entries = replaceEntries("set", entries, sets.fold(entries, n % 2 === 1 ? ["x"] : [], context("a", n * 2)));
    }
    expect(entries).toHaveLength(1);
    expect(sets.materialize(entries)).toEqual([]);
    expect(entries[0]?.state).not.toBe(NOT_REMOVED);
  });

  test("counter: concurrent increments add up beyond 2^53 and 64 bits", () => {
    const big = String(2n ** 63n - 1n);
    const one = counters.fold([], big, context("a", 1));
    const two = counters.fold([], big, context("b", 1));
    expect(counters.materialize([...one, ...two])).toBe(String(2n ** 64n - 2n));
  });

  test("merging states of different rows is refused", () => {
    const row = { table: "things", pk: ["r"], cl: 1, life: [1, "a"] } as const;
    expect(() => merge(row, { ...row, pk: ["s"] })).toThrow(expect.objectContaining({ code: "bad_change" }));
  });
});
