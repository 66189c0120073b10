// What a key's log rows say together, and what of it the projection must look at.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addLogRow,
  decideTouched,
  existedBefore,
  FIELDS_PER_MASK,
  isLinked,
  type LogRow,
  leavesKey,
  linkTables,
  masksOf,
  type Neighbours,
  noTouch,
  type TableModel,
  type Touch,
  touchedFields,
} from "../src/index";

const log = (op: string, at: number, more: Partial<LogRow> = {}): LogRow => ({
  op,
  at,
  masks: [op === "U" ? 1 : null],
  before: null,
  ...more,
});

/** All log rows of a key that the table has (or has no more) now. */
function touchOf(rows: readonly LogRow[], present = true, masks = 1): Touch {
  const touch = noTouch(masks);
  for (const row of rows) addLogRow(touch, row, present);
  return touch;
}

const table = (name: string, fields: readonly string[], more: Partial<TableModel> = {}): TableModel => ({
  name,
  exportName: name,
  key: [{ name: "id", property: "id", kind: "text", storage: "text", sqlType: "text", notNull: true }],
  fields: fields.map((field) => ({
    name: field,
    property: field,
    kind: "text",
    storage: "text",
    sqlType: "text",
    notNull: false,
    type: "lww",
  })),
  local: [],
  uniques: [],
  ...more,
});

describe("log rows of one key", () => {
  test("say when it was written last, and by what, in order", () => {
    const touch = touchOf([log("I", 20), log("U", 30), log("U", 10)]);
    expect(touch).toMatchObject({ at: 30, ops: "IUU", inserted: true, deleted: false });
    expect(existedBefore(touch.ops, true)).toBe(false);
    expect(existedBefore(touchOf([log("U", 1)]).ops, true)).toBe(true);
  });

  test("name every field that one of them names, also past 32 bits and in later masks", () => {
    const indexes = fc.uniqueArray(fc.nat(2 * FIELDS_PER_MASK + 3), { maxLength: 12 });
    const wide = table(
      "wide",
      Array.from({ length: 2 * FIELDS_PER_MASK + 4 }, (_, n) => `f${n}`),
    );
    fc.assert(
      fc.property(fc.array(indexes, { maxLength: 5 }), (writes) => {
        const rows = writes.map((some) =>
          log("U", 1, {
            masks: masksOf(
              wide,
              some.map((n) => `f${n}`),
            ),
          }),
        );
        const named = touchedFields(wide, touchOf([log("I", 1, { masks: [null, null, null] }), ...rows], true, 3));
        const expected = [...new Set(writes.flat())].sort((a, b) => a - b).map((n) => `f${n}`);
        expect(named.map(({ name }) => name)).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  test("tell what a field was before the first of them", () => {
    const rows = [
      log("U", 1, { before: { views: "1" } }),
      log("U", 2, { before: { views: "5", stock: "9" } }),
      log("U", 3, { before: null }),
    ];
    expect(touchOf(rows).before).toEqual({ views: "1", stock: "9" });
  });

  test("keep the old row of the last delete and of the first, and what fields were in that life; the next life has its own", () => {
    const rows = [
      log("U", 1, { before: { views: "1" } }),
      log("D", 2, { before: { title: "first", views: "4" } }),
      log("I", 3),
      log("U", 4, { before: { views: "0" } }),
    ];
    const touch = touchOf(rows);
    expect(touch).toMatchObject({ inserted: true, deleted: true, before: { views: "0" } });
    expect(touch.old).toEqual({ values: { title: "first", views: "4" }, before: { views: "1" } });

    const again = touchOf([...rows, log("D", 5, { before: { title: "second", views: "7" } })], false);
    const first = { title: "first", views: "4" };
    expect(again.old).toEqual({ values: { title: "second", views: "7" }, before: { views: "0" }, first });
    expect(again.before).toBeNull();

    // Where deleted rows keep nothing, the trigger logs nothing of them.
    expect(touchOf([log("U", 1, { before: { views: "1" } }), log("D", 2)], false)).toMatchObject({ before: null });
    expect(touchOf([log("D", 2)], false).old).toBeUndefined();
  });

  test("count a row as replaced only if it is gone", () => {
    const rows = [log("U", 1, { before: { views: "1" } }), log("R", 2, { before: { title: "old", views: "2" } })];
    const gone = touchOf(rows, false);
    expect(gone).toMatchObject({ deleted: true, before: null });
    expect(gone.old).toEqual({ values: { title: "old", views: "2" }, before: { views: "1" } });

    const there = touchOf(rows, true);
    expect(there).toMatchObject({ deleted: false, before: { views: "1" } });
    expect(there.old).toBeUndefined();
  });
});

describe("the projection must look at", () => {
  const users = table("users", ["name", "email", "note"], { uniques: [["email"], ["name"]], keepsDeleted: true });
  const posts = table("posts", ["title", "author"], {
    references: [{ columns: ["author"], table: "users", parent: ["email"], onDelete: "cascade", onUpdate: "cascade" }],
  });
  const notes = table("notes", ["text"]);
  const links = linkTables([users, posts, notes]);
  const around = (name: string) => links.get(name) as Neighbours;
  const update = (name: string, ...fields: string[]) =>
    touchOf([log("U", 1, { masks: masksOf(around(name).model, fields) })]);

  test("tables with keys or references, and no others", () => {
    expect(["users", "posts", "notes"].map((name) => isLinked(around(name)))).toEqual([true, true, false]);
  });

  test("rows whose unique keys or references changed", () => {
    expect(decideTouched(around("users"), ["u"], update("users", "name"))).toEqual({ table: "users", pk: ["u"] });
    expect(decideTouched(around("users"), ["u"], update("users", "note"))).toBeNull();
    expect(decideTouched(around("posts"), ["p"], update("posts", "title", "author"))).not.toBeNull();
    expect(decideTouched(around("posts"), ["p"], update("posts", "title"))).toBeNull();
  });

  test("rows that came, and rows that went with what is known of them", () => {
    expect(decideTouched(around("users"), ["u"], touchOf([log("I", 1)]))).toEqual({ table: "users", pk: ["u"] });
    const before = { name: "Ann", email: "a@x" };
    expect(decideTouched(around("users"), ["u"], touchOf([log("D", 1, { before })], false))).toEqual({
      table: "users",
      pk: ["u"],
      before: { id: "u", ...before },
    });
    expect(decideTouched(around("posts"), ["p"], touchOf([log("D", 1)], false))?.before).toEqual({ id: "p" });
  });

  test("rows that may refer to a key which was taken away, and which a new row cannot take", () => {
    expect(leavesKey(around("users"), update("users", "email"), true)).toBe(true);
    // Nobody refers to names.
    expect(leavesKey(around("users"), update("users", "name"), true)).toBe(false);
    expect(leavesKey(around("users"), touchOf([log("D", 1)], false), true)).toBe(true);
    expect(leavesKey(around("users"), touchOf([log("I", 1)]), false)).toBe(false);
    expect(leavesKey(around("users"), touchOf([log("I", 1)]), true)).toBe(true);
    // A row that no shadow knows may have had the key all the same.
    expect(leavesKey(around("users"), update("users", "email"), false)).toBe(true);
    expect(leavesKey(around("posts"), touchOf([log("D", 1)], false), true)).toBe(false);
  });
});
