// Stamps, the clock that a fold moves, and cursors.
import { describe, expect, test } from "vitest";
import {
  advance,
  compareStamps,
  decideFold,
  decodeCursor,
  encodeCursor,
  type FoldClock,
  isKnownPosition,
  NODE_ID,
  noTouch,
  resume,
  START,
} from "../src/index";
import { model } from "./arbitrary";

const touch = (at: number) => ({ ...noTouch(1), at, inserted: true });
const base = { values: { views: "0", stock: "0", tags: [], marks: [] } };
const clockOf = (now: number, clock = 0): FoldClock => ({ node: "a", incarnation: "a1", now, clock });

describe("stamps", () => {
  test("are ordered by clock, then by node id by byte", () => {
    expect(compareStamps({ hlc: 1, node: "b" }, { hlc: 2, node: "a" })).toBeLessThan(0);
    expect(compareStamps({ hlc: 1, node: "b" }, { hlc: 1, node: "a" })).toBeGreaterThan(0);
    expect(compareStamps({ hlc: 1, node: "a" }, { hlc: 1, node: "a" })).toBe(0);
    expect(compareStamps({ hlc: 1, node: "" }, { hlc: 1, node: "0" })).toBeLessThan(0);
  });

  test("faults 9: 70,000 writes of one field in one millisecond stay unique and ordered", () => {
    const now = 1_767_225_600_000_000;
    const clock = clockOf(now);
    let row = decideFold(model, null, touch(now), base, false, clock, 1)!.row;
    let last = row.hlc;
    for (let n = 2; n <= 70_000; n++) {
      row = decideFold(model, row, { ...touch(now), inserted: false, masks: [1] }, base, false, clock, n)!.row;
      const { hlc } = row.fields.get("title")!.entries[0]!;
      expect(hlc > last, `write ${n}`).toBe(true);
      last = hlc;
    }
    expect(Number.isSafeInteger(last)).toBe(true);
  });

  test("lineage 20: stamps fit 2^53 until the year 2255", () => {
    expect(Number.isSafeInteger(Date.UTC(2255, 0, 1) * 1000)).toBe(true);
  });

  test("faults 8: a clock set back does not block writes, and their order holds", () => {
    const later = decideFold(model, null, touch(5_000_000), base, false, clockOf(5_000_000), 1)!.row;
    const clock = clockOf(1_000_000, later.hlc);
    const after = decideFold(
      model,
      later,
      { ...touch(1_000_000), inserted: false, masks: [1] },
      base,
      false,
      clock,
      2,
    )!.row;
    expect(compareStamps(after.fields.get("title")!.entries[0]!, later)).toBeGreaterThan(0);
  });

  test("a write dated by a clock that has been set back since takes the present time, not the false one", () => {
    const row = decideFold(model, null, touch(9_000_000_000), base, false, clockOf(1_000_000), 1)!.row;
    expect(row.hlc).toBe(1_000_000);
  });

  test("who saw a value wins over it: a write is later than every stamp of its column, removals included", () => {
    const clock = clockOf(10);
    const entries = [{ key: '"x"', hlc: 500, node: "b", state: 900, seq: 1, via: null }];
    const row = {
      ...decideFold(model, null, touch(1), base, false, clock, 1)!.row,
      fields: new Map([["tags", { type: "set" as const, entries }]]),
    };
    const written = decideFold(
      model,
      row,
      { ...touch(10), inserted: false, masks: [16] },
      { values: { ...base.values, tags: ["x"] } },
      false,
      clockOf(10),
      2,
    )!;
    expect(written.cells.find(({ entry }) => entry.node === "a")?.entry.hlc).toBeGreaterThan(900);
  });

  test("node ids are lower case ASCII of at most 63 characters", () => {
    for (const id of ["a", "cloud-us-east", "n.1_x", "0".repeat(63)]) expect(NODE_ID.test(id), id).toBe(true);
    for (const id of ["", "A", "-a", ".a", "ä", "a b", "a\n", "0".repeat(64), "__proto__"])
      expect(NODE_ID.test(id), id).toBe(false);
  });
});

