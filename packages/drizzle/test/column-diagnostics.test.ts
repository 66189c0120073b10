// What `generate` refuses about columns.
import { sql } from "drizzle-orm";
import { pgTable, text as pgText } from "drizzle-orm/pg-core";
import { blob, check, customType, integer, real, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { describe, expect, test } from "vitest";
import { counter, fixed, local, lww, set } from "../src/index";
import { readMark } from "../src/mark";
import { problems, readOne } from "./read";
import { isNested } from "./versions";

const id = () => text("id").primaryKey();
const title = () => lww(text("title"));
const json = (name: string) => text(name, { mode: "json" }).$type<string[]>();
const table = (columns: Record<string, never> | object) =>
  sqliteTable("t", { id: id(), title: title(), ...columns } as { id: ReturnType<typeof id> });
const found = (columns: object) => problems({ t: table(columns) });

describe("a column beside the key", () => {
  test("must be annotated or local", () => {
    expect(found({ note: text("note") })).toEqual(["t.note unmarked"]);
  });
  test("may be left to `unmarked`", () => {
    expect(readOne(table({ note: text("note") }), { unmarked: "local" }).local).toEqual(["note"]);
    const { fields } = readOne(table({ note: text("note") }), { unmarked: "lww" });
    expect(fields.map(({ name, type }) => [name, type])).toEqual([
      ["title", "lww"],
      ["note", "lww"],
    ]);
  });
  test("may be generated without annotation, but not with one", () => {
    const length = () => integer("length").generatedAlwaysAs(sql`length(title)`);
    expect(readOne(table({ length: length() })).local).toEqual(["length"]);
    expect(found({ length: lww(length()) })).toEqual(["t.length generated_annotated"]);
  });
  test("must not carry two annotations", () => {
    expect(found({ x: counter(lww(integer("x")) as never) })).toEqual(["t.x annotated_twice"]);
    expect(found({ x: fixed(lww(text("x")) as never) })).toEqual(["t.x annotated_twice"]);
    expect(found({ x: lww(fixed(text("x")) as never) })).toEqual(["t.x annotated_twice"]);
  });
  test("loses an annotation that sits on an array's element", () => {
    const pg = pgTable("p", { a: lww(pgText("a")).array(), b: lww(pgText("b").array()) });
    // In 1.0 an array is the same column, and keeps the mark.
    expect(readMark(pg.a)).toEqual(isNested ? { lost: true } : { annotation: "lww", lost: false });
    expect(readMark(pg.b)).toEqual({ annotation: "lww", lost: false });
    const t = table({ x: text("x") });
    (t as unknown as { x: object }).x = Object.assign((t as unknown as { x: object }).x, { baseColumn: pg.b });
    expect(problems({ t })).toEqual(["t.x mark_lost"]);
  });
  test("must have a type that is known", () => {
    const x = lww(text("x"));
    const t = table({ x });
    (t as unknown as { x: { columnType: string } }).x.columnType = "SQLiteVector";
    expect(problems({ t })).toEqual(["t.x kind_unsupported"]);
  });
  test("must not be made by a builder that made another one", () => {
    const shared = title();
    const a = sqliteTable("a", { id: id(), shared });
    const b = sqliteTable("b", { id: id(), shared });
    expect(problems({ a, b })).toEqual(["b.shared shared_builder"]);
    const c = sqliteTable("c", { id: id(), x: shared, y: shared });
    expect(problems({ c })).toEqual(["c.y shared_builder"]);
  });
});

describe("a local column", () => {
  test("must be nullable or have a default in the database", () => {
    expect(found({ x: local(text("x").notNull()) })).toEqual(["t.x local_required"]);
    expect(
      found({
        x: local(
          text("x")
            .notNull()
            .$defaultFn(() => "app"),
        ),
      }),
    ).toEqual(["t.x local_required"]);
  });
  test.each([
    ["nullable", local(text("x"))],
    ["with a constant default", local(text("x").notNull().default("y"))],
    ["with a default that each node computes", local(text("x").notNull().default(sql`CURRENT_TIMESTAMP`))],
  ])("may be %s", (_, x) => {
    expect(readOne(table({ x })).local).toEqual(["x"]);
  });
});

describe("a counter", () => {
  test("must not be nullable", () => {
    expect(found({ x: counter(integer("x").default(0)) })).toEqual(["t.x counter_nullable"]);
  });
  test("must be stored as an integer", () => {
    expect(found({ x: counter(real("x").notNull() as never) })).toEqual(["t.x counter_kind"]);
    expect(found({ x: counter(integer("x", { mode: "boolean" }).notNull() as never) })).toEqual(["t.x counter_kind"]);
  });
  test("may be a custom type of integer affinity", () => {
    const int8 = customType<{ data: bigint }>({ dataType: () => "bigint" });
    const [, field] = readOne(table({ x: counter(int8("x").notNull()) })).fields;
    expect(field).toMatchObject({ type: "counter", kind: "integer", storage: "integer", sqlType: "bigint" });
  });

  const limited = (condition: (t: { x: never }) => ReturnType<typeof sql>) =>
    problems({
      t: sqliteTable("t", { id: id(), x: counter(integer("x").notNull()), y: lww(text("y")) }, (t) => [
        check("limit", condition(t as never)),
      ]),
    });
  test.each([
    ["by column", (t: { x: never }) => sql`${t.x} >= 0`],
    ["by bare name", () => sql`X > 0`],
    ["by quoted name", () => sql.raw('"x" > 0')],
    ["by name in backticks", () => sql.raw("`x` > 0")],
    ["by name in brackets", () => sql.raw("[x] > 0")],
  ])("must not be limited by CHECK, named %s", (_, condition) => {
    expect(limited(condition)).toEqual(["t.x counter_check"]);
  });
  test("is not meant by a string of its name, nor by a longer name", () => {
    expect(() => limited(() => sql.raw("y <> 'x' AND xy > 0"))).toThrow("the schema was accepted");
  });
});

describe("a set", () => {
  test("must not be nullable", () => {
    expect(found({ x: set(json("x")) })).toEqual(["t.x set_nullable"]);
  });
  test("must be stored as JSON text", () => {
    expect(found({ x: set(blob("x", { mode: "json" }).$type<string[]>().notNull()) })).toEqual(["t.x set_kind"]);
    expect(found({ x: set(text("x").notNull() as never) })).toEqual(["t.x set_kind"]);
  });
  test("must not default to anything but an array", () => {
    expect(
      found({
        x: set(
          json("x")
            .notNull()
            .default({} as never),
        ),
      }),
    ).toEqual(["t.x default_invalid"]);
    expect(found({ x: set(json("x").notNull().default(sql`'{}'`)) })).toEqual(["t.x default_invalid"]);
  });
});
