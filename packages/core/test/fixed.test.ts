// Fixed fields of rows that are deleted: a tombstone keeps them, so that it can be decided who may hear of the deletion, and
// nothing else of the row.
import { describe, expect, test } from "vitest";
import {
  addLogRow,
  decideFold,
  decideMerge,
  type FoldClock,
  mayShow,
  mergeStates,
  noTouch,
  type Row,
  type RowChange,
  rowToChange,
  type Touch,
} from "../src/index";
import { fixing } from "./arbitrary";

describe("a table with a fixed field and no row that others must keep", () => {
  const alive: RowChange = {
    table: "things",
    pk: ["r"],
    cl: 1,
    life: [1, "a"],
    lww: { title: ["mine"], body: ["text", 3, "b"] },
    counter: { views: { totals: [["a1", "a", "4", "0", 2]] } },
    set: { tags: [["x", 1, "a"]] },
  };
  const dead: RowChange = { table: "things", pk: ["r"], cl: 2, life: [5, "a"], lww: { body: ["left", 4, "c"] } };
  const grave: RowChange = { table: "things", pk: ["r"], cl: 2, life: [5, "a"], lww: { title: ["mine", 1, "a"] } };
  const context = { seq: 9, from: "p" };
  const clock = (): FoldClock => ({ node: "n", incarnation: "n1", now: 100, clock: 50 });
  const lives = decideMerge(fixing, { row: null, present: false }, alive, { seq: 1, from: "a" }).row;
  const values = { title: "mine", body: "text", views: "4", stock: "0", tags: ["x"], marks: [] };
  const served = (row: Row) => rowToChange(fixing, ["r"], row, {}, { floor: 0, exclude: null });
  const touch = { ...noTouch(1), at: 60, deleted: true };
  const delivered = (...ops: readonly { readonly title: string }[]) =>
    ops.reduce<Touch>(
      (touch, before) => {
        addLogRow(touch, { op: "D", at: 60, masks: [null], before }, false);
        return touch;
      },
      { ...noTouch(1), inserted: true },
    );

  test("keeps the fixed value in every order, and nothing else", () => {
    const written: RowChange = { ...alive, lww: { body: ["later", 9, "b"] } };
    for (const order of [
      [alive, dead, written],
      [dead, written, alive],
      [written, dead, alive],
      [dead, alive, written],
    ] as const) {
      expect(order.reduce((a, b) => mergeStates(fixing, a, b))).toEqual(grave);
    }
  });
  test("of two values of one life the later one is kept, whichever side is deleted", () => {
    const theirs: RowChange = { ...alive, lww: { title: ["theirs", 2, "b"] } };
    for (const [a, b] of [
      [grave, theirs],
      [alive, { ...grave, lww: { title: ["theirs", 2, "b"] } }],
    ] as const) {
      expect(mergeStates(fixing, a, b)).toEqual({ ...grave, lww: { title: ["theirs", 2, "b"] } });
    }
  });
  test("a merged delete moves the fixed value from the base row into a new cell and drops all others", () => {
    const merged = decideMerge(fixing, { row: lives, present: true, values }, { ...dead, lww: {} }, context);
    expect(merged).toMatchObject({ outcome: "applied", clearCells: true, deletes: [], base: { op: "delete" } });
    expect(merged.cells).toMatchObject([
      { field: "title", entry: { state: "mine", hlc: 1, node: "a", seq: 1, via: "a" } },
    ]);
    expect([...merged.row.fields.keys()]).toEqual(["title"]);
    expect(served(merged.row)).toEqual(grave);
  });
  test("a value that waited in a cell is kept, and its cell is written anew", () => {
    const entry = { key: "", hlc: 1, node: "a", state: "mine", seq: 1, via: null, cell: 7 };
    const hidden: Row = { ...lives, fields: new Map([["title", { type: "lww", entries: [entry] }]]) };
    const merged = decideMerge(fixing, { row: hidden, present: false }, { ...dead, lww: {} }, context);
    expect(merged.cells).toEqual([{ field: "title", type: "lww", entry: { ...entry, cell: undefined } }]);
  });
  test("a deleted row that the base table still has is not written there", () => {
    const { row } = decideMerge(fixing, { row: null, present: false }, { ...grave, lww: {} }, context);
    const merged = decideMerge(fixing, { row, present: true, values }, grave, context);
    expect(merged).toMatchObject({ base: { op: "none" }, cells: [{ field: "title", entry: { state: "mine" } }] });
  });
  test("a column of a newer schema goes with the row", () => {
    const { row } = decideMerge(
      fixing,
      { row: null, present: false },
      { ...grave, lww: { novel: [1, 2, "b"] } },
      context,
    );
    expect(row.fields.size).toBe(0);
    expect(
      decideMerge(fixing, { row, present: false }, { ...alive, lww: { novel: [1] } }, { seq: 10, from: "q" }).row,
    ).toBe(row);
  });
  test("never shows once it is deleted", () => {
    const { row } = decideMerge(fixing, { row: null, present: false }, grave, context);
    expect(row.fields.size).toBe(1);
    expect(mayShow(fixing, row)).toBe(false);
    expect(mayShow({ ...fixing, keepsDeleted: true }, row)).toBe(true);
  });
  test("a local delete keeps the fixed value alone, under its own stamp", () => {
    const old = { values: { title: "mine" }, before: null };
    const changes = decideFold(fixing, lives, { ...touch, masks: [0b110], old }, null, false, clock(), 2)!;
    expect(changes).toMatchObject({ clearCells: true, row: { cl: 2, born: 2 }, base: { op: "none" } });
    expect(changes.cells.map(({ field }) => field)).toEqual(["title"]);
    expect(served(changes.row)).toEqual({ ...grave, life: [60, "n"] });
  });
  test("of lives that began and ended unseen, the value of the one that others know is kept", () => {
    const changes = decideFold(
      fixing,
      lives,
      delivered({ title: "mine" }, { title: "other" }),
      null,
      false,
      clock(),
      2,
    )!;
    expect(served(changes.row)).toMatchObject({ cl: 2, lww: { title: ["mine", 60, "n"] } });
    // Replaced in one statement, it left no trace but the new row's.
    const replaced = decideFold(fixing, lives, delivered({ title: "other" }), null, false, clock(), 2)!;
    expect(served(replaced.row)).toMatchObject({ lww: { title: ["other", 60, "n"] } });
  });
  test("a row that went unseen keeps nothing, and takes what others have kept", () => {
    const { row } = decideFold(fixing, lives, touch, null, false, clock(), 2)!;
    expect(row).toMatchObject({ cl: 2, fields: new Map() });
    expect(served(decideMerge(fixing, { row, present: false }, grave, context).row)?.lww).toEqual(grave.lww);
  });
  test("a deleted row is not deleted again, and an insert begins a life with none of its entries", () => {
    const { row } = decideMerge(fixing, { row: null, present: false }, grave, context);
    const old = { values: { title: "other" }, before: null };
    expect(decideFold(fixing, row, { ...touch, inserted: true, old }, null, false, clock(), 10)).toBeNull();
    const base = { values: { views: "0", stock: "0", tags: [], marks: [] } };
    const born = decideFold(fixing, row, { ...noTouch(1), inserted: true }, base, false, clock(), 10)!;
    expect(born).toMatchObject({ clearCells: true, row: { cl: 3 } });
    expect(born.row.fields.has("title")).toBe(false);
  });
});
