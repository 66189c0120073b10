// Transactions on SQLite, where the application and the node share one connection or one file. What every dialect does is
// in transactions.test.ts.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, describe, expect, test } from "vitest";
import { contents, expectEqual, link, openNode, openNodes, settle, sync, type TestNode } from "../support/nodes";
import { begins, Recorder } from "../support/statements";

const folder = mkdtempSync(join(tmpdir(), "grove-transactions-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const STAMP = 1_700_000_000_000_000;
const row = (id: string, title: string) => ({
  table: "documents",
  pk: [id],
  cl: 1,
  life: [STAMP, "peer"],
  lww: { title: [title], body: [""] },
  counter: { view_count: { totals: [["i", "peer", "2", "0", STAMP]] } },
  set: { tags: [["t", STAMP, "peer"]] },
});
const ids = (node: TestNode) => node.rows<{ id: string }>("SELECT id FROM documents ORDER BY id").map(({ id }) => id);
const turn = () => new Promise(setImmediate);

describe("all or nothing", () => {
  test("lineage 2: another connection sees a merged page whole, table and shadow together", async () => {
    const file = join(folder, "snapshots.db");
    const recorder = new Recorder();
    const hub = await openNode("hub", { file, wrap: recorder.wrap });
    const observer = new Database(file, { readonly: true });
    const look = observer
      .prepare(
        "SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM _documents_crdt), (SELECT count(*) FROM _documents_crdt_cells), (SELECT count(*) FROM _grove_peers)",
      )
      .raw();
    const seen = new Set<string>();
    recorder.before = () => seen.add(JSON.stringify(look.get()));
    await hub.node.merge(
      "peer",
      Array.from({ length: 20 }, (_, n) => row(String(n), "t")),
      () => ({ seen: { incarnation: "abc", seq: 1 } }),
    );
    recorder.before = () => {};
    seen.add(JSON.stringify(look.get()));
    expect([...seen]).toEqual(["[0,0,0,0]", "[20,20,40,1]"]);
    observer.close();
    hub.db.close();
  });

  test("lineage 15: a page is one transaction, however many rows it has", async () => {
    const recorder = new Recorder();
    const hub = await openNode("hub", { wrap: recorder.wrap });
    const page = Array.from({ length: 100 }, (_, n) => row(String(n), "t"));
    const executions = await recorder.during(() => hub.node.merge("peer", page));
    const writing = executions.filter(({ sql }) => /^(insert|update|delete)/i.test(sql));
    expect(writing.length).toBeGreaterThan(100);
    expect(executions.filter(({ sql }) => /^begin immediate/i.test(sql)).length).toBe(1);
    expect(begins(executions)).toBeLessThanOrEqual(2);
    const [begin, commit] = [
      executions.findIndex(({ sql }) => /^begin immediate/i.test(sql)),
      executions.findLastIndex(({ sql }) => /^commit/i.test(sql)),
    ];
    for (const write of writing)
      expect(executions.indexOf(write) > begin && executions.indexOf(write) < commit).toBe(true);
  });
});

describe("the application's transactions", () => {
  test("faults 52: while the application has a transaction open on the connection, a merge waits, and ROLLBACK loses nothing merged", async () => {
    const [hub, edge] = (await openNodes(["hub", "edge"])) as [TestNode, TestNode];
    hub.sql("INSERT INTO documents (id, title) VALUES ('1', 'before')");
    await settle([edge, hub]);
    edge.sql("INSERT INTO documents (id, title) VALUES ('2', 'from the edge')");
    edge.sql("UPDATE documents SET title = 'from the edge', view_count = view_count + 5 WHERE id = '1'");

    hub.db.exec(
      "BEGIN; UPDATE documents SET title = 'never', view_count = view_count + 100; DELETE FROM documents WHERE id = '1'",
    );
    let done = false;
    const exchange = sync(edge, hub).finally(() => {
      done = true;
    });
    for (let n = 0; n < 20; n++) await turn();
    expect(done).toBe(false);
    expect(hub.db.inTransaction).toBe(true);
    expect(hub.db.prepare("SELECT count(*) FROM documents").pluck().get()).toBe(0);
    hub.db.exec("ROLLBACK");
    expect(await exchange).toMatchObject({ pushed: 2, applied: 2, error: null });
    expect(hub.rows("SELECT id, title, view_count AS views FROM documents ORDER BY id")).toEqual([
      { id: "1", title: "from the edge", views: 5 },
      { id: "2", title: "from the edge", views: 0 },
    ]);
    await expectEqual(hub, edge);
  });

  test("faults 52: a transaction that commits while a merge waits is merged with what came", async () => {
    const [hub, edge] = (await openNodes(["hub", "edge"])) as [TestNode, TestNode];
    hub.sql("INSERT INTO documents (id, title) VALUES ('1', 'before')");
    await settle([edge, hub]);
    edge.sql("UPDATE documents SET body = 'from the edge', view_count = view_count + 5");
    hub.db.exec("BEGIN IMMEDIATE; UPDATE documents SET title = 'from the application', view_count = view_count + 1");
    const exchange = sync(edge, hub);
    for (let n = 0; n < 20; n++) await turn();
    hub.db.exec("SAVEPOINT inner_one; UPDATE documents SET title = 'lost'; ROLLBACK TO inner_one; COMMIT");
    expect((await exchange).error).toBeNull();
    await settle([edge, hub]);
    expect(edge.row("SELECT title, body, view_count AS views FROM documents")).toEqual({
      title: "from the application",
      body: "from the edge",
      views: 6,
    });
    await expectEqual(hub, edge);
  });

  test("faults 52: the syncing node's own application may hold a transaction open as well", async () => {
    const [hub, edge] = (await openNodes(["hub", "edge"])) as [TestNode, TestNode];
    hub.sql("INSERT INTO documents (id, title) VALUES ('1', 'from the hub')");
    edge.db.exec("BEGIN; INSERT INTO documents (id, title) VALUES ('2', 'never')");
    const [exchange] = [link(edge, hub).sync()];
    for (let n = 0; n < 20; n++) await turn();
    expect(edge.db.prepare("SELECT count(*) FROM documents").pluck().get()).toBe(1);
    edge.db.exec("ROLLBACK");
    const [report] = await exchange;
    expect(report).toMatchObject({ pulled: 1, pushed: 0, error: null });
    expect(ids(edge)).toEqual(["1"]);
    expect(ids(hub)).toEqual(["1"]);
  });

  test("faults 52: a merge and a transaction of another connection on the same file wait for each other", async () => {
    const file = join(folder, "busy.db");
    const [hub, edge] = [await openNode("hub", { file }), await openNode("edge")];
    hub.db.pragma("busy_timeout = 0");
    edge.sql("INSERT INTO documents (id, title) VALUES ('1', 'from the edge')");
    const other = new Database(file);
    other.exec("BEGIN IMMEDIATE; INSERT INTO documents (id, title) VALUES ('2', 'from another connection')");
    const exchange = sync(edge, hub);
    for (let n = 0; n < 20; n++) await turn();
    expect(ids(hub)).toEqual([]);
    other.exec("COMMIT");
    await exchange;
    await settle([edge, hub]);
    expect(ids(hub)).toEqual(["1", "2"]);
    expect(contents(edge)).toEqual(contents(hub));
    other.close();
    hub.db.close();
  });
});
