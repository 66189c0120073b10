// Fields: a write says something about the columns that it changed and about no others; values from before capture count.
import type { RowChange } from "@grove-crdt/core";
import type Database from "better-sqlite3";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { counter, lww, set } from "grove-crdt/schema";
import { describe, expect, test } from "vitest";
import { expectEqual, link, openNode, openNodes, settle, sync, type Tamper, type TestNode } from "./support/nodes";
import { makeSchema } from "./support/schemas";

const document = (node: TestNode, id = "1") =>
  node.row("SELECT title, body, view_count AS views, tags FROM documents WHERE id = ?", id);

/** Nodes that all have the same document and order; the first one never begins an exchange. */
async function sharing(...ids: string[]): Promise<TestNode[]> {
  const [first, ...others] = (await openNodes(ids)) as [TestNode, ...TestNode[]];
  first.sql("INSERT INTO documents VALUES ('1', 'title', 'body', 3, '[\"a\"]')");
  first.sql("INSERT INTO orders VALUES ('1', 'open', 'by phone', 250, 1700000000000)");
  await settle(...others.map((other) => [other, first] as const));
  first.clock.advance(1000);
  return [first, ...others];
}

/** One exchange; the rows that went each way, as they travelled. */
async function watch(from: TestNode, to: TestNode): Promise<{ pulled: RowChange[]; pushed: RowChange[] }> {
  const pulled: RowChange[] = [];
  const pushed: RowChange[] = [];
  const tamper: Tamper = async (path, body, forward) => {
    if (path === "/push") pushed.push(...(JSON.parse(body) as { rows: RowChange[] }).rows);
    const response = await forward(path, body);
    if (path === "/pull") pulled.push(...((await response.clone().json()) as { rows: RowChange[] }).rows);
    return response;
  };
  const [report] = await link(from, to, {}, tamper).sync();
  expect(report?.error).toBeNull();
  return { pulled, pushed };
}

/** Each row's table and the fields that it carries. */
const carried = (rows: readonly RowChange[]) =>
  rows
    .map(
      ({ table, lww = {}, counter = {}, set = {} }) =>
        `${table}: ${Object.keys({ ...lww, ...counter, ...set }).join()}`,
    )
    .sort();

