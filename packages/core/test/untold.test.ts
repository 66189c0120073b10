// A column that is younger than its row: what the row has in it from the column's default was never sent by any number.
// Found by the simulator.
import { describe, expect, test } from "vitest";
import { documentsModel } from "../../../generated/sqlite";
import { decideMerge, type Json, type Row, type RowChange, rowToChange } from "../src/index";

describe("a row that was there before its column", () => {
  const model = {
    ...documentsModel,
    fields: documentsModel.fields.map((field) => (field.name === "tags" ? { ...field, default: ["new"] } : field)),
  };
  const values = { title: "old", body: "", view_count: "0", tags: ["new"] };
  const change = (more: Partial<RowChange>): RowChange => ({
    table: "documents",
    pk: ["1"],
    cl: 1,
    life: [10, "old"],
    ...more,
  });
  // As a node had it that knew no tags: no entries, and no number since.
  const row: Row = {
    ...decideMerge(model, { row: null, present: false }, change({ lww: { title: ["old"], body: [""] } }), {
      seq: 1,
      from: null,
    }).row,
    id: 1,
  };

  test("sends a register that nobody wrote under nobody's stamp, not under the row's", () => {
    const partly = change({ lww: { title: ["old"] } });
    const known = decideMerge(documentsModel, { row: null, present: false }, partly, { seq: 1, from: null }).row;
    const sent = rowToChange(documentsModel, ["1"], known, values, { floor: 0, exclude: null });
    expect(sent?.lww).toEqual({ title: ["old"], body: ["", 0, ""] });
  });

  test("tells the default when another's later insert of the row comes", () => {
    const later = change({ life: [20, "new"], lww: { title: ["t"], body: [""] }, set: { tags: [["new", 20, "new"]] } });
    const merged = decideMerge(model, { row, present: true, values }, later, { seq: 7, from: "new" });
    const sent = rowToChange(model, ["1"], merged.row, { ...values, title: "t" }, { floor: 6, exclude: "new" });
    expect(sent?.set?.tags).toEqual([["new", 0, ""]]);
    expect(merged.cells.filter(({ field }) => field === "tags").map(({ entry }) => entry.seq)).toEqual([7, 7]);
  });

  test("and when it comes in two parts", () => {
    const life = decideMerge(model, { row, present: true, values }, change({ life: [20, "new"] }), {
      seq: 7,
      from: "new",
    });
    const sent = rowToChange(model, ["1"], life.row, values, { floor: 6, exclude: "new" });
    expect(sent?.set?.tags).toEqual([["new", 0, ""]]);
  });

  test("tells it to who says that the field is empty, too", () => {
    const merged = decideMerge(model, { row, present: true, values }, change({ life: [5, "new"], set: { tags: [] } }), {
      seq: 7,
      from: "new",
    });
    expect(merged.base).toEqual({ op: "none" });
    const sent = rowToChange(model, ["1"], merged.row, values, { floor: 6, exclude: "new" });
    expect(sent?.set?.tags).toEqual([["new", 0, ""]]);
  });

  describe("where what others said of the column waited for it", () => {
    const waited = { seq: 7, from: "self", waited: true };
    const merge = (more: Partial<RowChange>, local = { row, present: true, values: values as Record<string, Json> }) =>
      decideMerge(model, local, change(more), waited);
    const told = ({ row }: { readonly row: Row }, now = {}) =>
      rowToChange(model, ["1"], row, { ...values, ...now }, { floor: -1, exclude: null });

    test("has what they said and nothing of the default", () => {
      const merged = merge({ set: { tags: [["x", 10, "old"]] } });
      expect(merged.base).toEqual({ op: "update", values: { tags: ["x"] } });
      expect(told(merged)?.set?.tags).toEqual([["x", 10, "old"]]);
    });

    test("is empty where they said so", () => {
      const merged = merge({ set: { tags: [] } });
      expect(merged.base).toEqual({ op: "update", values: { tags: [] } });
      expect(told(merged)?.set?.tags).toEqual([]);
    });

    test("stays as it is where they said the default", () => {
      const merged = merge({ set: { tags: [["new", 0, ""]] } });
      expect(merged.row).toBe(row);
    });

    test("keeps what was written to it since", () => {
      const tags = [["new", 0, ""] as const, ["own", 12, "self"] as const];
      const since = decideMerge(model, { row, present: true, values }, change({ set: { tags } }), {
        seq: 5,
        from: null,
      });
      const now = { ...values, tags: ["new", "own"] };
      const merged = merge({ set: { tags: [["x", 10, "old"]] } }, { row: since.row, present: true, values: now });
      expect(merged.base).toEqual({ op: "update", values: { tags: ["new", "x", "own"] } });
      expect(merge({ set: { tags: [] } }, { row: since.row, present: true, values: now }).row).toBe(since.row);
    });

    test("is empty in a row that does not show", () => {
      const merged = merge({ set: { tags: [] } }, { row, present: false, values: {} });
      expect(merged.base).toMatchObject({ op: "insert", values: { tags: [] } });
      expect(merged.cells.map(({ field, entry }) => [field, entry.key])).toEqual([["tags", ""]]);
    });
  });

  describe("of a node that does not have the column", () => {
    const older = { ...model, fields: model.fields.filter(({ name }) => name !== "tags") };
    const without = { title: "old", body: "", view_count: "0" };
    const here = { row, present: true, values: without };
    const serve = (merged: { readonly row: Row }, exclude: string | null, floor = 6) =>
      rowToChange(older, ["1"], merged.row, without, { floor, exclude });

    test("keeps that the field is empty, and passes it on", () => {
      const merged = decideMerge(older, here, change({ life: [5, "new"], set: { tags: [] } }), { seq: 7, from: "new" });
      expect(merged.cells.map(({ field, entry }) => [field, entry.key])).toEqual([["tags", ""]]);
      expect(serve(merged, "other")?.set).toEqual({ tags: [] });
      const again = decideMerge(older, { ...here, row: merged.row }, change({ set: { tags: [] } }), {
        seq: 8,
        from: "third",
      });
      expect(again.row).toBe(merged.row);
    });

    test("is told so by who takes its life for a row where the field is empty", () => {
      for (const local of [
        { model, row, present: true, values: { ...values, tags: [] } },
        { model: older, ...here, row: { ...row, fields: new Map([["tags", { type: "set", entries: [] }]]) } as Row },
      ]) {
        const life = change({ life: [20, "old"], lww: { title: ["its own"], body: [""] } });
        const { row: merged } = decideMerge(local.model, local, life, { seq: 7, from: "old" });
        const sent = rowToChange(local.model, ["1"], merged, local.values, { floor: 6, exclude: "old" });
        expect(sent?.set?.tags).toEqual([]);
      }
    });
  });
});
