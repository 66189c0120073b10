// Intent helpers of documents: one property is written or taken away, inside Drizzle's own update, and all else stays.
import { eq, type SQL, sql } from "drizzle-orm";
import * as pg from "drizzle-orm/pg-core";
import * as lite from "drizzle-orm/sqlite-core";
import { deletePath, increment, setPath } from "grove-crdt";
import { counter, document, list } from "grove-crdt/schema";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { randomness } from "./support/clock";
import { type Db, describeOnPlain } from "./support/intent-tables";

type Any = { [name: string]: unknown };
interface Meta {
  title?: string | null;
  stats?: { views: number; deep?: { likes?: number } };
  tags?: string[];
}
const json = (name: string) => lite.text(name, { mode: "json" });
const shape = { stats: { views: counter() }, tags: list() };
const liteItems = lite.sqliteTable("items", {
  id: lite.text("id").primaryKey(),
  data: document(json("data").$type<Meta>().notNull(), shape),
  // Named like what the expressions themselves are made of.
  any: document(json("j").$type<Any>().notNull().default({})),
});
const pgItems = pg.pgTable("items", {
  id: pg.text("id").primaryKey(),
  data: document(pg.jsonb("data").$type<Meta>().notNull(), shape),
  any: document(pg.jsonb("j").$type<Any>().notNull().default({})),
});
const ddl = {
  sqlite: ["CREATE TABLE items (id text PRIMARY KEY, data text NOT NULL, j text NOT NULL DEFAULT '{}')"],
  postgres: ["CREATE TABLE items (id text PRIMARY KEY, data jsonb NOT NULL, j jsonb NOT NULL DEFAULT '{}')"],
};

/** Names that mean something to a path, to JSON, to SQL or to JavaScript. */
const names = ["a", "b", "a.b", "x/y", "", "__proto__", "constructor", 'q"q"', "back\\slash\\", "$", "[0]", "0", "#-1"];
names.push("it's", "é🌳", "{a,b}", "*", "line\nbreak", "null", "-", "~1", '"', "\\", "$.a", "%s", "?", "$1", ":a", "A");

const isObject = (value: unknown): value is Any => typeof value === "object" && value !== null && !Array.isArray(value);

/** Equal for equal JSON: properties in one order, and one called __proto__ is among them. */
const canonical = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const own = Object.entries(value).map(([name, inner]) => `${JSON.stringify(name)}:${canonical(inner)}`);
  return `{${own.sort().join()}}`;
};

const own = (value: unknown, name: string): unknown =>
  isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
const without = (object: Any, name: string): Any =>
  Object.fromEntries(Object.entries(object).filter(([other]) => other !== name));
const put = (object: Any, name: string, value: unknown): Any =>
  Object.fromEntries([...Object.entries(without(object, name)), [name, value]]);

function set(target: unknown, [name, ...rest]: readonly string[], value: unknown): Any {
  const object = isObject(target) ? target : {};
  return put(object, name as string, rest.length === 0 ? value : set(own(object, name as string), rest, value));
}

function take(target: unknown, [name, ...rest]: readonly string[]): unknown {
  if (!isObject(target) || !Object.hasOwn(target, name as string)) return target;
  return rest.length === 0
    ? without(target, name as string)
    : put(target, name as string, take(own(target, name as string), rest));
}

