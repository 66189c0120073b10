// Lists and documents in ordinary columns: captured from plain writes, merged part by part, on both dialects and between them
// (faults 24 to 26, lineage 3 and 27).
import * as pg from "drizzle-orm/pg-core";
import * as lite from "drizzle-orm/sqlite-core";
import { counter, document, list, lww, set } from "grove-crdt/schema";
import { describe, expect, test } from "vitest";
import { expectEqual } from "./support/comparison";
import { describeAcross, describeOnEach, dialects } from "./support/dialects";
import { settle } from "./support/network";
import { openNode, type TestNode } from "./support/node";
import { Chance } from "./support/request-damage";
import { makeSchema } from "./support/schemas";

interface Card {
  id: number;
  text?: string;
}
interface Meta {
  stats?: { views?: number; owner?: string };
  tags?: string[];
  steps?: string[];
}
const shape = { stats: { views: counter() }, tags: set(), steps: list() };

const onSqlite = {
  plans: lite.sqliteTable("plans", {
    id: lite.text("id").primaryKey(),
    title: lww(lite.text("title").notNull().default("")),
    steps: list(lite.text("steps", { mode: "json" }).$type<string[]>().notNull().default([])),
    cards: list(lite.text("cards", { mode: "json" }).$type<Card[]>().notNull().default([]), { key: "id" }),
    data: document(lite.text("data", { mode: "json" }).$type<Meta>().notNull().default({}), shape),
  }),
};
const onPostgres = {
  plans: pg.pgTable("plans", {
    id: pg.text("id").primaryKey(),
    title: lww(pg.text("title").notNull().default("")),
    steps: list(pg.text("steps").array().notNull().default([])),
    cards: list(pg.jsonb("cards").$type<Card[]>().notNull().default([]), { key: "id" }),
    data: document(pg.jsonb("data").$type<Meta>().notNull().default({}), shape),
  }),
};
type Column = "steps" | "cards" | "data";
const tables = { sqlite: onSqlite, postgres: onPostgres };

const open = async (dialect: keyof typeof dialects, id: string, clock?: TestNode["clock"]): Promise<TestNode> =>
  openNode(dialects[dialect], id, {
    ...(await makeSchema(tables[dialect], dialects[dialect])),
    ...(clock && { clock }),
  });

/** A value as the column's own SQL takes it. */
const literal = (node: TestNode, column: Column, value: unknown): string => {
  const json = `'${JSON.stringify(value).replaceAll("'", "''")}'`;
  if (node.registry.dialect === "sqlite") return json;
  return column === "steps" ? `ARRAY(SELECT jsonb_array_elements_text(${json}::jsonb))` : `${json}::jsonb`;
};
const insert = (node: TestNode, id: string, values: Partial<Record<Column, unknown>>) => {
  const names = Object.keys(values) as Column[];
  const texts = names.map((name) => literal(node, name, values[name]));
  return node.sql(
    `INSERT INTO plans (id${names.map((n) => `, ${n}`).join("")}) VALUES ('${id}'${texts.map((t) => `, ${t}`).join("")})`,
  );
};
const write = (node: TestNode, column: Column, value: unknown, id = "p") =>
  node.sql(`UPDATE plans SET ${column} = ${literal(node, column, value)} WHERE id = '${id}'`);
async function read<T = never>(node: TestNode, column: Column, id = "p"): Promise<T> {
  const [row] = await node.rows(`SELECT ${column} AS v FROM plans WHERE id = '${id}'`);
  const { v } = row as { v: unknown };
  return (typeof v === "string" ? JSON.parse(v) : v) as T;
}

describeOnEach("lists", ({ dialect }) => {
  /** Two nodes that both have the row, and what both say after two concurrent writes. */
  async function both(column: Column, before: unknown, one: unknown, other: unknown): Promise<unknown> {
    const a = await open(dialect.name, "a");
    const b = await open(dialect.name, "b", a.clock);
    await insert(a, "p", { [column]: before });
    await settle([a, b]);
    a.clock.advance(1000);
    await write(a, column, one);
    await a.node.fold();
    a.clock.advance(1000);
    await write(b, column, other);
    await settle([a, b]);
    await expectEqual(a, b);
    return read(a, column);
  }

  test("keep concurrent inserts, each run whole", async () => {
    expect(await both("steps", ["x", "y"], ["x", "1", "2", "3", "y"], ["x", "7", "8", "9", "y"])).toEqual([
      "x",
      "1",
      "2",
      "3",
      "7",
      "8",
      "9",
      "y",
    ]);
  });
  test("do not double an item that both moved, lineage 27", async () => {
    expect(await both("steps", ["a", "b", "c", "d"], ["d", "a", "b", "c"], ["a", "d", "b", "c"])).toEqual([
      "a",
      "d",
      "b",
      "c",
    ]);
  });
  test("let a deletion win over a move, and a move stay beside an insertion", async () => {
    expect(await both("steps", ["a", "b", "c"], ["b", "c"], ["b", "c", "a", "n"])).toEqual(["b", "c", "n"]);
  });
  test("with a key take an edit of an item as one, beside a move of it", async () => {
    const before = [{ id: 1, text: "one" }, { id: 2, text: "two" }, { id: 3 }];
    const moved = [{ id: 3 }, { id: 1, text: "one" }, { id: 2, text: "two" }];
    const edited = [
      { id: 1, text: "one" },
      { id: 2, text: "two" },
      { id: 3, text: "three" },
    ];
    expect(await both("cards", before, moved, edited)).toEqual([
      { id: 3, text: "three" },
      { id: 1, text: "one" },
      { id: 2, text: "two" },
    ]);
  });
  test("keep the later of two edits, and both of two cards", async () => {
    expect(await both("cards", [{ id: 1 }], [{ id: 1, text: "a" }, { id: 2 }], [{ id: 1, text: "b" }])).toEqual([
      { id: 1, text: "b" },
      { id: 2 },
    ]);
  });
});

