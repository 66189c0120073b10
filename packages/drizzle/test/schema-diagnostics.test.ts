// What `generate` refuses about a schema as a whole, and that it tells everything at once.
import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, sqliteTableCreator, sqliteView, text } from "drizzle-orm/sqlite-core";
import { describe, expect, test } from "vitest";
import * as shadow from "../../../generated/sqlite/shadow";
import * as reference from "../../../schema/sqlite";
import { diagnosticCodes, lww } from "../src/index";
import { problems, read, schemaErrorOf } from "./read";
import { isNested } from "./versions";

const annotated = (name: string) => sqliteTable(name, { id: text("id").primaryKey(), title: lww(text("title")) });
const plain = (name: string) => sqliteTable(name, { id: text("id").primaryKey() });

describe("all problems are told at once", () => {
  const broken = sqliteTable("broken", {
    id: integer("id").primaryKey({ autoIncrement: true }),
    a: text("a"),
    b: lww(text("b")),
  });
  const keyless = sqliteTable("keyless", { a: lww(text("a")) });
  const error = schemaErrorOf({ broken, keyless });

  test("in details, with table, column, code, problem and cure", () => {
    expect(problems({ broken, keyless })).toEqual([
      "broken.id autoincrement_key",
      "broken.a unmarked",
      "keyless no_primary_key",
    ]);
    for (const found of error.details as Record<string, string>[]) {
      expect(found.problem).toMatch(/\w/);
      expect(found.cure).toMatch(/\w/);
      expect(diagnosticCodes).toHaveProperty([found.code as string]);
    }
  });
  test("in the message", () => {
    expect(error.message).toContain("3 problems");
    expect(error.message).toContain("broken.id: it is an auto-increment key");
    expect(error.message).toContain("broken.a: it is neither annotated nor local");
    expect(error.message).toContain("keyless: it has no primary key");
    expect(error.message).toContain("Wrap it in lww(), fixed(), counter(), set(), list(), document() or local()");
  });
});

describe("tables", () => {
  test("without annotation take no part, whatever they are like", () => {
    expect(read({ a: annotated("a"), b: sqliteTable("b", { x: text("x") }) }).map(({ name }) => name)).toEqual(["a"]);
  });
  test("one at least must be annotated", () => {
    expect(problems({ b: plain("b") })).toEqual([" no_annotated_table"]);
    expect(problems({})).toEqual([" no_annotated_table"]);
  });
  test("exported twice count once; two tables of one name are refused", () => {
    const a = annotated("a");
    expect(read({ a, again: a })).toHaveLength(1);
    expect(problems({ a, other: annotated("a") })).toEqual(["a duplicate_table"]);
    expect(problems({ a, other: plain("A") })).toEqual(["A duplicate_table"]);
    expect(read({ a, b: plain("b"), c: plain("b") })).toHaveLength(1);
  });
  test("of a table creator have the name it makes", () => {
    const prefixed = sqliteTableCreator((name) => `app_${name}`);
    const t = prefixed("t", { id: text("id").primaryKey(), title: lww(text("title")) });
    expect(read({ t })[0]).toMatchObject({ name: "app_t", exportName: "t" });
  });
  test("of our own are passed over, also when the schema exports them again", () => {
    expect(read({ ...reference, ...shadow }).map(({ name }) => name)).toEqual([
      "documents",
      "orders",
      "inventory",
      "plans",
    ]);
  });
});

describe("names", () => {
  test("must not begin like our system tables", () => {
    expect(problems({ a: annotated("_grove_a"), b: plain("_Grove_b"), c: annotated("c") })).toEqual([
      "_grove_a reserved_name",
      "_Grove_b reserved_name",
    ]);
  });
  test.each(["_a_log", "_a_crdt", "_A_CRDT_CELLS", "_a_crdt_pk", "_a_crdt_seq", "_a_crdt_cells_row"])(
    "must not be %s beside an annotated table a",
    (name) => {
      expect(problems({ a: annotated("a"), other: plain(name) })).toEqual(["a name_collision"]);
    },
  );
  test("of indexes must not be ours either", () => {
    const b = sqliteTable("b", { id: text("id").primaryKey() }, (t) => [index("_a_crdt_seq").on(t.id)]);
    expect(problems({ a: annotated("a"), b })).toEqual(["a name_collision"]);
  });
});

describe("a view", () => {
  test("must not be annotated itself", () => {
    const view = sqliteView("v", { title: lww(text("title")) }).as(sql`SELECT title FROM a`);
    expect(problems({ a: annotated("a"), view })).toEqual(["v view"]);
  });
  test("may select from an annotated table", () => {
    const a = annotated("a");
    const view = sqliteView("v").as((query) => query.select().from(a));
    const named = sqliteView("n").as((query) => query.select({ renamed: a.title }).from(a));
    expect(read({ a, view, named })).toHaveLength(1);
  });
});

describe("column names", () => {
  const t = sqliteTable("t", { id: text().primaryKey(), viewCount: lww(integer()), given: lww(text("Given")) });
  test.each([
    [undefined, ["viewCount", "Given"]],
    // In 1.0 the table itself would have been made in snake case.
    ["snake_case", [isNested ? "view_count" : "viewCount", "Given"]],
    ["camelCase", ["viewCount", "Given"]],
  ] as const)("follow casing %s", (casing, names) => {
    const [model] = read({ t }, { casing });
    expect(model?.fields.map(({ name }) => name)).toEqual(names);
    expect(model?.fields.map(({ property }) => property)).toEqual(["viewCount", "given"]);
  });
});

test("tables of another dialect than the config's are named as such", () => {
  const error = schemaErrorOf({ a: annotated("a") }, { dialect: "postgres" });
  expect(error.message).toContain("made for another dialect");
});

describe("tables that the config names", () => {
  const notes = annotated("notes");
  const links = () =>
    sqliteTable("links", { a: text("a").notNull(), b: text("b").notNull() }, (t) => [
      primaryKey({ columns: [t.a, t.b] }),
    ]);

  test("take part although nothing in them is annotated, and may be all key", () => {
    expect(read({ notes, links: links() }).map(({ name }) => name)).toEqual(["notes"]);
    const named = read({ notes, links: links() }, { tables: ["links"] });
    expect(named.map(({ name, key, fields }) => [name, key.length, fields.length])).toEqual([
      ["notes", 1, 1],
      ["links", 2, 0],
    ]);
    expect(read({ notes, links: links() }, { tables: "all" })).toEqual(named);
  });
  test("have their other columns judged like those of any annotated table", () => {
    const bare = sqliteTable("bare", { id: text("id").primaryKey(), title: text("title") });
    expect(problems({ bare }, { tables: "all" })).toEqual(["bare.title unmarked"]);
    expect(read({ bare }, { tables: "all", unmarked: "lww" })[0]?.fields).toMatchObject([
      { name: "title", type: "lww" },
    ]);
  });
  test("must be there", () => {
    expect(problems({ notes }, { tables: ["notes", "links"] })).toEqual(["links no_such_table"]);
  });
  test("are told of where a key is annotated and there is nothing else", () => {
    const links = sqliteTable("links", { id: lww(text("id").primaryKey()) });
    expect(schemaErrorOf({ links }).message).toContain('groveCrdt({ tables: ["links"] })');
    const more = sqliteTable("more", { id: lww(text("id").primaryKey()), title: lww(text("title")) });
    expect(schemaErrorOf({ more }).message).not.toContain("tables:");
  });
});
