// Intent helpers: a write says what is meant, inside Drizzle's own update, so that an array or a number that was read before a
// merge undoes nothing of it (fault 58).
import { eq } from "drizzle-orm";
import * as pg from "drizzle-orm/pg-core";
import * as lite from "drizzle-orm/sqlite-core";
import { add, increment, remove } from "grove-crdt";
import { counter, lww, set } from "grove-crdt/schema";
import { beforeAll, describe, expect, test } from "vitest";
import { randomness } from "./support/clock";
import { expectEqual } from "./support/comparison";
import { describeOnEach } from "./support/dialects";
import { settle } from "./support/network";
import type { TestNode } from "./support/node";
import type { TestSchema } from "./support/schemas";

/** The types are SQLite's; what is written goes to either dialect. */
const liteItems = lite.sqliteTable("items", {
  id: lite.text("id").primaryKey(),
  title: lww(lite.text("title").notNull().default("")),
  count: counter(lite.integer("count").notNull().default(0)),
  tags: set(lite.text("tags", { mode: "json" }).$type<string[]>().notNull().default([])),
  things: set(lite.text("things", { mode: "json" }).$type<unknown[]>().notNull().default([])),
  plain: set(lite.text("plain", { mode: "json" }).$type<unknown[]>().notNull().default([])),
});
const pgItems = pg.pgTable("items", {
  id: pg.text("id").primaryKey(),
  title: lww(pg.text("title").notNull().default("")),
  count: counter(pg.bigint("count", { mode: "number" }).notNull().default(0)),
  tags: set(pg.text("tags").array().notNull().default([])),
  things: set(pg.jsonb("things").$type<unknown[]>().notNull().default([])),
  plain: set(pg.jsonb("plain").$type<unknown[]>().notNull().default([])),
});

type Db = import("drizzle-orm/better-sqlite3").BetterSQLite3Database;

