// How a node stands: what waits, for whom and since when; and that telling it writes nothing.
import { createNode, type NodeStatus } from "grove-crdt";
import { lww } from "grove-crdt/schema";
import { describe, expect, test } from "vitest";
import { createRandom } from "../packages/testkit/src/random";
import { describeOnEach } from "./support/dialects";
import { link, sync } from "./support/network";
import type { TestNode } from "./support/node";

describeOnEach("node.status()", ({ dialect, openNode, openNodes, makeSchema }) => {
  const insert = (node: TestNode, id: string) =>
    node.sql("INSERT INTO documents (id, title) VALUES (?, ?)", id, `title of ${id}`);
  const peerOf = ({ peers }: NodeStatus, id: string) => peers.find(({ peer }) => peer === id);

  test("a new node knows nobody and has nothing waiting", async () => {
    const edge = await openNode("edge");
    expect(await edge.node.status()).toEqual({
      id: "edge",
      incarnation: null,
      tables: edge.node.tables,
      seq: 0,
      log: { rows: 0, milliseconds: 0 },
      peers: [],
      parked: 0,
      rejected: { sent: 0, received: 0 },
      clockAhead: 0,
      collection: { before: null, rounds: [] },
      counts: null,
    });
  });

  test("tells what waits to be folded and to be sent, in rows and milliseconds", async () => {
    const [hub, edge] = (await openNodes(["hub", "edge"])) as [TestNode, TestNode];
    await insert(edge, "a");
    await sync(edge, hub);
    expect(peerOf(await edge.node.status(), "hub")).toEqual({
      peer: "hub",
      url: "http://hub.test/sync",
      lag: { rows: 0, milliseconds: 0 },
      lastSuccess: expect.any(Number),
      lastError: null,
    });
    await edge.sql("UPDATE documents SET title = 'other' WHERE id = 'a'");
    await insert(edge, "b");
    const log = await edge.rows("SELECT * FROM _documents_log");
    const before = await edge.node.status();
    expect(before.log.rows).toBe(log.length);
    expect(peerOf(before, "hub")?.lag?.rows).toBe(0);
    await edge.node.fold();
    edge.clock.advance(90_000);
    const { log: folded, ...after } = await edge.node.status();
    expect(folded.rows).toBe(0);
    expect(peerOf(after as NodeStatus, "hub")?.lag?.rows).toBe(2);
    expect(peerOf(after as NodeStatus, "hub")?.lag?.milliseconds).toBeGreaterThanOrEqual(90_000);
    // The hub pushes nothing: who asks knows how far it is.
    expect(peerOf(await hub.node.status(), "edge")).toMatchObject({ url: null, lag: null, lastError: null });
  });

  test("counts exactly the rows that the next push carries, whoever wrote them", async () => {
    const seed = Number(process.env.SEED ?? 7);
    const random = createRandom(seed);
    const [hub, edge, other] = (await openNodes(["hub", "edge", "other"])) as [TestNode, TestNode, TestNode];
    const toHub = link(edge, hub);
    for (let round = 0; round < 12; round++) {
      for (const node of [hub, edge, other]) {
        const id = `${random.below(6)}`;
        const kind = random.below(5);
        if (kind === 0) await node.sql("DELETE FROM documents WHERE id = ?", id);
        else if (kind === 1) await node.sql("UPDATE documents SET view_count = view_count + 1 WHERE id = ?", id);
        else if (kind === 2) await node.sql("UPDATE documents SET body = ? WHERE id = ?", `${round}`, id);
        else if (!(await node.row("SELECT id FROM documents WHERE id = ?", id))) await insert(node, id);
      }
      if (random.below(2) === 0) await sync(other, edge);
      if (random.below(3) > 0) await sync(edge, hub);
      await edge.node.fold();
      const told = peerOf(await edge.node.status(), "hub")?.lag;
      const before = hub.traffic.received;
      await toHub.flush();
      if (told) expect(told.rows, `round ${round}, SEED=${seed}`).toBe(hub.traffic.received - before);
      expect(peerOf(await edge.node.status(), "hub")?.lag?.rows).toBe(0);
    }
  });

  test("counts rows and tombstones where it is asked to", async () => {
    const edge = await openNode("edge");
    for (const id of ["a", "b", "c"]) await insert(edge, id);
    await edge.node.fold();
    await edge.sql("DELETE FROM documents WHERE id = 'b'");
    await edge.node.fold();
    expect((await edge.node.status({ counts: true })).counts).toMatchObject({
      documents: { rows: 2, tombstones: 1 },
      orders: { rows: 0, tombstones: 0 },
    });
  });

  test("counts what is parked, and says that the clock was ahead", async () => {
    const { table, text } = dialect;
    const people = table("people", { id: text("id").primaryKey(), email: lww(text("email").notNull().unique()) });
    const schema = await makeSchema({ people });
    const [hub, edge] = (await openNodes(["hub", "edge"], schema)) as [TestNode, TestNode];
    await hub.sql("INSERT INTO people (id, email) VALUES ('1', 'ada@example.com')");
    edge.clock.advance(1_000);
    await edge.sql("INSERT INTO people (id, email) VALUES ('2', 'ada@example.com')");
    await sync(edge, hub);
    expect((await hub.node.status()).parked).toBe(1);
    expect((await hub.node.status()).clockAhead).toBe(0);
    hub.clock.advance(-30_000);
    expect((await hub.node.status()).clockAhead).toBeGreaterThan(20_000);
  });

  test("writes nothing and needs no ready node, also where captured writes wait", async () => {
    const edge = await openNode("edge");
    await insert(edge, "a");
    const traces = async () => [
      await edge.rows("SELECT * FROM _grove_node"),
      await edge.rows("SELECT * FROM _grove_incarnations"),
      await edge.rows("SELECT * FROM _documents_log"),
      await edge.rows("SELECT * FROM _documents_crdt"),
    ];
    const before = await traces();
    const { db, registry } = { db: edge.database.db, registry: edge.registry };
    expect(await createNode({ db, registry }).status({ counts: true })).toMatchObject({ id: "edge", log: { rows: 1 } });
    expect(await traces()).toEqual(before);
  });

  describe("where capture was never installed", () => {
    test("says so", async () => {
      const database = await dialect.open({ ddl: dialect.referenceTables });
      const node = createNode({ db: database.db, registry: dialect.registry });
      await expect(node.status()).rejects.toMatchObject({ code: "capture_missing" });
      await database.close();
    });
  });
});
