// Lists and documents, from the schema to the models of both dialects: a list's key, a document's shape, and what is refused.
import { sql } from "drizzle-orm";
import * as pg from "drizzle-orm/pg-core";
import * as lite from "drizzle-orm/sqlite-core";
import { describe, expect, test } from "vitest";
import { markKey } from "../src/annotations";
import { checkPair, counter, document, list, lww, readEdge, set } from "../src/index";
import * as readers from "./read";
import { matrix, type PgBuilder, type SQLiteBuilder } from "./versions";

const postgres = { dialect: "postgres" } as const;
interface Card {
  id: string;
  title: string;
}
interface Meta {
  stats: { views: number };
  tags: string[];
  cards: Card[];
  title?: string;
}
const shape = () => ({ stats: { views: counter() }, tags: set(), cards: list({ key: "id" }) });
const empty = { stats: { views: 0 }, tags: [], cards: [] };

const cloud = pg.pgTable("t", {
  id: pg.text("id").primaryKey(),
  steps: list(pg.text("steps").array().notNull().default([])),
  cards: list(pg.jsonb("cards").$type<Card[]>().notNull().default([]), { key: "id" }),
  data: document(pg.jsonb("data").$type<Meta>().notNull().default(empty), shape()),
  plain: document(pg.jsonb("plain").$type<Meta>().notNull()),
});
const json = (name: string) => lite.text(name, { mode: "json" });
const edge = lite.sqliteTable("t", {
  id: lite.text("id").primaryKey(),
  steps: list(json("steps").$type<string[]>().notNull().default([])),
  cards: list(json("cards").$type<Card[]>().notNull().default([]), { key: "id" }),
  data: document(json("data").$type<Meta>().notNull().default(empty), shape()),
  plain: document(json("plain").$type<Meta>().notNull(), {}),
});
const paths = [
  { path: ["stats", "views"], type: "counter" },
  { path: ["tags"], type: "set" },
  { path: ["cards"], type: "list", itemKey: "id" },
];

test("the model has a list's key and a document's paths, and of others nothing", () => {
  for (const { fields } of [readers.readOne(edge), readers.readOne(cloud, postgres)]) {
    expect(fields).toMatchObject([
      { name: "steps", type: "list", kind: "json", notNull: true, default: [] },
      { name: "cards", type: "list", itemKey: "id", default: [] },
      { name: "data", type: "document", paths, default: empty },
      { name: "plain", type: "document" },
    ]);
    expect(fields.map((field) => ["itemKey", "paths"].filter((name) => name in field))).toEqual([
      [],
      ["itemKey"],
      ["paths"],
      [],
    ]);
  }
});

test("a shape's properties may have any name, and undefined stands for nothing", () => {
  const data = json("data").$type<Record<string, number | undefined>>().notNull();
  const names = ["b.c", "a/b", "", "__proto__", "constructor", '"\\', "ü", "toString"];
  const odd = Object.fromEntries(names.map((name) => [name, counter()]));
  const table = lite.sqliteTable("t", {
    id: lite.text("id").primaryKey(),
    data: document(data, { ...odd, no: undefined }),
  });
  const deep = lite.sqliteTable("t", {
    id: lite.text("id").primaryKey(),
    data: document(json("data").$type<Record<string, Record<string, number>>>().notNull(), { ["__proto__"]: odd }),
  });
  expect(readers.readOne(table).fields[0]?.paths).toEqual(names.map((name) => ({ path: [name], type: "counter" })));
  expect(readers.readOne(deep).fields[0]?.paths?.map(({ path }) => path)).toEqual(
    names.map((name) => ["__proto__", name]),
  );
});

test("the edge's columns are told what those of Postgres are", () => {
  const tables = readers.read({ cloud }, postgres);
  const [table] = readEdge([{ path: "/schema.ts", exports: { cloud } }], { casing: undefined }, tables);
  expect(table?.columns.map(({ annotation, options }) => [annotation, options])).toEqual([
    [undefined, undefined],
    ["list", undefined],
    ["list", { itemKey: "id" }],
    ["document", { paths }],
    ["document", undefined],
  ]);
  expect(table?.columns.map(({ builder }) => builder).slice(1)).toEqual(
    Array.from({ length: 4 }, () => ({ call: "text", mode: "json" })),
  );
  expect(table?.model.fields).toEqual(readers.readOne(edge).fields.map((field) => ({ ...field })));
});

describe("both schemas of one database", () => {
  const side = (tables: ReturnType<typeof readers.read>, file: string) => ({ tables, fileOf: () => file });
  const first = side(readers.read({ cloud }, postgres), "cloud.ts");
  test("may say the same", () => {
    expect(() => checkPair(first, side(readers.read({ edge }), "edge.ts"))).not.toThrow();
  });
  test("must have the same keys and shapes, in whatever order", () => {
    const other = lite.sqliteTable("t", {
      id: lite.text("id").primaryKey(),
      steps: list(json("steps").$type<Card[]>().notNull().default([]), { key: "title" }),
      cards: list(json("cards").$type<Card[]>().notNull().default([])),
      data: document(json("data").$type<Meta>().notNull().default(empty), {
        cards: list({ key: "id" }),
        tags: set(),
        stats: { views: counter() },
      }),
      plain: document(json("plain").$type<Meta>().notNull(), { cards: list({ key: "title" }) }),
    });
    expect(() => checkPair(first, side(readers.read({ other }), "edge.ts"))).toThrow(
      expect.objectContaining({
        details: [
          {
            table: "t",
            column: "steps",
            code: "pair_options",
            problem: 'cloud.ts says a list, edge.ts says a list by "title"',
            cure: "Give both the same key or shape.",
          },
          expect.objectContaining({
            column: "cards",
            problem: 'cloud.ts says a list by "id", edge.ts says a list',
          }),
          expect.objectContaining({
            column: "plain",
            problem: 'cloud.ts says the shape (none), edge.ts says the shape ["cards"] a list by "title"',
          }),
        ],
      }),
    );
  });
});