describeOnEach("documents", ({ dialect }) => {
  async function both(before: unknown, one: unknown, other: unknown): Promise<unknown> {
    const a = await open(dialect.name, "a");
    const b = await open(dialect.name, "b", a.clock);
    await insert(a, "p", { data: before });
    await settle([a, b]);
    a.clock.advance(1000);
    await write(a, "data", one);
    await a.node.fold();
    a.clock.advance(1000);
    await write(b, "data", other);
    await settle([a, b]);
    await expectEqual(a, b);
    return read(a, "data");
  }

  test("keep concurrent writes to different paths, whatever their names", async () => {
    const before = { "a.b": 1, "c/d": { "": 1 }, toString: "x" };
    const one = { "a.b": 2, "c/d": { "": 1 }, toString: "x", '"': [1, 2] };
    const other = { "a.b": 1, "c/d": { "": 3, e: null }, toString: "y" };
    expect(await both(before, one, other)).toEqual({ "a.b": 2, "c/d": { "": 3, e: null }, toString: "y", '"': [1, 2] });
  });
  test("have __proto__ as a name like others", async () => {
    const of = (value: number) => JSON.parse(`{"__proto__": {"x": ${value}}, "n": 1}`) as object;
    const merged = (await both(of(1), of(2), { ...of(1), n: 2 })) as object;
    expect(JSON.stringify(merged)).toContain('"__proto__"');
  });
  test("hide what lies below a later write, and show it again by a still later one", async () => {
    expect(await both({ a: { b: 1 } }, { a: { b: 2, c: 3 } }, { a: "text" })).toEqual({ a: "text" });
    expect(await both({ a: { b: 1 } }, { a: "text" }, { a: { b: 2 } })).toEqual({ a: { b: 2 } });
  });
  test("delete a path like any other write, and keep what was put into an emptied object", async () => {
    expect(await both({ a: 1, b: 2 }, { b: 2 }, { a: 1, b: 3 })).toEqual({ b: 3 });
    expect(await both({ a: { b: 1 } }, { a: { b: 1, c: 2 } }, { a: {} })).toEqual({ a: { c: 2 } });
  });
  test("count, collect and order where the shape says so", async () => {
    const before = { stats: { views: 5, owner: "me" }, tags: ["x"], steps: ["1"] };
    const one = { stats: { views: 7, owner: "me" }, tags: ["x", "y"], steps: ["1", "2"] };
    const other = { stats: { views: 6, owner: "you" }, tags: ["z"], steps: ["0", "1"] };
    expect(await both(before, one, other)).toEqual({
      stats: { views: 8, owner: "you" },
      tags: ["y", "z"],
      steps: ["0", "1", "2"],
    });
  });
  test("begin to count on two nodes at once without losing either", async () => {
    expect(await both({}, { stats: { views: 2 } }, { stats: { views: 3 } })).toEqual({ stats: { views: 5 } });
  });
  test("refuse what is no object, and say so", async () => {
    const a = await open(dialect.name, "a");
    await expect(insert(a, "p", { data: [] })).rejects.toThrow(/plans.data must be a JSON object/);
    await insert(a, "p", {});
    await expect(write(a, "data", 1)).rejects.toThrow(/plans.data must be a JSON object/);
    expect(await read(a, "data")).toEqual({});
  });
});