describeOnPlain("helpers of documents", ddl, ({ dialect, open }) => {
  const items = (dialect === "sqlite" ? liteItems : pgItems) as typeof liteItems;
  const one = eq(items.id, "1");
  let db: Db;
  beforeAll(async () => {
    db = await open();
  });
  beforeEach(async () => {
    await db.delete(items);
    await db.insert(items).values({ id: "1", data: {} });
  });
  type Row = typeof liteItems.$inferSelect;
  type Values = Parameters<ReturnType<Db["update"]>["set"]>[0];
  const update = async (values: Values) => (await db.update(items).set(values).where(one).returning())[0] as Row;
  const data = async (value: SQL | Meta) => (await update({ data: value })).data;
  /** As a column of any JSON, which no type stands in the way of. */
  const any = async (value: SQL | Any) => (await update({ any: value })).any;
  const path = (...names: string[]) => names as [string, ...string[]];

  test("a property is set, and the objects on its way are made", async () => {
    expect(await data(setPath(items.data, ["title"], "t"))).toEqual({ title: "t" });
    expect(await data(setPath(items.data, ["stats", "deep", "likes"], 2))).toEqual({
      title: "t",
      stats: { deep: { likes: 2 } },
    });
    expect(await data(setPath(items.data, ["stats", "views"], 1))).toEqual({
      title: "t",
      stats: { views: 1, deep: { likes: 2 } },
    });
    expect(await data(setPath(items.data, ["tags"], ["a", "b"]))).toMatchObject({ tags: ["a", "b"] });
    expect(await data(setPath(items.data, ["stats"], { views: 5 }))).toEqual({
      title: "t",
      stats: { views: 5 },
      tags: ["a", "b"],
    });
  });

  test("NULL is a value, undefined is none", async () => {
    expect(await data(setPath(items.data, ["title"], null))).toEqual({ title: null });
    expect(await any(setPath(items.any, ["a", "b"], { c: null }))).toEqual({ a: { b: { c: null } } });
    expect(await any(setPath(items.any, ["a", "b", "c"], null))).toEqual({ a: { b: { c: null } } });
    expect(await any(setPath(items.any, ["a", "b", "c", "d"], 1))).toEqual({ a: { b: { c: { d: 1 } } } });
    for (const value of [undefined, () => 1, Symbol("s")]) {
      expect(() => setPath(items.any, ["a"], value)).toThrow(TypeError);
    }
  });

  test("what stands in the way of an object gives way", async () => {
    for (const obstacle of [1, "text", true, null, [], [{ a: 1 }], { other: 1 }]) {
      await any({ a: obstacle, rest: 1 });
      const expected = isObject(obstacle) ? { other: 1, "0": { a: 2 } } : { "0": { a: 2 } };
      expect(await any(setPath(items.any, ["a", "0", "a"], 2))).toEqual({ a: expected, rest: 1 });
    }
  });

  test("a property is taken away; what is missing changes nothing", async () => {
    const full = { a: { b: { c: 1, d: null }, e: [{ a: 1 }, 2] }, n: null };
    await any(full);
    const missing = [["x"], ["a", "x"], ["x", "b", "c"], ["n", "a"], ["a", "b", "c", "d"], ["a", "e", "0"]];
    for (const names of [...missing, ["a", "e", "0", "a"], ["a", "e", "1"], ["a", "x", "c"]])
      expect(await any(deletePath(items.any, path(...names)))).toEqual(full);
    expect(await any(deletePath(items.any, ["a", "b", "d"]))).toEqual({ a: { b: { c: 1 }, e: full.a.e }, n: null });
    expect(await any(deletePath(items.any, ["a", "b", "c"]))).toEqual({ a: { b: {}, e: full.a.e }, n: null });
    expect(await any(deletePath(items.any, ["n"]))).toEqual({ a: { b: {}, e: full.a.e } });
    expect(await any(deletePath(items.any, ["a"]))).toEqual({});
  });

  test("a number at a path counts on, and what is none counts as 0", async () => {
    expect(await data(increment(items.data, ["stats", "views"]))).toEqual({ stats: { views: 1 } });
    expect(await data(increment(items.data, ["stats", "views"], -5))).toEqual({ stats: { views: -4 } });
    expect(await data(increment(items.data, ["stats", "deep", "likes"], 2 ** 40))).toEqual({
      stats: { views: -4, deep: { likes: 2 ** 40 } },
    });
    const count = (...names: string[]) => any(increment(items.any as never, path(...names) as never, 3));
    for (const none of [null, "1", true, [1], { a: 1 }]) {
      await any({ a: { n: none } });
      expect(await count("a", "n")).toEqual({ a: { n: 3 } });
    }
    await any({ a: 0.1 });
    expect(await count("a")).toEqual({ a: 3.1 });
    await any({ a: { n: Number.MAX_SAFE_INTEGER - 3 } });
    expect(await count("a", "n")).toEqual({ a: { n: Number.MAX_SAFE_INTEGER } });
    for (const by of [0.5, Number.NaN, 2 ** 53])
      expect(() => increment(items.data, ["stats", "views"], by)).toThrow(RangeError);
  });

  test("a whole count stays a whole number in the JSON", async () => {
    const text = async () => {
      const query = sql`SELECT ${sql.raw(dialect === "sqlite" ? "j" : "j::text")} AS text FROM items WHERE id = '1'`;
      const rows =
        dialect === "sqlite"
          ? db.all<{ text: string }>(query)
          : await (db as unknown as { execute(query: SQL): Promise<{ text: string }[]> }).execute(query);
      return rows[0]?.text.replaceAll(" ", "");
    };
    await any(increment(items.any as never, ["n"] as never, 2));
    expect(await text()).toBe('{"n":2}');
    await any(increment(items.any as never, ["n"] as never, 2));
    expect(await text()).toBe('{"n":4}');
  });

  test("what is no path is refused", () => {
    for (const none of [[], "a.b", [1], ["a", undefined], undefined]) {
      expect(() => setPath(items.any, none as never, 1 as never)).toThrow(TypeError);
      expect(() => deletePath(items.any, none as never)).toThrow(TypeError);
    }
  });

  test("names are taken as they are", async () => {
    for (const name of names) {
      for (const place of [[name], ["a", name], [name, "a"], [name, name, name]]) {
        const start = set(set({ rest: [1] }, place, "old"), ["other"], { [name]: 1, [`${name}${name}x`]: 2 });
        expect(canonical(await any(start))).toBe(canonical(start));
        const written = set(start, place, { deep: [name, null] });
        expect(canonical(await any(setPath(items.any, path(...place), { deep: [name, null] })))).toBe(
          canonical(written),
        );
        const taken = take(written, place);
        expect(canonical(await any(deletePath(items.any, path(...place))))).toBe(canonical(taken));
        const counted = set(taken, place, 2);
        expect(canonical(await any(increment(items.any as never, path(...place) as never, 2)))).toBe(
          canonical(counted),
        );
      }
    }
  });

  test("only the rows of `where`, each by its own document, in an upsert too", async () => {
    await db.insert(items).values([
      { id: "2", data: { title: "2" } },
      { id: "3", data: { title: "3", tags: [] } },
    ]);
    await db
      .update(items)
      .set({ data: setPath(items.data, ["stats", "views"], 9), any: setPath(items.any, ["a"], 1) })
      .where(sql`${items.id} <> '1'`);
    await db
      .insert(items)
      .values({ id: "2", data: {} })
      .onConflictDoUpdate({ target: items.id, set: { data: increment(items.data, ["stats", "views"]) } });
    expect(await db.select().from(items).orderBy(items.id)).toEqual([
      { id: "1", data: {}, any: {} },
      { id: "2", data: { title: "2", stats: { views: 10 } }, any: { a: 1 } },
      { id: "3", data: { title: "3", tags: [], stats: { views: 9 } }, any: { a: 1 } },
    ]);
  });

  test("a property that came since the document was read stays", async () => {
    const [before] = await db.select().from(items);
    expect(before?.data).toEqual({});
    await data(setPath(items.data, ["stats", "views"], 1));
    expect(await data(setPath(items.data, ["stats", "deep"], {}))).toEqual({ stats: { views: 1, deep: {} } });
  });

  test("the same as the object that JavaScript would make, whatever it holds", async () => {
    const random = randomness();
    const below = (n: number) => Math.floor(random() * n);
    const pick = <T>(values: readonly T[]): T => values[below(values.length)] as T;
    // Few names, so that paths meet.
    const some = ["a", "b", "", "__proto__", 'q"\\', "0"];
    const scalars = ["", "it's", 'ü"\\\n', "{}", "null", 1, 0.1 + 0.2, -3, 1e21, true, false, null];
    const value = (depth: number): unknown => {
      const kind = depth === 0 ? 0 : below(5);
      if (kind === 3) return Array.from({ length: below(3) }, () => value(depth - 1));
      if (kind < 3) return pick(scalars);
      return Object.fromEntries(Array.from({ length: below(4) }, () => [pick(some), value(depth - 1)]));
    };
    let model: Any = {};
    for (let n = 0; n < 400; n++) {
      const place = path(...Array.from({ length: 1 + below(4) }, () => pick(some)));
      const kind = below(10);
      if (kind < 5) {
        const written = value(3);
        model = set(model, place, written);
        expect(canonical(await any(setPath(items.any, place, written)))).toBe(canonical(model));
      } else if (kind < 8) {
        model = take(model, place) as Any;
        expect(canonical(await any(deletePath(items.any, place)))).toBe(canonical(model));
      } else {
        const old = place.reduce(own, model);
        if (typeof old === "number" && !Number.isSafeInteger(old)) continue;
        model = set(model, place, (typeof old === "number" ? old : 0) + n);
        expect(canonical(await any(increment(items.any as never, place as never, n)))).toBe(canonical(model));
      }
      const [row] = await db.select().from(items).where(one);
      expect(canonical(row?.any)).toBe(canonical(model));
    }
  });

  if (dialect === "sqlite") {
    const stored = () => db.get<{ text: string }>(sql`SELECT j AS text FROM items WHERE id = '1'`).text;
    const others =
      '"r":1.0,"n":12345678901234567890,"s":"\\u0000\\ud800é","o":{"b":1e2,"a":[null],"a.b":0.30000000000000004}';

    test("no other property's JSON changes by a letter", async () => {
      const change = async (value: SQL) => {
        db.run(sql`UPDATE items SET j = ${`{${others},"x":{${others},"y":1}}`} WHERE id = '1'`);
        await db
          .update(items)
          .set({ any: value as never })
          .where(one);
        return stored();
      };
      expect(await change(setPath(items.any, ["x", "y"], [2]))).toBe(`{${others},"x":{${others},"y":[2]}}`);
      expect(await change(setPath(items.any, ["x", "z"], null))).toBe(`{${others},"x":{${others},"y":1,"z":null}}`);
      expect(await change(deletePath(items.any, ["x", "y"]))).toBe(`{${others},"x":{${others}}}`);
      expect(await change(increment(items.any as never, ["x", "y"] as never, 2))).toBe(
        `{${others},"x":{${others},"y":3}}`,
      );
    });

    test("names that Postgres does not hold", async () => {
      for (const name of ["\0", "a\0b", "\ud800", "\udc00x"]) {
        await any({});
        expect(await any(setPath(items.any, path(name, name), 1))).toEqual({ [name]: { [name]: 1 } });
        expect(await any(setPath(items.any, path(name, "b"), 2))).toEqual({ [name]: { [name]: 1, b: 2 } });
        expect(await any(deletePath(items.any, path(name, name)))).toEqual({ [name]: { b: 2 } });
      }
    });
  }
});
