// Opening: a node that cannot work as it was set up says so at once, with a code and the cure, and changes nothing.
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { createNode, createSyncer, type ErrorCode, type NodeOptions, syncRouter } from "grove-crdt";
import { afterEach, describe, expect, test, vi } from "vitest";
import { registry } from "../generated/sqlite";
import {
  contents,
  dump,
  errorOf,
  openNode,
  pullMessage,
  pushMessage,
  referenceTables,
  sync,
  TOKEN,
  transportTo,
} from "./support/nodes";

function database(): Database.Database {
  const db = new Database(":memory:");
  for (const sql of referenceTables) db.exec(sql);
  return db;
}
const create = (db: Database.Database, options: Partial<NodeOptions> = {}) =>
  createNode({ db: drizzle(db), registry, ...options });
const expectCode = (work: Promise<unknown>, code: ErrorCode) =>
  expect(work).rejects.toMatchObject({ name: "GroveError", code });

describe("createNode", () => {
  test("does no I/O", () => {
    const db = database();
    const before = dump(db);
    create(db, { nodeId: "hub" });
    expect(dump(db)).toBe(before);
    db.close();
    expect(() => create(db)).not.toThrow();
  });

  test("a database that is no Drizzle database over better-sqlite3 is refused", () => {
    for (const db of [
      undefined,
      null,
      {},
      { $client: null },
      { $client: {} },
      { $client: { query: () => {} } },
      database(),
    ]) {
      expect(() => createNode({ db: db as never, registry })).toThrow(expect.objectContaining({ code: "bad_request" }));
    }
  });

  test("a table that is not in the registry is refused, and one that is can be left out", async () => {
    for (const tables of [["nowhere"], ["documents", "nowhere"], ["Documents"], ["__proto__"], ["constructor"]]) {
      expect(() => create(database(), { tables })).toThrow(expect.objectContaining({ code: "unknown_table" }));
    }
    const node = create(database(), { tables: ["orders"] });
    await node.ensureShadowTables();
    expect(node.tables).toEqual(["orders"]);
    expect(() => createSyncer(node, { peers: [], tables: ["documents"] })).toThrow(
      expect.objectContaining({ code: "unknown_table" }),
    );
  });

  test("the id is not known before the node is ready", async () => {
    const node = create(database(), { nodeId: "hub" });
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
      const db = database();
      const before = dump(db);
      await expectCode(create(db, { nodeId }).ensureShadowTables(), "node_id_invalid");
      expect(dump(db)).toBe(before);
    }
    for (const nodeId of ["a", "0", "hub-1.eu_west", "a".repeat(63), "constructor"]) {
      const node = create(database(), { nodeId });
      await node.ensureShadowTables();
      expect(node.id).toBe(nodeId);
    }
  });

  test("another one than the database's own is refused, and leaving it out takes the stored one", async () => {
    const db = database();
    await create(db, { nodeId: "hub" }).ensureShadowTables();
    const before = dump(db);
    await expectCode(create(db, { nodeId: "edge" }).ready(), "node_id_mismatch");
    await expectCode(create(db, { nodeId: "edge" }).ensureShadowTables(), "node_id_mismatch");
    expect(dump(db)).toBe(before);
    const node = create(db);
    await node.ready();
    expect(node.id).toBe("hub");
  });

  test("without one, a valid one is drawn once and kept", async () => {
    const db = database();
    const node = create(db);
    await node.ensureShadowTables();
    expect(node.id).toMatch(/^[a-z0-9][a-z0-9._-]{0,62}$/);
    const again = create(db);
    await again.ready();
    expect(again.id).toBe(node.id);
    const other = create(database());
    await other.ensureShadowTables();
    expect(other.id).not.toBe(node.id);
  });
});

