// Values in cells: what leaves the base table moves there, what is written to it needs none, what differs has one.
import { describe, expect, test } from "vitest";
import { adoptedRow, decideLeaving, decideReceived, noTouch, type Row, settleCells, wasHidden } from "../src/index";
import { model } from "./arbitrary";

const entry = (state?: string, cell?: number) => ({ key: "", hlc: 5, node: "a", seq: 2, via: null, state, cell });
const row: Row = {
  ...adoptedRow(2),
  id: 2,
  hlc: 5,
  node: "a",
  shape: ["title", "body"],
  fields: new Map([["title", { type: "lww", entries: [entry("kept", 7)] }]]),
};
const deleted: Row = { ...row, cl: 2 };

describe("cells of a row that was written", () => {
  test("go where the base table shows the value, and come where it shows another or none", () => {
    const settle = (shown: Record<string, string>) => {
      const settled = settleCells(model, row, { title: "kept", body: "text", views: "3" }, shown);
      return settled && [settled.deletes, settled.cells.map(({ field, entry: { state } }) => [field, state])];
    };
    expect(settle({ title: "kept", body: "text" })).toEqual([[7], []]);
    expect(settle({ title: "else", body: "text" })).toBeNull();
    expect(settle({ title: "kept", body: "else" })).toEqual([[7], [["body", "text"]]]);
    expect(settle({ title: "else" })).toEqual([[], [["body", "text"]]]);
    expect(settleCells(model, { ...row, id: 0 }, { body: "text" }, {})).toBeNull();
  });

  test("keep a received value that came out different, and only as long as it is the latest", () => {
    const change = { table: "things", pk: ["r"], cl: 1, life: [5, "a"] as const };
    const received = (value: string, base?: Record<string, string>, hlc?: number) =>
      decideReceived(row, { ...change, lww: { body: hlc ? [value, hlc, "a"] : [value] } }, base)?.cells;
    expect(received("text", { body: "TEXT" })).toMatchObject([{ field: "body", entry: { state: "text", hlc: 5 } }]);
    expect(received("text", { body: "text" })).toBeUndefined();
    expect(received("text", { body: "TEXT" }, 4)).toBeUndefined();
    expect(received("text")).toBeUndefined();
    expect(decideReceived(deleted, { ...change, lww: { body: ["text"] } }, { body: "TEXT" })).toBeNull();
  });
});

describe("a row that leaves the base table", () => {
  test("takes its values with it while it may be shown again", () => {
    const fields = (leaving: Row, keepsDeleted = false) =>
      decideLeaving({ ...model, keepsDeleted }, leaving, { title: "else", body: "text" })?.cells.map(
        ({ field }) => field,
      );
    expect(fields(row)).toEqual(["body"]);
    expect(fields(deleted)).toBeUndefined();
    expect(fields(deleted, true)).toEqual(["body"]);
    expect(fields({ ...row, id: 0 })).toBeUndefined();
  });

  test("was hidden if it lives and the table did not have it before these writes", () => {
    const inserted = { ...noTouch(1), inserted: true };
    const gone = { ...noTouch(1), deleted: true };
    const [yes, no] = [() => true, () => false];
    expect(wasHidden(row, inserted, true, yes)).toBe(true);
    expect(wasHidden(row, inserted, true, no)).toBe(false);
    expect(wasHidden(row, noTouch(1), true, yes)).toBe(false);
    expect(wasHidden(row, noTouch(1), false, no)).toBe(true);
    expect(wasHidden(row, gone, false, no)).toBe(false);
    expect(wasHidden(deleted, inserted, true, yes)).toBe(false);
    expect(wasHidden(null, inserted, true, yes)).toBe(false);
  });
});
