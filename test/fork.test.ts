// Two databases under one node id: a copied file, a machine that was cloned. It is found at the next contact of the one whose
// history the other took the place of; with an id of its own both go on, and nothing of either is lost (faults 27, 29).
import { createNode, createSyncer } from "grove-crdt";
import { afterAll, describe, expect, test } from "vitest";
import { expectEqual } from "./support/comparison";
import type { TestDatabase } from "./support/dialect";
import { describeOnEach } from "./support/dialects";
import { MigratedNode, MigrationProject } from "./support/migrations";
import { settle, sync } from "./support/network";
import { type NodeSettings, startNode, type TestNode } from "./support/node";
import { runCli } from "./support/project";

describeOnEach("a copied database", ({ openNode, openNodes }) => {
  const insert = (node: TestNode, id: string) => node.sql("INSERT INTO documents (id, title) VALUES (?, ?)", id, id);
  const count = (node: TestNode, by: number) =>
    node.sql("UPDATE documents SET view_count = view_count + ? WHERE id = 'shared'", by);
  const shown = async (node: TestNode) => ({
    ids: (await node.rows<{ id: string }>("SELECT id FROM documents ORDER BY id")).map(({ id }) => id),
    views: (await node.row<{ view_count: number }>("SELECT view_count FROM documents WHERE id = 'shared'"))?.view_count,
  });
  /** The copy's database, by its new name. */
  async function fork(database: TestDatabase, clock: TestNode["clock"], id = "copy"): Promise<TestNode> {
    const { dialect } = database;
    const node = createNode({ db: database.db, registry: dialect.registry, now: clock.now });
    expect(await node.fork(id)).toBe(id);
    return openNode(id, { database, clock });
  }

  /** An edge whose database is copied after a first exchange; both go on. */
  async function copied(hubSettings: NodeSettings = {}) {
    const hub = await openNode("hub", hubSettings);
    const { clock } = hub;
    const other = await openNode("other", { clock });
    const edge = await openNode("edge", { clock });
    await insert(edge, "shared");
    await count(edge, 1);
    await settle([edge, hub], [other, hub]);
    const image = await edge.database.image();
    const copy = await openNode("edge", { database: await image.restore(), clock });
    await insert(edge, "by-edge");
    await count(edge, 10);
    await insert(copy, "by-copy");
    await count(copy, 100);
    return { hub, other, edge, copy, clock };
  }
  const all = { ids: ["by-copy", "by-edge", "shared"], views: 111 };

  test("faults 27: both write, one is refused, and with an id of its own all that either wrote is everywhere, each increment once", async () => {
    const { hub, other, edge, copy, clock } = await copied();
    await sync(edge, hub);
    // The copy cannot be told from a database that was restored.
    await sync(copy, hub);
    await expect(sync(edge, hub)).rejects.toMatchObject({ code: "forked", details: { node: "edge" } });
    await expect(sync(edge, hub)).rejects.toMatchObject({ code: "forked" });
    await insert(edge, "unsent");
    const forked = await fork(edge.database, clock);
    await settle([forked, hub], [copy, hub], [other, hub]);
    await expectEqual(hub, other, forked, copy);
    expect(await shown(other)).toEqual({ ids: [...all.ids, "unsent"], views: 111 });
    expect(await settle([forked, hub], [copy, hub], [other, hub])).toBe(1);
  });

  test("faults 27: it is found by programs that begin anew for each exchange", async () => {
    const { hub, other, edge, copy, clock } = await copied();
    // A new program on the same database, which draws an incarnation of its own.
    const open = ({ database }: TestNode) => openNode("edge", { database, clock });
    await sync(edge, hub);
    let second = await open(copy);
    await sync(second, hub);
    const first = await open(edge);
    await expect(sync(first, hub)).rejects.toMatchObject({ code: "forked" });
    second = await open(second);
    await sync(second, hub);
    const forked = await fork(first.database, clock);
    await settle([forked, hub], [second, hub], [other, hub]);
    await expectEqual(hub, other, forked, second);
    expect(await shown(other)).toEqual(all);
  });

  test("fault 29: two databases that were given one id are found, and neither loses a row", async () => {
    const hub = await openNode("hub");
    const { clock } = hub;
    const [one, other] = [await openNode("edge", { clock }), await openNode("edge", { clock })];
    await insert(one, "by-one");
    await insert(other, "by-other");
    await sync(one, hub);
    await sync(other, hub);
    await expect(sync(one, hub)).rejects.toMatchObject({ code: "forked" });
    const forked = await fork(one.database, clock);
    await settle([forked, hub], [other, hub]);
    await expectEqual(hub, forked, other);
    expect((await shown(hub)).ids).toEqual(["by-one", "by-other"]);
  });

  test("either may take the new id once it is refused, also when both have synced meanwhile", async () => {
    const { hub, other, edge, copy, clock } = await copied();
    await sync(copy, hub);
    // This one was not seen since it was copied: to the hub it looks restored.
    await sync(edge, hub);
    await insert(edge, "later");
    await expect(sync(copy, hub)).rejects.toMatchObject({ code: "forked" });
    const forked = await fork(copy.database, clock);
    await settle([edge, hub], [forked, hub], [other, hub]);
    await expectEqual(hub, other, forked, edge);
    expect(await shown(other)).toEqual({ ids: ["by-copy", "by-edge", "later", "shared"], views: 111 });
  });

  test("what was never sent under the old id is taken from the same principal, who may not relay", async () => {
    const { hub, other, edge, copy, clock } = await copied({
      router: { authenticate: () => "somebody", principalId: (who) => who, mayRelay: () => false },
    });
    await sync(edge, hub);
    await sync(copy, hub);
    await expect(sync(edge, hub)).rejects.toMatchObject({ code: "forked" });
    await insert(edge, "unsent");
    await count(edge, 1000);
    await edge.node.fold();
    const forked = await fork(edge.database, clock);
    await insert(forked, "by-its-new-name");
    await settle([forked, hub], [copy, hub], [other, hub]);
    expect(await forked.node.rejected()).toEqual([]);
    await expectEqual(hub, other, forked, copy);
    expect(await shown(other)).toEqual({
      ids: ["by-copy", "by-edge", "by-its-new-name", "shared", "unsent"],
      views: 1111,
    });
  });

  test("a hub that was copied is found by an edge that talks to both", async () => {
    const hub = await openNode("hub");
    const { clock } = hub;
    const edge = await openNode("edge", { clock });
    await insert(edge, "shared");
    await settle([edge, hub]);
    const copy = await openNode("hub", { database: await (await hub.database.image()).restore(), clock });
    await insert(hub, "by-hub");
    await count(hub, 10);
    await insert(copy, "by-copy");
    await count(copy, 100);
    await settle([edge, hub]);
    await settle([edge, copy]);
    await expect(sync(edge, hub)).rejects.toMatchObject({ code: "forked" });
    const forked = await fork(hub.database, clock);
    await settle([edge, forked], [edge, copy]);
    await expectEqual(edge, forked, copy);
    expect(await shown(edge)).toEqual({ ids: ["by-copy", "by-hub", "shared"], views: 110 });
  });

  test("a hub that was copied and has its new id is found by the syncer that knew it by the old one", async () => {
    const hub = await openNode("hub");
    const { clock } = hub;
    const edge = await openNode("edge", { clock });
    let answering = hub;
    const syncer = createSyncer(edge.node, {
      peers: [
        {
          url: "hub",
          pull: (request) => answering.node.pull(request),
          push: (request) => answering.node.push(request),
        },
      ],
    });
    await insert(edge, "shared");
    await syncer.sync();
    const copy = await openNode("hub", { database: await (await hub.database.image()).restore(), clock });
    await insert(hub, "by-hub");
    await insert(copy, "by-copy");
    await syncer.sync();
    answering = copy;
    await syncer.sync();
    answering = await fork(hub.database, clock);
    for (let n = 0; n < 3; n++) await syncer.sync();
    await settle([edge, copy]);
    await syncer.sync();
    await expectEqual(edge, answering);
    expect((await shown(edge)).ids).toEqual(["by-copy", "by-hub", "shared"]);
  });

  test("a database that is restored again and again is no copy", async () => {
    const { hub, other, edge, clock } = await copied();
    await sync(edge, hub);
    let last = edge;
    for (let n = 0; n < 3; n++) {
      const image = await last.database.image();
      await insert(last, `lost-${n}`);
      await settle([last, hub], [other, hub]);
      last = await openNode("edge", { database: await image.restore(), clock });
      await insert(last, `new-${n}`);
      await settle([last, hub], [other, hub], [last, hub]);
      await expectEqual(hub, other, last);
    }
    expect((await shown(last)).views).toBe(11);
  });

  describe("node.fork()", () => {
    test("draws an id where none is named, and refuses its own, a bad one, and a node at work", async () => {
      const [edge] = (await openNodes(["edge"])) as [TestNode];
      const { database, registry } = edge;
      const create = () => createNode({ db: database.db, registry });
      for (const id of ["edge", "Not An Id"])
        await expect(create().fork(id)).rejects.toMatchObject({ code: "node_id_invalid" });
      await expect(edge.node.fork()).rejects.toMatchObject({ code: "bad_request" });
      const id = await create().fork();
      expect(id).toMatch(/^n-[a-z0-9]{10}$/);
      await expect(startNode(database, "edge", { registry })).rejects.toMatchObject({ code: "node_id_mismatch" });
    });

    test("is refused where there is no capture", async () => {
      const [{ database }] = (await openNodes(["any"])) as [TestNode];
      const bare = await database.dialect.open();
      const node = createNode({ db: bare.db, registry: database.dialect.registry });
      await expect(node.fork()).rejects.toMatchObject({ code: "capture_missing" });
    });
  });
});

