// Both dialects as one system: whichever stands where, concurrent writes of every type end in the same rows and the same
// metadata.
import fc from "fast-check";
import { counter, lww, set } from "grove-crdt/schema";
import { describe, expect, test } from "vitest";
import { Clock } from "./support/clock";
import { contents, expectEqual, metadata } from "./support/comparison";
import { describeAcross } from "./support/dialects";
import { effort } from "./support/effort";
import { settle, sync } from "./support/network";
import type { TestNode } from "./support/node";

const row = (node: TestNode, id = "1") =>
  node.row("SELECT title, body, view_count AS views, tags FROM documents WHERE id = ?", id);
const tag = (node: TestNode, text: string, id = "1") =>
  node.sql(`UPDATE documents SET tags = ${node.dialect.append("tags", "?")} WHERE id = ?`, text, id);

describeAcross("both dialects", ({ sqlite, postgres }) => {
  /** A hub in the cloud and two edges. */
  async function star(): Promise<[TestNode, TestNode, TestNode]> {
    const hub = await postgres.openNode("hub");
    const [a, b] = await sqlite.openNodes(["a", "b"], { clock: hub.clock });
    return [hub, a!, b!];
  }
  async function order(node: TestNode, id: string, total: bigint, at: number): Promise<void> {
    const moment = node.dialect.time(at);
    await node.sql(`INSERT INTO orders (id, total, placed_at, note) VALUES (?, ?, ${moment}, 'n')`, id, total);
  }

  describe("a hub on Postgres and edges on SQLite", () => {
    test("rows of each side, with values at the edges of their types, are equal on the other", async () => {
      const [hub, a, b] = await star();
      const texts = [
        "",
        "'",
        '"',
        "\\",
        "é",
        "e\u0301",
        "😀",
        "\uffff",
        "a\nb\tc",
        "{}",
        "null",
        "NULL",
        '{"a":1}',
        " x ",
      ];
      for (const node of [hub, a]) {
        const tags = node.dialect.textsOf(...texts);
        await node.sql("INSERT INTO documents VALUES (?, 't', ?, 3, ?)", node.id, texts.join("|"), tags);
        await order(node, `${node.id} most`, 9_223_372_036_854_775_807n, 253_402_300_799_999);
        await order(node, `${node.id} least`, -9_223_372_036_854_775_808n, -62_135_596_800_000);
        await order(node, `${node.id} exact`, 9_007_199_254_740_993n, 1);
        for (const [n, text] of texts.entries())
          await node.sql("INSERT INTO documents (id, title) VALUES (?, ?)", `${node.id} ${n} ${text}`, text);
      }
      await settle([a, hub], [b, hub]);
      expect((await contents(hub)).documents?.length).toBe(2 * (texts.length + 1));
      expect((await contents(hub)).orders?.length).toBe(6);
      expect(await row(b, "hub")).toMatchObject({ tags: texts });
      expect(await row(hub, "a")).toMatchObject({ tags: texts });
      await expectEqual(hub, a, b);
    });

    test("concurrent writes of every type on all three end equal, none lost", async () => {
      const [hub, a, b] = await star();
      await hub.sql(
        `INSERT INTO documents VALUES ('1', 'title', 'body', 100, '${hub.dialect.textsOf("old", "gone")}')`,
      );
      await settle([a, hub], [b, hub]);
      hub.clock.advance(1000);
      await hub.sql("UPDATE documents SET title = 'of the hub', view_count = view_count + 1");
      await tag(hub, "hub");
      await a.sql("UPDATE documents SET body = 'of a', view_count = view_count + 10");
      await tag(a, "a");
      await b.sql(`UPDATE documents SET view_count = view_count - 50, tags = '${b.dialect.textsOf("old", "b")}'`);
      await settle([a, hub], [b, hub]);
      for (const node of [hub, a, b]) {
        const { tags, ...rest } = (await row(node)) as { tags: string[] };
        expect(rest).toEqual({ title: "of the hub", body: "of a", views: 61 });
        expect([...tags].sort()).toEqual(["a", "b", "hub", "old"]);
      }
      await expectEqual(hub, a, b);
    });

    test("of two concurrent values the later one wins, and of equal stamps the same one, on either side", async () => {
      const [hub, a] = await star();
      await hub.sql("INSERT INTO documents (id, title) VALUES ('1', 't'), ('2', 't')");
      await settle([a, hub]);
      hub.clock.advance(1000);
      await a.sql("UPDATE documents SET title = 'earlier, by the edge' WHERE id = '1'");
      await hub.sql("UPDATE documents SET title = 'earlier, by the hub' WHERE id = '2'");
      for (const { node } of [a, hub]) await node.fold();
      hub.clock.advance(1);
      await hub.sql("UPDATE documents SET title = 'later' WHERE id = '1'");
      await a.sql("UPDATE documents SET title = 'later' WHERE id = '2'");
      await hub.sql("UPDATE documents SET body = 'b' WHERE id = '1'");
      await a.sql("UPDATE documents SET body = 'ä' WHERE id = '1'");
      await settle([a, hub]);
      for (const id of ["1", "2"]) expect(await row(hub, id)).toMatchObject({ title: "later" });
      await expectEqual(hub, a);
    });

    test("rows are deleted and born again on both sides, and a delete wins over writes that did not know of it", async () => {
      const [hub, a, b] = await star();
      for (const id of ["1", "2", "3"]) await hub.sql("INSERT INTO documents (id, title) VALUES (?, 'first life')", id);
      await settle([a, hub], [b, hub]);
      await hub.sql("DELETE FROM documents WHERE id = '1'");
      await a.sql("UPDATE documents SET body = 'not known', view_count = 5 WHERE id = '1'");
      await b.sql("DELETE FROM documents WHERE id = '2'");
      await b.node.fold();
      await b.sql("INSERT INTO documents (id, title) VALUES ('2', 'second life')");
      await hub.sql("UPDATE documents SET view_count = 7 WHERE id = '2'");
      await a.sql("DELETE FROM documents WHERE id = '3'");
      await hub.sql("DELETE FROM documents WHERE id = '3'");
      await settle([a, hub], [b, hub]);
      expect(await hub.rows("SELECT id, title, view_count AS views FROM documents")).toEqual([
        { id: "2", title: "second life", views: 0 },
      ]);
      await expectEqual(hub, a, b);
    });
  });

  for (const [title, places] of [
    ["from Postgres through SQLite to Postgres", ["postgres", "sqlite", "postgres"]],
    ["from SQLite through Postgres to SQLite", ["sqlite", "postgres", "sqlite"]],
  ] as const) {
    test(`what a node does not know is relayed, ${title}`, async () => {
      const suites = { sqlite, postgres };
      const clock = new Clock();
      const nodes: TestNode[] = [];
      for (const [n, place] of places.entries()) {
        const { table, text, integer, texts } = suites[place].dialect;
        const old = { id: text("id").primaryKey(), title: lww(text("title").notNull()) };
        const notes = table(
          "notes",
          n === 1
            ? old
            : {
                ...old,
                rank: lww(integer("rank")),
                likes: counter(integer("likes").notNull().default(0)),
                labels: set(texts("labels").notNull().default([])),
              },
        );
        nodes.push(
          await suites[place].openNode("abc"[n] as string, { clock, ...(await suites[place].makeSchema({ notes })) }),
        );
      }
      const [left, middle, right] = nodes as [TestNode, TestNode, TestNode];
      const links = [
        [left, middle],
        [right, middle],
      ] as const;
      await left.sql(`INSERT INTO notes VALUES ('1', 'title', -1, 5, '${left.dialect.textsOf("x")}')`);
      await settle(...links);
      clock.advance(1);
      await right.sql("UPDATE notes SET rank = NULL, likes = likes + 10");
      await left.sql(`UPDATE notes SET likes = likes + 1, labels = '${left.dialect.textsOf("x", "l")}'`);
      await middle.sql("UPDATE notes SET title = 'from the middle'");
      await settle(...links);
      expect(await right.row("SELECT * FROM notes")).toEqual({
        id: "1",
        title: "from the middle",
        rank: null,
        likes: 16,
        labels: ["x", "l"],
      });
      await expectEqual(left, right);
      expect(await metadata(middle)).toEqual(await metadata(left));
    });
  }

  test("any writes on three nodes of both dialects, with exchanges in any order, end equal", async () => {
    const write = fc.record({
      node: fc.nat({ max: 2 }),
      id: fc.constantFrom("1", "2"),
      what: fc.constantFrom("insert", "delete", "title", "count", "tag", "untag", "order", "stock", "sync"),
      n: fc.nat({ max: 9 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(write, { minLength: 5, maxLength: 25 }), async (steps) => {
        const [hub, a, b] = await star();
        const nodes = [hub, a, b];
        const done = { increments: 0 };
        for (const { node: place, id, what, n } of steps) {
          const node = nodes[place] as TestNode;
          node.clock.advance(n % 3);
          if (what === "insert")
            await node.sql("INSERT INTO documents (id, title) VALUES (?, ?) ON CONFLICT (id) DO NOTHING", id, `t${n}`);
          if (what === "delete") await node.sql("DELETE FROM documents WHERE id = ?", id);
          if (what === "title")
            await node.sql("UPDATE documents SET title = ?, body = 'x' WHERE id = ?", `by ${n}`, id);
          if (what === "count") await node.sql("UPDATE documents SET view_count = view_count + ? WHERE id = ?", n, id);
          if (what === "tag") await tag(node, `g${n}`, id);
          if (what === "untag")
            await node.sql(`UPDATE documents SET tags = '${node.dialect.textsOf("only")}' WHERE id = ?`, id);
          if (what === "order") await order(node, `${id}${node.id}${n}`, BigInt(n), n).catch(() => {});
          if (what === "stock") {
            await node.sql("INSERT INTO inventory (store, sku, name) VALUES ('s', 'i', 'n') ON CONFLICT DO NOTHING");
            await node.sql("UPDATE inventory SET quantity = quantity + ?", n);
            done.increments += n;
          }
          if (what === "sync" && node !== hub) await sync(node, hub);
        }
        await settle([a, hub], [b, hub]);
        await expectEqual(hub, a, b);
        const [stock] = await hub.rows<{ quantity: number }>("SELECT quantity FROM inventory");
        expect(stock?.quantity ?? 0).toBe(done.increments);
        for (const node of nodes) await node.close();
      }),
      { numRuns: effort(6) },
    );
  });
});
