// The example cloud-edge: it ends with equal databases, finds what must not be, stays up until Ctrl-C, and leaves nothing.
// And what all topologies share: the check, and the migrations.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import * as kit from "drizzle-kit/api";
import postgres from "postgres";
import { describe, expect, test } from "vitest";
import { Ledger, type Listing } from "../examples/ledger";
import { findProblems } from "../examples/verdict";
import { withKit } from "../packages/drizzle/test/versions";
import * as postgresSchema from "../schema/postgres";
import * as sqliteSchema from "../schema/sqlite";
import { openExamples, until } from "./support/example";

const root = fileURLToPath(new URL("..", import.meta.url));
const runExample = openExamples();

describe.concurrent("the example cloud-edge", { timeout: 120_000 }, () => {
  test("exits 0 with two equal databases, on a Postgres of its own of which nothing stays", async ({ expect }) => {
    const run = runExample(["cloud-edge", "--once"], { DATABASE_URL: "" });
    expect([await run.ended, run.output()]).toEqual([0, expect.stringContaining("All 2 databases are equal: ")]);
    expect(run.output()).toContain("20 new rows: 20 row messages, 1.00 for each");
    expect(run.left()).toEqual([]);
  });

  test("exits 1 with the difference when one node's row was changed behind its back", async ({ expect }) => {
    const GROVE_EXAMPLE_PLANT = `BEGIN IMMEDIATE;
      UPDATE _grove_node SET capture = 0;
      UPDATE orders SET note = 'planted' WHERE id = 'edge-3';
      UPDATE _grove_node SET capture = 1;
      COMMIT`;
    const run = runExample(["cloud-edge", "--once"], { GROVE_EXAMPLE_PLANT, GROVE_PATIENCE: "1500" });
    expect([await run.ended, run.output()]).toEqual([
      1,
      expect.stringContaining(`orders edge-3.note is "planted" at edge; it must be null`),
    ]);
    expect(run.left()).toEqual([]);
  });

  test("stays up without --once, syncs plain SQL, refuses strangers, and leaves nothing after Ctrl-C", async ({
    expect,
  }) => {
    const run = runExample(["cloud-edge"]);
    const output = await until(run, /serves at \S+\n/);
    const [url] = /postgres:\/\/\S+/.exec(output) ?? [""];
    const [sync] = /http:\/\/\S+/.exec(output) ?? [""];
    expect((await fetch(`${sync}/pull`, { method: "POST", body: "{}" })).status).toBe(401);
    expect((await fetch(`${sync}/stream?protocol=1&node=stranger`)).status).toBe(401);
    const sql = postgres(url, { max: 1 });
    const count = async () => Number((await sql`SELECT quantity FROM inventory WHERE sku = 'tea'`)[0]?.quantity);
    const before = await count();
    const [file] = /\S+edge\.db/.exec(output) ?? [""];
    const edge = new Database(file);
    edge.exec("UPDATE inventory SET quantity = quantity - 1 WHERE sku = 'tea'");
    // Long before the interval of 30 seconds: it is pushed as it is written, and streamed likewise.
    await expect.poll(count, { timeout: 10_000 }).toBe(before - 1);
    await sql`UPDATE inventory SET quantity = quantity - 1 WHERE sku = 'tea'`;
    const countAtEdge = () => edge.prepare("SELECT quantity FROM inventory WHERE sku = 'tea'").pluck().get();
    await expect.poll(countAtEdge, { timeout: 10_000 }).toBe(before - 2);
    edge.close();
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
  const examples = "Examples: active-hub, audit, chain, cloud-edge, demo, hub-spokes, mesh, tenants, till, two-node";
  expect([await run.ended, run.output()]).toEqual([2, expect.stringContaining(examples)]);
});

describe("the examples' check finds", () => {
  const order = { id: "kept", total: 5, placedAt: new Date(0) };
  const tea = { store: "s", sku: "tea", name: "Tea", quantity: 3 };
  const ledger = new Ledger();
  ledger.stock(tea);
  ledger.order(order);
  ledger.order({ ...order, id: "gone" });
  ledger.withdraw("gone");
  const good = ledger.list();
  const kept = good.orders[0] as Listing["orders"][number];
  const article = good.inventory[0] as Listing["inventory"][number];
  const check = (...listings: Listing[]) =>
    findProblems(new Map(listings.map((listing, n) => [`node-${n}`, listing])), ledger);

  test("nothing when all is well, wherever the tea lies", () =>
    expect(check(good, { ...good, inventory: [{ ...article, shelf: "left" }] })).toEqual([]));

  const short: Listing = { ...good, inventory: [{ ...article, quantity: 2 }] };
  const back: Listing = { ...good, orders: [kept, { ...kept, id: "gone" }] };
  test.each<[string, Listing, Listing]>([
    ["another value", good, { ...good, orders: [{ ...kept, total: 6 }] }],
    ["another moment", good, { ...good, orders: [{ ...kept, placedAt: new Date(1) }] }],
    ["a row missing on one node", good, { ...good, orders: [] }],
    ["a row missing everywhere", { ...good, orders: [] }, { ...good, orders: [] }],
    ["a quantity short everywhere", short, short],
    ["a withdrawn order that is back everywhere", back, back],
  ])("%s", (_, one, other) => expect(check(one, other)).not.toEqual([]));
});

describe("the examples' migrations make the tables of the reference schema", () => {
  const snapshot = (dialect: string) =>
    JSON.parse(readFileSync(`${root}/examples/migrations/${dialect}/meta/0000_snapshot.json`, "utf8"));
  test("on Postgres", async () => {
    const wanted = await withKit(postgresSchema, () => kit.generateDrizzleJson({ ...postgresSchema }));
    expect(await kit.generateMigration(snapshot("postgres"), wanted)).toEqual([]);
  });
  test("on SQLite", async () => {
    const wanted = await kit.generateSQLiteDrizzleJson({ ...sqliteSchema });
    expect(await kit.generateSQLiteMigration(snapshot("sqlite"), wanted)).toEqual([]);
  });
});