describe("random writes", () => {
  const RUNS = Number(process.env.NESTED_RUNS ?? 12);
  const pick = <T>(random: () => number, from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;

  function change(random: () => number, column: Column, value: unknown): unknown {
    if (column === "data") return changeObject(random, structuredClone(value) as Record<string, unknown>, 0);
    const items = [...(value as unknown[])];
    const make = () => {
      const n = Math.floor(random() * 6);
      return column === "steps" ? `s${n}` : { id: n, ...(random() < 0.5 && { text: `t${n}` }) };
    };
    const at = () => Math.floor(random() * (items.length + 1));
    for (let n = 1 + Math.floor(random() * 3); n > 0; n--) {
      const kind = random();
      if (kind < 0.45 || items.length === 0) items.splice(at(), 0, make());
      else if (kind < 0.6) items.splice(at(), 1);
      else if (kind < 0.75) items[Math.floor(random() * items.length)] = make();
      else items.splice(at(), 0, ...items.splice(at(), 1));
    }
    return items;
  }
  function changeObject(random: () => number, object: Record<string, unknown>, depth: number): unknown {
    const name = pick(random, depth === 0 ? ["stats", "tags", "steps", "a", "b.c"] : ["views", "owner", "a", ""]);
    const kind = random();
    const own = Object.hasOwn(object, name) ? object[name] : undefined;
    if (kind < 0.15) delete object[name];
    else if (name === "tags" || name === "steps") object[name] = change(random, "steps", Array.isArray(own) ? own : []);
    else if (name === "views") object[name] = Math.floor(random() * 9);
    else if (kind < 0.6 && depth < 2)
      object[name] = changeObject(
        random,
        { ...(typeof own === "object" && own !== null ? own : {}) } as never,
        depth + 1,
      );
    else object[name] = pick<unknown>(random, [1, "x", null, true, [], {}, [1, { a: 2 }]]);
    if (object.tags !== undefined) object.tags = [...new Set(object.tags as string[])];
    return object;
  }

  async function run(seed: number, kinds: readonly (keyof typeof dialects)[]): Promise<void> {
    const random = new Chance(seed).next;
    const nodes: TestNode[] = [];
    for (const [n, kind] of kinds.entries()) nodes.push(await open(kind, `n${n}`, nodes[0]?.clock));
    const [first] = nodes as [TestNode];
    await insert(first, "p", { steps: ["s1", "s2"], cards: [{ id: 1 }], data: { a: 1 } });
    await settle(...nodes.slice(1).map((node) => [node, first] as const));
    for (let step = 0; step < 25; step++) {
      first.clock.advance(Math.floor(random() * 3));
      const node = pick(random, nodes);
      const column = pick<Column>(random, ["steps", "cards", "data"]);
      if (random() < 0.04) await node.sql("DELETE FROM plans");
      else if ((await node.rows("SELECT 1 AS n FROM plans")).length === 0) await insert(node, "p", { data: { a: 2 } });
      else {
        const wanted = change(random, column, await read(node, column));
        await write(node, column, wanted);
        if (random() < 0.7) {
          await node.node.fold();
          // A set's order is that of its adding; everything else reads as it was written.
          const normal = (value: unknown) =>
            JSON.stringify(value, (name, own) => (name === "tags" && Array.isArray(own) ? [...own].sort() : own));
          const sorted = (value: unknown): unknown =>
            typeof value !== "object" || value === null || Array.isArray(value)
              ? value
              : Object.fromEntries(
                  Object.entries(value)
                    .sort(([x], [y]) => (x < y ? -1 : 1))
                    .map(([k, v]) => [k, sorted(v)]),
                );
          expect(normal(sorted(await read(node, column)))).toBe(normal(sorted(wanted)));
        }
      }
      const [one, other] = [pick(random, nodes), pick(random, nodes)];
      if (one !== other && random() < 0.5) await settle([one, other]);
    }
    for (let round = 0; round < 2; round++) await settle(...nodes.slice(1).map((node) => [node, first] as const));
    await expectEqual(...nodes);
    // Whoever comes new is told the same.
    const late = await open(kinds[0] as never, "late", first.clock);
    await settle([late, first]);
    await expectEqual(late, first);
    for (const node of [...nodes, late]) await node.close();
  }

  describeOnEach("on three nodes", ({ dialect }) => {
    test(`end alike, ${RUNS} seeds`, async () => {
      const first = Number(process.env.NESTED_SEED ?? 1);
      const runs = dialect.thorough ? RUNS : Math.ceil(RUNS / 4);
      for (let seed = first; seed < first + runs; seed++) {
        try {
          await run(seed, [dialect.name, dialect.name, dialect.name]);
        } catch (error) {
          throw new Error(`NESTED_SEED=${seed}: ${(error as Error).message}`, { cause: error });
        }
      }
    }, 120_000);
  });
  describeAcross("on a hub and two edges", () => {
    test("end alike", async () => {
      for (let seed = 1000; seed < 1000 + Math.ceil(RUNS / 4); seed++)
        await run(seed, ["postgres", "sqlite", "sqlite"]);
    }, 120_000);
  });
});
