// Real processes: eight applications write to one Postgres that two hubs serve, three edges write to SQLite files and sync
// with either hub, and now and then a hub is killed. What was acknowledged is there in the end, everywhere, and once.
// GROVE_SECONDS says for how long (default 10); `npm run soak` runs it for minutes and reads GROVE_REPORT.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "better-sqlite3";
import { afterAll, afterEach, expect, inject, test } from "vitest";
import { Accounts, type Rows } from "../fixtures/fleet/accounts";
import { type Message, Process } from "../fixtures/fleet/process";
import { SHARED } from "../fixtures/fleet/workload";
import { contents, metadata } from "../support/comparison";
import { openNode, type SyncingNode, startNode, type TestNode, TOKEN } from "../support/node";
import { postgres } from "../support/postgres";
import { SqliteTestDatabase, sqlite } from "../support/sqlite";

const SECONDS = Number(process.env.GROVE_SECONDS ?? 10);
const WRITERS = 8;
const HUBS = 2;
const EDGES = 3;
/** Milliseconds between two writes of one process, on average. */
const PACE = { writer: 20, edge: 30 };
/** Seconds between two kills of a hub. */
const KILL = 3;

const folder = mkdtempSync(join(tmpdir(), "grove-fleet-"));
const fleet = new Set<Process>();
afterEach(() => {
  for (const member of fleet) member.kill();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const now = () => Date.now() * 1000;
const logOf = (name: string) => join(folder, `${name}.log`);

async function makeHub(): Promise<{ node: TestNode; url: string }> {
  const node = await openNode(postgres, "hub", { now });
  for (const id of SHARED) {
    await node.sql(`INSERT INTO documents (id, title) VALUES ('${id}', 'shared')`);
    await node.sql(`INSERT INTO inventory (store, sku, name) VALUES ('all', '${id}', 'shared')`);
  }
  const url = new URL(inject("postgres").url as string);
  url.pathname = `/${(await node.row<{ name: string }>("SELECT current_database() AS name"))?.name}`;
  return { node, url: url.href };
}

/** A node on a file that an edge's process has, or will have. */
const openEdge = (name: string): Promise<Omit<SyncingNode, "clock">> => {
  const database = new SqliteTestDatabase(new Database(join(folder, `${name}.db`)));
  return startNode(database, name, { registry: sqlite.registry, now });
};
async function makeEdge(name: string): Promise<void> {
  const database = new Database(join(folder, `${name}.db`));
  for (const ddl of sqlite.referenceTables) database.exec(ddl);
  database.close();
  await (await openEdge(name)).database.close();
}

/** Where two databases differ, in rows or in what is known about them. */
async function differences(one: SyncingNode, other: SyncingNode): Promise<string[]> {
  const found: string[] = [];
  const [rows, others] = [await contents(one), await contents(other)];
  for (const table of Object.keys(rows)) {
    const [here, there] = [new Set(rows[table]), new Set(others[table])];
    for (const row of here) if (!there.has(row)) found.push(`${table} ${row} is on ${one.id} and not on ${other.id}`);
    for (const row of there) if (!here.has(row)) found.push(`${table} ${row} is on ${other.id} and not on ${one.id}`);
  }
  const [known, others2] = [await metadata(one), await metadata(other)];
  for (const key of new Set([...Object.keys(known), ...Object.keys(others2)])) {
    if (known[key] !== others2[key])
      found.push(`${key}:\n    ${one.id} knows ${known[key]}\n    ${other.id} knows ${others2[key]}`);
  }
  return found;
}

async function readRows(node: SyncingNode): Promise<Rows> {
  const tables = Object.entries(await contents(node));
  return Object.fromEntries(
    tables.map(([table, rows]) => [table, rows.map((row) => JSON.parse(row))]),
  ) as unknown as Rows;
}

test(
  `${WRITERS} writers, ${HUBS} hubs that are killed and ${EDGES} edges, ${SECONDS} seconds: every acknowledged write counts, once and everywhere`,
  async () => {
    const failures: string[] = [];
    const start = (name: string, program: "writer" | "hub" | "edge", args: readonly string[]) => {
      const member = new Process(name, program, args, failures);
      fleet.add(member);
      return member;
    };
    const names = Array.from({ length: EDGES }, (_, n) => `edge-${n}`);
    const [{ node: hub, url }] = await Promise.all([makeHub(), ...names.map(makeEdge)]);

    // The hubs, and how the edges hear of them.
    const hubs: Process[] = [];
    const addresses = new Map<number, string>();
    const announce = () => {
      for (const edge of edges) edge.send({ hubs: [...addresses.values()] });
    };
    const startHub = async (n: number) => {
      const member = start(`hub process ${n}`, "hub", [url, TOKEN]);
      hubs[n] = member;
      const { url: address } = await member.next();
      if (address !== undefined) addresses.set(n, address);
      announce();
    };
    const killHub = (n: number) => {
      hubs[n]?.kill();
      addresses.delete(n);
      announce();
    };
    const edges = names.map((name) =>
      start(name, "edge", [join(folder, `${name}.db`), name, logOf(name), String(PACE.edge), TOKEN]),
    );
    const writers = Array.from({ length: WRITERS }, (_, n) =>
      start(`writer-${n}`, "writer", [url, `writer-${n}`, logOf(`writer-${n}`), String(PACE.writer)]),
    );
    const ready = [...edges, ...writers].map((member) => member.next());
    await Promise.all([...ready, ...Array.from({ length: HUBS }, (_, n) => startHub(n))]);
    expect(failures).toEqual([]);
    for (const edge of edges) expect((await edge.ask("sync")).error).toBeNull();

    const done = [...edges, ...writers].map((member) => member.ask("start"));
    const end = Date.now() + SECONDS * 1000;
    let kills = 0;
    while (Date.now() < end && failures.length === 0) {
      await sleep(Math.min(KILL * 1000, end - Date.now()));
      if (Date.now() >= end) break;
      const n = kills++ % HUBS;
      killHub(n);
      await startHub(n);
    }
    for (const member of [...edges, ...writers]) member.send("stop");
    await Promise.all(done);

    // Two rounds bring everything everywhere: up, and down to those who came first. The third says that all is quiet.
    let last: Message[] = [];
    let rounds = 0;
    for (let moved = 1; moved > 0 && rounds < 10; rounds++) {
      last = [];
      for (const edge of edges) last.push(await edge.ask("sync"));
      moved = last.reduce((sum, message) => sum + (message.moved ?? 0), 0);
      for (const { error } of last) if (error) failures.push(`an exchange at the end failed: ${error}`);
    }
    for (const member of fleet) member.kill();

    const accounts = new Accounts(SHARED);
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".log")))
      accounts.read(readFileSync(join(folder, file), "utf8"));
    const rows = await readRows(hub);
    const problems = [...failures, ...accounts.problems(rows)];
    for (const name of names) {
      const edge = { ...(await openEdge(name)), clock: hub.clock };
      problems.push(...(await differences(hub, edge)));
      expect(await edge.node.parked()).toEqual([]);
      await edge.database.close();
    }
    expect(await hub.node.parked()).toEqual([]);

    const exchanges: Record<string, number> = {};
    for (const message of last)
      for (const [how, count] of Object.entries(message.exchanges ?? {}))
        exchanges[how] = (exchanges[how] ?? 0) + count;
    const shown = rows.documents.length + rows.orders.length + rows.inventory.length;
    const report = {
      seconds: SECONDS,
      writes: accounts.total,
      counts: accounts.counts,
      rows: shown,
      kills,
      exchanges,
      rounds,
    };
    if (process.env.GROVE_REPORT) writeFileSync(process.env.GROVE_REPORT, JSON.stringify({ ...report, problems }));
    const more = problems.length > 20 ? [`and ${problems.length - 20} more`] : [];
    expect([...problems.slice(0, 20), ...more], JSON.stringify(report)).toEqual([]);
    expect(rounds).toBeLessThanOrEqual(3);
    // A run in which little happened would prove nothing.
    expect(accounts.total).toBeGreaterThan(100);
    expect(exchanges.ok).toBeGreaterThan(0);
    for (const how of ["rejected", "internal", "bad_request", "unknown_table"]) expect(exchanges[how]).toBeUndefined();
    if (process.env.GROVE_SHOW) console.log(report);
  },
  (SECONDS + 120) * 1000,
);
