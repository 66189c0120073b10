// Rules that random writes rarely need, and that would be lost unseen: each has its mutant in packages/testkit/mutants.
import {
  crdtTypes,
  decideMerge,
  type Entry,
  type Json,
  type Local,
  type Row,
  type RowChange,
  resume,
  rowToChange,
  START,
} from "@grove-crdt/core";
import { describe, expect, test } from "vitest";
import { documentsModel } from "../../../generated/sqlite";

const state = (more: Partial<RowChange>): RowChange => ({
  table: "documents",
  pk: ["1"],
  cl: 1,
  life: [10, "edge"],
  ...more,
});
const values = { title: "t", body: "", view_count: "0", tags: [] };

/** The row after these changes, each with who sent it; its own writes come from nobody. */
function merge(...changes: readonly [change: RowChange, from: string | null][]): Row {
  let row: Row | null = null;
  changes.forEach(([change, from], n) => {
    const local: Local = { row, present: row !== null, values };
    row = { ...decideMerge(documentsModel, local, change, { seq: n + 1, from }).row, id: 1 };
  });
  return row as unknown as Row;
}
const servedTo = (peer: string, row: Row, floor: number) =>
  rowToChange(documentsModel, ["1"], row, values, { floor, exclude: peer });

describe("a peer is sent", () => {
  const born = state({ lww: { title: ["t"] }, set: { tags: [["x", 10, "edge"]] } });

  test("nothing of what it sent itself", () => {
    expect(servedTo("edge", merge([born, "edge"]), 0)).toBeNull();
  });

  test("an element that it added again while its first add was removed: both sides make the entry", () => {
    const row = merge(
      [born, "edge"],
      [state({ set: { tags: [["x", 10, "edge", 10]] } }), null],
      [state({ set: { tags: [["x", 20, "edge"]] } }), "edge"],
    );
    expect(servedTo("edge", row, 2)).toMatchObject({ set: { tags: [["x", 20, "edge", 10]] } });
  });

  test("what it sent once, when it comes with an older value: it lost its own", () => {
    const row = merge(
      [born, "edge"],
      [state({ lww: { title: ["later", 30, "edge"] } }), "edge"],
      [state({ lww: { title: ["earlier", 20, "edge"] } }), "edge"],
    );
    expect(servedTo("edge", row, 2)).toMatchObject({ lww: { title: [expect.anything(), 30, "edge"] } });
    expect(servedTo("edge", row, 3)).toBeNull();
  });
});

describe("of two lives", () => {
  test("the one with the greater causal length counts, though the other's stamp is later", () => {
    const row = merge([state({ cl: 3, lww: { title: ["third"] } }), "edge"]);
    const deleted = state({ cl: 2, life: [99, "hub"] });
    const { outcome } = decideMerge(documentsModel, { row, present: true }, deleted, { seq: 2, from: "hub" });
    expect(outcome).toBe("superseded");
  });

  const first = state({ lww: { title: ["t"], body: [""] } });
  test("that began at once, the later one's stamp is told to others, though nothing else of it counts", () => {
    const row = merge([first, "edge"], [state({ life: [20, "hub"], lww: { title: ["early", 5, "hub"] } }), "hub"]);
    expect(servedTo("other", row, 1)).toMatchObject({ life: [20, "hub"] });
  });

  test("that began at once, the earlier one's fields keep their stamps", () => {
    const row = merge([first, "edge"], [state({ life: [20, "hub"], lww: { title: ["later"] } }), "hub"]);
    expect(servedTo("other", row, 0)?.lww?.body).toEqual(["", 10, "edge"]);
  });
});

test("a new life over one that shows begins with the columns' defaults", () => {
  const row = merge([state({ lww: { title: ["old"], body: ["old"] } }), "edge"]);
  const next = state({ cl: 3, life: [50, "edge"], lww: { title: ["new"] } });
  const { base } = decideMerge(documentsModel, { row, present: true }, next, { seq: 2, from: "edge" });
  expect(base).toMatchObject({ op: "update", values: { title: "new", body: "", view_count: "0", tags: [] } });
});

test("a cursor of another history begins again, with what came from the reader, too", () => {
  const cursor = { ...START, incarnation: "gone", floor: 5, position: 5, last: 5, tables: ["documents"] };
  const incarnations = [{ id: "now", first: 1 }];
  expect(resume(cursor, ["documents"], incarnations, 9)).toMatchObject({
    floor: 0,
    position: 0,
    full: true,
    reset: true,
  });
  const known = { ...cursor, incarnation: "now" };
  expect(resume(known, ["documents"], incarnations, 9)).toMatchObject({ floor: 5, position: 5, reset: false });
  // Past its end: the database was restored.
  expect(resume(known, ["documents"], incarnations, 4)).toMatchObject({ full: true, reset: true });
});

describe("of a document, a number that is written over an object", () => {
  const { create, fold, identity, materialize } = crdtTypes.document;
  const options = { paths: [{ path: ["a", "n"], type: "counter" }] } as const;
  const at = (hlc: number, node: string) => ({ node, incarnation: node, tick: () => hlc });
  const born = create({ a: { b: 1, n: 1 } }, at(10, "x"), options);
  const after = (...writes: readonly (readonly Entry[])[]): Json =>
    materialize([...new Map([born, ...writes].flat().map((entry) => [identity(entry), entry])).values()]);
  const replaced = fold(born, { a: 5 }, at(30, "b"), options);

  test("hides what was written below it earlier, though the two did not know of each other", () => {
    const below = fold(born, { a: { b: 2, n: 1 } }, at(20, "a"), options);
    expect(after(replaced, below)).toEqual({ a: 5 });
  });

  test("gives way to what was written below it later", () => {
    const below = fold(born, { a: { b: 2, n: 1 } }, at(40, "a"), options);
    expect(after(replaced, below)).toEqual({ a: { b: 2 } });
  });

  test("does not hide a counter that somebody began below it", () => {
    const plain = create({ a: { b: 1 } }, at(10, "x"), options);
    const counted = fold(plain, { a: { b: 1, n: 3 } }, at(20, "a"), options);
    const all = [...plain, ...counted, ...fold(plain, { a: 5 }, at(30, "b"), options)];
    expect(materialize([...new Map(all.map((entry) => [identity(entry), entry])).values()])).toEqual({ a: { n: 3 } });
  });
});

test("of a set, an element that is added again while somebody removes it stays, however late that one's clock", () => {
  const { create, fold, join, materialize } = crdtTypes.set;
  const at = (hlc: number, node: string) => ({ node, incarnation: node, tick: () => hlc });
  const born = create(["x"], at(10, "a"), {});
  const gone = fold(born, [], at(15, "a"), {});
  const again = fold(gone, ["x"], at(20, "a"), {});
  const removed = fold(born, [], at(30, "b"), {});
  expect(materialize([join(again[0] as Entry, removed[0] as Entry)])).toEqual(["x"]);
});
