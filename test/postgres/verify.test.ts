// node.verify() on Postgres: what a disabled trigger missed is found and mended (fault 19). What is the same on SQLite, and
// rows that are hidden or kept, stand in test/verify.test.ts.
import { createNode } from "grove-crdt";
import { expect, test } from "vitest";
import { registry } from "../../generated/postgres";
import { expectEqual } from "../support/comparison";
import { settle } from "../support/network";
import { openNode, type TestNode } from "../support/node";
import { postgres as dialect } from "../support/postgres";

async function pair(): Promise<[a: TestNode, b: TestNode]> {
  const a = await openNode(dialect, "a");
  const b = await openNode(dialect, "b", { clock: a.clock });
  await a.sql(`INSERT INTO documents (id, title, view_count, tags) VALUES ('1', 'one', 3, '{x}'), ('2', 'two', 0, '{}');
    UPDATE documents SET view_count = view_count + 1 WHERE id = '2'`);
  await settle([b, a]);
  a.clock.advance(1);
  return [a, b];
}

/** Writes that no trigger captures. */
async function unseen(node: TestNode, sql: string): Promise<void> {
  await node.sql("ALTER TABLE documents DISABLE TRIGGER USER");
  await node.sql(sql);
  await node.sql("ALTER TABLE documents ENABLE TRIGGER USER");
}

test("where nothing was missed, nothing is found and nothing is written", async () => {
  const [a] = await pair();
  const before = await a.database.dump();
  expect(await a.node.verify()).toEqual([]);
  expect(await a.database.dump()).toBe(before);
});

test("faults 19: a start with a disabled trigger is refused, with its name", async () => {
  const [a] = await pair();
  await a.sql("ALTER TABLE documents DISABLE TRIGGER _documents_update");
  const again = createNode({ db: a.database.db, registry, nodeId: "a" });
  await expect(again.ready()).rejects.toMatchObject({
    code: "capture_stale",
    message: expect.stringContaining("_documents_update"),
  });
  await again.ensureShadowTables();
  await a.sql("UPDATE documents SET title = 'seen' WHERE id = '1'");
  expect(await again.fold()).toBe(1);
});

test("faults 19: a function that was replaced is refused, and mended by the install", async () => {
  const [a] = await pair();
  await a.sql(
    "CREATE OR REPLACE FUNCTION _documents_insert() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
  );
  const again = createNode({ db: a.database.db, registry, nodeId: "a" });
  await expect(again.ready()).rejects.toMatchObject({ code: "capture_stale" });
  await again.ensureShadowTables();
  await a.sql("INSERT INTO documents (id, title) VALUES ('3', 'seen')");
  expect(await again.fold()).toBe(1);
});

test("faults 19: what a disabled trigger missed counts as written now and reaches everybody", async () => {
  const [a, b] = await pair();
  await unseen(a, "INSERT INTO documents (id, title, view_count) VALUES ('3', 'three', 5)");
  await unseen(a, "DELETE FROM documents WHERE id = '2'");
  await unseen(a, "UPDATE documents SET view_count = 10, tags = '{y,x}' WHERE id = '1'");
  const found = await a.node.verify();
  expect(found).toEqual([
    { table: "documents", pk: ["3"], problem: "unknown_row", action: "insert" },
    { table: "documents", pk: ["2"], problem: "missing_row", action: "delete" },
    { table: "documents", pk: ["1"], field: "view_count", problem: "missed_value", action: "update" },
    { table: "documents", pk: ["1"], field: "tags", problem: "missed_value", action: "update" },
  ]);
  expect(await a.node.verify()).toEqual([]);
  await b.sql("UPDATE documents SET view_count = view_count + 1 WHERE id = '1'");
  await settle([b, a]);
  expect(await b.rows("SELECT id, title, view_count FROM documents ORDER BY id")).toEqual([
    { id: "1", title: "one", view_count: 11 },
    { id: "3", title: "three", view_count: 5 },
  ]);
  await expectEqual(a, b);
});
