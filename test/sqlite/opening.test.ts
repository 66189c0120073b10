// Opening a SQLite database whose triggers are not the generated ones. What every dialect does is in opening.test.ts.
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { createNode, type ErrorCode, type NodeOptions, syncRouter } from "grove-crdt";
import { describe, expect, test } from "vitest";
import { registry } from "../../generated/sqlite";
import { errorOf, pullMessage, referenceTables } from "../support/nodes";

function database(): Database.Database {
  const db = new Database(":memory:");
  for (const sql of referenceTables) db.exec(sql);
  return db;
}
const create = (db: Database.Database, options: Partial<NodeOptions> = {}) =>
  createNode({ db: drizzle({ client: db }), registry, ...options });
const expectCode = (work: Promise<unknown>, code: ErrorCode) =>
  expect(work).rejects.toMatchObject({ name: "GroveError", code });

describe("capture on sqlite", () => {
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
