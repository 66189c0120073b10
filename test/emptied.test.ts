// Sets, lists and documents that are empty although their column has a default: they stay so, also where the row lives in the shadow
// alone for a while.
import { document, list, lww, set } from "grove-crdt/schema";
import { beforeAll, expect, test } from "vitest";
import { expectEqual } from "./support/comparison";
import { describeOnEach } from "./support/dialects";
import { settle } from "./support/network";
import type { TestNode } from "./support/node";
import type { TestSchema } from "./support/schemas";

describeOnEach("empty values of columns with a default", ({ dialect, openNode, openNodes, makeSchema }) => {
  const { json, table, text, texts, textsOf, uniqueIndex } = dialect;
  const nested = {
    labels: set(texts("labels").notNull().default(["new"])),
    steps: list(texts("steps").notNull().default(["first"])),
    data: document(json("data").$type<{ a?: number }>().notNull().default({ a: 1 })),
  };
  const items = table(
    "items",
    { id: text("id").primaryKey(), code: lww(text("code")), title: lww(text("title")), ...nested },
    (t) => [uniqueIndex("items_code").on(t.code)],
  );
  const parts = table("parts", { id: text("id").primaryKey(), item: lww(text("item").references(() => items.id)) });
  let schema: TestSchema;
  beforeAll(async () => {
    schema = await makeSchema({ items, parts });
  });

  const insert = (id: string, code = "NULL") =>
    `INSERT INTO items (id, code, labels, steps, data) VALUES ('${id}', ${code}, '${textsOf()}', '${textsOf()}', '{}')`;
  const EMPTY = { labels: [], steps: [], data: {} };
  const item = (node: TestNode, id: string) => node.row("SELECT id, labels, steps, data FROM items WHERE id = ?", id);
  const expectEmpty = async (id: string, ...nodes: TestNode[]) => {
    for (const node of nodes) expect(await item(node, id), node.id).toEqual({ id, ...EMPTY });
    await expectEqual(...(nodes as [TestNode, TestNode]));
  };

  test("are there still when a row shows that a unique key kept out", async () => {
    const [a, b, c] = (await openNodes(["a", "b", "c"], schema)) as [TestNode, TestNode, TestNode];
    await a.sql(insert("1", "'x'"));
    await a.node.fold();
    a.clock.advance(1000);
    await b.sql(insert("2", "'x'"));
    await settle([a, b], [b, c]);
    await expectEmpty("1", a, b, c);
    expect(await item(b, "2")).toBeUndefined();
    await c.sql("UPDATE items SET title = 'other'");
    await a.sql("DELETE FROM items WHERE id = '1'");
    await settle([a, b], [b, c]);
    await expectEmpty("2", a, b, c);
    // And are written to like others.
    await b.sql(`UPDATE items SET labels = '${textsOf("x")}', steps = '${textsOf("s")}', data = '{"b":2}'`);
    await settle([a, b], [b, c]);
    for (const node of [a, b, c])
      expect(await item(node, "2")).toEqual({ id: "2", labels: ["x"], steps: ["s"], data: { b: 2 } });
    await expectEqual(a, b, c);
  });

  test("are there still in a deleted row that is kept for another one's sake", async () => {
    const [a, b, c] = (await openNodes(["a", "b", "c"], schema)) as [TestNode, TestNode, TestNode];
    await a.sql(insert("1"));
    await settle([a, b]);
    await a.sql("DELETE FROM items WHERE id = '1'");
    await b.sql("INSERT INTO parts (id, item) VALUES ('p', '1')");
    await settle([a, b], [a, c]);
    await expectEmpty("1", a, b, c);
    const late = await openNode("late", { ...schema, clock: a.clock });
    await settle([late, c]);
    await expectEmpty("1", a, late);
  });

  test("are passed on by a node that does not have the columns", async () => {
    const old = await makeSchema({ items: table("items", { id: text("id").primaryKey(), title: lww(text("title")) }) });
    const newer = await makeSchema({
      items: table("items", { id: text("id").primaryKey(), title: lww(text("title")), ...nested }),
    });
    const first = await openNode("first", newer);
    const middle = await openNode("middle", { ...old, clock: first.clock });
    const last = await openNode("last", { ...newer, clock: first.clock });
    await first.sql(`INSERT INTO items (id, labels, steps, data) VALUES ('1', '${textsOf()}', '${textsOf()}', '{}')`);
    await settle([first, middle], [last, middle]);
    await expectEmpty("1", first, last);
  });
});
