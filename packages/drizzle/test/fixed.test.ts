// Columns that never change, from the schema to the models of both dialects.
import * as pg from "drizzle-orm/pg-core";
import * as lite from "drizzle-orm/sqlite-core";
import { describe, expect, test } from "vitest";
import { checkPair, fixed, lww, readEdge } from "../src/index";
import { problems, read, readOne } from "./read";

const postgres = { dialect: "postgres" } as const;
const cloud = pg.pgTable("t", {
  id: pg.text("id").primaryKey(),
  owner: fixed(pg.text("owner").notNull()),
  title: lww(pg.text("title")),
});
const edge = lite.sqliteTable("t", {
  id: lite.text("id").primaryKey(),
  owner: fixed(lite.text("owner").notNull()),
  title: lww(lite.text("title")),
});

test("a fixed column is a register of which the model says so; of others it says nothing", () => {
  for (const { fields } of [readOne(edge), readOne(cloud, postgres)]) {
    expect(fields).toMatchObject([
      { name: "owner", type: "lww", fixed: true, notNull: true },
      { name: "title", type: "lww" },
    ]);
    expect(fields[1]).not.toHaveProperty("fixed");
  }
});

test("the edge's column is fixed where that of Postgres is", () => {
  const tables = read({ cloud }, postgres);
  const [table] = readEdge(
    [{ path: "/schema.ts", exports: { cloud } }],
    { casing: undefined, unmarked: undefined },
    tables,
  );
  expect(table?.columns.map(({ annotation }) => annotation)).toEqual([undefined, "fixed", "lww"]);
  expect(table?.model.fields.map(({ fixed }) => fixed)).toEqual([true, undefined]);
});

test("both schemas of one database must fix the same columns", () => {
  const side = (tables: ReturnType<typeof read>, file: string) => ({ tables, fileOf: () => file });
  const first = side(read({ cloud }, postgres), "cloud.ts");
  expect(() => checkPair(first, side(read({ edge }), "edge.ts"))).not.toThrow();
  const free = lite.sqliteTable("t", {
    id: lite.text("id").primaryKey(),
    owner: lww(lite.text("owner").notNull()),
    title: fixed(lite.text("title")),
  });
  expect(() => checkPair(first, side(read({ free }), "edge.ts"))).toThrow(
    expect.objectContaining({
      code: "schema_invalid",
      details: [
        expect.objectContaining({
          column: "owner",
          code: "pair_type",
          problem: "cloud.ts says fixed, edge.ts says lww",
        }),
        expect.objectContaining({
          column: "title",
          code: "pair_type",
          problem: "cloud.ts says lww, edge.ts says fixed",
        }),
      ],
    }),
  );
});

describe("a fixed column that refers to another table", () => {
  const child = (action: "cascade" | "restrict" | "set null" | "set default") =>
    lite.sqliteTable("child", {
      id: lite.text("id").primaryKey(),
      parent: fixed(lite.text("parent").references(() => edge.id, { onDelete: action })),
    });
  test.each(["set null", "set default"] as const)("is refused with %s, which would change it", (action) => {
    expect(problems({ edge, child: child(action) })).toEqual(["child.parent foreign_key"]);
  });
  test.each(["cascade", "restrict"] as const)("is taken with %s", (action) => {
    expect(read({ edge, child: child(action) })).toHaveLength(2);
  });
});
