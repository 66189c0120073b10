// The example's own check: it ends with equal databases, finds what must not be, stays up until Ctrl-C, and leaves nothing.

import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import * as kit from "drizzle-kit/api";
import postgres from "postgres";
import { afterAll, describe, expect, inject, test } from "vitest";
import type { Listing } from "../examples/cloud-edge/shops";
import { Ledger } from "../examples/cloud-edge/story";
import { findProblems } from "../examples/cloud-edge/verdict";
import { withKit } from "../packages/drizzle/test/versions";
import * as postgresSchema from "../schema/postgres";
import * as sqliteSchema from "../schema/sqlite";

const root = fileURLToPath(new URL("..", import.meta.url));
const running = new Set<ChildProcess>();
const folders: string[] = [];
afterAll(() => {
  for (const child of running) child.kill("SIGTERM");
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

interface Run {
  readonly child: ChildProcess;
  /** What it has printed so far. */
  output(): string;
  /** Its exit code. */
  readonly ended: Promise<number | null>;
  /** What stands in its folder for temporary files. */
  left(): string[];
}

function runExample(args: readonly string[], env: NodeJS.ProcessEnv = {}): Run {
  const folder = mkdtempSync(join(tmpdir(), "grove-crdt-example-test-"));
  folders.push(folder);
  // Postgres, run as another user, must be able to enter.
  chmodSync(folder, 0o755);
  const child = spawn(process.execPath, ["--import", "tsx", "scripts/example.ts", ...args], {
    cwd: root,
    env: { ...process.env, TMPDIR: folder, ...env },
  });
  running.add(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  void ended.then(() => running.delete(child));
  const left = () => readdirSync(folder).filter((name) => name.startsWith("grove-crdt"));
  return { child, output: () => output, ended, left };
}

async function until(run: Run, text: RegExp): Promise<string> {
  const found = new Promise<string>((resolve) => {
    const look = () => text.test(run.output()) && resolve(run.output());
    run.child.stdout?.on("data", look);
  });
  return Promise.race([found, run.ended.then(run.output)]);
}

const server = () => inject("postgres").url as string;

describe.concurrent("the example cloud-edge", { timeout: 120_000 }, () => {
  test("exits 0 with two equal databases, on a Postgres of its own of which nothing stays", async ({ expect }) => {
    const run = runExample(["cloud-edge", "--once"], { DATABASE_URL: "" });
    expect([await run.ended, run.output()]).toEqual([0, expect.stringContaining("Cloud and edge are equal")]);
    expect(run.left()).toEqual([]);
  });

  test("exits 1 with the difference when one node's row was changed behind its back", async ({ expect }) => {
    const GROVE_EXAMPLE_PLANT = `BEGIN IMMEDIATE;
      UPDATE _grove_node SET capture = 0;
      UPDATE orders SET note = 'planted' WHERE id = 'web-3';
      UPDATE _grove_node SET capture = 1;
      COMMIT`;
    const run = runExample(["cloud-edge", "--once"], { DATABASE_URL: server(), GROVE_EXAMPLE_PLANT });
    expect([await run.ended, run.output()]).toEqual([1, expect.stringMatching(/web-3 is .*null.* and .*"planted"/)]);
    expect(run.left()).toEqual([]);
  });

  test("stays up without --once, syncs plain SQL, refuses strangers, and leaves nothing after Ctrl-C", async ({
    expect,
  }) => {
    const run = runExample(["cloud-edge"], { DATABASE_URL: server() });
    const output = await until(run, /serves at \S+\n/);
    const [url] = /postgres:\/\/\S+/.exec(output) ?? [""];
    const [sync] = /http:\/\/\S+/.exec(output) ?? [""];
    expect((await fetch(`${sync}/pull`, { method: "POST", body: "{}" })).status).toBe(401);
    const sql = postgres(url, { max: 1 });
    const [before] = await sql`SELECT quantity FROM inventory WHERE sku = 'tea'`;
    const [file] = /\S+edge\.db/.exec(output) ?? [""];
    const edge = new Database(file);
    edge.exec("UPDATE inventory SET quantity = quantity - 1 WHERE sku = 'tea'");
    edge.close();
    await expect
      .poll(async () => (await sql`SELECT quantity FROM inventory WHERE sku = 'tea'`)[0]?.quantity, { timeout: 20_000 })
      .toBe(String(Number(before?.quantity) - 1));
    await sql.end();
    run.child.kill("SIGINT");
    expect([await run.ended, run.output()]).toEqual([0, output]);
    expect(run.left()).toEqual([]);
    await expect(postgres(url, { max: 1 })`SELECT 1`).rejects.toMatchObject({ code: "3D000" });
    await expect(fetch(sync)).rejects.toThrow();
  });

  test.for(["--unknown", "positional"])("refuses %s with its usage", async (argument, { expect }) => {
    const run = runExample(["cloud-edge", argument]);
    expect([await run.ended, run.output()]).toEqual([2, expect.stringContaining("Usage:")]);
  });
});

test("an example that is not there is answered with those that are", async () => {
  const run = runExample(["nothing"]);
  expect([await run.ended, run.output()]).toEqual([2, expect.stringContaining("Examples: cloud-edge, demo")]);
});

describe("the example's check finds", () => {
  const order = { id: "kept", status: "open", note: null, total: 5, placedAt: new Date(0) } as const;
  const tea = { store: "s", sku: "tea", name: "Tea", quantity: 3, shelf: null };
  const good: Listing = { orders: [order], inventory: [tea] };
  const ledger = new Ledger();
  ledger.orders.add("kept");
  ledger.add("tea", 3);

  test("nothing when all is well, wherever the tea lies", () =>
    expect(findProblems(good, { ...good, inventory: [{ ...tea, shelf: "left" }] }, ledger)).toEqual([]));

  const short: Listing = { orders: [order], inventory: [{ ...tea, quantity: 2 }] };
  const back: Listing = { ...good, orders: [order, { ...order, id: "gone" }] };
  test.each<[string, Listing, Listing]>([
    ["another value", good, { ...good, orders: [{ ...order, total: 6 }] }],
    ["another moment", good, { ...good, orders: [{ ...order, placedAt: new Date(1) }] }],
    ["a row missing at the edge", good, { ...good, orders: [] }],
    ["a row missing in the cloud", { ...good, orders: [] }, good],
    ["a row missing in both", { ...good, orders: [] }, { ...good, orders: [] }],
    ["a quantity short in both", short, short],
    ["a withdrawn order that is back in both", back, back],
  ])("%s", (_, cloud, edge) => expect(findProblems(cloud, edge, ledger)).not.toEqual([]));
});

describe("the example's migrations make the tables of the reference schema", () => {
  const snapshot = (dialect: string) =>
    JSON.parse(readFileSync(`${root}/examples/cloud-edge/migrations/${dialect}/meta/0000_snapshot.json`, "utf8"));
  test("on Postgres", async () => {
    const wanted = await withKit(postgresSchema, () => kit.generateDrizzleJson({ ...postgresSchema }));
    expect(await kit.generateMigration(snapshot("postgres"), wanted)).toEqual([]);
  });
  test("on SQLite", async () => {
    const wanted = await kit.generateSQLiteDrizzleJson({ ...sqliteSchema });
    expect(await kit.generateSQLiteMigration(snapshot("sqlite"), wanted)).toEqual([]);
  });
});
