// node.verify(): base table against shadow, what is mended, and what is only reported (fault 19).
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { counter, lww, set } from "grove-crdt/schema";
import { beforeAll, expect, test } from "vitest";
import { Clock, dump, expectEqual, openNode, settle, type TestNode } from "./support/nodes";
import { makeSchema, type TestSchema } from "./support/schemas";

let schema: TestSchema;
beforeAll(async () => {
  const items = sqliteTable("items", {
    id: text("id").primaryKey(),
    name: lww(text("name")),
    code: lww(text("code").unique()),
    count: counter(integer("count").notNull().default(0)),
    tags: set(text("tags", { mode: "json" }).$type<string[]>().notNull().default([])),
  });
  const parts = sqliteTable("parts", {
    id: text("id").primaryKey(),
    item: lww(text("item").references(() => items.id)),
    spare: lww(text("spare").references(() => items.id, { onDelete: "set null" })),
  });
  schema = await makeSchema({ items, parts });
});

async function pair(): Promise<[a: TestNode, b: TestNode, clock: Clock]> {
  const clock = new Clock();
  const [a, b] = [await openNode("a", { clock, ...schema }), await openNode("b", { clock, ...schema })];
  a.sql("INSERT INTO items (id, name, count, tags) VALUES ('1', 'one', 3, '[\"x\"]'), ('2', 'two', 0, '[]')");
  a.sql("UPDATE items SET count = count + 1 WHERE id = '2'; INSERT INTO parts (id) VALUES ('part')");
  await settle([b, a]);
  clock.advance(1);
  return [a, b, clock];
}

/** Writes that no trigger captures. */
function unseen(node: TestNode, sql: string): void {
  node.sql("UPDATE _grove_node SET capture = 0");
  node.sql(sql);
  node.sql("UPDATE _grove_node SET capture = 1");
}

test("where nothing was missed, nothing is found and nothing is written", async () => {
  const [a, b] = await pair();
  const before = dump(a.db);
  expect(await a.node.verify()).toEqual([]);
  expect(await b.node.verify()).toEqual([]);
  expect(dump(a.db)).toBe(before);
});

test("faults 19: rows, counters and sets that a disabled trigger missed count as written now and reach everybody", async () => {
  const [a, b] = await pair();
  unseen(a, "INSERT INTO items (id, name, count) VALUES ('3', 'three', 5)");
  unseen(a, "UPDATE items SET count = 10, tags = '[\"y\",\"x\"]' WHERE id = '1'");
  unseen(a, "DELETE FROM parts");
  b.sql("UPDATE items SET count = count + 1, tags = '[\"x\",\"z\"]' WHERE id = '1'");
  await settle([b, a]);
  expect(b.rows("SELECT id FROM items ORDER BY id")).toEqual([{ id: "1" }, { id: "2" }]);

  const found = await a.node.verify();
  // What arrived in the meantime was merged into the entries; the missed writes come on top.
  expect(found).toEqual([
    { table: "items", pk: ["3"], problem: "unknown_row", action: "insert" },
    { table: "parts", pk: ["part"], problem: "missing_row", action: "delete" },
  ]);
  await settle([b, a]);
  expect(b.rows("SELECT id, name, count FROM items ORDER BY id")).toEqual([
    { id: "1", name: "one", count: 4 },
    { id: "2", name: "two", count: 1 },
    { id: "3", name: "three", count: 5 },
  ]);
  expect(b.rows("SELECT id FROM parts")).toEqual([]);
  await expectEqual(a, b);

  unseen(a, "UPDATE items SET count = 10, tags = '[\"y\",\"x\"]' WHERE id = '1'");
  expect(await a.node.verify()).toEqual([
    { table: "items", pk: ["1"], field: "count", problem: "missed_value", action: "update" },
    { table: "items", pk: ["1"], field: "tags", problem: "missed_value", action: "update" },
  ]);
  expect(await a.node.verify()).toEqual([]);
  b.sql("UPDATE items SET count = count + 1 WHERE id = '1'");
  await settle([b, a]);
  expect(b.row("SELECT count, tags FROM items WHERE id = '1'")).toEqual({ count: 11, tags: '["x","y"]' });
  await expectEqual(a, b);
});

test("what a user's trigger changed on its way in is reported and left alone", async () => {
  const [a, b] = await pair();
  b.sql(
    "CREATE TRIGGER shout AFTER UPDATE OF name ON items BEGIN UPDATE items SET name = upper(NEW.name) WHERE id = NEW.id; END",
  );
  a.sql("UPDATE items SET name = 'quiet' WHERE id = '1'");
  await settle([b, a]);
  expect(b.row("SELECT name FROM items WHERE id = '1'")).toEqual({ name: "QUIET" });
  const before = dump(b.db);
  expect(await b.node.verify()).toEqual([
    { table: "items", pk: ["1"], field: "name", problem: "changed_value", action: "none" },
  ]);
  expect(dump(b.db)).toBe(before);
  expect((await b.node.inspect("items", ["1"]))?.lww?.name?.[0]).toBe("quiet");
});

test("rows that are hidden, emptied or shown although they were deleted are no discrepancy", async () => {
  const [a, b, clock] = await pair();
  a.sql("INSERT INTO parts VALUES ('p', '1', '2')");
  b.sql("DELETE FROM items");
  a.sql("INSERT INTO items (id, code) VALUES ('4', 'c')");
  clock.advance(1);
  b.sql("INSERT INTO items (id, code) VALUES ('5', 'c')");
  await settle([b, a]);
  expect(a.rows("SELECT id FROM items ORDER BY id")).toEqual([{ id: "1" }, { id: "4" }]);
  expect(a.row("SELECT * FROM parts WHERE id = 'p'")).toEqual({ id: "p", item: "1", spare: null });
  expect(await a.node.verify()).toEqual([]);
  expect(await b.node.verify()).toEqual([]);
  await expectEqual(a, b);
});
