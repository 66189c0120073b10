// A page before it is merged: what is not welcome is answered at once, and the rest comes by table, in waves.
import { adoptedRow, GroveError, type Json, type Outcome, type RowChange, type TableModel } from "@grove-crdt/core";
import { describe, expect, test } from "vitest";
import { meet, refuse, sortPage, wavesOf } from "../src/page";

const column = { property: "x", kind: "text", storage: "text", sqlType: "text", notNull: false } as const;
const model = (name: string): TableModel => ({
  name,
  exportName: name,
  key: [{ ...column, name: "id" }],
  fields: [{ ...column, name: "title", type: "lww" }],
  local: [],
  uniques: [],
});
/** Keys are spelled in capitals. */
const table = (name: string) => ({
  model: model(name),
  keyParams(pk: readonly Json[]): string[] {
    if (pk[0] === "bad") throw new GroveError("bad_value", "No such key.");
    return pk.map((value) => String(value).toUpperCase());
  },
  canonicalKey: (params: readonly unknown[]) => params as Json[],
});
const tables = new Map([
  ["a", table("a")],
  ["b", table("b")],
]);
const change = (name: string, id: string, hlc = 5): RowChange => ({
  table: name,
  pk: [id],
  cl: 1,
  life: [hlc, "n"],
  lww: { title: [id] },
});
function sorted(rows: readonly RowChange[], horizon = 100) {
  const outcomes: Outcome[] = [];
  return { page: sortPage(tables, rows, horizon, 40, outcomes), outcomes };
}

describe("a page", () => {
  test("is sorted by table, with places, bound keys, canonical keys and latest stamps", () => {
    const { page, outcomes } = sorted([change("b", "x"), change("a", "y", 7), change("b", "z")]);
    expect(outcomes).toEqual([]);
    expect([...page].map(([{ model }, rows]) => [model.name, rows.map(({ index }) => index)])).toEqual([
      ["b", [0, 2]],
      ["a", [1]],
    ]);
    const [, [row]] = [...page][1] as [unknown, { key: string[]; change: RowChange; latest: number }[]];
    expect(row).toMatchObject({ key: ["Y"], change: { pk: ["Y"] }, latest: 7 });
  });

  test("gives each change that is not welcome its outcome, and no neighbour of it", () => {
    const rows = [change("a", "x", 100), change("a", "y", 2_500_040), change("c", "x"), change("a", "bad")];
    const { page, outcomes } = sorted(rows);
    expect([...page.values()].flat().map(({ index }) => index)).toEqual([0]);
    expect(outcomes.slice(1).map(({ outcome, code }) => [outcome, code])).toEqual([
      ["refused", "clock_drift"],
      ["rejected", "unknown_table"],
      ["rejected", "bad_value"],
    ]);
    expect(outcomes[1]?.message).toContain("2.5 s ahead");
  });

  test("does not hide errors that are not about a change", () => {
    expect(() => refuse(new TypeError("ours"))).toThrow(TypeError);
  });

  test("comes in waves in which no key comes twice, each in order", () => {
    const { page } = sorted(["x", "y", "X", "z", "x"].map((id) => change("a", id)));
    const waves = [...page.values()].flatMap((rows) => wavesOf(rows, []));
    expect(waves.map((wave) => wave.map(({ index }) => index))).toEqual([[0, 1, 3], [2], [4]]);
  });

  test("in which a row comes without end costs no waves without end", () => {
    const { page, outcomes } = sorted([...Array.from({ length: 1_000 }, () => change("a", "x")), change("a", "y")]);
    const waves = [...page.values()].flatMap((rows) => wavesOf(rows, outcomes));
    expect(waves.map((wave) => wave.length)).toEqual([2, ...Array(15).fill(1)]);
    expect(outcomes.filter((outcome) => outcome?.code === "bad_change").length).toBe(984);
  });

  test("meets rows that nobody adopted yet as adopted, and asks for the values that deciding takes", () => {
    const wave = ["x", "y", "z"].map((id) => ({ change: { ...change("a", id), life: [0, ""] as const } }));
    const known = [
      { row: null, present: true },
      { row: null, present: false },
      { row: { ...adoptedRow(3), id: 3 }, present: false },
    ];
    const { rows, places } = meet(model("a"), wave, known, 9);
    expect(rows).toEqual([adoptedRow(9), null, known[2]?.row]);
    // Equal stamps, so the values decide; only the first row is there to be read.
    expect(places).toEqual([0]);
  });
});
