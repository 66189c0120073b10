// What records tell, without a database: the row of any time is the join of its records, bounds change nothing of what they keep, and
// what a change lost is found whatever the type.
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  boundHistory,
  fieldHistory,
  type HistoryRecord,
  joinHistory,
  overruledPart,
  type RowChange,
  rowOf,
  seenHistory,
  stateThen,
  type TableModel,
  valuesThen,
} from "../src/index";
import { decideMerge } from "../src/merge";

const column = { kind: "text", storage: "text", sqlType: "text", notNull: true } as const;
const model: TableModel = {
  name: "notes",
  exportName: "notes",
  key: [{ ...column, name: "id", property: "id" }],
  fields: [
    { ...column, name: "owner", property: "owner", type: "lww", fixed: true },
    { ...column, name: "title", property: "title", type: "lww", default: "" },
    { ...column, name: "likes", property: "likes", kind: "integer", type: "counter", default: "0" },
    { ...column, name: "tags", property: "tags", kind: "json", type: "set", default: [] },
  ],
  local: [],
  uniques: [],
  history: {},
};
const head = (cl: number, hlc: number, node = "a") => ({ table: "notes", pk: ["1"], cl, life: [hlc, node] }) as const;
const born = (hlc: number, title: string, owner = "x"): RowChange => ({
  ...head(1, hlc),
  lww: { owner: [owner], title: [title] },
});
const titled = (hlc: number, title: string, node = "a"): RowChange => ({
  ...head(1, 1),
  lww: { title: [title, hlc, node] },
});
const record = (id: number, kind: HistoryRecord["kind"], change: RowChange, at = id * 10): HistoryRecord => ({
  id,
  at,
  kind,
  from: null,
  change,
});
const titleAt = (records: readonly HistoryRecord[], at: number) => {
  const then = stateThen(model, records, at);
  return then === "unknown" || then === null ? then : (valuesThen(model, then.change)?.title ?? "deleted");
};

const story = [
  record(1, "new", born(1, "one")),
  record(2, "part", titled(2, "two")),
  record(3, "overruled", titled(1.5, "lost", "b")),
  record(4, "part", { ...head(2, 4), lww: { owner: ["x", 1, "a"] } }),
  record(5, "whole", { ...head(3, 5), ends: [4], lww: { owner: ["x"], title: ["again"] } }),
];

test("a row is told as it was at each time, and before it came it was not", () => {
  expect([5, 10, 19, 20, 30, 40, 49, 50, 99].map((at) => titleAt(story, at))).toEqual([
    null,
    "one",
    "one",
    "two",
    "two",
    "deleted",
    "deleted",
    "again",
    "again",
  ]);
  expect(titleAt(story.slice(1), 15)).toBe("unknown");
  expect(titleAt([], 15)).toBeNull();
});

test("bounds join what lies before them, and change nothing of what they keep", () => {
  fc.assert(
    fc.property(fc.integer({ min: -1, max: 60 }), fc.integer({ min: 1, max: 6 }), (before, depth) => {
      const { records, joined, gone } = boundHistory(model, story, before, depth);
      expect(records.length).toBeLessThanOrEqual(depth + 1);
      const ids = new Set(records.map(({ id }) => id));
      expect([...gone].sort()).toEqual(story.flatMap(({ id }) => (ids.has(id) ? [] : [id])));
      if (joined) expect(records[0]).toBe(joined);
      for (let at = records[0]?.at ?? 0; at < 60; at++) expect(titleAt(records, at)).toBe(titleAt(story, at));
      // Once more changes nothing.
      expect(boundHistory(model, records, before, depth)).toMatchObject({ joined: null, gone: [] });
    }),
  );
  // A row that was deleted before the bounds has no history any more, and one that lives keeps what it is.
  expect(boundHistory(model, story.slice(0, 4), 45)).toMatchObject({ records: [], gone: [1, 2, 3, 4] });
  expect(boundHistory(model, story, 1_000).records).toMatchObject([{ id: 5, kind: "whole" }]);
});

test("what a whole record tells holds, though what was there before says more", () => {
  const records = [
    record(1, "new", born(1, "one")),
    record(2, "part", titled(900, "false")),
    record(3, "whole", titled(3, "mended")),
  ];
  expect(titleAt(records, 30)).toBe("mended");
  expect(joinHistory(model, [...records, record(4, "gone", head(0, 0, ""))])).toBeNull();
});

