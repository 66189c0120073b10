// Columns that bear the names of what every JavaScript object has.
import { expect, test } from "vitest";
import type { RowChange } from "../src/change";
import type { TableModel } from "../src/model";
import { mergeStates } from "../src/state";

const text = { kind: "text", storage: "text", sqlType: "text" } as const;
const column = (name: string) => ({ ...text, name, property: name, notNull: false });
const model: TableModel = {
  name: "t",
  exportName: "t",
  key: [{ ...column("id"), notNull: true }],
  fields: [
    { ...column("title"), type: "lww" },
    { ...column("valueOf"), type: "lww", default: "d" },
  ],
  local: [],
  uniques: [],
};
const state = (lww: NonNullable<RowChange["lww"]>): RowChange => ({
  table: "t",
  pk: ["1"],
  cl: 1,
  life: [1, "n"],
  lww,
});

test("are data like others, known or not, also at the stamp of a default", () => {
  const a = state({ title: ["x"] });
  const b = state({ toString: [null, 0, ""], constructor: ["v", 2, "n"], title: ["x"] } as never);
  const merged = mergeStates(model, a, b);
  expect(merged).toEqual(mergeStates(model, b, a));
  expect(Object.keys(merged.lww ?? {})).toEqual(expect.arrayContaining(["toString", "constructor", "title"]));
  expect(mergeStates(model, merged, merged)).toEqual(merged);
});