describe("which fields a write is about", () => {
  test("lineage 4: concurrent edits of different fields of one row all stay", async () => {
    const [a, b, c] = (await sharing("a", "b", "c")) as [TestNode, TestNode, TestNode];
    a.sql("UPDATE documents SET title = 'from a'");
    b.clock.advance(5);
    b.sql("UPDATE documents SET body = 'from b'");
    c.sql('UPDATE documents SET view_count = view_count + 4, tags = \'["a","c"]\'');
    await settle([a, b], [b, c], [c, a]);
    expect(document(a)).toEqual({ title: "from a", body: "from b", views: 7, tags: '["a","c"]' });
    await expectEqual(a, b, c);
  });

  test("lineage 4: a whole-row UPDATE that changes one value is a write of that one field", async () => {
    const [a, b] = (await sharing("a", "b")) as [TestNode, TestNode];
    a.sql("UPDATE documents SET title = 'from a'");
    b.clock.advance(5);
    // What an ORM's save() writes: all columns, most of them as they were.
    b.sql("UPDATE documents SET title = 'title', body = 'from b', view_count = 3, tags = '[\"a\"]'");
    await settle([a, b]);
    expect(document(a)).toEqual({ title: "from a", body: "from b", views: 3, tags: '["a"]' });
    await expectEqual(a, b);
  });

  test("lineage 5: a partial update sends its own field and leaves the others as they are", async () => {
    const [a, b] = (await sharing("a", "b")) as [TestNode, TestNode];
    a.sql("UPDATE orders SET status = 'paid' WHERE id = '1'");
    a.sql("UPDATE documents SET body = 'new body' WHERE id = '1'");
    const { pulled } = await watch(b, a);
    expect(carried(pulled)).toEqual(["documents: body", "orders: status"]);
    expect(b.row("SELECT * FROM orders")).toEqual({
      id: "1",
      status: "paid",
      note: "by phone",
      total: 250,
      placed_at: 1700000000000,
    });
    expect(document(b)).toEqual({ title: "title", body: "new body", views: 3, tags: '["a"]' });
    await expectEqual(a, b);
  });

  test("faults 45: an own unfolded write meets a peer's change of another field: the peer gets ours and not its own back", async () => {
    const [a, b] = (await sharing("a", "b")) as [TestNode, TestNode];
    b.sql("UPDATE documents SET title = 'from b'");
    // Written after b has pulled and before its push arrives.
    const tamper: Tamper = (path, body, forward) => {
      if (path === "/push") a.sql("UPDATE documents SET body = 'from a'");
      return forward(path, body);
    };
    await link(b, a, {}, tamper).sync();
    expect(document(a)).toMatchObject({ title: "from b", body: "from a" });
    const { pulled, pushed } = await watch(b, a);
    expect(carried(pulled)).toEqual(["documents: body"]);
    expect(pushed).toEqual([]);
    expect(document(b)).toMatchObject({ title: "from b", body: "from a" });
    await expectEqual(a, b);
    expect(await settle([b, a])).toBe(1);
  });

  test("faults 45: an own unfolded write meets a pulled change of another field: the push carries ours alone", async () => {
    const [a, b] = (await sharing("a", "b")) as [TestNode, TestNode];
    a.sql("UPDATE documents SET title = 'from a', view_count = view_count + 7");
    const tamper: Tamper = async (path, body, forward) => {
      const response = await forward(path, body);
      // Written after b asked and before it merges the answer.
      if (path === "/pull")
        b.sql("UPDATE documents SET body = 'from b', view_count = view_count + 1 WHERE body <> 'from b'");
      return response;
    };
    const pushed: RowChange[] = [];
    await link(b, a, {}, async (path, body, forward) => {
      if (path === "/push") pushed.push(...(JSON.parse(body) as { rows: RowChange[] }).rows);
      return tamper(path, body, forward);
    }).sync();
    expect(carried(pushed)).toEqual(["documents: body,view_count"]);
    expect(pushed[0]?.counter?.view_count?.totals?.map(([, node]) => node)).toEqual(["b"]);
    for (const node of [a, b]) expect(document(node)).toMatchObject({ title: "from a", body: "from b", views: 11 });
    await expectEqual(a, b);
  });

  test("faults 48: a field set to NULL is a change, and one set from NULL as well", async () => {
    const [a, b] = (await sharing("a", "b")) as [TestNode, TestNode];
    a.sql("UPDATE orders SET note = NULL");
    await sync(a, b);
    expect(b.row("SELECT note FROM orders")).toEqual({ note: null });
    b.sql("UPDATE orders SET note = 'found again'");
    await sync(b, a);
    expect(a.row("SELECT note FROM orders")).toEqual({ note: "found again" });
    // Concurrently: the later one wins, be it NULL or not.
    a.sql("UPDATE orders SET note = 'earlier'");
    await a.node.fold();
    b.clock.advance(1);
    b.sql("UPDATE orders SET note = NULL");
    await settle([a, b]);
    expect(a.row("SELECT note FROM orders")).toEqual({ note: null });
    await expectEqual(a, b);
  });

  test("faults 48: a field set to NULL and back within one fold is no loss to a concurrent earlier write", async () => {
    const [a, b] = (await sharing("a", "b")) as [TestNode, TestNode];
    b.sql("UPDATE orders SET note = 'from b'");
    await b.node.fold();
    a.clock.advance(1);
    a.sql("UPDATE orders SET note = NULL");
    a.sql("UPDATE orders SET note = 'by phone'");
    await settle([a, b]);
    expect(b.row("SELECT note FROM orders")).toEqual({ note: "by phone" });
    await expectEqual(a, b);
  });
});

