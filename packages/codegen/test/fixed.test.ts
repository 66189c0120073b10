// Columns that are written with their row and never change: what SQLite refuses, and what is logged of a row that goes.
import { describe, expect, test } from "vitest";
import { createRegistry, emitFiles } from "../src/index";
import { Captured, model } from "./database";

const open = () => {
  const table = model("t", ["id"], ["title", "fixed owner", "counter n", "fixed at"]);
  const fields = table.fields.map((field) =>
    field.name === "at" ? { ...field, sqlType: "text COLLATE NOCASE" } : field,
  );
  const t = new Captured(
    `CREATE TABLE t (id text PRIMARY KEY NOT NULL, owner text, title text, n integer NOT NULL DEFAULT 0, at text COLLATE NOCASE)`,
    { ...table, fields },
  );
  t.db.exec(`INSERT INTO t (id, owner, title, at) VALUES ('a', 'o', 'one', 'x')`);
  return t;
};
const refusal = (column: string) => `grove-crdt: t.${column} is fixed`;

describe("an update of a fixed column", () => {
  test.each([
    ["owner", "'p'"],
    ["owner", "NULL"],
    ["owner", "X'6f'"],
    ["at", "'X'"],
    ["title = 'new', at", "NULL"],
  ])("is refused as %s = %s", (column, value) => {
    const t = open();
    expect(() => t.db.exec(`UPDATE t SET ${column} = ${value}`)).toThrow(refusal(column.split(" ").at(-1) as string));
    expect(t.db.prepare(`SELECT owner, title, at FROM t`).raw().get()).toEqual(["o", "one", "x"]);
  });
  test("from NULL is refused as well, in an upsert as elsewhere", () => {
    const t = open();
    t.db.exec(`INSERT INTO t (id) VALUES ('b')`);
    expect(() => t.db.exec(`UPDATE t SET owner = 'o' WHERE id = 'b'`)).toThrow(refusal("owner"));
    const upsert = (value: string) =>
      t.db.exec(`INSERT INTO t (id, owner) VALUES ('a', ${value}) ON CONFLICT DO UPDATE SET owner = excluded.owner`);
    expect(() => upsert("'p'")).toThrow(refusal("owner"));
    upsert("'o'");
  });
  test("is taken with the value that stands there, with another key, and of a merge", () => {
    const t = open();
    expect(t.ops(`UPDATE t SET owner = 'o', at = 'x', title = 'two'`)).toEqual(["U a"]);
    expect(t.ops(`UPDATE t SET id = 'b', owner = 'p'`)).toEqual(["D a", "I b"]);
    t.db.exec(`INSERT INTO _grove_node (id, capture) VALUES (1, 0)`);
    expect(t.ops(`UPDATE t SET owner = 'q'`)).toEqual([]);
  });
  test("is refused beside counters, which are judged all the same", () => {
    const t = open();
    expect(() => t.db.exec(`UPDATE t SET n = 'many'`)).toThrow("grove-crdt: t.n must be an integer");
    expect(() => t.db.exec(`INSERT INTO t (id, n) VALUES ('b', 'many')`)).toThrow("grove-crdt: t.n must be an integer");
  });
});

test("of a row that goes, what is fixed is logged, and nothing else", () => {
  const t = open();
  const before = { owner: "t6F", at: "t78" };
  expect(t.log(`DELETE FROM t`)).toEqual([{ op: "D", key: ["a"], mask: null, before }]);
  t.db.exec(`INSERT INTO t (id, at) VALUES ('c', 'x')`);
  expect(t.log(`UPDATE t SET id = 'd'`)[0]).toMatchObject({
    op: "D",
    key: ["c"],
    before: { owner: "NULL", at: "t78" },
  });
});

test("of a row that may be replaced, what is fixed is logged", () => {
  const t = new Captured(
    `CREATE TABLE t (id text PRIMARY KEY NOT NULL, owner text, slug text UNIQUE)`,
    model("t", ["id"], ["fixed owner", "slug"], [["slug"]]),
  );
  t.db.exec(`INSERT INTO t VALUES ('a', 'o', 's')`);
  expect(t.log(`INSERT OR REPLACE INTO t VALUES ('b', 'p', 's')`)).toMatchObject([
    { op: "R", key: ["a"], before: { owner: "t6F" } },
    { op: "I", key: ["b"] },
  ]);
});

test("a replaced row is a new life, which may have another value", () => {
  expect(open().ops(`INSERT OR REPLACE INTO t (id, owner) VALUES ('a', 'p')`)).toEqual(["I a"]);
});

test("the registry says so of fixed columns alone, and only their tables are captured otherwise", () => {
  const text = (owner: string) => {
    const table = model("t", ["id"], [owner, "title"]);
    const files = emitFiles({ dialect: "sqlite", tables: [table], sources: new Map([["t", "../../schema.js"]]) });
    return files["registry.ts"] as string;
  };
  expect(text("fixed owner").match(/fixed: true/g)).toHaveLength(1);
  expect(text("owner")).not.toContain("fixed");
  const triggers = (owner: string) =>
    Object.keys(createRegistry("sqlite", [model("t", ["id"], [owner])]).capture.tables.t?.triggers ?? {});
  expect(triggers("fixed owner").filter((name) => !triggers("owner").includes(name))).toEqual(["_t_guard_update"]);
});