describe("cursors", () => {
  const incarnations = [
    { id: "one", first: 1 },
    { id: "two", first: 11 },
  ];

  test("survive the way over the wire", () => {
    const cursor = { incarnation: "two", floor: 3, position: 7, last: 20, tables: ["ä", "b"], full: true };
    expect(decodeCursor(encodeCursor(cursor))).toEqual(cursor);
  });

  test.each(["", "x", "bnVsbA", "W10", encodeCursor({ ...START, floor: 5 }), "\u0000", "a".repeat(10_000)])(
    "%j is refused with a code",
    (text) => {
      expect(() => decodeCursor(text)).toThrow(expect.objectContaining({ code: "bad_cursor" }));
    },
  );

  test("a position is known while its incarnation is, up to that incarnation's end", () => {
    expect(isKnownPosition({ incarnation: "one", seq: 10 }, incarnations, 20)).toBe(true);
    expect(isKnownPosition({ incarnation: "one", seq: 11 }, incarnations, 20)).toBe(false);
    expect(isKnownPosition({ incarnation: "two", seq: 20 }, incarnations, 20)).toBe(true);
    expect(isKnownPosition({ incarnation: "two", seq: 21 }, incarnations, 20)).toBe(false);
    expect(isKnownPosition({ incarnation: "three", seq: 1 }, incarnations, 20)).toBe(false);
    expect(isKnownPosition({ incarnation: "", seq: 0 }, [], 0)).toBe(true);
  });

  test("the floor moves only when a pull has drained", () => {
    const place = { tables: ["t"], floor: 2, position: 2, full: true, reset: false, waiting: null };
    const half = advance(place, { position: 8, drained: false }, "two", 20, ["t"]);
    expect(half).toMatchObject({ cursor: { floor: 2, position: 8, full: true }, more: true });
    const whole = advance(place, { position: 20, drained: true }, "two", 20, ["t"]);
    expect(whole).toMatchObject({ cursor: { floor: 20, position: 20, full: false }, more: false });
  });

  const cursor = { incarnation: "two", floor: 12, position: 15, last: 20, tables: ["a", "c"], full: false };
  const at = { full: false, reset: false, waiting: null };

  test("a history that is gone begins anew with everything", () => {
    const again = { ...at, tables: ["a"], floor: 12, position: 15 };
    expect(resume(cursor, ["a"], incarnations, 20)).toEqual(again);
    const anew = { ...at, tables: ["a"], floor: 0, position: 0, full: true, reset: true };
    expect(resume(cursor, ["a"], incarnations, 19)).toEqual(anew);
    expect(resume(null, ["a"], incarnations, 20)).toMatchObject({ full: true, reset: false });
  });

  test("of more than before what was left out comes first, from its beginning, and then the rest from where it was", () => {
    const waiting = { floor: 12, position: 15 };
    const place = resume(cursor, ["a", "b", "c"], incarnations, 20);
    expect(place).toEqual({ ...at, tables: ["b"], floor: 0, position: 0, waiting });
    const half = advance(place, { position: 8, drained: false }, "two", 20, ["a", "b", "c"]);
    const next = { ...cursor, tables: ["a", "b", "c"], behind: { tables: ["b"], position: 8 } };
    expect(half).toEqual({ cursor: next, more: true });
    expect(decodeCursor(encodeCursor(next))).toEqual({ ...next, views: {} });
    expect(resume(next, ["a", "b", "c"], incarnations, 20)).toEqual({ ...place, position: 8 });
    // Yet another table: those that are behind begin together.
    expect(resume(next, ["a", "b", "c", "d"], incarnations, 20)).toEqual({ ...place, tables: ["b", "d"] });
    // It is not asked for any more.
    expect(resume(next, ["a"], incarnations, 20)).toEqual({ ...at, tables: ["a"], floor: 12, position: 15 });
    const done = advance(place, { position: 20, drained: true }, "two", 20, ["a", "b", "c"]);
    expect(done).toEqual({ cursor: { ...cursor, tables: ["a", "b", "c"] }, more: true });
    // All of it is new: there is nothing to go back to.
    expect(resume(cursor, ["b"], incarnations, 20)).toEqual({ ...at, tables: ["b"], floor: 0, position: 0 });
  });

  test("a table is seen in part, in another part, and whole", () => {
    const views = { a: "one" };
    const part = { ...cursor, tables: ["a", "constructor"], views };
    const both = ["a", "constructor"];
    expect(resume(part, both, incarnations, 20, views).tables).toEqual(both);
    for (const other of [{ a: "two" }, {}] as Record<string, string>[]) {
      const place = resume(part, both, incarnations, 20, other);
      expect([place.tables, place.position]).toEqual([["a"], 0]);
    }
    // Less than before: there is nothing to catch up on.
    expect(resume({ ...part, views: {} }, both, incarnations, 20, views)).toMatchObject({ tables: both, floor: 12 });
  });
});
