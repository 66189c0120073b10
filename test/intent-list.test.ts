// Intent helpers of lists: an item comes, goes or moves, inside Drizzle's own update, and all others stay as they are.
import { eq, type SQL, sql } from "drizzle-orm";
import * as pg from "drizzle-orm/pg-core";
import * as lite from "drizzle-orm/sqlite-core";
import { append, insertAt, move, removeAt } from "grove-crdt";
import { list } from "grove-crdt/schema";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { randomness } from "./support/clock";
import { type Db, describeOnPlain } from "./support/intent-tables";

const json = (name: string) => lite.text(name, { mode: "json" });
const liteItems = lite.sqliteTable("items", {
  id: lite.text("id").primaryKey(),
  things: list(json("things").$type<unknown[]>().notNull().default([])),
  texts: list(json("texts").$type<string[]>().notNull().default([])),
  numbers: list(json("numbers").$type<number[]>().notNull().default([])),
  moods: list(json("moods").$type<string[]>().notNull().default([])),
  objects: list(json("objects").$type<unknown[]>().notNull().default([])),
  // Named like what the expressions themselves are made of.
  e: list(json("e").$type<number[]>().notNull().default([])),
});
const mood = pg.pgEnum("Mood", ["so so", "fine", "it's"]);
const pgItems = pg.pgTable("items", {
  id: pg.text("id").primaryKey(),
  things: list(pg.jsonb("things").$type<unknown[]>().notNull().default([])),
  texts: list(pg.text("texts").array().notNull().default([])),
  numbers: list(pg.integer("numbers").array().notNull().default([])),
  moods: list(mood("moods").array().notNull().default([])),
  objects: list(pg.jsonb("objects").$type<object>().array().notNull().default([])),
  e: list(pg.jsonb("e").$type<number[]>().notNull().default([])),
});
const column = (name: string) => `${name} text NOT NULL DEFAULT '[]'`;
const ddl = {
  sqlite: [
    `CREATE TABLE items (id text PRIMARY KEY, ${["things", "texts", "numbers", "moods", "objects", "e"].map(column)})`,
  ],
  postgres: [
    `CREATE TYPE "Mood" AS ENUM ('so so', 'fine', 'it''s')`,
    `CREATE TABLE items (id text PRIMARY KEY, things jsonb NOT NULL DEFAULT '[]', texts text[] NOT NULL DEFAULT '{}',
       numbers integer[] NOT NULL DEFAULT '{}', moods "Mood"[] NOT NULL DEFAULT '{}', objects jsonb[] NOT NULL DEFAULT '{}',
       e jsonb NOT NULL DEFAULT '[]')`,
  ],
};

