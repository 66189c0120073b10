// A column that is younger than its row: what the row has in it from the column's default was never sent by any number.
// Found by the simulator.
import { describe, expect, test } from "vitest";
import { documentsModel } from "../../../generated/sqlite";
import { decideMerge, type Row, type RowChange, rowToChange } from "../src/index";

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
});
