// Rejoining: what counts as had by those who collected, what of a row is still one's own to give, and where it belongs.
import { describe, expect, test } from "vitest";
import {
  acknowledgedBy,
  CLOSED,
  type Cursor,
  decideRejoin,
  encodeCursor,
  type FieldState,
  NO_FIELDS,
  type Round,
  type Row,
  type RowChange,
  START,
  unsentPart,
} from "../src/index";

const cursor = (floor: number, position = floor, more: Partial<Cursor> = {}) =>
  encodeCursor({ ...START, incarnation: "i", floor, position, last: position, tables: ["notes"], ...more });
const round = (...members: string[]): Round => ({
  id: "r",
  by: "hub",
  began: 1,
  upTo: 100,
  struck: ["self"],
  members: [],
  verdict: { tables: [], closings: members.map((node) => [node, node, 1]) },
});
const facts = { self: "self", collected: 100, rounds: [round("hub", "office")] };

describe("what others have", () => {
  test("is what a member acknowledged, and not what one did who was struck off as well", () => {
    const { position, floor, members } = acknowledgedBy(
      {
        ...facts,
        peers: [
          ["hub", cursor(4, 6)],
          ["office", cursor(5)],
          ["till", cursor(9)],
        ],
        at: { peer: "hub", seen: 20 },
      },
      "notes",
    );
    expect([position, floor, [...members].sort()]).toEqual([6, 5, ["hub", "office"]]);
  });

  test("is no more than the peer knows of it, if that was put back to a time before it acknowledged", () => {
    const peers = [["hub", cursor(8, 9)]] as const;
    expect(acknowledgedBy({ ...facts, peers, at: { peer: "hub", seen: 3 } }, "notes")).toMatchObject({
      position: 3,
      floor: 3,
    });
    // Of its later numbers it knows nothing: it is this database that was put back.
    expect(acknowledgedBy({ ...facts, peers, at: { peer: "hub", seen: null } }, "notes")).toMatchObject({
      position: 9,
      floor: 8,
    });
    // What another one knows is no reason to doubt what this one acknowledged.
    const both = [...peers, ["office", cursor(7)] as const];
    expect(acknowledgedBy({ ...facts, peers: both, at: { peer: "hub", seen: 3 } }, "notes")).toMatchObject({
      position: 7,
      floor: 7,
    });
  });

  test("is of those tables that were pushed, and of those that are behind no more than came of them", () => {
    const of = (more: Partial<Cursor>, table: string) => {
      const { position, floor } = acknowledgedBy({ ...facts, peers: [["hub", cursor(4, 6, more)]], at: null }, table);
      return [position, floor];
    };
    expect(of({ tables: ["notes"] }, "notes")).toEqual([6, 4]);
    expect(of({ tables: ["notes"] }, "plans")).toEqual([0, 0]);
    // Some rows of it or some columns.
    expect(of({ tables: ["notes"], views: { notes: "some" } }, "notes")).toEqual([0, 0]);
    const behind = { tables: ["notes", "plans"], behind: { tables: ["plans"], position: 2 } };
    expect(of(behind, "plans")).toEqual([2, 0]);
    expect(of(behind, "notes")).toEqual([6, 4]);
  });

  test("may be anything where anybody else could ask, and ends with what was told where nobody could", () => {
    const at = { peer: "hub", seen: 5 };
    expect(acknowledgedBy({ ...facts, peers: [["hub", cursor(3, 4)]], at }, "notes").known).toBe(5);
    expect(acknowledgedBy({ ...facts, peers: [["hub", cursor(8)]], at }, "notes").known).toBe(8);
    for (const peers of [[["reader", null]], [["hub", cursor(3)] as const, ["office", cursor(3)] as const]] as const)
      expect(acknowledgedBy({ ...facts, peers, at }, "notes").known).toBe(Number.POSITIVE_INFINITY);
    expect(acknowledgedBy({ ...facts, peers: [], at: null }, "notes").known).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("what is left to give of a row", () => {
  const own: Row = {
    id: 1,
    cl: 1,
    hlc: 50,
    node: "self",
    born: 10,
    via: null,
    seq: 10,
    shape: ["title", "body"],
    fields: NO_FIELDS,
  };
  const field = (...entries: { seq: number; via?: string | null }[]): FieldState => ({
    type: "lww",
    entries: entries.map(({ seq, via = null }) => ({ key: "", state: "x", node: "n", hlc: 60, seq, via })),
  });
  const had = { position: 5, floor: 5, members: new Set(["hub"]), known: 5, self: "self", collected: 100 };

  test("is all of one that was never sent, and nothing of one that was", () => {
    expect(unsentPart(own, had)).toMatchObject({ isWhole: true, row: { born: 10, shape: ["title", "body"] } });
    expect(unsentPart({ ...own, born: 5 }, had)).toBeNull();
    expect(unsentPart({ ...own, via: "hub" }, had)).toBeNull();
    expect(unsentPart({ ...own, via: "reader" }, had)).toMatchObject({ isWhole: true });
  });

  test("is its later columns, without its life", () => {
    const fields = new Map([
      ["title", field({ seq: 6 })],
      ["body", field({ seq: 4 })],
      ["note", field({ seq: 7, via: "hub" })],
    ]);
    const part = unsentPart({ ...own, born: 3, fields }, had);
    expect(part).toMatchObject({ isWhole: false, row: { born: 5, shape: [] } });
    expect([...(part?.row.fields.keys() ?? [])]).toEqual(["title"]);
  });

  test("says whether somebody may have had the row, deleted it and forgotten that", () => {
    const mayBeKnown = (row: Row, known: number) => unsentPart(row, { ...had, known })?.mayBeKnown;
    expect(mayBeKnown(own, 9)).toBe(false);
    expect(mayBeKnown(own, 10)).toBe(true);
    // Another node's insert has been elsewhere; a life after the collection is forgotten by nobody.
    expect(mayBeKnown({ ...own, node: "other" }, 9)).toBe(true);
    expect(mayBeKnown({ ...own, via: "reader" }, 9)).toBe(true);
    expect(mayBeKnown({ ...own, node: "other", hlc: 101 }, 9)).toBe(false);
  });
});

describe("where it belongs", () => {
  const row = (cl: number, life: RowChange["life"], more: Partial<RowChange> = {}): RowChange => ({
    table: "documents",
    pk: ["a"],
    cl,
    life,
    ...more,
  });
  const unsent = row(1, [50, "self"], { lww: { title: ["mine", 60, "self"] } });

  test("a row that nobody knows is inserted if it is whole, and else stays on record", () => {
    expect(decideRejoin(unsent, true, null)).toMatchObject({ kind: "merge", change: { cl: 1 } });
    expect(decideRejoin(unsent, false, null)).toEqual({ kind: "kept" });
  });

  test("a part goes to the life that it was written to, and to no other", () => {
    expect(decideRejoin(unsent, false, row(1, [50, "self"]))).toMatchObject({ kind: "merge" });
    expect(decideRejoin(unsent, false, row(3, [90, "office"]))).toEqual({ kind: "kept" });
    expect(decideRejoin(unsent, false, row(2, [70, "office"]))).toEqual({ kind: "known" });
    expect(decideRejoin(unsent, false, row(2, [40, "office"]))).toEqual({ kind: "kept" });
  });

  test("a whole row joins one that lives, comes after a deletion before it, and gives way to a later one", () => {
    expect(decideRejoin(unsent, true, row(3, [90, "office"]))).toMatchObject({ kind: "merge", change: { cl: 3 } });
    expect(decideRejoin(unsent, true, row(4, [40, "office"]))).toMatchObject({ kind: "merge", change: { cl: 5 } });
    expect(decideRejoin(unsent, true, row(4, [70, "office"]))).toEqual({ kind: "kept" });
  });

  test("a deletion ends the life that it was meant for", () => {
    const deletion = row(2, [60, "self"]);
    // Others who were struck off may have the row.
    expect(decideRejoin(row(4, [60, "self"]), true, null)).toMatchObject({ kind: "merge", change: { cl: 2 } });
    expect(decideRejoin(deletion, false, null)).toEqual({ kind: "known" });
    expect(decideRejoin(deletion, true, row(2, [70, "office"]))).toEqual({ kind: "known" });
    expect(decideRejoin(deletion, true, row(1, [50, "self"]))).toMatchObject({ kind: "merge", change: { cl: 2 } });
    expect(decideRejoin(deletion, true, row(1, [65, "office"]))).toEqual({ kind: "kept" });
    expect(decideRejoin(deletion, true, row(3, [55, "office"]))).toEqual({ kind: "kept" });
  });

  test("totals that may be among those that stand together are not counted again", () => {
    const counted = row(1, [50, "self"], {
      counter: { stock: { birth: ["0", 50, "self"], totals: [["s1", "self", 3, 0, 60]] } },
    } as never);
    const closed = (more: readonly unknown[]) =>
      row(1, [50, "self"], {
        counter: { stock: { birth: ["0", 50, "self"], totals: [[CLOSED, "", 9, 0, 40], ...more] } },
      } as never);
    expect(decideRejoin(counted, false, closed([]))).toMatchObject({
      kind: "merge",
      isPart: true,
      change: { counter: {} },
    });
    expect(decideRejoin(counted, false, closed([["s1", "self", 1, 0, 40]]))).toMatchObject({
      isPart: false,
      change: { counter: { stock: expect.anything() } },
    });
  });
});
