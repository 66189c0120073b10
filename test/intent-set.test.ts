// add and remove in a Postgres array whose type is an enum with a name of the schema's own: nothing of it needs to be spelled.
import * as pg from "drizzle-orm/pg-core";
import * as lite from "drizzle-orm/sqlite-core";
import { add, remove } from "grove-crdt";
import { set } from "grove-crdt/schema";
import { expect, test } from "vitest";
import { describeOnPlain } from "./support/intent-tables";

const liteItems = lite.sqliteTable("items", {
  id: lite.text("id").primaryKey(),
  moods: set(lite.text("moods", { mode: "json" }).$type<string[]>().notNull().default([])),
  codes: set(lite.text("codes", { mode: "json" }).$type<string[]>().notNull().default([])),
});
const pgItems = pg.pgTable("items", {
  id: pg.text("id").primaryKey(),
  moods: set(pg.pgEnum("Mood", ["so so", "fine"])("moods").array().notNull().default([])),
  codes: set(pg.varchar("codes", { length: 3 }).array().notNull().default([])),
});
const ddl = {
  sqlite: [
    "CREATE TABLE items (id text PRIMARY KEY, moods text NOT NULL DEFAULT '[]', codes text NOT NULL DEFAULT '[]')",
  ],
  postgres: [
    `CREATE TYPE "Mood" AS ENUM ('so so', 'fine')`,
    `CREATE TABLE items (id text PRIMARY KEY, moods "Mood"[] NOT NULL DEFAULT '{}', codes varchar(3)[] NOT NULL DEFAULT '{}')`,
  ],
};

describeOnPlain("helpers of sets", ddl, ({ dialect, open }) => {
  const items = (dialect === "sqlite" ? liteItems : pgItems) as typeof liteItems;
  test("an enum's labels and short texts come and go", async () => {
    const db = await open();
    await db.insert(items).values({ id: "1" });
    const change = async (values: Parameters<ReturnType<typeof db.update>["set"]>[0]) =>
      (await db.update(items).set(values).returning())[0];
    expect(
      await change({ moods: add(items.moods, "fine", "so so", "fine"), codes: add(items.codes, "a", "b") }),
    ).toEqual({ id: "1", moods: ["fine", "so so"], codes: ["a", "b"] });
    expect(await change({ moods: remove(items.moods, "fine"), codes: remove(items.codes, "b", "c") })).toEqual({
      id: "1",
      moods: ["so so"],
      codes: ["a"],
    });
  });
});
