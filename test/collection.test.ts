// Collections: `node.collect()` forgets deletions once every node has heard of them, and nobody misses them (fault 22, lineage 7).
import { type ChangeRecord, GroveError, type SyncHook } from "grove-crdt";
import { lww } from "grove-crdt/schema";
import { describe, expect, test } from "vitest";
import { Clock } from "./support/clock";
import { expectEqual } from "./support/comparison";
import { describeOnEach } from "./support/dialects";
import { link, settle, sync } from "./support/network";
import type { TestNode } from "./support/node";

type Three = [TestNode, TestNode, TestNode];

describeOnEach("a collection", ({ dialect, openNodes, openNode, makeSchema }) => {
  const insert = (node: TestNode, id: string, title = "t") =>
    node.sql("INSERT INTO documents (id, title) VALUES (?, ?)", id, title);
  const remove = (node: TestNode, id: string) => node.sql("DELETE FROM documents WHERE id = ?", id);
  const titles = async (node: TestNode) =>
    (await node.rows<{ title: string }>("SELECT title FROM documents ORDER BY id")).map(({ title }) => title);
  const shadows = async (node: TestNode) =>
    Number((await node.rows<{ n: number }>("SELECT count(*) AS n FROM _documents_crdt"))[0]?.n);
  /** The process ends, and another one opens the same data. */
  const again = async (node: TestNode, clock: Clock) =>
    openNode(node.id, { database: await (await node.database.image()).restore(), clock });
  const state = async (node: TestNode) => (await node.node.collection()).rounds.at(-1)?.state;

  describe("forgets what was deleted", () => {
    test("once all have heard of it, over a hub that begins it", async () => {
      const [hub, a, b] = (await openNodes(["hub", "a", "b"])) as Three;
      for (const id of ["1", "2", "3"]) await insert(a, id);
      await settle([a, hub], [b, hub]);
      await remove(a, "1");
      await remove(b, "2");
      await settle([a, hub], [b, hub]);
      for (const node of [hub, a, b]) expect(await shadows(node)).toBe(3);
      await hub.node.collect();
      for (let n = 0; n < 4; n++) for (const edge of [a, b]) await sync(edge, hub);
      for (const node of [hub, a, b]) {
        expect(await state(node)).toBe("ended");
        expect(await shadows(node)).toBe(1);
        expect(await titles(node)).toEqual(["t"]);
      }
      await expectEqual(hub, a, b);
    });

    test("when an edge begins it, through a chain", async () => {
      const [a, b, c] = (await openNodes(["a", "b", "c"])) as Three;
      await insert(a, "1");
      await settle([a, b], [b, c]);
      await remove(c, "1");
      await settle([a, b], [b, c]);
      await a.node.collect();
      for (let n = 0; n < 6; n++) {
        await sync(a, b);
        await sync(b, c);
      }
      for (const node of [a, b, c]) expect(await shadows(node)).toBe(0);
      await expectEqual(a, b, c);
    });

    test("and a row inserted again afterwards lives, wherever it was", async () => {
      const [hub, a, b] = (await openNodes(["hub", "a", "b"])) as Three;
      await insert(a, "1", "first");
      await settle([a, hub], [b, hub]);
      await remove(a, "1");
      await settle([a, hub], [b, hub]);
      await hub.node.collect();
      await sync(a, hub);
      // Inserted again while the round is under way.
      await insert(a, "1", "again");
      for (let n = 0; n < 4; n++) for (const edge of [a, b]) await sync(edge, hub);
      await insert(b, "2", "new");
      await settle([a, hub], [b, hub]);
      for (const node of [hub, a, b]) expect(await titles(node)).toEqual(["again", "new"]);
      await expectEqual(hub, a, b);
    });
  });

  test("waits for who is away, and says so", async () => {
    const [hub, a, b] = (await openNodes(["hub", "a", "b"])) as Three;
    await insert(a, "1");
    await settle([a, hub], [b, hub]);
    await remove(a, "1");
    await settle([a, hub]);
    await hub.node.collect();
    for (let n = 0; n < 4; n++) await sync(a, hub);
    const { rounds } = await hub.node.collection();
    expect(rounds[0]).toMatchObject({ state: "open", by: "hub" });
    expect(rounds[0]?.awaited.map(({ node }) => node)).toContain("b");
    expect(await shadows(hub)).toBe(1);
    await expect(hub.node.collect()).rejects.toMatchObject({ code: "collecting" });
    // It comes back, with a write to the row that is dead.
    await b.sql("UPDATE documents SET title = 'late' WHERE id = '1'");
    for (let n = 0; n < 4; n++) for (const edge of [b, a]) await sync(edge, hub);
    for (const node of [hub, a, b]) {
      expect(await titles(node)).toEqual([]);
      expect(await shadows(node)).toBe(0);
    }
  });

  describe("waits while a deletion is rejected, until that is settled", () => {
    const stays = (is: { open: boolean }) => ({
      beforeInboundChange: (change: ChangeRecord) => {
        if (change.tombstone && !is.open) throw new GroveError("forbidden", "stays");
        return change;
      },
    });
    async function setUp(rejecting: "hub" | "a") {
      const is = { open: false };
      const clock = new Clock();
      const open = (id: string) => openNode(id, { clock, ...(id === rejecting && { hooks: [stays(is) as SyncHook] }) });
      const [hub, a, b] = [await open("hub"), await open("a"), await open("b")] as Three;
      await insert(a, "1");
      await settle([a, hub], [b, hub]);
      await remove(b, "1");
      const round = async () => {
        for (let n = 0; n < 4; n++) for (const edge of [a, b]) await sync(edge, hub);
      };
      await round();
      clock.advance(1000);
      await hub.node.collect();
      await round();
      await round();
      return { is, hub, a, b, round };
    }

    test("by a node that pulls it", async () => {
      const { is, hub, a, b, round } = await setUp("a");
      expect(await titles(a)).toEqual(["t"]);
      expect((await hub.node.collection()).rounds[0]).toMatchObject({
        state: "open",
        awaited: expect.arrayContaining([{ node: "a", why: expect.stringContaining("has not merged everything of") }]),
      });
      is.open = true;
      for (const { id } of await a.node.rejected()) await a.node.retry(id);
      await round();
      for (const node of [hub, a, b]) expect([await state(node), await shadows(node)]).toEqual(["ended", 0]);
    });

    test("by a node to which it is pushed", async () => {
      const { is, hub, a, b, round } = await setUp("hub");
      for (const node of [hub, a]) expect(await titles(node)).toEqual(["t"]);
      expect(await state(hub)).toBe("open");
      is.open = true;
      for (const { id } of await b.node.rejected()) await b.node.retry(id);
      await round();
      for (const node of [hub, a, b]) expect([await state(node), await shadows(node)]).toEqual(["ended", 0]);
    });
  });

  test("who was struck off is refused with the cure, and brings nothing back (fault 22)", async () => {
    const [hub, a, b] = (await openNodes(["hub", "a", "b"])) as Three;
    await insert(a, "1");
    await settle([a, hub], [b, hub]);
    await remove(a, "1");
    await settle([a, hub]);
    await hub.node.collect({ strike: ["b"] });
    await expect(sync(b, hub)).rejects.toMatchObject({ code: "struck_off" });
    for (let n = 0; n < 3; n++) await sync(a, hub);
    expect(await shadows(hub)).toBe(0);
    await expect(sync(b, hub)).rejects.toMatchObject({
      code: "struck_off",
      message: expect.stringContaining("rejoin"),
    });
    await expect(sync(hub, b)).rejects.toMatchObject({ code: "struck_off" });
    expect(await titles(hub)).toEqual([]);
    await expectEqual(hub, a);
  });

  test("a new node joins afterwards, and waits while the others are ready", async () => {
    const [hub, a, b] = (await openNodes(["hub", "a", "b"])) as Three;
    await insert(a, "1");
    await settle([a, hub], [b, hub]);
    await remove(a, "1");
    await settle([a, hub], [b, hub]);
    await hub.node.collect();
    // The first exchange tells that a round is under way, the second takes part.
    for (let n = 0; n < 2; n++) for (const edge of [a, b]) await sync(edge, hub);
    const c = await openNode("c");
    await insert(c, "2", "own");
    await expect(sync(c, hub)).rejects.toMatchObject({ code: "collecting" });
    await expect(sync(hub, c)).rejects.toMatchObject({ code: "collecting" });
    for (let n = 0; n < 2; n++) for (const edge of [a, b]) await sync(edge, hub);
    await settle([c, hub], [a, hub], [b, hub]);
    for (const node of [hub, a, b, c]) expect(await titles(node)).toEqual(["own"]);
    await expectEqual(hub, a, b, c);
  });

  test("is given up by who began it", async () => {
    const [hub, a] = (await openNodes(["hub", "a"])) as [TestNode, TestNode];
    await settle([a, hub]);
    await hub.node.collect();
    await sync(a, hub);
    await expect(a.node.cancelCollection()).rejects.toMatchObject({ code: "bad_request" });
    await hub.node.cancelCollection();
    // However often that happens, no more than the latest is told of.
    for (let n = 0; n < 20; n++) {
      await hub.node.collect();
      await hub.node.cancelCollection();
    }
    expect((await hub.node.collection()).rounds).toHaveLength(1);
    for (let n = 0; n < 3; n++) await sync(a, hub);
    expect(await state(a)).toBe("cancelled");
    await hub.node.collect();
    for (let n = 0; n < 4; n++) await sync(a, hub);
    expect(await state(a)).toBe("ended");
  });

  test("is given up by those that are left when all who carried it out were restored (fault 28)", async () => {
    const clock = new Clock();
    const [hub, b] = (await openNodes(["hub", "b"], { clock })) as [TestNode, TestNode];
    await insert(hub, "1");
    await hub.node.collect();
    for (let n = 0; n < 4; n++) await sync(b, hub);
    const image = await hub.database.image();
    clock.advance(1000);
    await hub.node.collect({ strike: ["b"] });
    await b.node.store.stepCollection({ heard: (await hub.node.store.collection()).rounds });
    const restored = await openNode("hub", { database: await image.restore(), clock });
    await insert(b, "2");
    for (const [one, other] of [[b, restored] as const, [restored, b] as const])
      await expect(sync(one, other)).rejects.toMatchObject({ code: "struck_off" });
    for (const node of [b, restored]) await node.node.cancelCollection();
    await settle([b, restored]);
    expect(await titles(restored)).toEqual(["t", "t"]);
    await expectEqual(restored, b);
    // Had somebody been left who carried it out, that one would refuse it as before.
    await expect(sync(b, hub)).rejects.toMatchObject({ code: "struck_off" });
  });

  test("makes one of the totals of a counter that nobody adds to any more", async () => {
    const clock = new Clock();
    let [hub, a] = (await openNodes(["hub", "a"], { clock })) as [TestNode, TestNode];
    await insert(a, "1");
    await settle([a, hub]);
    const totals = async (node: TestNode) =>
      (await node.node.inspect("documents", ["1"]))?.counter?.view_count?.totals?.map(([incarnation]) => incarnation);
    const count = async (node: TestNode, by: number) =>
      node.sql("UPDATE documents SET view_count = view_count + ? WHERE id = '1'", by);
    const views = async (node: TestNode) =>
      Number((await node.row<{ n: unknown }>("SELECT view_count AS n FROM documents"))?.n);
    // Every start of a process, or of a server, counts under a name of its own.
    for (let n = 0; n < 4; n++) {
      await count(a, 10);
      await sync(a, hub);
      a = await again(a, clock);
    }
    await count(hub, 1);
    await sync(a, hub);
    expect(await totals(a)).toHaveLength(5);
    await hub.node.collect();
    for (let n = 0; n < 4; n++) await sync(a, hub);
    for (const node of [hub, a]) {
      expect(await totals(node)).toHaveLength(2);
      expect(await totals(node)).toContain("closed");
      expect(await views(node)).toBe(41);
    }
    await count(a, 100);
    hub = await again(hub, clock);
    await count(hub, 1000);
    await sync(a, hub);
    await settle([a, hub]);
    for (const node of [hub, a]) expect(await views(node)).toBe(1141);
    await expectEqual(hub, a);
    for (const node of [hub, a]) expect(await node.node.verify()).toEqual([]);
  });

  describe("a node that was struck off and rejoins (fault 22)", () => {
    /** `b` was away while a row was deleted and forgotten; it wrote meanwhile. */
    async function history() {
      const clock = new Clock();
      const [hub, a, b] = (await openNodes(["hub", "a", "b"], { clock })) as Three;
      for (const id of ["dead", "alive", "again"]) await insert(a, id, "old");
      await settle([a, hub], [b, hub]);
      // What came from the others and was never looked at for a push is nothing that b wrote.
      await insert(a, "late", "old");
      await settle([a, hub]);
      await sync(b, hub);
      clock.advance(1000);
      await b.sql("UPDATE documents SET title = 'lost' WHERE id = 'dead'");
      await b.sql("UPDATE documents SET title = 'of b', view_count = view_count + 5 WHERE id = 'alive'");
      await b.sql("UPDATE documents SET title = 'of the first life' WHERE id = 'again'");
      await insert(b, "own", "by b");
      await b.node.fold();
      clock.advance(1000);
      await remove(a, "dead");
      await remove(a, "again");
      await remove(a, "late");
      await a.sql("UPDATE documents SET view_count = view_count + 2 WHERE id = 'alive'");
      await settle([a, hub]);
      await hub.node.collect({ strike: ["b"] });
      for (let n = 0; n < 3; n++) await sync(a, hub);
      expect(await state(hub)).toBe("ended");
      await insert(a, "again", "second life");
      await sync(a, hub);
      return { clock, hub, a, b };
    }
    const all = async (node: TestNode) =>
      (
        await node.rows<{ id: string; title: string; n: unknown }>(
          "SELECT id, title, view_count AS n FROM documents ORDER BY id",
        )
      ).map(({ id, title, n }) => `${id}: ${title}, ${Number(n)}`);
    const EXPECTED = ["again: second life, 0", "alive: of b, 7", "own: by b, 0"];

    test("has what the others have, and its own new writes survive", async () => {
      const { hub, a, b } = await history();
      await expect(sync(b, hub)).rejects.toMatchObject({ code: "struck_off" });
      const report = await link(b, hub).rejoin();
      expect(report).toMatchObject({ peer: "hub", removed: 2, restored: 2, kept: 2 });
      // What was written to what is gone is on record.
      const rejected = await b.node.rejected();
      expect(rejected.map(({ pk, code }) => `${pk} ${code}`).sort()).toEqual(["again struck_off", "dead struck_off"]);
      await settle([b, hub], [a, hub]);
      for (const node of [hub, a, b]) expect(await all(node)).toEqual(EXPECTED);
      await expectEqual(hub, a, b);
      for (const node of [hub, a, b]) expect(await node.node.verify()).toEqual([]);
      for (const { id } of rejected) await b.node.revert(id);
      expect(await b.node.rejected()).toEqual([]);
      // It is a member like others again.
      await hub.node.collect();
      for (let n = 0; n < 4; n++) for (const edge of [a, b]) await sync(edge, hub);
      expect(await state(b)).toBe("ended");
    });

    test("goes on where its process ended in between", async () => {
      const { clock, hub, a, b } = await history();
      const broken = link(b, hub, {}, async (path, body, forward) => {
        if (path === "/pull" && !body.includes('"rows":0')) throw new Error("cut");
        return forward(path, body);
      });
      await expect(broken.rejoin()).rejects.toMatchObject({ code: "transport" });
      const after = await again(b, clock);
      await expect(sync(after, hub)).rejects.toMatchObject({ code: "struck_off" });
      await link(after, hub).rejoin();
      await settle([after, hub], [a, hub]);
      for (const node of [hub, a, after]) expect(await all(node)).toEqual(EXPECTED);
      await expectEqual(hub, a, after);
    });

    test("does so while the next collection is under way, which waits for it", async () => {
      const { hub, a, b } = await history();
      await hub.node.collect();
      for (let n = 0; n < 3; n++) await sync(a, hub);
      await expect(sync(b, hub)).rejects.toMatchObject({ code: "struck_off" });
      expect(await state(hub)).toBe("open");
      await link(b, hub).rejoin();
      for (let n = 0; n < 4; n++) for (const edge of [b, a]) await sync(edge, hub);
      for (const node of [hub, a, b]) {
        expect(await state(node)).toBe("ended");
        expect(await all(node)).toEqual(EXPECTED);
      }
      await expectEqual(hub, a, b);
    });

    test("counts nothing twice, though its backup does not know that it was sent", async () => {
      const clock = new Clock();
      let [hub, b] = (await openNodes(["hub", "b"], { clock })) as [TestNode, TestNode];
      await insert(hub, "1");
      await settle([b, hub]);
      await b.sql("UPDATE documents SET view_count = view_count + 5 WHERE id = '1'");
      await b.node.fold();
      const image = await b.database.image();
      await sync(b, hub);
      b = await again(b, clock);
      await b.sql("UPDATE documents SET view_count = view_count + 2 WHERE id = '1'");
      await hub.node.collect();
      for (let n = 0; n < 4; n++) await sync(b, hub);
      expect(await state(b)).toBe("ended");
      const restored = await openNode("b", { database: await image.restore(), clock });
      await expect(sync(restored, hub)).rejects.toMatchObject({ code: "struck_off" });
      await link(restored, hub).rejoin();
      await settle([restored, hub]);
      for (const node of [hub, restored]) expect(await all(node)).toEqual(["1: t, 7"]);
      await expectEqual(hub, restored);
    });

    describe("inserts no row anew that others may have deleted and forgotten", () => {
      const kept = async (node: TestNode) => (await node.node.rejected()).map(({ pk, code }) => `${pk} ${code}`).sort();

      test("since the peer pulled it", async () => {
        const clock = new Clock();
        const [a, b] = (await openNodes(["a", "b"], { clock })) as [TestNode, TestNode];
        await insert(a, "read");
        await sync(b, a);
        await insert(a, "own");
        await a.node.fold();
        clock.advance(1000);
        await remove(b, "read");
        await b.node.collect({ strike: ["a"] });
        expect(await state(b)).toBe("ended");
        await insert(a, "later");
        expect(await link(a, b).rejoin()).toMatchObject({ removed: 1, restored: 2, kept: 1 });
        await sync(a, b);
        for (const node of [a, b])
          expect(await node.rows("SELECT id FROM documents ORDER BY id")).toEqual([{ id: "later" }, { id: "own" }]);
        expect(await kept(a)).toEqual(["read struck_off"]);
        await expectEqual(a, b);
      });

      test("since the answer to its push was lost", async () => {
        const clock = new Clock();
        const [hub, b] = (await openNodes(["hub", "b"], { clock })) as [TestNode, TestNode];
        await insert(hub, "1");
        await settle([b, hub]);
        await insert(b, "sent");
        const lossy = link(b, hub, {}, async (path, body, forward) => {
          const answer = await forward(path, body);
          if (path === "/push") throw new Error("lost");
          return answer;
        });
        expect((await lossy.sync())[0]?.error?.code).toBe("transport");
        clock.advance(1000);
        await remove(hub, "sent");
        await hub.node.collect({ strike: ["b"] });
        await link(b, hub).rejoin();
        await settle([b, hub]);
        for (const node of [hub, b]) expect(await titles(node)).toEqual(["t"]);
        expect(await kept(b)).toEqual(["sent struck_off"]);
      });

      test("since its backup does not know that it was sent", async () => {
        const clock = new Clock();
        let [hub, b] = (await openNodes(["hub", "b"], { clock })) as [TestNode, TestNode];
        await insert(hub, "1");
        await settle([b, hub]);
        await insert(b, "sent");
        await b.node.fold();
        const image = await b.database.image();
        await settle([b, hub]);
        b = await again(b, clock);
        await insert(b, "2");
        await settle([b, hub]);
        clock.advance(1000);
        await remove(hub, "sent");
        await hub.node.collect({ strike: ["b"] });
        const restored = await openNode("b", { database: await image.restore(), clock });
        await link(restored, hub).rejoin();
        await settle([restored, hub]);
        for (const node of [hub, restored]) expect(await titles(node)).toEqual(["t", "t"]);
        expect(await kept(restored)).toEqual(["sent struck_off"]);
      });

      test("since somebody else may have read it", async () => {
        const clock = new Clock();
        const [hub, b, reader] = (await openNodes(["hub", "b", "reader"], { clock })) as Three;
        await settle([b, hub], [reader, hub]);
        await insert(b, "read");
        await sync(reader, b);
        clock.advance(1000);
        await remove(reader, "read");
        // What it never passed on it has to forget as well.
        await reader.node.collect({ strike: ["b"] });
        for (let n = 0; n < 4; n++) await sync(reader, hub);
        expect(await state(hub)).toBe("ended");
        await link(b, hub).rejoin();
        await settle([b, hub], [reader, hub]);
        for (const node of [hub, b, reader]) expect(await titles(node)).toEqual([]);
        expect(await kept(b)).toEqual(["read struck_off"]);
      });

      test("also where another collection has ended since it was set aside", async () => {
        const clock = new Clock();
        const [hub, b] = (await openNodes(["hub", "b"], { clock })) as [TestNode, TestNode];
        await insert(hub, "1");
        await settle([b, hub]);
        await hub.node.collect({ strike: ["b"] });
        clock.advance(1000);
        // It is later than what was forgotten, so it may go back; the hub has it, and the answer was lost.
        await insert(b, "sent");
        await b.node.fold();
        const sent = await b.node.store.states([["documents", ["sent"]]]);
        const broken = link(b, hub, {}, async (path, body, forward) => {
          if (path === "/pull" && !body.includes('"rows":0')) throw new Error("cut");
          return forward(path, body);
        });
        await expect(broken.rejoin()).rejects.toMatchObject({ code: "transport" });
        await hub.node.merge("somebody", sent as never, undefined, {
          collected: (await hub.node.store.collection()).upTo,
        });
        await remove(hub, "sent");
        clock.advance(1000);
        await hub.node.collect({ strike: ["b"] });
        expect(await shadows(hub)).toBe(1);
        await link(b, hub).rejoin();
        await settle([b, hub]);
        for (const node of [hub, b]) expect(await titles(node)).toEqual(["t"]);
        expect(await kept(b)).toEqual(["sent struck_off"]);
      });
    });

    test("keeps what it had taken over from a node that had no say", async () => {
      const clock = new Clock();
      const [hub, between, far] = (await openNodes(["hub", "between", "far"], { clock })) as Three;
      for (const id of ["1", "2"]) await insert(hub, id, "old");
      await settle([between, hub], [far, between], [between, hub]);
      clock.advance(1000);
      await far.sql("UPDATE documents SET title = 'of far' WHERE id = '1'");
      await far.sql("UPDATE documents SET title = 'too late' WHERE id = '2'");
      await insert(far, "3", "own");
      await sync(far, between);
      clock.advance(1000);
      await remove(hub, "2");
      await hub.node.collect({ strike: ["between"] });
      await link(between, hub).rejoin();
      // The row may have been deleted by somebody who had it from far.
      expect((await between.node.rejected()).map(({ pk, code }) => `${pk} ${code}`).sort()).toEqual([
        "2 struck_off",
        "3 struck_off",
      ]);
      await link(far, between).rejoin();
      await settle([between, hub], [far, between]);
      for (const node of [hub, between, far]) expect(await titles(node)).toEqual(["of far"]);
      await expectEqual(hub, between, far);
    });

    test("takes no word for what it wrote from one that was struck off too", async () => {
      const clock = new Clock();
      const [hub, between, far] = (await openNodes(["hub", "between", "far"], { clock })) as Three;
      await insert(hub, "1", "old");
      await settle([between, hub], [far, between], [between, hub]);
      clock.advance(1000);
      await far.sql("UPDATE documents SET title = 'of far' WHERE id = '1'");
      await sync(far, between);
      clock.advance(1000);
      await hub.node.collect({ strike: ["between"] });
      // That one never comes back, and the hub is found instead.
      await link(far, hub).rejoin();
      await settle([far, hub]);
      for (const node of [hub, far]) expect(await titles(node)).toEqual(["of far"]);
    });

    test("has not sent what its earlier syncer left out", async () => {
      const clock = new Clock();
      const [hub, b] = (await openNodes(["hub", "b"], { clock })) as [TestNode, TestNode];
      await insert(hub, "1", "old");
      await settle([b, hub]);
      clock.advance(1000);
      await b.sql("UPDATE documents SET title = 'of b' WHERE id = '1'");
      await b.sql("INSERT INTO inventory (store, sku, name, quantity) VALUES ('n', 'apple', 'Apple', 1)");
      await link(b, hub, { tables: ["inventory"] }).sync();
      await hub.node.collect({ strike: ["b"] });
      await link(b, hub).rejoin();
      await settle([b, hub]);
      for (const node of [hub, b]) expect(await titles(node)).toEqual(["of b"]);
    });

    test("tells of its deletion of a row that its peer never had: others may have it", async () => {
      const clock = new Clock();
      const [hub, between, far] = (await openNodes(["hub", "between", "far"], { clock })) as Three;
      await settle([between, hub], [far, between]);
      await hub.node.collect({ strike: ["between"] });
      clock.advance(1000);
      await insert(far, "1");
      await sync(far, between);
      clock.advance(1000);
      await remove(between, "1");
      await link(between, hub).rejoin();
      await link(far, hub).rejoin();
      await settle([between, hub], [far, hub]);
      for (const node of [hub, between, far]) expect(await titles(node)).toEqual([]);
      await expectEqual(hub, between, far);
    });

    test("keeps what is on record of a row, also when it has to rejoin once more", async () => {
      const { clock, hub, a, b } = await history();
      await link(b, hub).rejoin();
      await settle([b, hub], [a, hub]);
      const before = await b.node.rejected();
      clock.advance(1000);
      await insert(b, "dead", "another");
      await hub.node.collect({ strike: ["b"] });
      for (let n = 0; n < 3; n++) await sync(a, hub);
      await link(b, hub).rejoin();
      expect(await b.node.rejected()).toEqual(before);
      await settle([b, hub], [a, hub]);
      for (const node of [hub, a, b])
        expect(await all(node)).toEqual([
          "again: second life, 0",
          "alive: of b, 7",
          "dead: another, 0",
          "own: by b, 0",
        ]);
      await expectEqual(hub, a, b);
    });

    test("needs a syncer for everything", async () => {
      const { hub, b } = await history();
      const before = await all(b);
      for (const options of [{ tables: ["orders"] }, { only: { documents: { keys: [["own"]] } } }])
        await expect(link(b, hub, options).rejoin()).rejects.toMatchObject({
          code: "bad_request",
          message: expect.stringContaining("without `tables` and `only`"),
        });
      expect(await all(b)).toEqual(before);
      await link(b, hub).rejoin();
      expect(await all(b)).toEqual(EXPECTED);
    });

    test("need not do so without a reason", async () => {
      const [hub, a] = (await openNodes(["hub", "a"])) as [TestNode, TestNode];
      await settle([a, hub]);
      await expect(link(a, hub).rejoin()).rejects.toMatchObject({ code: "bad_request" });
    });
  });

  test("a node with fewer tables does not speak for those that it lacks", async () => {
    const [a, b] = (await openNodes(["a", "b"])) as [TestNode, TestNode];
    const between = await openNode("m", { clock: a.clock, tables: ["orders"] });
    await insert(a, "1");
    await settle([a, b]);
    await settle([between, a], [between, b]);
    await remove(a, "1");
    await settle([between, a], [between, b]);
    await a.node.collect();
    for (let n = 0; n < 5; n++) for (const to of [a, b]) await sync(between, to);
    expect(await state(a)).toBe("open");
    for (let n = 0; n < 3; n++) {
      await sync(b, a);
      for (const to of [a, b]) await sync(between, to);
    }
    expect(await state(a)).toBe("ended");
    for (const node of [a, b]) expect(await shadows(node)).toBe(0);
  });

  test("who was behind one that was struck off hears of it from that one, and rejoins as well (fault 22)", async () => {
    const [hub, between, far] = (await openNodes(["hub", "between", "far"])) as Three;
    await insert(hub, "1");
    await settle([between, hub], [far, between]);
    await remove(hub, "1");
    await hub.node.collect({ strike: ["between"] });
    expect(await state(hub)).toBe("ended");
    await expect(sync(between, hub)).rejects.toMatchObject({ code: "struck_off" });
    await link(between, hub).rejoin();
    await expect(sync(far, between)).rejects.toMatchObject({ code: "struck_off" });
    await link(far, between).rejoin();
    await settle([between, hub], [far, between]);
    for (const node of [hub, between, far]) expect(await titles(node)).toEqual([]);
    await expectEqual(hub, between, far);
  });

  test("who begins anew has nothing to collect until that has ended", async () => {
    const [hub, a] = (await openNodes(["hub", "a"])) as [TestNode, TestNode];
    await insert(hub, "1");
    await settle([a, hub]);
    await hub.node.collect({ strike: ["a"] });
    const broken = link(a, hub, {}, async (path, body, forward) => {
      if (path === "/pull" && !body.includes('"rows":0')) throw new Error("cut");
      return forward(path, body);
    });
    await expect(broken.rejoin()).rejects.toMatchObject({ code: "transport" });
    await expect(a.node.collect({ strike: ["hub"] })).rejects.toMatchObject({ code: "struck_off" });
    // The other one has collected once more meanwhile.
    await hub.node.collect({ strike: ["a"] });
    await link(a, hub).rejoin();
    await settle([a, hub]);
    expect(await titles(a)).toEqual(["t"]);
    await expectEqual(hub, a);
  });

  test("a backup from before is found, and rejoins (faults 22, 28)", async () => {
    const clock = new Clock();
    const [hub, a, b] = (await openNodes(["hub", "a", "b"], { clock })) as Three;
    await insert(a, "1");
    await insert(a, "2");
    await settle([a, hub], [b, hub]);
    const image = await b.database.image();
    clock.advance(1000);
    await remove(a, "1");
    await settle([a, hub], [b, hub]);
    await hub.node.collect();
    for (let n = 0; n < 4; n++) for (const edge of [a, b]) await sync(edge, hub);
    const restored = await openNode("b", { database: await image.restore(), clock });
    expect(await titles(restored)).toHaveLength(2);
    await expect(sync(restored, hub)).rejects.toMatchObject({ code: "struck_off" });
    await link(restored, hub).rejoin();
    await settle([restored, hub], [a, hub]);
    for (const node of [hub, a, restored]) expect(await titles(node)).toEqual(["t"]);
    await expectEqual(hub, a, restored);
  });

  test("also one from when it had answered a pull and nothing else (faults 22, 28)", async () => {
    const clock = new Clock();
    const [hub, b] = (await openNodes(["hub", "b"], { clock })) as [TestNode, TestNode];
    await insert(hub, "1");
    await sync(b, hub);
    const image = await hub.database.image();
    clock.advance(1000);
    await remove(b, "1");
    await sync(b, hub);
    await hub.node.collect();
    for (let n = 0; n < 4; n++) await sync(b, hub);
    expect(await state(b)).toBe("ended");
    const restored = await openNode("hub", { database: await image.restore(), clock });
    await expect(sync(b, restored)).rejects.toMatchObject({ code: "struck_off" });
    await link(restored, b).rejoin();
    await settle([b, restored]);
    for (const node of [b, restored]) expect(await titles(node)).toEqual([]);
    await expectEqual(b, restored);
  });

  test("who rejoins brings back no rows of tables that it does not have (faults 16, 22)", async () => {
    const { table, text } = dialect;
    const notes = table("notes", { id: text("id").primaryKey(), title: lww(text("title")) });
    const things = table("things", { id: text("id").primaryKey(), title: lww(text("title")) });
    const [older, newer] = [await makeSchema({ notes }), await makeSchema({ notes, things })];
    const [hub, a] = (await openNodes(["hub", "a"], newer)) as [TestNode, TestNode];
    const b = await openNode("b", { ...older, clock: hub.clock });
    const of = (node: TestNode) => node.rows("SELECT id, title FROM things ORDER BY id");
    for (const id of ["dead", "alive"]) await a.sql("INSERT INTO things (id, title) VALUES (?, 'old')", id);
    await settle([a, hub], [b, hub]);
    expect(await b.node.elsewhere()).toEqual(["things"]);
    hub.clock.advance(1000);
    await a.sql("DELETE FROM things WHERE id = 'dead'");
    await a.sql("UPDATE things SET title = 'new' WHERE id = 'alive'");
    await settle([a, hub]);
    await hub.node.collect({ strike: ["b"] });
    for (let n = 0; n < 3; n++) await sync(a, hub);
    expect(await state(hub)).toBe("ended");
    await expect(sync(b, hub)).rejects.toMatchObject({ code: "struck_off" });
    await link(b, hub).rejoin();
    await settle([b, hub], [a, hub]);
    for (const node of [hub, a]) expect(await of(node)).toEqual([{ id: "alive", title: "new" }]);
    await expectEqual(hub, a);
    expect(
      (await b.rows<{ n: unknown }>("SELECT count(*) AS n FROM _grove_elsewhere")).map(({ n }) => Number(n)),
    ).toEqual([1]);
    // And it has them once it has the table.
    for (const sql of await dialect.emitTables({ notes, things }, { notes })) await b.sql(sql);
    const migrated = await openNode("b", { database: b.database, clock: hub.clock, registry: newer.registry });
    await settle([migrated, hub]);
    await expectEqual(hub, a, migrated);
  });
});
