// A database restored from a backup, or copied, has lost a piece of its history that its peers remember. It is found
// at the next contact, and a full exchange in both directions mends it: nothing missing, nothing counted twice.
import { createNode, createSyncer, type Transport } from "grove-crdt";
import { describe, expect, test } from "vitest";
import { Clock } from "./support/clock";
import { expectEqual } from "./support/comparison";
import type { Image } from "./support/dialect";
import { describeOnEach } from "./support/dialects";
import { settle, sync } from "./support/network";
import type { TestNode } from "./support/node";

describeOnEach("a restored database", ({ openNode, openNodes }) => {
  /** The process ends and the database goes back to `image`. */
  const restore = async (image: Image, id: string, clock: Clock): Promise<TestNode> =>
    openNode(id, { database: await image.restore(), clock });

  const insert = (node: TestNode, id: string) =>
    node.sql("INSERT INTO documents (id, title) VALUES (?, ?)", id, `by ${node.id}`);
  const count = (node: TestNode, id: string, by: number) =>
    node.sql("UPDATE documents SET view_count = view_count + ? WHERE id = ?", by, id);
  const views = async (node: TestNode, id: string) =>
    (await node.row<{ view_count: number }>("SELECT view_count FROM documents WHERE id = ?", id))?.view_count;

  const direct = ({ node }: TestNode): Pick<Transport, "pull" | "push"> => ({
    pull: (request) => node.pull(request),
    push: (request) => node.push(request),
  });

  describe("a database restored from an older image (faults 28, 56)", () => {
    async function history() {
      const clock = new Clock();
      const [hub, edge, other] = (await openNodes(["hub", "edge", "other"], { clock })) as [
        TestNode,
        TestNode,
        TestNode,
      ];
      await insert(edge, "old");
      await count(edge, "old", 1);
      await settle([edge, hub], [other, hub]);
      const images = { edge: await edge.database.image(), hub: await hub.database.image() };
      clock.advance(1000);
      await insert(edge, "new");
      await count(edge, "old", 10);
      await insert(other, "theirs");
      await count(other, "old", 100);
      await settle([edge, hub], [other, hub], [edge, hub]);
      clock.advance(1000);
      return { clock, hub, edge, other, images };
    }

    test("an edge gets back what it had sent, and its counters go on from there", async () => {
      const { clock, hub, other, images } = await history();
      const edge = await restore(images.edge, "edge", clock);
      expect(await views(edge, "old")).toBe(1);
      await insert(edge, "later");
      await count(edge, "old", 1000);
      await settle([edge, hub], [other, hub], [edge, hub]);
      for (const node of [hub, edge, other]) {
        expect((await node.rows<{ id: string }>("SELECT id FROM documents ORDER BY id")).map(({ id }) => id)).toEqual([
          "later",
          "new",
          "old",
          "theirs",
        ]);
        expect(await views(node, "old"), node.id).toBe(1111);
      }
      await expectEqual(hub, edge, other);
    });

    /** A backup made while something is written and not folded; the application writes before the node starts again. */
    async function unfolded(original: "dies" | "lives") {
      const clock = new Clock();
      const [hub, edge] = [await openNode("hub", { clock }), await openNode("edge", { clock, durable: true })];
      for (const id of ["busy", "calm", "later"]) await insert(edge, id);
      await settle([edge, hub]);
      for (const id of ["busy", "calm"]) await count(edge, id, 1);
      // The triggers' clock counts milliseconds.
      await new Promise((resolve) => setTimeout(resolve, 3));
      const image = await edge.database.image();
      await count(edge, "busy", 10);
      await count(edge, "later", 7);
      await settle([edge, hub]);
      const database = await image.restore();
      const raise = "UPDATE documents SET view_count = view_count + ? WHERE id = ?";
      await database.run(raise, [100, "later"]);
      clock.advance(1000);
      if (original === "dies") return { hub, clock, database, edge: null };
      await count(edge, "calm", 1000);
      return { hub, clock, database, edge };
    }

    test("what was written and not folded when the backup was made counts once, and so does what is written before the start", async () => {
      const { hub, clock, database } = await unfolded("dies");
      const edge = await openNode("edge", { clock, database });
      await settle([edge, hub]);
      for (const node of [hub, edge])
        expect(await node.rows("SELECT id, view_count AS views FROM documents ORDER BY id"), node.id).toEqual([
          { id: "busy", views: 11 },
          { id: "calm", views: 1 },
          { id: "later", views: 107 },
        ]);
      await expectEqual(hub, edge);
    });

    test("a copy that takes another name counts what was written and not folded once, whoever comes first (faults 27, 29)", async () => {
      const { hub, clock, database, edge } = await unfolded("lives");
      await createNode({ db: database.db, registry: database.dialect.registry, now: clock.now }).fork("copy");
      const renamed = await openNode("copy", { clock, database });
      await settle([renamed, hub], [edge as TestNode, hub], [renamed, hub]);
      for (const node of [hub, renamed])
        expect(await node.rows("SELECT id, view_count AS views FROM documents ORDER BY id"), node.id).toEqual([
          { id: "busy", views: 11 },
          { id: "calm", views: 1001 },
          { id: "later", views: 107 },
        ]);
    });

    test("a hub gets back what its edges had sent it, and serves it to edges that never had it", async () => {
      const { clock, edge, other, images } = await history();
      const hub = await restore(images.hub, "hub", clock);
      await count(hub, "old", 1000);
      await settle([edge, hub], [other, hub], [edge, hub]);
      const fresh = await openNode("fresh", { clock });
      await settle([fresh, hub]);
      for (const node of [hub, edge, other, fresh]) expect(await views(node, "old"), node.id).toBe(1111);
      await expectEqual(hub, edge, other, fresh);
    });

    test("a hub that lost only what was pushed to it last is found by a peer that has nothing new to push", async () => {
      const clock = new Clock();
      const [hub, edge] = (await openNodes(["hub", "edge"], { clock })) as [TestNode, TestNode];
      await insert(hub, "old");
      await settle([edge, hub]);
      // From here on the edge pulls nothing, so its pull cursor stays valid at the restored hub.
      const image = await hub.database.image();
      await insert(edge, "new");
      await sync(edge, hub);
      const restored = await restore(image, "hub", clock);
      await settle([edge, restored]);
      expect(await restored.rows("SELECT id FROM documents ORDER BY id")).toEqual([{ id: "new" }, { id: "old" }]);
      await expectEqual(edge, restored);
    });

    test("an edge that pushes before it asks, page by page, gets back what it had sent", async () => {
      const { clock, hub, images } = await history();
      const edge = await restore(images.edge, "edge", clock);
      await insert(edge, "later");
      await insert(edge, "latest");
      const syncer = createSyncer(edge.node, { peers: [{ url: "hub", ...direct(hub) }], pageRows: 1 });
      await syncer.flush();
      await syncer.sync();
      await syncer.sync();
      expect(await edge.rows("SELECT id FROM documents ORDER BY id")).toMatchObject(
        ["later", "latest", "new", "old", "theirs"].map((id) => ({ id })),
      );
      await expectEqual(hub, edge);
    });

    test("the full exchange happens once; then all is quiet", async () => {
      const { clock, hub, images } = await history();
      const edge = await restore(images.edge, "edge", clock);
      await settle([edge, hub]);
      expect(await sync(edge, hub)).toMatchObject({ pulled: 0, pushed: 0 });
    });
  });

  describe("incarnations", () => {
    test("each opening of a database draws one at its first write, and none without a write", async () => {
      const clock = new Clock();
      const first = await openNode("a", { clock });
      await insert(first, "x");
      await first.node.fold();
      const list = (node: TestNode) =>
        node.rows<{ id: string; first: number }>("SELECT id, first FROM _grove_incarnations ORDER BY ordinal");
      expect(await list(first)).toEqual([{ id: expect.stringMatching(/^[a-z0-9]{12}$/), first: 1 }]);
      const second = await restore(await first.database.image(), "a", clock);
      expect(await list(second)).toHaveLength(1);
      await insert(second, "y");
      await second.node.fold();
      expect(await list(second)).toMatchObject([{ first: 1 }, { first: 2 }]);
    });

    test("lineage 21: the clock does not go back over a restart, although the machine's does", async () => {
      const clock = new Clock();
      clock.advance(60_000);
      const first = await openNode("a", { clock });
      await insert(first, "x");
      await first.node.fold();
      const before = (await first.node.inspect("documents", ["x"]))!.life[0];
      clock.advance(-60_000);
      const second = await restore(await first.database.image(), "a", clock);
      await insert(second, "y");
      expect((await second.node.inspect("documents", ["y"]))!.life[0]).toBeGreaterThanOrEqual(before);
    });
  });
});