describe("refused in SQLite is", () => {
  const id = () => lite.text("id").primaryKey();
  const found = (x: SQLiteBuilder) => readers.problems({ t: lite.sqliteTable("t", { id: id(), x }) });
  const strings = () => json("x").$type<string[]>();
  const meta = () => json("x").$type<Meta>();
  const cases: Record<string, [x: SQLiteBuilder, code: string]> = {
    "a nullable list": [list(strings()), "list_nullable"],
    "a nullable document": [document(meta()), "document_nullable"],
    "a list in a blob": [list(lite.blob("x", { mode: "json" }).$type<string[]>().notNull()), "list_kind"],
    "a document in a blob": [document(lite.blob("x", { mode: "json" }).$type<Meta>().notNull()), "document_kind"],
    "a document in text": [document(lite.text("x").notNull() as never), "document_kind"],
    "a list that defaults to an object": [list(strings().notNull().default(sql`'{}'`)), "default_invalid"],
    "a document that defaults to an array": [document(meta().notNull().default(sql`'[]'`)), "default_invalid"],
    "a document that defaults to a number": [document(meta().notNull().default(sql`'1'`)), "default_invalid"],
    "a default with half a count": [
      document(
        meta()
          .notNull()
          .default({ ...empty, stats: { views: 0.5 } }),
        shape(),
      ),
      "default_invalid",
    ],
    "a default with no array for a set": [
      document(
        meta()
          .notNull()
          .default({ ...empty, tags: {} as never }),
        shape(),
      ),
      "default_invalid",
    ],
    "a key that is no name": [list(strings().notNull(), { key: 1 as never }), "list_key"],
    "no key where one is promised": [list(strings().notNull(), {} as never), "list_key"],
    "a shape of values": [document(meta().notNull(), { tags: "set" as never }), "document_shape"],
    "a shape of columns": [document(meta().notNull(), { tags: lww(lite.text("y")) as never }), "document_shape"],
    "a shape of arrays": [document(meta().notNull(), { tags: [set()] as never }), "document_shape"],
    "a type for the whole": [document(meta().notNull(), set() as never), "document_shape"],
    "another type": [document(meta().notNull(), { tags: { [markKey]: "lww" } as never }), "document_shape"],
    "a key in a shape that is no name": [
      document(meta().notNull(), { cards: list({ key: 1 as never }) }),
      "document_shape",
    ],
    "two annotations": [list(set(strings()) as never as ReturnType<typeof strings>), "annotated_twice"],
    "a unique list": [list(strings().notNull().unique()), "unique_unmergeable"],
    "a unique document": [document(meta().notNull().unique()), "unique_unmergeable"],
  };
  test.each(Object.entries(cases))("%s", (_, [x, code]) => {
    expect(found(x)).toEqual([`t.x ${code}`]);
  });
  test("a CHECK over a counter of a document, and over nothing else of it", () => {
    const limited = (condition: string) =>
      lite.sqliteTable("t", { id: id(), x: document(meta().notNull(), shape()) }, () => [
        lite.check("limit", sql.raw(condition)),
      ]);
    expect(readers.problems({ t: limited("x ->> '$.stats.views' >= 0") })).toEqual(["t.x counter_check"]);
    expect(readers.readOne(limited("json_type(x) = 'object'")).fields).toHaveLength(1);
  });
});

describe("refused in Postgres is", () => {
  const found = (x: PgBuilder) =>
    readers.problems({ t: pg.pgTable("t", { id: pg.text("id").primaryKey(), x }) } as never, postgres);
  const meta = () => pg.jsonb("x").$type<Meta>();
  const strings = () => pg.jsonb("x").$type<string[]>().notNull();
  const cases: Record<string, [x: PgBuilder, code: string]> = {
    "a nullable list": [list(pg.jsonb("x").$type<string[]>()), "list_nullable"],
    "a nullable list in an array": [list(pg.text("x").array()), "list_nullable"],
    "a nullable document": [document(meta()), "document_nullable"],
    "a list in json": [list(pg.json("x").$type<string[]>().notNull()), "list_kind"],
    "a list in an array of arrays": [list(matrix(pg.text("x")).notNull() as ReturnType<typeof strings>), "list_kind"],
    "a list in a vector": [list(pg.vector("x", { dimensions: 2 }).notNull()), "list_kind"],
    "a document in json": [document(pg.json("x").$type<Meta>().notNull()), "document_kind"],
    "a document in an array": [document(pg.jsonb("x").array().notNull() as never), "document_kind"],
    "a document in a point": [document(pg.point("x", { mode: "xy" }).notNull()), "document_kind"],
    "a key in an array": [list(pg.jsonb("x").$type<Card>().array().notNull(), { key: "id" } as never), "list_key"],
    "a list that defaults to an object": [
      list(
        pg
          .jsonb("x")
          .$type<string[]>()
          .notNull()
          .default({} as never),
      ),
      "default_invalid",
    ],
    "a document that defaults to an array": [
      document(
        meta()
          .notNull()
          .default([] as never),
      ),
      "default_invalid",
    ],
  };
  test.each(Object.entries(cases))("%s", (_, [x, code]) => {
    expect(found(x)).toEqual([`t.x ${code}`]);
  });
});
