// What `generate` refuses about primary keys, unique keys and references.
import { sql } from "drizzle-orm";
import {
  customType,
  foreignKey,
  index,
  integer,
  primaryKey,
  real,
  sqliteTable,
  text,
  unique,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";
import { describe, expect, test } from "vitest";
import { counter, local, lww, set } from "../src/index";
import { problems, read, readOne } from "./read";

const id = () => text("id").primaryKey();
const title = () => lww(text("title"));
const noCase = customType<{ data: string }>({ dataType: () => "text collate nocase" });

describe("a primary key", () => {
  test("must be there", () => {
    expect(problems({ t: sqliteTable("t", { title: title() }) })).toEqual(["t no_primary_key"]);
  });
  test("must not count by itself", () => {
    const t = sqliteTable("t", { id: integer("id").primaryKey({ autoIncrement: true }), title: title() });
    expect(problems({ t })).toEqual(["t.id autoincrement_key"]);
  });
  test("may be an integer that the app supplies", () => {
    const { key } = readOne(sqliteTable("t", { id: integer("id").primaryKey(), title: title() }));
    expect(key).toEqual([
      { name: "id", property: "id", kind: "integer", storage: "integer", sqlType: "integer", notNull: true },
    ]);
  });
  test("must not be annotated", () => {
    expect(problems({ t: sqliteTable("t", { id: lww(id()), title: title() }) })).toEqual(["t.id key_annotated"]);
  });
  test("must not be local", () => {
    expect(problems({ t: sqliteTable("t", { id: local(id()), title: title() }) })).toEqual(["t.id key_local"]);
  });
  test("must not be nullable in any column", () => {
    const columns = { store: text("store").notNull(), sku: text("sku"), title: title() };
    const t = sqliteTable("t", columns, (t) => [primaryKey({ columns: [t.store, t.sku] })]);
    expect(problems({ t })).toEqual(["t.sku key_nullable"]);
  });
  test("comes in the order of the key, not of the columns", () => {
    const columns = { a: text("a").notNull(), b: text("b").notNull(), title: title() };
    const model = readOne(sqliteTable("t", columns, (t) => [primaryKey({ columns: [t.b, t.a] })]));
    expect(model.key.map((column) => column.name)).toEqual(["b", "a"]);
  });
  test("must have one spelling for one value", () => {
    const t = sqliteTable("t", { id: real("id").primaryKey(), title: title() });
    const u = sqliteTable("u", { id: text("id", { mode: "json" }).primaryKey(), title: title() });
    expect(problems({ t, u })).toEqual(["t.id key_kind", "u.id key_kind"]);
  });
  test("must have a declared type that our tables can repeat", () => {
    const checked = customType<{ data: string }>({ dataType: () => "text CHECK (id > '')" });
    expect(problems({ t: sqliteTable("t", { id: checked("id").primaryKey(), title: title() }) })).toEqual([
      "t.id key_type",
    ]);
  });
  test("must not be compared under a collation", () => {
    expect(problems({ t: sqliteTable("t", { id: noCase("id").primaryKey(), title: title() }) })).toEqual([
      "t.id collation",
    ]);
  });
});

describe("unique keys", () => {
  const columns = { id: id(), email: lww(text("email").unique()), org: lww(text("org")), seat: lww(integer("seat")) };
  test("are read from columns, constraints and indexes, each once", () => {
    const t = sqliteTable("t", columns, (t) => [
      unique().on(t.org, t.seat),
      uniqueIndex("again").on(t.email),
      index("plain").on(t.seat),
      uniqueIndex("with_key").on(t.id, t.seat),
    ]);
    expect(readOne(t).uniques).toEqual([["email"], ["org", "seat"]]);
  });
  test("that contain the primary key are kept for those who refer to them, such as rows of the same tenant", () => {
    const owner = { id: id(), org: lww(text("org").notNull()) };
    const referred = sqliteTable("referred", owner, (t) => [unique().on(t.org, t.id), unique().on(t.id, t.org)]);
    const alone = sqliteTable("alone", { ...owner, id: id(), org: lww(text("org").notNull()) }, (t) => [
      unique().on(t.org, t.id),
    ]);
    const child = sqliteTable(
      "child",
      { id: id(), org: lww(text("org").notNull()), to: lww(text("to").notNull()) },
      (t) => [foreignKey({ columns: [t.org, t.to], foreignColumns: [referred.org, referred.id] }).onDelete("cascade")],
    );
    const models = new Map(read({ referred, alone, child }).map((model) => [model.name, model]));
    expect(models.get("referred")?.uniques[0]).toEqual(["org", "id"]);
    expect(models.get("alone")?.uniques).toEqual([]);
    expect(models.get("child")?.references).toMatchObject([{ table: "referred", parent: ["org", "id"] }]);
  });
  test("must not be over an expression or over part of the rows", () => {
    const t = sqliteTable("t", { id: id(), email: title(), gone: lww(integer("gone")) }, (t) => [
      uniqueIndex("lower_email").on(sql`lower(${t.email})`),
      uniqueIndex("living").on(t.email).where(sql`${t.gone} IS NULL`),
    ]);
    expect(problems({ t })).toEqual(["t unique_expression", "t unique_expression"]);
  });
  test.each([
    ["counter", counter(integer("x").notNull().unique())],
    ["set", set(text("x", { mode: "json" }).$type<string[]>().notNull().unique())],
    ["local", local(text("x").unique())],
  ])("must not hold a %s column", (_, x) => {
    expect(problems({ t: sqliteTable("t", { id: id(), title: title(), x }) })).toEqual(["t.x unique_unmergeable"]);
  });
  test("must not be compared under a collation", () => {
    expect(problems({ t: sqliteTable("t", { id: id(), email: lww(noCase("email").unique()) }) })).toEqual([
      "t.email collation",
    ]);
  });
});

describe("foreign keys", () => {
  const parents = sqliteTable("parents", { id: id(), title: title() });
  const numbered = sqliteTable("numbered", { id: integer("id").primaryKey(), title: title() });
  const plain = sqliteTable("plain", { id: id() });
  const columns = () => ({
    id: id(),
    parent: lww(text("parent").unique().default("none")),
    second: lww(text("second").default("none")),
    other: lww(text("other").notNull()),
    number: lww(integer("number")),
    count: counter(integer("count").notNull()),
    draft: local(text("draft")),
  });
  const bare = () => sqliteTable("child", columns());
  type Child = ReturnType<typeof bare>;
  test("between annotated tables are read, inline or not, to the table itself too; NO ACTION keeps deleted parents", () => {
    const inline = sqliteTable("inline", { id: id(), parent: lww(text("parent").references(() => parents.id)) });
    const listed = sqliteTable("listed", { id: id(), parent: lww(text("parent")) }, (t) => [
      foreignKey({ columns: [t.parent], foreignColumns: [inline.id] }).onDelete("cascade"),
      foreignKey({ columns: [t.parent], foreignColumns: [t.id] })
        .onDelete("set null")
        .onUpdate("cascade"),
    ]);
    const models = new Map(read({ parents, inline, listed }).map((model) => [model.name, model]));
    const reference = { columns: ["parent"], parent: ["id"], onUpdate: "no action" };
    expect(models.get("inline")).toMatchObject({
      references: [{ ...reference, table: "parents", onDelete: "no action" }],
    });
    expect(models.get("listed")).toMatchObject({
      references: [
        { ...reference, table: "inline", onDelete: "cascade" },
        { ...reference, table: "listed", onDelete: "set null", onUpdate: "cascade" },
      ],
    });
    expect([...models.values()].filter(({ keepsDeleted }) => keepsDeleted).map(({ name }) => name)).toEqual([
      "parents",
    ]);
  });
  const refused: [string, string, (t: Child) => ReturnType<ReturnType<typeof foreignKey>["onDelete"]>[]][] = [
    ["a counter", "child.count", (t) => [foreignKey({ columns: [t.count], foreignColumns: [numbered.id] })]],
    ["a local column", "child.draft", (t) => [foreignKey({ columns: [t.draft], foreignColumns: [parents.id] })]],
    ["to no key", "child", (t) => [foreignKey({ columns: [t.second], foreignColumns: [parents.title] })]],
    ["another type", "child.number", (t) => [foreignKey({ columns: [t.number], foreignColumns: [parents.id] })]],
    [
      "SET NULL in a NOT NULL column",
      "child.other",
      (t) => [foreignKey({ columns: [t.other], foreignColumns: [parents.id] }).onDelete("set null")],
    ],
    [
      "SET NULL in the key",
      "child.id",
      (t) => [foreignKey({ columns: [t.id], foreignColumns: [parents.id] }).onDelete("set null")],
    ],
    [
      "SET DEFAULT in a unique key",
      "child.parent",
      (t) => [foreignKey({ columns: [t.parent], foreignColumns: [parents.id] }).onDelete("set default")],
    ],
    [
      "SET DEFAULT in two references",
      "child.second",
      (t) => [
        foreignKey({ columns: [t.second], foreignColumns: [parents.id] }).onDelete("set default"),
        foreignKey({ columns: [t.second], foreignColumns: [t.id] }).onDelete("cascade"),
      ],
    ],
    [
      "to a key that is itself set to NULL",
      "child",
      (t) => [
        foreignKey({ columns: [t.parent], foreignColumns: [parents.id] }).onDelete("set null"),
        foreignKey({ columns: [t.other], foreignColumns: [t.parent] }),
      ],
    ],
  ];
  test.each(refused)("are refused: %s", (_, place, references) => {
    const made = sqliteTable("child", columns(), (t) => references(t as unknown as Child));
    expect(problems({ parents, numbered, made })).toEqual([`${place} foreign_key`]);
  });
  test("to or from a table that is not annotated are the app's own affair", () => {
    const child = sqliteTable("child", { id: id(), plain: lww(text("plain").references(() => plain.id)) });
    const outer = sqliteTable("outer", { id: id(), parent: text("parent").references(() => child.id) });
    expect(() => problems({ child, plain, outer })).toThrow("the schema was accepted");
  });
});
