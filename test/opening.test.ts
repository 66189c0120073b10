// Opening: a node that cannot work as it was set up says so at once, with a code and the cure, and changes nothing.
import { createNode, createSyncer, type ErrorCode, type NodeOptions, syncRouter } from "grove-crdt";
import { afterEach, describe, expect, test, vi } from "vitest";
import { contents } from "./support/comparison";
import type { TestDatabase } from "./support/dialect";
import { describeOnEach } from "./support/dialects";
import { errorOf, pullMessage, pushMessage, sync, transportTo } from "./support/network";
import { TOKEN } from "./support/node";

describeOnEach("opening", ({ dialect, openNode }) => {
  const { registry } = dialect;
  const create = ({ db }: TestDatabase, options: Partial<NodeOptions> = {}) => createNode({ db, registry, ...options });
  const expectCode = (work: Promise<unknown>, code: ErrorCode) =>
    expect(work).rejects.toMatchObject({ name: "GroveError", code });

  describe("createNode", () => {
    test("does no I/O", async () => {
      const db = await dialect.open();
      const before = await db.dump();
      create(db, { nodeId: "hub" });
      expect(await db.dump()).toBe(before);
      await db.close();
      expect(() => create(db)).not.toThrow();
    });

    test("a database that is no Drizzle database over a driver that we know is refused", async () => {
      for (const db of [
        undefined,
        null,
        {},
        { $client: null },
        { $client: {} },
        { $client: { query: () => {} } },
        (await dialect.open()).db.$client,
      ]) {
        expect(() => createNode({ db: db as never, registry })).toThrow(
          expect.objectContaining({ code: "bad_request" }),
        );
      }
    });

    test("a table that is not in the registry is refused, and one that is can be left out", async () => {
      for (const tables of [["nowhere"], ["documents", "nowhere"], ["Documents"], ["__proto__"], ["constructor"]]) {
        const database = await dialect.open();
        expect(() => create(database, { tables })).toThrow(expect.objectContaining({ code: "unknown_table" }));
      }
      const node = create(await dialect.open(), { tables: ["orders"] });
      await node.ensureShadowTables();
      expect(node.tables).toEqual(["orders"]);
      expect(() => createSyncer(node, { peers: [], tables: ["documents"] })).toThrow(
        expect.objectContaining({ code: "unknown_table" }),
      );
    });

    test("the id is not known before the node is ready", async () => {
      const node = create(await dialect.open(), { nodeId: "hub" });
      expect(() => node.id).toThrow(expect.objectContaining({ code: "capture_missing" }));
      await node.ensureShadowTables();
      expect(node.id).toBe("hub");
    });
  });

  describe("node ids", () => {
    test("an invalid one is refused, and nothing is installed", async () => {
      for (const nodeId of [
        "",
        "Hub",
        "-hub",
        ".hub",
        "_hub",
        "__proto__",
        "hub 1",
        "hüb",
        "hub\n",
        "a".repeat(64),
        "hub/1",
        "'; DROP TABLE documents",
      ]) {
        const db = await dialect.open();
        const before = await db.dump();
        await expectCode(create(db, { nodeId }).ensureShadowTables(), "node_id_invalid");
        expect(await db.dump()).toBe(before);
      }
      for (const nodeId of ["a", "0", "hub-1.eu_west", "a".repeat(63), "constructor"]) {
        const node = create(await dialect.open(), { nodeId });
        await node.ensureShadowTables();
        expect(node.id).toBe(nodeId);
      }
    });

    test("another one than the database's own is refused, and leaving it out takes the stored one", async () => {
      const db = await dialect.open();
      await create(db, { nodeId: "hub" }).ensureShadowTables();
      const before = await db.dump();
      await expectCode(create(db, { nodeId: "edge" }).ready(), "node_id_mismatch");
      await expectCode(create(db, { nodeId: "edge" }).ensureShadowTables(), "node_id_mismatch");
      expect(await db.dump()).toBe(before);
      const node = create(db);
      await node.ready();
      expect(node.id).toBe("hub");
    });

    test("without one, a valid one is drawn once and kept", async () => {
      const db = await dialect.open();
      const node = create(db);
      await node.ensureShadowTables();
      expect(node.id).toMatch(/^[a-z0-9][a-z0-9._-]{0,62}$/);
      const again = create(db);
      await again.ready();
      expect(again.id).toBe(node.id);
      const other = create(await dialect.open());
      await other.ensureShadowTables();
      expect(other.id).not.toBe(node.id);
    });
  });

  describe("capture", () => {
    test("missing altogether: ready, fold, router and syncer refuse, and the writes made meanwhile are adopted once it is there", async () => {
      const db = await dialect.open();
      await db.run("INSERT INTO documents (id, title) VALUES ('1', 'early')");
      const before = await db.dump();
      const node = create(db, { nodeId: "hub" });
      await expectCode(node.ready(), "capture_missing");
      await expectCode(node.fold(), "capture_missing");
      const router = syncRouter(node, { authenticate: () => "peer" });
      for (const [path, message] of [
        ["/pull", pullMessage()],
        ["/push", pushMessage([])],
      ] as const) {
        const response = await router.request(path, { method: "POST", body: JSON.stringify(message) });
        expect(await errorOf(response)).toEqual([503, "capture_missing"]);
      }
      const peer = await openNode("peer");
      const [report] = await createSyncer(node, { peers: [transportTo(peer)] }).sync();
      expect(report?.error?.code).toBe("capture_missing");
      expect(await db.dump()).toBe(before);
      await node.ensureShadowTables();
      const [after] = await createSyncer(node, { peers: [transportTo(peer)] }).sync();
      expect(after).toMatchObject({ pushed: 1, error: null });
      expect((await contents(peer)).documents).toHaveLength(1);
    });

    test("a trigger or one of our tables that is gone: refused by name, until it is made again", async () => {
      for (const [drop, name] of [
        [dialect.dropTrigger("_documents_update", "documents"), "_documents_update"],
        [dialect.dropTrigger("_orders_delete", "orders"), "_orders_delete"],
        ["DROP TABLE _inventory_log", "_inventory_log"],
      ] as const) {
        const db = await dialect.open();
        await create(db, { nodeId: "hub" }).ensureShadowTables();
        await db.run(drop);
        const node = create(db);
        await expect(node.ready()).rejects.toMatchObject({ code: "capture_missing", details: { names: [name] } });
        await node.ensureShadowTables();
        await node.ready();
        await db.run("UPDATE documents SET title = 'x'; DELETE FROM orders; DELETE FROM inventory");
      }
    });

    test("installing twice changes nothing, and a table of the schema that the database lacks is named", async () => {
      const db = await dialect.open();
      const node = create(db, { nodeId: "hub" });
      await node.ensureShadowTables();
      await db.run("INSERT INTO documents (id, title) VALUES ('1', 't')");
      await node.fold();
      const before = await db.dump();
      await node.ensureShadowTables();
      await create(db).ensureShadowTables();
      expect(await db.dump()).toBe(before);
      const empty = await dialect.open({ ddl: [] });
      await expectCode(create(empty).ensureShadowTables(), "capture_missing");
      expect(await empty.isEmpty()).toBe(true);
    });
  });

  describe("syncRouter", () => {
    afterEach(() => void vi.restoreAllMocks());

    test("without authenticate it is not made", async () => {
      const node = create(await dialect.open());
      for (const options of [
        {},
        { authenticate: undefined },
        { insecureAllowAnonymous: false },
        { authenticate: null },
      ]) {
        expect(() => syncRouter(node, options as never)).toThrow(expect.objectContaining({ code: "bad_request" }));
      }
    });

    test("insecureAllowAnonymous lets everybody in and warns once, when it is made", async () => {
      const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
      const { node } = await openNode("hub");
      const router = syncRouter(node, { insecureAllowAnonymous: true });
      expect(warn).toHaveBeenCalledTimes(1);
      expect(warn.mock.calls[0]?.[0]).toContain("insecureAllowAnonymous");
      expect((await router.request("/pull", { method: "POST", body: JSON.stringify(pullMessage()) })).status).toBe(200);
      expect(warn).toHaveBeenCalledTimes(1);
    });

    test("authenticate may answer later, sees the request, and null, undefined and a rejection let nobody in", async () => {
      const errors: unknown[] = [];
      const { node } = await openNode("hub");
      const ask = async (authenticate: () => unknown) => {
        const router = syncRouter(node, {
          authenticate: authenticate as never,
          onError: (error) => void errors.push(error),
        });
        return (
          await router.request("/pull", {
            method: "POST",
            body: JSON.stringify(pullMessage()),
            headers: { authorization: TOKEN },
          })
        ).status;
      };
      expect(await ask(async () => ({ id: "peer" }))).toBe(200);
      expect(await ask(() => "peer")).toBe(200);
      expect(await ask(() => null)).toBe(401);
      expect(await ask(async () => undefined)).toBe(401);
      expect(errors).toEqual([]);
      expect(await ask(() => Promise.reject(new Error("directory is down")))).toBe(500);
      expect(errors).toHaveLength(1);
    });

    test("a syncer reports a peer that does not let it in, and goes on once it does", async () => {
      const [hub, edge] = [await openNode("hub"), await openNode("edge")];
      await edge.sql("INSERT INTO documents (id, title) VALUES ('1', 't')");
      const { headers: _, ...rest } = { headers: {} };
      const syncer = createSyncer(edge.node, {
        peers: [
          { ...transportTo(hub, async (path, body) => hub.app.request(path, { method: "POST", body, ...rest })) },
        ],
      });
      const [report] = await syncer.sync();
      expect(report?.error?.code).toBe("unauthenticated");
      expect(report).toMatchObject({ pushed: 0, pulled: 0 });
      expect(await sync(edge, hub)).toMatchObject({ pushed: 1, error: null });
    });
  });
});
