// Several processes on one SQLite file, of which one begins a collection, as `grove-crdt gc` does beside a running program.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { createNode } from "grove-crdt";
import { afterEach, beforeEach, expect, test } from "vitest";
import { registry } from "../../generated/sqlite/registry";
import { Clock, expectEqual, openNode, openNodes, settle, sync, type TestNode } from "../support/nodes";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "grove-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("what a program counts after another process has closed is counted once", async () => {
  const clock = new Clock();
  const file = join(folder, "hub.db");
  const hub = await openNode("hub", { file, clock });
  const [a, b] = (await openNodes(["a", "b"], { clock })) as [TestNode, TestNode];
  hub.sql("INSERT INTO documents (id, title) VALUES ('1', 't')");
  hub.sql("UPDATE documents SET view_count = view_count + 5");
  await settle([a, hub], [b, hub]);
  const client = new Database(file);
  const command = createNode({ db: drizzle({ client }), registry, now: clock.now });
  await command.ready();
  await command.collect();
  client.close();
  for (let n = 0; n < 2; n++) for (const edge of [a, b]) await sync(edge, hub);
  // The verdict falls while one of them has not heard of this.
  hub.sql("UPDATE documents SET view_count = view_count + 1");
  for (let n = 0; n < 4; n++) for (const edge of [a, b]) await sync(edge, hub);
  expect((await hub.node.collection()).rounds.at(-1)?.state).toBe("ended");
  for (const node of [hub, a, b])
    expect(node.row<{ n: number }>("SELECT view_count AS n FROM documents")?.n, node.id).toBe(6);
  await expectEqual(hub, a, b);
});
