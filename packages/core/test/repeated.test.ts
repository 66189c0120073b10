// A change that comes again says nothing new, and merging finds that out early: what looks alike and does say something.
import { describe, expect, it } from "vitest";
import { decideMerge, type Json, type RowChange, type TableModel } from "../src/index";

const column = { property: "x", storage: "text", sqlType: "text", notNull: false, kind: "text" } as const;
const model: TableModel = {
  name: "things",
  exportName: "things",
  key: [{ ...column, name: "id" }],
  fields: [
    { ...column, name: "title", type: "lww" },
    { ...column, name: "body", type: "lww", default: "" },
    { ...column, name: "views", kind: "integer", storage: "integer", type: "counter", default: "0" },
  ],
  local: [],
  uniques: [],
};

type Parts = Partial<Pick<RowChange, "cl" | "life" | "ends" | "lww" | "counter">>;
const change = (parts: Parts): RowChange => ({ table: "things", pk: ["r"], cl: 1, life: [10, "a"], ...parts });

/** What becomes of the second of two changes from one peer, the base table showing what the first one wrote. */
function second(first: Parts, again: Parts) {
  const before = decideMerge(model, { row: null, present: false }, change(first), { seq: 1, from: "peer" });
  const base = before.base as { readonly values: Readonly<Record<string, Json>> };
  const row = { ...before.row, id: 1 };
  const values = { body: "", views: "0", ...base.values };
  const after = decideMerge(model, { row, present: true, values }, change(again), { seq: 2, from: "peer" });
  return { outcome: after.outcome, isKnown: after.row === row, seq: after.row.seq };
}

const known = { outcome: "superseded", isKnown: true, seq: 1 };
const whole: Parts = { lww: { title: ["x"], body: ["y"] } };

describe("a change that comes again", () => {
  it("leaves the row as it is, all of it or some", () => {
    expect(second(whole, whole)).toEqual(known);
    expect(second(whole, { lww: { body: ["y"] } })).toEqual(known);
    expect(second(whole, {})).toEqual(known);
  });

  it("says something where a register has a later stamp, though its value is the same", () => {
    const later: Parts = { lww: { title: ["x", 20, "b"], body: ["y"] } };
    expect(second(whole, later)).toEqual({ outcome: "applied", isKnown: false, seq: 2 });
  });

  it("says something where the sender has forgotten that it wrote the same value again, later", () => {
    const later: Parts = { lww: { title: ["x", 20, "b"], body: ["y"] } };
    expect(second(later, whole)).toEqual({ outcome: "superseded", isKnown: false, seq: 2 });
  });

  it("says something where nobody had written the value that stands there by default", () => {
    const partly: Parts = { lww: { title: ["x"] } };
    expect(second(partly, { lww: { body: [""] } })).toMatchObject({ outcome: "applied", seq: 2 });
  });

  it("says something where it has another value at the same stamp, and the greater one counts", () => {
    expect(second(whole, { lww: { title: ["z"], body: ["y"] } })).toMatchObject({ outcome: "applied", seq: 2 });
    expect(second(whole, { lww: { title: ["a"], body: ["y"] } })).toMatchObject({ outcome: "superseded", seq: 2 });
  });

  it("says something where the row began later, though its values are the same", () => {
    expect(second(whole, { ...whole, life: [20, "b"] })).toMatchObject({ outcome: "applied", seq: 2 });
  });

  it("says something where it knows when an earlier life ended", () => {
    const third: Parts = { ...whole, cl: 3 };
    expect(second(third, third)).toEqual(known);
    expect(second(third, { ...third, ends: [4] })).toEqual({ outcome: "superseded", isKnown: false, seq: 2 });
  });

  it("says something where a counter comes with it", () => {
    const counted: Parts = { ...whole, counter: { views: { totals: [["i1", "a", "1", "0", 11]] } } };
    expect(second(whole, counted)).toMatchObject({ outcome: "applied", seq: 2 });
  });
});