describeOnEach("intent helpers", ({ dialect, openNode, makeSchema }) => {
  const items = (dialect.name === "sqlite" ? liteItems : pgItems) as typeof liteItems;
  let schema: TestSchema;
  beforeAll(async () => {
    schema = await makeSchema({ items });
  });
  const dbOf = (node: TestNode) => node.database.db as unknown as Db;
  const open = async (id: string, clock?: TestNode["clock"]) => {
    const node = await openNode(id, { ...schema, ...(clock && { clock }) });
    return { node, db: dbOf(node) };
  };
  const rowOf = async (db: Db) => (await db.select().from(items))[0];

  describe("say", () => {
    test("by how much a counter changes, beside where and returning, in a transaction too", async () => {
      const { db } = await open("a");
      await db.insert(items).values({ id: "1", count: 5 });
      const one = eq(items.id, "1");
      const [row] = await db
        .update(items)
        .set({ count: increment(items.count), title: "t" })
        .where(one)
        .returning();
      expect(row).toMatchObject({ count: 6, title: "t" });
      await db
        .update(items)
        .set({ count: increment(items.count, -10n) })
        .where(one);
      expect((await rowOf(db))?.count).toBe(-4);
      await db
        .insert(items)
        .values({ id: "1" })
        .onConflictDoUpdate({ target: items.id, set: { count: increment(items.count, 4) } });
      expect((await rowOf(db))?.count).toBe(0);
      for (const by of [0.5, Number.NaN, 2 ** 53]) expect(() => increment(items.count, by)).toThrow(RangeError);
    });

    test("which elements come and go, whatever they are, in their order and once", async () => {
      const { db } = await open("a");
      await db.insert(items).values({ id: "1", tags: ["a", "b"], things: [1, { x: [1] }], plain: [null] });
      await db.update(items).set({
        tags: add(items.tags, "c", "a", "d", "c"),
        things: add(items.things, { x: [1] }, "1", 1.5, true, [2], [2]),
        plain: add(items.plain, null, false, "it's", 'ü"\\'),
      });
      expect(await rowOf(db)).toMatchObject({
        tags: ["a", "b", "c", "d"],
        things: [1, { x: [1] }, "1", 1.5, true, [2]],
        plain: [null, false, "it's", 'ü"\\'],
      });
      await db.update(items).set({
        tags: remove(items.tags, "a", "none", "d"),
        things: remove(items.things, 1, { x: [1] }, [2]),
        plain: remove(items.plain, "it's", null),
      });
      expect(await rowOf(db)).toMatchObject({ tags: ["b", "c"], things: ["1", 1.5, true], plain: [false, 'ü"\\'] });
      await db
        .update(items)
        .set({ tags: add(items.tags), things: remove(items.things), plain: remove(items.plain, false, 'ü"\\') });
      expect(await rowOf(db)).toMatchObject({ tags: ["b", "c"], things: ["1", 1.5, true], plain: [] });
    });

    test("the same as the array that JavaScript would make, of any elements", async () => {
      const { db } = await open("a");
      const random = randomness();
      const pool = [
        "a",
        "b",
        "A",
        "",
        "1",
        1,
        2.5,
        -3,
        true,
        false,
        null,
        [],
        [1, "a"],
        { k: "v" },
        { k: { n: null } },
      ];
      const some = () =>
        Array.from({ length: Math.floor(random() * 4) }, () => pool[Math.floor(random() * pool.length)]);
      const same = (a: unknown) => (b: unknown) => JSON.stringify(a) === JSON.stringify(b);
      await db.insert(items).values({ id: "1" });
      let model: unknown[] = [];
      for (let n = 0; n < 60; n++) {
        const elements = some();
        if (random() < 0.6) {
          for (const element of elements) if (!model.some(same(element))) model.push(element);
          await db.update(items).set({ things: add(items.things, ...elements), plain: add(items.plain, ...elements) });
        } else {
          model = model.filter((element) => !elements.some(same(element)));
          await db
            .update(items)
            .set({ things: remove(items.things, ...elements), plain: remove(items.plain, ...elements) });
        }
        expect(await rowOf(db)).toMatchObject({ things: model, plain: model });
      }
    });
  });

  test("fault 58: an array read before a merge and written after it undoes it; said as intent, nothing is undone", async () => {
    const a = await open("a");
    const b = await open("b", a.node.clock);
    await a.db.insert(items).values([
      { id: "plain", tags: ["x"], count: 1 },
      { id: "meant", tags: ["x"], count: 1 },
    ]);
    await settle([b.node, a.node]);
    const before = await b.db.select().from(items);
    await a.db.update(items).set({ tags: add(items.tags, "from a"), count: increment(items.count, 10) });
    a.node.clock.advance(1);
    await settle([b.node, a.node]);
    // The whole value from the old read, and what was meant.
    for (const { id, tags, count } of before) {
      const one = eq(items.id, id);
      if (id === "plain")
        await b.db
          .update(items)
          .set({ tags: [...tags, "from b"], count: count + 1 })
          .where(one);
      else
        await b.db
          .update(items)
          .set({ tags: add(items.tags, "from b"), count: increment(items.count) })
          .where(one);
    }
    await settle([b.node, a.node]);
    for (const { db } of [a, b]) {
      const rows = await db.select().from(items).orderBy(items.id);
      expect(rows.map(({ id, tags, count }) => [id, [...tags].sort(), count])).toEqual([
        ["meant", ["from a", "from b", "x"], 12],
        ["plain", ["from b", "x"], 2],
      ]);
    }
    await expectEqual(a.node, b.node);
  });

  test("concurrent adds, removals and counts of two nodes all stand", async () => {
    const a = await open("a");
    const b = await open("b", a.node.clock);
    await a.db.insert(items).values({ id: "1", tags: ["x", "y"], count: 0 });
    await settle([b.node, a.node]);
    await a.db.update(items).set({ tags: remove(items.tags, "x"), count: increment(items.count, 3) });
    await b.db.update(items).set({ tags: add(items.tags, "z", "x"), count: increment(items.count, -1) });
    await b.db.update(items).set({ tags: remove(items.tags, "y") });
    await settle([b.node, a.node]);
    for (const { db } of [a, b]) expect(await rowOf(db)).toMatchObject({ tags: ["z"], count: 2 });
    await expectEqual(a.node, b.node);
  });
});