describe("capture", () => {
  test("missing altogether: ready, fold, router and syncer refuse, and the writes made meanwhile are adopted once it is there", async () => {
    const db = database();
    db.exec("INSERT INTO documents (id, title) VALUES ('1', 'early')");
    const before = dump(db);
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
    expect(dump(db)).toBe(before);
    await node.ensureShadowTables();
    const [after] = await createSyncer(node, { peers: [transportTo(peer)] }).sync();
    expect(after).toMatchObject({ pushed: 1, error: null });
    expect(contents(peer).documents).toHaveLength(1);
  });

  test("a trigger or one of our tables that is gone: refused by name, until it is made again", async () => {
    for (const [drop, name] of [
      ["DROP TRIGGER _documents_update", "_documents_update"],
      ["DROP TRIGGER _orders_delete", "_orders_delete"],
      ["DROP TABLE _inventory_log", "_inventory_log"],
    ] as const) {
      const db = database();
      await create(db, { nodeId: "hub" }).ensureShadowTables();
      db.exec(drop);
      const node = create(db);
      await expect(node.ready()).rejects.toMatchObject({ code: "capture_missing", details: { names: [name] } });
      await node.ensureShadowTables();
      await node.ready();
      db.exec("UPDATE documents SET title = 'x'; DELETE FROM orders; DELETE FROM inventory");
    }
  });

  test("a trigger that was altered: refused as stale by name, until it is renewed", async () => {
    const db = database();
    await create(db, { nodeId: "hub" }).ensureShadowTables();
    const sql = db.prepare("SELECT sql FROM sqlite_schema WHERE name = '_documents_delete'").pluck().get() as string;
    db.exec("DROP TRIGGER _documents_delete");
    db.exec(sql.replace("'D'", "'U'"));
    const node = create(db);
    await expect(node.ready()).rejects.toMatchObject({
      code: "capture_stale",
      details: { names: ["_documents_delete"] },
    });
    const router = syncRouter(node, { authenticate: () => "peer" });
    const response = await router.request("/pull", { method: "POST", body: JSON.stringify(pullMessage()) });
    expect(await errorOf(response)).toEqual([503, "capture_stale"]);
    await node.ensureShadowTables();
    await node.ready();
    expect(db.prepare("SELECT sql FROM sqlite_schema WHERE name = '_documents_delete'").pluck().get()).toBe(sql);
  });

  test("a table rebuilt by a migration has lost its triggers: refused, not silently uncaptured", async () => {
    const db = database();
    await create(db, { nodeId: "hub" }).ensureShadowTables();
    db.exec(
      "CREATE TABLE __new_orders (id text PRIMARY KEY NOT NULL, status text, note text, total integer NOT NULL, placed_at integer NOT NULL)",
    );
    db.exec("INSERT INTO __new_orders SELECT * FROM orders");
    db.exec("DROP TABLE orders; ALTER TABLE __new_orders RENAME TO orders");
    await expectCode(create(db).ready(), "capture_missing");
  });

  test("installing twice changes nothing, and a table of the schema that the database lacks is named", async () => {
    const db = database();
    const node = create(db, { nodeId: "hub" });
    await node.ensureShadowTables();
    db.exec("INSERT INTO documents (id, title) VALUES ('1', 't')");
    await node.fold();
    const before = dump(db);
    await node.ensureShadowTables();
    await create(db).ensureShadowTables();
    expect(dump(db)).toBe(before);
    const empty = new Database(":memory:");
    await expectCode(create(empty).ensureShadowTables(), "capture_missing");
    expect(empty.prepare("SELECT count(*) FROM sqlite_schema").pluck().get()).toBe(0);
  });

  test("triggers that an older generator made are taken away", async () => {
    const db = database();
    await create(db, { nodeId: "hub" }).ensureShadowTables();
    const sql = db.prepare("SELECT sql FROM sqlite_schema WHERE name = '_documents_insert'").pluck().get() as string;
    db.exec(sql.replace("_documents_insert", "_documents_capture"));
    await create(db).ensureShadowTables();
    db.exec("INSERT INTO documents (id, title) VALUES ('1', 't')");
    expect(db.prepare("SELECT count(*) FROM _documents_log").pluck().get()).toBe(1);
  });

  test("a trigger of the user, whatever its name, is left alone", async () => {
    const db = database();
    db.exec("CREATE TRIGGER _documents_audit AFTER INSERT ON documents BEGIN SELECT 1; END");
    db.exec("CREATE TRIGGER documents_audit AFTER INSERT ON documents BEGIN SELECT 1; END");
    const node = create(db, { nodeId: "hub" });
    await node.ensureShadowTables();
    await node.ensureShadowTables();
    expect(
      db
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE '%audit' ORDER BY name")
        .pluck()
        .all(),
    ).toEqual(["_documents_audit", "documents_audit"]);
  });
});

describe("syncRouter", () => {
  afterEach(() => void vi.restoreAllMocks());

  test("without authenticate it is not made", async () => {
    const node = create(database());
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
    expect(await ask(async () => ({ name: "peer" }))).toBe(200);
    expect(await ask(() => "peer")).toBe(200);
    expect(await ask(() => null)).toBe(401);
    expect(await ask(async () => undefined)).toBe(401);
    expect(errors).toEqual([]);
    expect(await ask(() => Promise.reject(new Error("directory is down")))).toBe(500);
    expect(errors).toHaveLength(1);
  });

  test("a syncer reports a peer that does not let it in, and goes on once it does", async () => {
    const [hub, edge] = [await openNode("hub"), await openNode("edge")];
    edge.sql("INSERT INTO documents (id, title) VALUES ('1', 't')");
    const { headers: _, ...rest } = { headers: {} };
    const syncer = createSyncer(edge.node, {
      peers: [{ ...transportTo(hub, async (path, body) => hub.app.request(path, { method: "POST", body, ...rest })) }],
    });
    const [report] = await syncer.sync();
    expect(report?.error?.code).toBe("unauthenticated");
    expect(report).toMatchObject({ pushed: 0, pulled: 0 });
    expect(await sync(edge, hub)).toMatchObject({ pushed: 1, error: null });
  });
});
