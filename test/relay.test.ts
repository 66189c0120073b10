// Relay: what came from one peer reaches the others and is not sent back; counters add up whoever passes them on; what a
// node does not understand it passes on all the same.

import { counter, lww, set } from "grove-crdt/schema";
import { describe, expect, test } from "vitest";
import { dump, expectEqual } from "./support/comparison";
import { describeOnEach } from "./support/dialects";
import { settle, sync } from "./support/network";
import type { TestNode } from "./support/node";

describeOnEach("relay", ({ dialect, openNode, openNodes, makeSchema }) => {
  const { textsOf } = dialect;
  const document = (node: TestNode, id = "1") =>
    node.row("SELECT title, body, view_count AS views, tags FROM documents WHERE id = ?", id);
  const insert = (node: TestNode, id: string) =>
    node.sql("INSERT INTO documents (id, title) VALUES (?, ?)", id, `of ${node.id}`);

  describe("a ring of five", () => {
    const ring = async () => {
      const nodes = await openNodes(["a", "b", "c", "d", "e"]);
      const edges = nodes.map((node, n) => [node, nodes[(n + 1) % 5]!] as const);
      return { nodes, edges };
    };
    const traffic = (nodes: readonly TestNode[]) =>
      nodes.reduce((sum, { traffic }) => sum + traffic.served + traffic.received, 0);

    test("faults 21: everybody's writes reach everybody, a merge is captured by nobody, and then all is quiet", async () => {
      const { nodes, edges } = await ring();
      for (const node of nodes) {
        await insert(node, node.id);
        await insert(node, "shared");
        await node.sql(
          `UPDATE documents SET view_count = view_count + 1, tags = ${dialect.append("tags", "?")} WHERE id = 'shared'`,
          node.id,
        );
      }
      await settle(...edges);
      for (const node of nodes) expect(await document(node, "shared")).toMatchObject({ views: 5 });
      await expectEqual(...nodes);
      const dumps = () => Promise.all(nodes.map((node) => dump(node, ["_grove_peers"])));
      const before = await dumps();
      const moved = traffic(nodes);
      for (let round = 0; round < 3; round++)
        for (const [from, to] of edges) expect(await sync(from, to)).toMatchObject({ pulled: 0, pushed: 0 });
      expect(traffic(nodes)).toBe(moved);
      expect(await dumps()).toEqual(before);
      for (const node of nodes) expect(await node.row("SELECT count(*) AS n FROM _documents_log")).toEqual({ n: 0 });
    });

    test("faults 21: one write travels once over each link of the ring, and no second time", async () => {
      const { nodes, edges } = await ring();
      await insert(nodes[0]!, "1");
      await settle(...edges);
      const start = traffic(nodes);
      await nodes[0]!.sql("UPDATE documents SET title = 'changed'");
      const numbers = () => Promise.all(nodes.map(async ({ node }) => (await node.store.position()).seq));
      const seqs = await numbers();
      await settle(...edges);
      for (const node of nodes) expect(await document(node)).toMatchObject({ title: "changed" });
      // Five links, each once; the last one joins two nodes that have it from the other side, so both may offer it.
      expect(traffic(nodes) - start).toBeLessThanOrEqual(6);
      // Every node numbered it once: nothing was merged or captured a second time.
      expect((await numbers()).map((seq, n) => seq - seqs[n]!)).toEqual([1, 1, 1, 1, 1]);
      await expectEqual(...nodes);
    });

    test("faults 21: after heavy writing at every node, the ring is quiet within two rounds per hop", async () => {
      const { nodes, edges } = await ring();
      for (let round = 0; round < 5; round++) {
        for (const node of nodes) {
          node.clock.advance(3);
          await insert(node, `${node.id}${round}`);
          await node.sql(
            `UPDATE documents SET view_count = view_count + 1, body = body || ?, tags = ${dialect.append("tags", "?")}`,
            node.id,
            `${node.id}${round}`,
          );
          if (round % 2 === 1) await node.sql("DELETE FROM documents WHERE id = (SELECT min(id) FROM documents)");
        }
        for (const [from, to] of edges.slice(0, 1 + (round % 5))) await sync(from, to);
      }
      expect(await settle(...edges)).toBeLessThanOrEqual(10);
      await expectEqual(...nodes);
      expect(await settle(...edges)).toBe(1);
    });
  });

  describe("a hub", () => {
    test("lineage 12: counts of several edges, passed on by a hub that counts as well, add up everywhere", async () => {
      const [hub, a, b, c] = (await openNodes(["hub", "a", "b", "c"])) as [TestNode, TestNode, TestNode, TestNode];
      await insert(hub, "1");
      const star = [
        [a, hub],
        [b, hub],
        [c, hub],
      ] as const;
      await settle(...star);
      for (let round = 1; round <= 4; round++) {
        for (const [n, node] of [hub, a, b].entries()) {
          for (let times = 0; times <= n; times++) await node.sql("UPDATE documents SET view_count = view_count + 10");
          await node.sql("UPDATE documents SET view_count = view_count - 1");
        }
        if (round % 2 === 0) await settle(...star);
      }
      // Each round: 10 + 20 + 30, less 3.
      for (const node of [hub, a, b, c]) expect(await document(node)).toMatchObject({ views: 4 * 57 });
      await expectEqual(hub, a, b, c);
      const totals = (await c.node.inspect("documents", ["1"]))!.counter!.view_count!.totals!;
      expect(totals.map(([, node]) => node).sort()).toEqual(["a", "b", "hub"]);
    });

    test("lineage 12: a count that reaches a node by two ways counts once", async () => {
      const [left, right, a, b] = (await openNodes(["left", "right", "a", "b"])) as [
        TestNode,
        TestNode,
        TestNode,
        TestNode,
      ];
      await insert(a, "1");
      const links = [
        [a, left],
        [a, right],
        [b, left],
        [b, right],
      ] as const;
      await settle(...links);
      for (let round = 0; round < 3; round++) {
        await a.sql("UPDATE documents SET view_count = view_count + 5");
        await b.sql("UPDATE documents SET view_count = view_count + 7");
        for (const [from, to] of links) await sync(from, to);
      }
      await settle(...links);
      for (const node of [left, right, a, b]) expect(await document(node)).toMatchObject({ views: 36 });
      await expectEqual(left, right, a, b);
    });

    test("lineage 12: counts of a node that was restarted add to those from before", async () => {
      const hub = await openNode("hub");
      let edge = await openNode("edge", { durable: true, clock: hub.clock });
      const restart = async () => {
        edge = await openNode("edge", { database: await edge.database.reopen(), clock: hub.clock });
      };
      for (let start = 1; start <= 3; start++) {
        if (start === 1) await insert(edge, "1");
        for (let n = 0; n < start; n++) {
          await edge.sql("UPDATE documents SET view_count = view_count + 1");
          await sync(edge, hub);
        }
        await restart();
      }
      expect(await document(hub)).toMatchObject({ views: 6 });
      await hub.sql("UPDATE documents SET view_count = view_count + 4");
      await settle([edge, hub]);
      expect(await document(edge)).toMatchObject({ views: 10 });
      await expectEqual(edge, hub);
    });

    test("lineage 14: two nodes' processes on one file that count and fold at once lose and double nothing", async () => {
      const hub = await openNode("hub");
      const one = await openNode("edge", { durable: true, clock: hub.clock });
      const two = await openNode("edge", { database: await one.database.beside(), clock: hub.clock });
      await insert(one, "1");
      for (let round = 0; round < 20; round++) {
        for (const process of [one, two]) {
          await process.sql("UPDATE documents SET view_count = view_count + 1");
          await process.sql("UPDATE documents SET view_count = view_count + 2");
        }
        // Both may find the same captured writes; the first one takes them.
        await Promise.all([
          one.node.fold(),
          two.node.fold(),
          round % 3 === 0 ? sync(one, hub) : null,
          round % 4 === 0 ? sync(two, hub) : null,
        ]);
      }
      await settle([one, hub], [two, hub]);
      expect(await document(hub)).toMatchObject({ views: 120 });
      expect(await document(one)).toMatchObject({ views: 120 });
      await expectEqual(one, two, hub);
    });

    test("lineage 14: increments are captured in the statement itself: concurrent ones on two nodes both count, in any order", async () => {
      const [a, b] = (await openNodes(["a", "b"])) as [TestNode, TestNode];
      await insert(a, "1");
      await settle([a, b]);
      // Written as an absolute value, as an ORM does that has read 0: still an increment of five.
      await a.sql("UPDATE documents SET view_count = 5 WHERE id = '1'");
      await b.sql("UPDATE documents SET view_count = 3 WHERE id = '1'");
      await b.sql("UPDATE documents SET view_count = 1 WHERE id = '1'");
      await settle([a, b]);
      expect(await document(a)).toMatchObject({ views: 6 });
      await expectEqual(a, b);
    });
  });

  test("what a syncer did not send before goes in one exchange, however many pages it is", async () => {
    const [edge, hub] = (await openNodes(["edge", "hub"])) as [TestNode, TestNode];
    for (let n = 0; n < 9; n++) await insert(edge, `${n}`);
    await sync(edge, hub, { only: { documents: { keys: [["0"]] } } });
    expect(await hub.rows("SELECT id FROM documents")).toHaveLength(1);
    await sync(edge, hub, { pageRows: 2 });
    expect(await hub.rows("SELECT id FROM documents")).toHaveLength(9);
  });

  describe("what a node does not know", () => {
    const { integer, table, text, texts } = dialect;
    const version1 = {
      notes: table("notes", { id: text("id").primaryKey(), title: lww(text("title").notNull()) }),
    };
    const version2 = {
      notes: table("notes", {
        id: text("id").primaryKey(),
        title: lww(text("title").notNull()),
        color: lww(text("color")),
        rank: lww(integer("rank")),
        likes: counter(integer("likes").notNull().default(0)),
        labels: set(texts("labels").notNull().default([])),
      }),
    };
    const note = (node: TestNode) => node.row("SELECT * FROM notes WHERE id = '1'");

    async function versions(): Promise<[TestNode, TestNode, TestNode]> {
      const [v1, v2] = [await makeSchema(version1), await makeSchema(version2)];
      const left = await openNode("left", v2);
      const middle = await openNode("middle", { ...v1, clock: left.clock });
      const right = await openNode("right", { ...v2, clock: left.clock });
      return [left, middle, right];
    }

    test("unknown columns of every type are kept, merged and relayed through a node that does not know them", async () => {
      const [left, middle, right] = await versions();
      const links = [
        [left, middle],
        [right, middle],
      ] as const;
      await left.sql(`INSERT INTO notes VALUES ('1', 'title', 'red', -1, 5, '${textsOf("x")}')`);
      await settle(...links);
      expect(await note(middle)).toEqual({ id: "1", title: "title" });
      expect(await note(right)).toEqual({ id: "1", title: "title", color: "red", rank: -1, likes: 5, labels: ["x"] });

      await left.sql(`UPDATE notes SET color = 'green', likes = likes + 1, labels = '${textsOf("x", "l")}'`);
      left.clock.advance(1);
      await right.sql(`UPDATE notes SET rank = NULL, likes = likes + 10, labels = '${textsOf("r")}'`);
      await middle.sql("UPDATE notes SET title = 'from the middle'");
      await settle(...links);
      const merged = { id: "1", title: "from the middle", color: "green", rank: null, likes: 16, labels: ["l", "r"] };
      for (const node of [left, right]) expect(await note(node)).toEqual(merged);
      expect(await note(middle)).toEqual({ id: "1", title: "from the middle" });
      await expectEqual(left, right);

      // A row that is born at the node which does not know them has their defaults.
      await middle.sql("INSERT INTO notes VALUES ('2', 'short')");
      await settle(...links);
      expect(await right.row("SELECT color, rank, likes, labels FROM notes WHERE id = '2'")).toEqual({
        color: null,
        rank: null,
        likes: 0,
        labels: [],
      });
      await expectEqual(left, right);
    });

    test("a delete and a new life at the node that does not know a column take its old value along", async () => {
      const [left, middle, right] = await versions();
      const links = [
        [left, middle],
        [right, middle],
      ] as const;
      await left.sql(`INSERT INTO notes VALUES ('1', 'title', 'red', 7, 5, '${textsOf("x")}')`);
      await settle(...links);
      await middle.sql("DELETE FROM notes");
      await middle.sql("INSERT INTO notes VALUES ('1', 'again')");
      await settle(...links);
      for (const node of [left, right])
        expect(await note(node)).toEqual({ id: "1", title: "again", color: null, rank: null, likes: 0, labels: [] });
      await expectEqual(left, right);
    });

    test("a table that a peer does not know, and does not keep, is not asked of it, and the others sync", async () => {
      const schema = await makeSchema(version1);
      const other = table("others", { id: text("id").primaryKey(), name: lww(text("name")) });
      const both = await makeSchema({ ...version1, other });
      const a = await openNode("a", both);
      const b = await openNode("b", { ...schema, clock: a.clock, tables: ["notes"] });
      await a.sql("INSERT INTO notes VALUES ('1', 'title')");
      await a.sql("INSERT INTO others VALUES ('1', 'name')");
      expect(await sync(a, b)).toMatchObject({ pushed: 1, applied: 1, error: null });
      expect(await sync(b, a)).toMatchObject({ pulled: 1, error: null });
      expect(await note(b)).toEqual({ id: "1", title: "title" });
    });
  });
});