describe.skipIf(process.env.DRIZZLE === "next")("grove-crdt fork", () => {
  const project = new MigrationProject();
  afterAll(() => project.remove());
  const run = (...args: string[]) => runCli(project.folder, ["fork", ...args]);

  test("gives the config's database another id, drawn or named, and says so", async () => {
    project.schema(
      `export const notes = sqliteTable("notes", { id: text("id").primaryKey(), title: lww(text("title")) });`,
    );
    await project.grove();
    const file = project.path("kit.db");
    const till = new MigratedNode(project, "till", file);
    expect(await run()).toMatchObject({ code: 1, stderr: expect.stringContaining("capture_missing") });
    till.migrate();
    await till.start();
    till.sql("INSERT INTO notes VALUES ('1', 'never sent')");
    const drawn = await run();
    expect(drawn).toMatchObject({ code: 0, stderr: "" });
    expect(drawn.stdout).toMatch(/^forked the database is node n-[a-z0-9]{10} from now on\n/);
    await expect(new MigratedNode(project, "till", file).start()).rejects.toMatchObject({ code: "node_id_mismatch" });
    expect(await run("--node-id", "till-8")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("is node till-8"),
    });
    expect(await run("--node-id", "till-8")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("node_id_invalid"),
    });
    const copy = new MigratedNode(project, "till-8", file);
    const other = new MigratedNode(project, "other", project.path("other.db"));
    other.migrate();
    await copy.start();
    await other.start();
    await copy.sync(other);
    expect(other.rows("SELECT title FROM notes")).toEqual([{ title: "never sent" }]);
  }, 60_000);
});
