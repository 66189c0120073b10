// What of a merged row is written at once, what waits for the projection, and what the projection must look at.
import { describe, expect, test } from "vitest";
import {
  type BaseWrite,
  type ChangeSet,
  decidePlacement,
  decideSettlement,
  linkTables,
  type Neighbours,
  type Row,
  registerOf,
  type TableModel,
  unchanged,
} from "../src/index";

const table = (name: string, more: Partial<TableModel> = {}): TableModel => ({
  name,
  exportName: name,
  key: [{ name: "id", property: "id", kind: "text", storage: "text", sqlType: "text", notNull: true }],
  fields: ["email", "note"].map((field) => ({
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

const users = table("users", { uniques: [["email"]] });
const posts = table("posts", {
  references: [{ columns: ["note"], table: "authors", parent: ["id"], onDelete: "cascade", onUpdate: "cascade" }],
});
const authors = table("authors");
const plain = table("plain");
const links = linkTables([users, posts, authors, plain]);
const around = (name: string) => links.get(name) as Neighbours;

const row: Row = {
  id: 3,
  cl: 1,
  hlc: 10,
  node: "a",
  born: 3,
  via: null,
  seq: 9,
  shape: ["email", "note"],
  fields: new Map(),
};
const changes = (base: BaseWrite, more: Partial<Row> = {}): ChangeSet => ({ ...unchanged({ ...row, ...more }), base });
const values = { email: "a@x", note: "n" };

/** Both decisions, one after the other. */
function place(name: string, decided: ChangeSet, { present = true, refused = false } = {}) {
  const placement = decidePlacement(around(name), decided);
  return { ...placement, ...decideSettlement(around(name), ["r"], decided, placement, present, refused) };
}
const touched = (name: string, stale?: readonly string[]) => ({ table: name, pk: ["r"], stale });

describe("an insert", () => {
  const insert = (id: number) => changes({ op: "insert", values }, { id, born: 9 });

  test("of a new row is written at once, and looked at where it may meet others", () => {
    expect(place("plain", insert(0))).toMatchObject({
      write: { op: "insert" },
      touched: null,
      shown: null,
      gone: false,
    });
    const met = place("users", insert(0));
    expect(met).toMatchObject({ write: { op: "insert" }, touched: touched("users"), shown: null });
    // The base table has its values.
    expect(met.kept.cells).toEqual([]);
  });

  test("of a row that was hidden waits where it may meet others, and else is shown again", () => {
    const waiting = place("users", insert(3));
    expect(waiting).toMatchObject({ write: { op: "none" }, touched: touched("users"), shown: null });
    expect(waiting.kept.cells.map(({ field }) => field)).toEqual(["email", "note"]);
    expect(place("plain", insert(3))).toMatchObject({ write: { op: "insert" }, touched: null, shown: values });
  });

  test("that the database refuses waits with all its values", () => {
    for (const id of [0, 3]) {
      const refused = place("plain", insert(id), { refused: true });
      expect(refused).toMatchObject({ touched: touched("plain"), shown: null });
      expect(refused.kept.cells.map(({ field }) => field)).toEqual(["email", "note"]);
    }
  });
});

describe("an update", () => {
  test("writes what no key and no reference is made of, and is done", () => {
    const update = changes({ op: "update", values });
    expect(place("plain", update)).toMatchObject({ write: update.base, kept: update, touched: null });
    const note = changes({ op: "update", values: { note: "n" } });
    expect(place("users", note)).toMatchObject({ write: note.base, kept: note, touched: null });
  });

  test("keeps the columns of keys and references until the projection writes them", () => {
    const update = place("users", changes({ op: "update", values }));
    expect(update).toMatchObject({ write: { op: "update", values: { note: "n" } }, touched: touched("users") });
    expect(registerOf(update.kept.row, "email").state).toBe("a@x");
    expect(registerOf(update.kept.row, "note").state).toBeUndefined();
    expect(place("posts", changes({ op: "update", values: { note: "b" } })).write).toEqual({ op: "none" });
  });

  test("that the database refuses waits with all its columns, which are written once it can be", () => {
    const refused = place("users", changes({ op: "update", values }), { refused: true });
    expect(refused.touched).toEqual(touched("users", ["email", "note"]));
    expect(refused.kept.cells.map(({ field }) => field).sort()).toEqual(["email", "note"]);
  });

  test("of the life's stamp alone is looked at where rows rank by it", () => {
    const later = { born: 9 };
    expect(place("users", changes({ op: "none" }, later)).touched).toEqual(touched("users"));
    expect(place("users", changes({ op: "update", values: { note: "n" } }, later)).touched).toEqual(touched("users"));
    expect(place("plain", changes({ op: "none" }, later)).touched).toBeNull();
    expect(place("users", changes({ op: "none" })).touched).toBeNull();
  });
});

describe("a delete", () => {
  const dead = { cl: 2, born: 9 };

  test("is written at once where nobody refers to the row, and then nothing of it waits", () => {
    const deleted = changes({ op: "delete" }, dead);
    expect(place("plain", deleted)).toMatchObject({
      write: { op: "delete" },
      kept: deleted,
      touched: null,
      gone: true,
    });
    expect(place("users", deleted)).toMatchObject({ write: { op: "delete" }, touched: touched("users"), gone: false });
  });

  test("waits where others may refer to the row", () => {
    const deleted = place("authors", changes({ op: "delete" }, dead));
    expect(deleted).toMatchObject({ write: { op: "none" }, touched: touched("authors"), gone: false });
  });

  test("of a row that was not there leaves nothing that waits", () => {
    const absent = changes({ op: "none" }, dead);
    expect(place("plain", absent, { present: false })).toMatchObject({ touched: null, gone: true });
    // It shows although it is deleted: whoever keeps it there looks again.
    expect(place("plain", absent)).toMatchObject({ touched: null, gone: false });
  });

  test("that the database refuses is tried again", () => {
    const refused = place("plain", changes({ op: "delete" }, dead), { refused: true });
    expect(refused.touched).toEqual(touched("plain"));
  });
});
