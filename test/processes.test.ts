// Processes: other programs may write to the same file, and a node may be killed at any moment. What was committed syncs.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { serve } from "@hono/node-server";
import Database from "better-sqlite3";
import { Hono } from "hono";
import { afterAll, describe, expect, test } from "vitest";
import { expectEqual, openNode, settle, sync, TOKEN } from "./support/nodes";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "grove-processes-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs SQL on a file in another process that knows nothing of grove-crdt. */
function elsewhere(file: string, sql: string): void {
  const program =
    "const [file, sql] = process.argv.slice(1); const db = new (require('better-sqlite3'))(file); db.exec(sql); db.close()";
  execFileSync(process.execPath, ["-e", program, file, sql], { cwd: root });
}

describe("another program on the same file", () => {
  test("its writes are captured and sync, and merges reach its eyes", async () => {
    const file = join(folder, "shared.db");
    const [edge, hub] = [await openNode("edge", { file }), await openNode("hub")];
    hub.sql("INSERT INTO documents (id, title) VALUES ('1', 'from the hub')");
    await settle([edge, hub]);
    elsewhere(
      file,
      "UPDATE documents SET title = 'from a program', view_count = view_count + 3; INSERT INTO orders (id, total, placed_at) VALUES ('o', 5, 0); DELETE FROM inventory",
    );
    edge.sql("UPDATE documents SET view_count = view_count + 1");
    elsewhere(
      file,
      "UPDATE documents SET tags = '[\"p\"]'; INSERT OR REPLACE INTO orders (id, total, placed_at) VALUES ('o', 6, 0)",
    );
    await sync(edge, hub);
    expect(hub.row("SELECT title, view_count, tags FROM documents")).toEqual({
      title: "from a program",
      view_count: 4,
      tags: '["p"]',
    });
    expect(hub.row("SELECT id, total FROM orders")).toEqual({ id: "o", total: 6 });
    await expectEqual(edge, hub);
    hub.sql("DELETE FROM orders; UPDATE documents SET body = 'merged'");
    await settle([edge, hub]);
    elsewhere(file, "CREATE TABLE seen AS SELECT body, (SELECT count(*) FROM orders) AS orders FROM documents");
    expect(edge.row("SELECT * FROM seen")).toEqual({ body: "merged", orders: 0 });
    edge.db.close();
  });

  test("a program that writes while nothing syncs is found by the next start of the node", async () => {
    const file = join(folder, "asleep.db");
    const first = await openNode("edge", { file });
    const hub = await openNode("hub", { clock: first.clock });
    first.sql("INSERT INTO documents (id, title) VALUES ('1', 't')");
    await sync(first, hub);
    first.db.close();
    elsewhere(
      file,
      "UPDATE documents SET title = 'overnight'; INSERT INTO documents (id, title) VALUES ('2', 'overnight')",
    );
    const second = await openNode("edge", { file, clock: first.clock });
    expect(await sync(second, hub)).toMatchObject({ pushed: 2 });
    await expectEqual(second, hub);
    second.db.close();
  });
});

/** When a node is killed, once it has written enough: at the hub's side of an exchange, or just anywhere. */
const moments = ["before a push", "after a push", "before a pull is answered", "anywhere"] as const;

describe("kill -9 (fault 12)", () => {
  test("a node killed at any moment of an exchange, again and again, loses no committed write and counts none twice", async () => {
    const now = () => Date.now() * 1000;
    const file = join(folder, "killed.db");
    const hub = await openNode("hub", { now });
    let meet: (moment: string) => boolean = () => false;
    const app = new Hono();
    app.use(async (c, next) => {
      const kind = c.req.path.endsWith("/push") ? "push" : "pull";
      if (meet(`before a ${kind}`)) return c.text("the node is gone", 503);
      await next();
      // The node goes on writing while it waits for the answer.
      if (meet(`before a ${kind} is answered`)) return;
      await new Promise((resolve) => setTimeout(resolve, 5));
      meet(`after a ${kind}`);
    });
    app.route("/sync", hub.app);
    const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" });
    await new Promise((resolve) => server.once("listening", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/sync`;
    const seed = await openNode("edge", { file, now });
    seed.sql("INSERT INTO documents (id, title) VALUES ('counter', 'counted')");
    await sync(seed, hub);
    seed.db.close();

    const committed: string[] = [];
    const shown = () => new Set(hub.db.prepare("SELECT id FROM documents").pluck().all());
    const views = (db: Database.Database) =>
      db.prepare("SELECT view_count FROM documents WHERE id = 'counter'").pluck().get() as number;
    try {
      for (const [round, moment] of moments.entries()) {
        const child = spawn(
          process.execPath,
          ["--import", "tsx", "test/fixtures/writer.ts", file, url, TOKEN, String(round)],
          { cwd: root, stdio: ["ignore", "pipe", "inherit"] },
        );
        const { lines, enough } = readLines(child, 30);
        void enough.then(() => {
          if (moment === "anywhere") child.kill("SIGKILL");
          meet = (at) => at === moment && child.kill("SIGKILL");
        });
        committed.push(...(await lines));
        meet = () => false;
      }
    } finally {
      server.close();
    }
    expect(committed.length).toBeGreaterThan(30 * moments.length);
    // It was killed in the midst of it: some rows had come across, and some had not.
    expect(shown().size).toBeGreaterThan(20);

    const db = new Database(file);
    expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
    const again = await openNode("edge", { db, now });
    await settle([again, hub]);
    const ids = shown();
    expect(committed.filter((id) => !ids.has(id))).toEqual([]);
    // Each row was counted in a statement of its own: at most one row per round was not.
    expect(ids.size - 1 - views(db)).toBeGreaterThanOrEqual(0);
    expect(ids.size - 1 - views(db)).toBeLessThanOrEqual(moments.length);
    expect(views(hub.db)).toBe(views(db));
    await expectEqual(again, hub);
    db.close();
  });
});

/** The lines that a process has written when it ends, and when there are so many of them. */
function readLines(child: ChildProcess, count: number): { lines: Promise<string[]>; enough: Promise<void> } {
  let text = "";
  let reached = () => {};
  const enough = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const lines = new Promise<string[]>((resolve, reject) => {
    child.once("error", reject);
    child.stdout!.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      if (text.split("\n").length > count) reached();
    });
    // The last line may be cut; what it tells of is committed, but it cannot be compared.
    child.once("close", () => resolve(text.split("\n").slice(0, -1)));
  });
  return { lines, enough };
}