describeOnPlain("helpers of lists", ddl, ({ dialect, open }) => {
  const items = (dialect === "sqlite" ? liteItems : pgItems) as typeof liteItems;
  const one = eq(items.id, "1");
  let db: Db;
  beforeAll(async () => {
    db = await open();
  });
  beforeEach(async () => {
    await db.delete(items);
    await db.insert(items).values({ id: "1" });
  });
  const rowOf = async () => (await db.select().from(items).where(one))[0] as typeof liteItems.$inferSelect;
  type Values = Parameters<ReturnType<Db["update"]>["set"]>[0];
  /** The row after an update with `returning`, which must be what is stored. */
  const update = async (values: Values) => {
    const [row] = await db.update(items).set(values).where(one).returning();
    expect(row).toEqual(await rowOf());
    return row as typeof liteItems.$inferSelect;
  };

  test("append, insert, remove and move, in every kind of column", async () => {
    expect(
      await update({
        things: append(items.things, "a", { b: [1] }),
        texts: append(items.texts, "a", "b"),
        numbers: append(items.numbers, 1, 2),
        moods: append(items.moods, "fine", "it's"),
        objects: append(items.objects, { a: 1 }, ["x"]),
        e: append(items.e, 1),
      }),
    ).toEqual({
      id: "1",
      things: ["a", { b: [1] }],
      texts: ["a", "b"],
      numbers: [1, 2],
      moods: ["fine", "it's"],
      objects: [{ a: 1 }, ["x"]],
      e: [1],
    });
    expect(
      await update({
        things: insertAt(items.things, 1, null, "n"),
        texts: insertAt(items.texts, 0, "first"),
        numbers: insertAt(items.numbers, 9, 3),
        moods: insertAt(items.moods, 1, "so so", "so so"),
        objects: insertAt(items.objects, 1, { b: null }),
        e: insertAt(items.e, 0, 0),
      }),
    ).toMatchObject({
      things: ["a", null, "n", { b: [1] }],
      texts: ["first", "a", "b"],
      numbers: [1, 2, 3],
      moods: ["fine", "so so", "so so", "it's"],
      objects: [{ a: 1 }, { b: null }, ["x"]],
      e: [0, 1],
    });
    expect(
      await update({
        things: move(items.things, 3, 0),
        texts: move(items.texts, 0, 1),
        numbers: move(items.numbers, 0, 2),
        moods: move(items.moods, 3, 1),
        objects: move(items.objects, 2, 0),
        e: move(items.e, 0, 1),
      }),
    ).toMatchObject({
      things: [{ b: [1] }, "a", null, "n"],
      texts: ["a", "first", "b"],
      numbers: [2, 3, 1],
      moods: ["fine", "it's", "so so", "so so"],
      objects: [["x"], { a: 1 }, { b: null }],
      e: [1, 0],
    });
    expect(
      await update({
        things: removeAt(items.things, 1, 2),
        texts: removeAt(items.texts, 2),
        numbers: removeAt(items.numbers, 1, 100),
        moods: removeAt(items.moods, 0, 4),
        objects: removeAt(items.objects, 1),
        e: removeAt(items.e, 0),
      }),
    ).toMatchObject({
      things: [{ b: [1] }, "n"],
      texts: ["a", "first"],
      numbers: [2],
      moods: [],
      objects: [["x"], { b: null }],
      e: [0],
    });
  });

  test("a place behind the end: what is inserted comes last, nothing is removed and nothing moves", async () => {
    const far = Number.MAX_SAFE_INTEGER;
    for (const n of [2, 3, far]) {
      await update({ things: ["a", "b"], texts: ["a", "b"] });
      expect(await update({ things: removeAt(items.things, n), texts: removeAt(items.texts, n, far) })).toMatchObject({
        things: ["a", "b"],
        texts: ["a", "b"],
      });
      for (const [from, to] of [
        [n, 0],
        [0, n],
        [n, n],
      ] as const)
        expect(
          await update({ things: move(items.things, from, to), texts: move(items.texts, from, to) }),
        ).toMatchObject({
          things: ["a", "b"],
          texts: ["a", "b"],
        });
      expect(
        await update({ things: insertAt(items.things, n, "c"), texts: insertAt(items.texts, n, "c") }),
      ).toMatchObject({ things: ["a", "b", "c"], texts: ["a", "b", "c"] });
    }
    await update({ things: [], texts: [] });
    expect(
      await update({ things: move(items.things, 0, 1), texts: move(items.texts, 0, 1), e: removeAt(items.e, 0, 2) }),
    ).toMatchObject({ things: [], texts: [], e: [] });
  });

  test("a place that is none is refused", () => {
    for (const place of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, "0" as never]) {
      expect(() => insertAt(items.things, place, "a")).toThrow(RangeError);
      expect(() => removeAt(items.things, place)).toThrow(RangeError);
      expect(() => removeAt(items.things, 0, place)).toThrow(RangeError);
      expect(() => move(items.things, place, 0)).toThrow(RangeError);
      expect(() => move(items.things, 0, place)).toThrow(RangeError);
    }
  });

  test("nothing to do changes nothing", async () => {
    await update({ things: ["a"], texts: ["a"] });
    const values = { things: append(items.things), texts: insertAt(items.texts, 0) };
    expect(await update(values)).toMatchObject({ things: ["a"], texts: ["a"] });
    expect(await update({ things: removeAt(items.things, 0, 0), texts: move(items.texts, 0, 0) })).toMatchObject({
      things: ["a"],
      texts: ["a"],
    });
  });

  test("only the rows of `where`, each by its own list, in a transaction and in an upsert too", async () => {
    await db.insert(items).values([
      { id: "2", e: [2] },
      { id: "3", e: [3, 3] },
    ]);
    await db
      .update(items)
      .set({ e: append(items.e, 9) })
      .where(sql`${items.id} <> '1'`);
    await db
      .insert(items)
      .values({ id: "2" })
      .onConflictDoUpdate({ target: items.id, set: { e: move(items.e, 1, 0) } });
    const rows = await db.select({ id: items.id, e: items.e }).from(items).orderBy(items.id);
    expect(rows).toEqual([
      { id: "1", e: [] },
      { id: "2", e: [9, 2] },
      { id: "3", e: [3, 3, 9] },
    ]);
  });

  test("an item that came since the list was read stays", async () => {
    const [before] = await db.select().from(items);
    expect(before?.things).toEqual([]);
    await update({ things: append(items.things, "merged"), texts: append(items.texts, "merged") });
    expect(await update({ things: append(items.things, "meant"), texts: append(items.texts, "meant") })).toMatchObject({
      things: ["merged", "meant"],
      texts: ["merged", "meant"],
    });
  });

  test("the same as the array that JavaScript would make, of any items", async () => {
    const random = randomness();
    const below = (n: number) => Math.floor(random() * n);
    const pool = ["a", "", "it's", 'ü"\\\n', "1", 1, 1.5, -3, 0, 0.1 + 0.2, 1e21, true, false, null, [], [1, ["a"]]];
    const things: unknown[] = [...pool, {}, { k: "v", n: null }, { k: { deep: [{}] } }, "🌳", "null", "{}"];
    const texts = ["a", "b", "", "it's", 'ü"\\', "NULL", "null", "{a,b}", "🌳", "a b"];
    const some = <T>(values: readonly T[]): T[] =>
      Array.from({ length: below(4) }, () => values[below(values.length)] as T);
    let [model, words]: [unknown[], string[]] = [[], []];
    for (let n = 0; n < 300; n++) {
      const place = below(model.length + 2);
      const [added, named] = [some(things), some(texts)];
      const kind = random() < 0.2 && model.length > 12 ? 4 : below(5);
      if (kind === 0) {
        await db.update(items).set({ things: append(items.things, ...added), texts: append(items.texts, ...named) });
        [model, words] = [
          [...model, ...added],
          [...words, ...named],
        ];
      } else if (kind === 1) {
        await db
          .update(items)
          .set({ things: insertAt(items.things, place, ...added), texts: insertAt(items.texts, place, ...named) });
        [model, words] = [model.toSpliced(place, 0, ...added), words.toSpliced(place, 0, ...named)];
      } else if (kind === 2) {
        const count = below(4);
        await db
          .update(items)
          .set({ things: removeAt(items.things, place, count), texts: removeAt(items.texts, place, count) });
        [model, words] = [model.toSpliced(place, count), words.toSpliced(place, count)];
      } else if (kind === 3) {
        const to = below(model.length + 2);
        const moved = <T>(list: T[]): T[] =>
          place < list.length && to < list.length ? list.toSpliced(place, 1).toSpliced(to, 0, list[place] as T) : list;
        await db.update(items).set({ things: move(items.things, place, to), texts: move(items.texts, place, to) });
        [model, words] = [moved(model), moved(words)];
      } else {
        await db.update(items).set({ things: removeAt(items.things, 0, 2), texts: removeAt(items.texts, 0, 2) });
        [model, words] = [model.slice(2), words.slice(2)];
      }
      const row = await rowOf();
      expect(row.things).toEqual(model);
      expect(row.texts).toEqual(words);
    }
  });

  if (dialect === "sqlite") {
    test("no other item's JSON changes by a letter", async () => {
      const parts = [
        "1.0",
        "12345678901234567890",
        "0.30000000000000004",
        '"\\u0000\\ud800é"',
        '{"b":1e2,"a":[null]}',
        "null",
      ];
      const store = (values: readonly string[]) =>
        db.run(sql`UPDATE items SET things = ${`[${values.join(",")}]`} WHERE id = '1'`);
      const stored = async () => db.get<{ text: string }>(sql`SELECT things AS text FROM items WHERE id = '1'`).text;
      const after = async (change: ReturnType<typeof append>) => {
        store(parts);
        await db
          .update(items)
          .set({ things: change as never })
          .where(one);
        return stored();
      };
      const text = (values: readonly string[]) => `[${values.join(",")}]`;
      expect(await after(append(items.things, 1))).toBe(text([...parts, "1"]));
      expect(await after(insertAt(items.things, 2, [null]))).toBe(text(parts.toSpliced(2, 0, "[null]")));
      expect(await after(removeAt(items.things, 1))).toBe(text(parts.toSpliced(1, 1)));
      expect(await after(move(items.things, 5, 0))).toBe(text(["null", ...parts.slice(0, 5)]));
    });
  } else {
    const run = (query: SQL) => (db as unknown as { execute(query: SQL): Promise<unknown[]> }).execute(query);

    test("NULL in an array stays where it is", async () => {
      // Drizzle 0.45 reads it as text.
      await run(sql`UPDATE items SET texts = '{a,NULL,NULL}'`);
      await db.update(items).set({ texts: append(items.texts, "b") });
      await db.update(items).set({ texts: insertAt(items.texts, 2, "NULL") });
      await db.update(items).set({ texts: move(items.texts, 0, 2) });
      await db.update(items).set({ texts: removeAt(items.texts, 3) });
      const [row] = await run(sql`SELECT to_json(texts)::text AS texts FROM items`);
      expect(row).toEqual({ texts: '[null,"NULL","a","b"]' });
    });

    test("an array of Postgres may begin anywhere", async () => {
      const store = () => run(sql`UPDATE items SET numbers = '[5:7]={1,2,3}' WHERE id = '1'`);
      const cases: [ReturnType<typeof append>, number[]][] = [
        [append(items.numbers, 4), [1, 2, 3, 4]],
        [insertAt(items.numbers, 1, 9), [1, 9, 2, 3]],
        [removeAt(items.numbers, 1), [1, 3]],
        [move(items.numbers, 2, 0), [3, 1, 2]],
        [move(items.numbers, 0, 2), [2, 3, 1]],
      ];
      for (const [change, expected] of cases) {
        await store();
        expect((await update({ numbers: change })).numbers).toEqual(expected);
      }
    });
  }
});
