// Fields: a write says something about the columns that it changed and about no others; values from before capture count.
import type { RowChange } from "@grove-crdt/core";
import { counter, lww, set } from "grove-crdt/schema";
import { describe, expect, test } from "vitest";
import { expectEqual } from "./support/comparison";
import { describeOnEach } from "./support/dialects";
import { link, settle, sync, type Tamper } from "./support/network";
import type { TestNode } from "./support/node";

describeOnEach("fields", ({ dialect, openNode, openNodes, makeSchema }) => {
  const { textsOf } = dialect;
  const document = (node: TestNode, id = "1") =>
    node.row("SELECT title, body, view_count AS views, tags FROM documents WHERE id = ?", id);

  /** Nodes that all have the same document and order; the first one never begins an exchange. */
  async function sharing(...ids: string[]): Promise<TestNode[]> {
    const [first, ...others] = (await openNodes(ids)) as [TestNode, ...TestNode[]];
    await first.sql(`INSERT INTO documents VALUES ('1', 'title', 'body', 3, '${textsOf("a")}')`);
    await first.sql(`INSERT INTO orders VALUES ('1', 'open', 'by phone', 250, ${dialect.time(1_700_000_000_000)})`);
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

  const { integer, table, text, texts } = dialect;
  describe("which fields a write is about", () => {
    test("lineage 4: concurrent edits of different fields of one row all stay", async () => {
      const [a, b, c] = (await sharing("a", "b", "c")) as [TestNode, TestNode, TestNode];
      await a.sql("UPDATE documents SET title = 'from a'");
      b.clock.advance(5);
      await b.sql("UPDATE documents SET body = 'from b'");
      await c.sql(`UPDATE documents SET view_count = view_count + 4, tags = '${textsOf("a", "c")}'`);
      await settle([a, b], [b, c], [c, a]);
      expect(await document(a)).toEqual({ title: "from a", body: "from b", views: 7, tags: ["a", "c"] });
      await expectEqual(a, b, c);
    });

    test("lineage 4: a whole-row UPDATE that changes one value is a write of that one field", async () => {
      const [a, b] = (await sharing("a", "b")) as [TestNode, TestNode];
      await a.sql("UPDATE documents SET title = 'from a'");
      b.clock.advance(5);
      // What an ORM's save() writes: all columns, most of them as they were.
      await b.sql(`UPDATE documents SET title = 'title', body = 'from b', view_count = 3, tags = '${textsOf("a")}'`);
      await settle([a, b]);
      expect(await document(a)).toEqual({ title: "from a", body: "from b", views: 3, tags: ["a"] });
      await expectEqual(a, b);
    });

    test("lineage 5: a partial update sends its own field and leaves the others as they are", async () => {
      const [a, b] = (await sharing("a", "b")) as [TestNode, TestNode];
      await a.sql("UPDATE orders SET status = 'paid' WHERE id = '1'");
      await a.sql("UPDATE documents SET body = 'new body' WHERE id = '1'");
      const { pulled } = await watch(b, a);
      expect(carried(pulled)).toEqual(["documents: body", "orders: status"]);
      expect(await b.row("SELECT * FROM orders")).toEqual({
        id: "1",
        status: "paid",
        note: "by phone",
        total: 250,
        placed_at: "2023-11-14T22:13:20.000000Z",
      });
      expect(await document(b)).toEqual({ title: "title", body: "new body", views: 3, tags: ["a"] });
      await expectEqual(a, b);
    });

    test("faults 45: an own unfolded write meets a peer's change of another field: the peer gets ours and not its own back", async () => {
      const [a, b] = (await sharing("a", "b")) as [TestNode, TestNode];
      await b.sql("UPDATE documents SET title = 'from b'");
      // Written after b has pulled and before its push arrives.
      const tamper: Tamper = async (path, body, forward) => {
        if (path === "/push") await a.sql("UPDATE documents SET body = 'from a'");
        return forward(path, body);
      };
      await link(b, a, {}, tamper).sync();
      expect(await document(a)).toMatchObject({ title: "from b", body: "from a" });
      const { pulled, pushed } = await watch(b, a);
      expect(carried(pulled)).toEqual(["documents: body"]);
      expect(pushed).toEqual([]);
      expect(await document(b)).toMatchObject({ title: "from b", body: "from a" });
      await expectEqual(a, b);
      expect(await settle([b, a])).toBe(1);
    });

    test("faults 45: an own unfolded write meets a pulled change of another field: the push carries ours alone", async () => {
      const [a, b] = (await sharing("a", "b")) as [TestNode, TestNode];
      await a.sql("UPDATE documents SET title = 'from a', view_count = view_count + 7");
      const tamper: Tamper = async (path, body, forward) => {
        const response = await forward(path, body);
        // Written after b asked and before it merges the answer.
        if (path === "/pull")
          await b.sql("UPDATE documents SET body = 'from b', view_count = view_count + 1 WHERE body <> 'from b'");
        return response;
      };
      const pushed: RowChange[] = [];
      await link(b, a, {}, async (path, body, forward) => {
        if (path === "/push") pushed.push(...(JSON.parse(body) as { rows: RowChange[] }).rows);
        return tamper(path, body, forward);
      }).sync();
      expect(carried(pushed)).toEqual(["documents: body,view_count"]);
      expect(pushed[0]?.counter?.view_count?.totals?.map(([, node]) => node)).toEqual(["b"]);
      for (const node of [a, b])
        expect(await document(node)).toMatchObject({ title: "from a", body: "from b", views: 11 });
      await expectEqual(a, b);
    });

    test("faults 48: a field set to NULL is a change, and one set from NULL as well", async () => {
      const [a, b] = (await sharing("a", "b")) as [TestNode, TestNode];
      await a.sql("UPDATE orders SET note = NULL");
      await sync(a, b);
      expect(await b.row("SELECT note FROM orders")).toEqual({ note: null });
      await b.sql("UPDATE orders SET note = 'found again'");
      await sync(b, a);
      expect(await a.row("SELECT note FROM orders")).toEqual({ note: "found again" });
      // Concurrently: the later one wins, be it NULL or not.
      await a.sql("UPDATE orders SET note = 'earlier'");
      await a.node.fold();
      b.clock.advance(1);
      await b.sql("UPDATE orders SET note = NULL");
      await settle([a, b]);
      expect(await a.row("SELECT note FROM orders")).toEqual({ note: null });
      await expectEqual(a, b);
    });

    test("faults 48: a field set to NULL and back within one fold is no loss to a concurrent earlier write", async () => {
      const [a, b] = (await sharing("a", "b")) as [TestNode, TestNode];
      await b.sql("UPDATE orders SET note = 'from b'");
      await b.node.fold();
      a.clock.advance(1);
      await a.sql("UPDATE orders SET note = NULL");
      await a.sql("UPDATE orders SET note = 'by phone'");
      await settle([a, b]);
      expect(await b.row("SELECT note FROM orders")).toEqual({ note: "by phone" });
      await expectEqual(a, b);
    });
  });

  describe("values from before capture", () => {
    const adopt = { before: [`INSERT INTO documents VALUES ('1', 'title', 'body', 100, '${textsOf("x", "y")}')`] };

    test("faults 46: rows adopted at 100 on two nodes, one more on each, are 102 everywhere", async () => {
      for (const folded of [false, true]) {
        const [a, b] = (await openNodes(["a", "b"], adopt)) as [TestNode, TestNode];
        const c = await openNode("c", { clock: a.clock });
        if (folded) await settle([a, b]);
        await a.sql("UPDATE documents SET view_count = view_count + 1");
        await b.sql("UPDATE documents SET view_count = view_count + 1");
        await settle([a, b], [b, c]);
        for (const node of [a, b, c])
          expect(await document(node)).toEqual({ title: "title", body: "body", views: 102, tags: ["x", "y"] });
        await expectEqual(a, b, c);
      }
    });

    test("faults 46: adopted sets keep their elements and their order when both nodes add one", async () => {
      const [a, b] = (await openNodes(["a", "b"], adopt)) as [TestNode, TestNode];
      await a.sql(`UPDATE documents SET tags = ${dialect.append("tags", "'from a'")}`);
      b.clock.advance(1);
      await b.sql(`UPDATE documents SET tags = '${textsOf("y", "from b")}'`);
      await settle([a, b]);
      expect(await document(a)).toMatchObject({ tags: ["y", "from a", "from b"] });
      await expectEqual(a, b);
    });

    test("faults 46: an adopted row changed on one node only is equal on the node that merely adopted it", async () => {
      const [a, b] = (await openNodes(["a", "b"], adopt)) as [TestNode, TestNode];
      await a.sql(`UPDATE documents SET view_count = 42, title = 'changed', tags = '${textsOf()}'`);
      await settle([b, a]);
      expect(await document(b)).toEqual({ title: "changed", body: "body", views: 42, tags: [] });
      await expectEqual(a, b);
    });

    test("faults 46: a counter column added with DEFAULT 100, counted up on two nodes, is 102 everywhere", async () => {
      const old = table("articles", { id: text("id").primaryKey(), name: lww(text("name").notNull()) });
      const now = table("articles", {
        id: text("id").primaryKey(),
        name: lww(text("name").notNull()),
        stock: counter(integer("stock").notNull().default(100)),
        labels: set(texts("labels").notNull().default(["new"])),
      });
      const [v1, v2] = [await makeSchema({ articles: old }), await makeSchema({ articles: now })];
      const added = await dialect.emitTables({ articles: now }, { articles: old });
      const [a, b] = (await openNodes(["a", "b"], v1)) as [TestNode, TestNode];
      for (const node of [a, b]) await node.sql("INSERT INTO articles (id, name) VALUES (?, 'own')", node.id);
      await a.sql("INSERT INTO articles (id, name) VALUES ('shared', 'both')");
      await settle([a, b]);
      const numbered = [(await a.node.store.position()).seq, (await b.node.store.position()).seq];

      const migrate = async (node: TestNode) => {
        for (const sql of added) await node.sql(sql);
        return openNode(node.id, { database: node.database, clock: node.clock, registry: v2.registry });
      };
      const [a2, b2] = [await migrate(a), await migrate(b)];
      // The column itself writes no metadata and sends nothing.
      expect([(await a2.node.store.position()).seq, (await b2.node.store.position()).seq]).toEqual(numbered);
      expect(await sync(a2, b2)).toMatchObject({ pulled: 0, pushed: 0 });

      for (const node of [a2, b2])
        await node.sql(
          `UPDATE articles SET stock = stock + 1, labels = ${dialect.append("labels", "?")}`,
          `from ${node.id}`,
        );
      await settle([a2, b2]);
      const c = await openNode("c", { clock: a.clock, ...v2 });
      await settle([c, a2], [b2, a2]);
      for (const node of [a2, b2, c]) {
        expect(await node.rows("SELECT id, stock FROM articles ORDER BY id")).toEqual([
          { id: "a", stock: 102 },
          { id: "b", stock: 102 },
          { id: "shared", stock: 102 },
        ]);
        expect(await node.row("SELECT labels FROM articles WHERE id = 'shared'")).toEqual({
          labels: ["new", "from a", "from b"],
        });
      }
      await expectEqual(a2, b2, c);
    });
  });
});