test("each write of a field is told with what became of it", () => {
  expect(fieldHistory(model, story, "title").map(({ value, node, fate }) => [value, node, fate])).toEqual([
    ["one", "a", "deleted"],
    ["two", "a", "deleted"],
    ["lost", "b", "deleted"],
    ["again", "a", "stands"],
  ]);
  expect(fieldHistory(model, story.slice(0, 3), "title").map(({ fate }) => fate)).toEqual([
    "overruled",
    "stands",
    "overruled",
  ]);
});

test("increments are told by node, and elements as they were added and taken out", () => {
  const totals = (...parts: (readonly [string, string, string, string, number])[]): RowChange => ({
    ...head(1, 1),
    counter: { likes: { totals: parts } },
  });
  const records = [
    record(1, "new", {
      ...born(1, "one"),
      counter: { likes: { birth: ["5", 1, "a"] } },
      set: { tags: [["t", 2, "a"]] },
    }),
    record(2, "part", totals(["i1", "a", "3", "0", 3])),
    record(3, "part", totals(["i1", "a", "4", "2", 5], ["i2", "b", "10", "0", 4])),
    record(4, "part", { ...head(1, 1), set: { tags: [["t", 2, "a", 2]] } }),
    // The same once more is nothing new.
    record(5, "part", totals(["i1", "a", "4", "2", 5])),
  ];
  expect(
    fieldHistory(model, records, "likes").map(({ node, amount, value, fate }) => [node, amount, value, fate]),
  ).toEqual([
    ["a", "5", "5", "stands"],
    ["a", "3", "8", "stands"],
    ["a", "-1", "17", "stands"],
    ["b", "10", "17", "stands"],
  ]);
  expect(
    fieldHistory(model, records, "tags").map(({ node, added, removed, fate }) => [node, added, removed, fate]),
  ).toEqual([
    ["a", ["t"], undefined, "overruled"],
    [null, undefined, ["t"], "stands"],
  ]);
});

test("a change has lost where its stamp is smaller, its life is over, or its row is dead, and nowhere else", () => {
  const rowFrom = (...changes: RowChange[]) =>
    changes.reduce<ReturnType<typeof rowOf> | null>((before, change) => rowOf(model, before, change), null)?.row ??
    null;
  const row = rowFrom(born(1, "one"), titled(5, "five", "b"));
  expect(overruledPart(model, null, titled(4, "four"))).toBeNull();
  expect(overruledPart(model, row, titled(6, "six"))).toBeNull();
  expect(overruledPart(model, row, titled(5, "five", "b"))).toBeNull();
  expect(
    overruledPart(model, row, { ...titled(4, "four"), lww: { title: ["four", 4, "a"], owner: ["x"] } })?.lww,
  ).toEqual({
    title: ["four", 4, "a"],
  });
  const dead = rowFrom(born(1, "one"), head(2, 9));
  expect(overruledPart(model, dead, titled(7, "late"))?.lww).toEqual({ title: ["late", 7, "a"] });
  const again = rowFrom(born(1, "one"), head(2, 9), { ...head(3, 11), lww: { owner: ["x"], title: ["again"] } });
  expect(overruledPart(model, again, born(1, "one"))?.lww).toMatchObject({ title: ["one", 1, "a"] });
  expect(overruledPart(model, again, head(2, 9))).toBeNull();
});

test("a reader is told of the past what was its own, once the row is", () => {
  const view = (owner: string) => ({ where: { owner } });
  const moved = [
    record(1, "new", born(1, "one", "x")),
    record(2, "part", { ...head(2, 4), lww: { owner: ["x", 1, "a"] } }),
    record(3, "whole", { ...head(3, 5), ends: [4], lww: { owner: ["y"], title: ["theirs"] } }),
    record(4, "part", { ...head(3, 5), lww: { title: ["more", 6, "a"] } }),
  ];
  expect(seenHistory(model, view("x"), moved)).toEqual([]);
  const seen = seenHistory(model, view("y"), moved);
  expect([20, 30, 40].map((at) => titleAt(seen, at))).toEqual([null, "theirs", "more"]);
  const some = seenHistory(model, { where: { owner: "y" }, fields: new Set(["title"]) }, moved);
  expect(JSON.stringify(some)).not.toContain("owner");
  expect(seenHistory(model, undefined, moved)).toBe(moved);
});

test("a row made of changes is what merging makes of it", () => {
  const local = { row: null, present: false };
  const { row } = decideMerge(model, local, born(1, "one"), { seq: 1, from: null });
  expect(rowOf(model, null, born(1, "one")).row).toEqual(row);
});