describe("values from before capture", () => {
  const before = (text: string) => ({ before: (db: Database.Database) => void db.exec(text) });
  const adopt = before("INSERT INTO documents VALUES ('1', 'title', 'body', 100, '[\"x\",\"y\"]')");

  test("faults 46: rows adopted at 100 on two nodes, one more on each, are 102 everywhere", async () => {
    for (const folded of [false, true]) {
      const [a, b] = (await openNodes(["a", "b"], adopt)) as [TestNode, TestNode];
      const c = await openNode("c", { clock: a.clock });
      if (folded) await settle([a, b]);
      a.sql("UPDATE documents SET view_count = view_count + 1");
      b.sql("UPDATE documents SET view_count = view_count + 1");
      await settle([a, b], [b, c]);
      for (const node of [a, b, c])
        expect(document(node)).toEqual({ title: "title", body: "body", views: 102, tags: '["x","y"]' });
      await expectEqual(a, b, c);
    }
  });

  test("faults 46: adopted sets keep their elements and their order when both nodes add one", async () => {
    const [a, b] = (await openNodes(["a", "b"], adopt)) as [TestNode, TestNode];
    a.sql("UPDATE documents SET tags = json_insert(tags, '$[#]', 'from a')");
    b.clock.advance(1);
    b.sql('UPDATE documents SET tags = \'["y","from b"]\'');
    await settle([a, b]);
    expect(document(a)).toMatchObject({ tags: '["y","from a","from b"]' });
    await expectEqual(a, b);
  });

  test("faults 46: an adopted row changed on one node only is equal on the node that merely adopted it", async () => {
    const [a, b] = (await openNodes(["a", "b"], adopt)) as [TestNode, TestNode];
    a.sql("UPDATE documents SET view_count = 42, title = 'changed', tags = '[]'");
    await settle([b, a]);
    expect(document(b)).toEqual({ title: "changed", body: "body", views: 42, tags: "[]" });
    await expectEqual(a, b);
  });

  test("faults 46: a counter column added with DEFAULT 100, counted up on two nodes, is 102 everywhere", async () => {
    const old = sqliteTable("articles", { id: text("id").primaryKey(), name: lww(text("name").notNull()) });
    const now = sqliteTable("articles", {
      id: text("id").primaryKey(),
      name: lww(text("name").notNull()),
      stock: counter(integer("stock").notNull().default(100)),
      labels: set(text("labels", { mode: "json" }).$type<string[]>().notNull().default(["new"])),
    });
    const [v1, v2] = [await makeSchema({ articles: old }), await makeSchema({ articles: now })];
    const [a, b] = (await openNodes(["a", "b"], v1)) as [TestNode, TestNode];
    for (const node of [a, b]) node.sql("INSERT INTO articles (id, name) VALUES (?, 'own')", node.id);
    a.sql("INSERT INTO articles (id, name) VALUES ('shared', 'both')");
    await settle([a, b]);
    const numbered = [(await a.node.store.position()).seq, (await b.node.store.position()).seq];

    const migrate = async (node: TestNode) => {
      node.sql("ALTER TABLE articles ADD COLUMN stock integer DEFAULT 100 NOT NULL");
      node.sql("ALTER TABLE articles ADD COLUMN labels text DEFAULT '[\"new\"]' NOT NULL");
      return openNode(node.id, { db: node.db, clock: node.clock, registry: v2.registry });
    };
    const [a2, b2] = [await migrate(a), await migrate(b)];
    // The column itself writes no metadata and sends nothing.
    expect([(await a2.node.store.position()).seq, (await b2.node.store.position()).seq]).toEqual(numbered);
    expect(await sync(a2, b2)).toMatchObject({ pulled: 0, pushed: 0 });

    for (const node of [a2, b2])
      node.sql("UPDATE articles SET stock = stock + 1, labels = json_insert(labels, '$[#]', ?)", `from ${node.id}`);
    await settle([a2, b2]);
    const c = await openNode("c", { clock: a.clock, ...v2 });
    await settle([c, a2], [b2, a2]);
    for (const node of [a2, b2, c]) {
      expect(node.rows("SELECT id, stock FROM articles ORDER BY id")).toEqual([
        { id: "a", stock: 102 },
        { id: "b", stock: 102 },
        { id: "shared", stock: 102 },
      ]);
      expect(node.row<{ labels: string }>("SELECT labels FROM articles WHERE id = 'shared'")?.labels).toBe(
        '["new","from a","from b"]',
      );
    }
    await expectEqual(a2, b2, c);
  });
});
