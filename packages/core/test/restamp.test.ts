// Other stamps in the same order say the same (fault 55).
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { effort } from "../../../test/support/effort";
import { crdtTypes, FalseStamps, type Json, type Row, restampRow } from "../src/index";
import { counter, document, list, NODES, register, set } from "./arbitrary";

const states = {
  lww: register.map(([value, hlc = 3, node = "b"]) => [value, hlc, node] as unknown as Json),
  counter: counter as fc.Arbitrary<unknown>,
  set: set as fc.Arbitrary<unknown>,
  list: list as fc.Arbitrary<unknown>,
  document: document as fc.Arbitrary<unknown>,
} as const;
const names = Object.keys(states) as (keyof typeof states)[];

const rowOf = (type: keyof typeof states, wire: Json): Row => ({
  id: 1,
  cl: 1,
  hlc: 3,
  node: "b",
  born: 1,
  via: "a",
  seq: 1,
  shape: [],
  fields: new Map([
    ["x", { type, entries: crdtTypes[type].decode(wire).map((entry, n) => ({ ...entry, seq: 1, cell: n + 1 })) }],
  ]),
});
const readingOf = ({ fields }: Row) => {
  const { type, entries } = fields.get("x") ?? { type: "lww" as const, entries: [] };
  return crdtTypes[type].materialize(entries);
};

const mended = (stamps: FalseStamps) => stamps.mend() as NonNullable<ReturnType<FalseStamps["mend"]>>;

describe.each(names)("a %s", (type) => {
  test("reads as before, and has no stamp beyond the bound", () => {
    fc.assert(
      fc.property(states[type] as fc.Arbitrary<Json>, fc.nat(8), (wire, horizon) => {
        const row = rowOf(type, wire);
        const stamps = new FalseStamps({ horizon, now: 2, own: new Set(["", ...NODES]), acknowledged: 0 });
        stamps.note(row);
        const { read, latest } = mended(stamps);
        const changes = restampRow(row, read, 9);
        const after = changes?.row ?? row;
        expect(readingOf(after)).toEqual(readingOf(row));
        const seen: number[] = [];
        restampRow(
          after,
          (hlc) => {
            seen.push(hlc);
            return hlc;
          },
          0,
        );
        const bound = Math.max(horizon, latest);
        for (const hlc of seen) expect(hlc).toBeLessThanOrEqual(bound);
        expect(new Set(after.fields.get("x")?.entries.map(crdtTypes[type].identity)).size).toBe(
          row.fields.get("x")?.entries.length,
        );
        // What is another entry now is numbered anew, and a cell under another key is another cell.
        for (const [n, entry] of (after.fields.get("x")?.entries ?? []).entries()) {
          const before = row.fields.get("x")?.entries[n];
          if (entry === before) continue;
          expect([entry.seq, entry.via]).toEqual([9, null]);
          if (entry.key === before?.key) expect(entry.cell).toBe(before.cell);
          else expect([entry.cell, changes?.deletes.includes(before?.cell as number)]).toEqual([undefined, true]);
        }
      }),
      { numRuns: effort(1_000) },
    );
  });
});

test("stamps beyond the bound come after all others, in their order", () => {
  const stamps = new FalseStamps({ horizon: 100, now: 40, own: new Set(["b"]), acknowledged: 0 });
  const row = (hlc: number): Row => ({ ...rowOf("lww", [1, hlc, "b"]), hlc });
  for (const hlc of [50, 500, 90, 7_000, 500, 101]) stamps.note(row(hlc));
  const { read, latest } = mended(stamps);
  expect([50, 90, 101, 500, 7_000].map((hlc) => read(hlc, "b"))).toEqual([50, 90, 91, 92, 93]);
  expect(latest).toBe(93);
});

test("where another node wrote beyond the bound, or a peer has taken what was, nothing is mended", () => {
  const mend = (node: string, acknowledged: number) => {
    const stamps = new FalseStamps({ horizon: 100, now: 40, own: new Set(["b"]), acknowledged });
    stamps.note({ ...rowOf("lww", [1, 500, node]), seq: 7 });
    return stamps.mend();
  };
  expect(mend("b", 6)).not.toBeNull();
  expect(mend("b", 7)).toBeNull();
  expect(mend("c", 6)).toBeNull();
});
