// Processes that are killed under load, over and over: two nodes write and sync, and each is killed (SIGKILL) at random moments and
// started again with the same database. GROVE_KILLS says how often over all (default 20); `npm run soak` asks for 500 per dialect.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Dialect } from "@grove-crdt/core";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { Accounts, type Rows, receiptProblems, SHARED, type Write } from "./fixtures/kills/accounts";
import type { Death, Phase } from "./fixtures/kills/moments";
import { buildVictim, Life } from "./fixtures/kills/victim";
import { contents, expectEqual } from "./support/comparison";
import { settle } from "./support/network";
import { openNode, type TestNode, TOKEN } from "./support/node";
import { postgres } from "./support/postgres";
import { Chance } from "./support/request-damage";
import { SqliteTestDatabase, sqlite } from "./support/sqlite";

const KILLS = Number(process.env.GROVE_KILLS ?? 20);
const SEED = Number(process.env.GROVE_SEED ?? 1);

const folder = mkdtempSync(join(tmpdir(), "grove-kills-"));
let victim: Awaited<ReturnType<typeof buildVictim>>;
const lives = new Set<Life>();
beforeAll(async () => {
  victim = await buildVictim();
});
afterAll(() => {
  for (const life of lives) life.kill();
  victim.remove();
  rmSync(folder, { recursive: true, force: true });
});

const now = () => Date.now() * 1000;

/** What was done to the processes of one dialect. */
interface Tally {
  kills: number;
  /** By what was interrupted. */
  readonly phases: Partial<Record<Phase, number>>;
  acknowledged: number;
  /** That it sent or answered, and that were answered. */
  requests: number;
}
const tallies: Record<Dialect, Tally> = {
  sqlite: { kills: 0, phases: {}, acknowledged: 0, requests: 0 },
  postgres: { kills: 0, phases: {}, acknowledged: 0, requests: 0 },
};
const problems: string[] = [];
afterAll(() => {
  if (process.env.GROVE_REPORT) writeFileSync(process.env.GROVE_REPORT, JSON.stringify({ tallies, problems }));
});

/** A node's database, and the processes that have had it so far. */
class Member {
  life = 0;
  constructor(
    readonly name: string,
    readonly dialect: Dialect,
    readonly node: TestNode,
    readonly database: string,
    readonly serves: boolean,
  ) {}

  static async open(dialect: Dialect, name: string, serves: boolean): Promise<Member> {
    if (dialect === "postgres") {
      const node = await openNode(postgres, name, { now });
      const url = new URL(inject("postgres").url as string);
      url.pathname = `/${(await node.row<{ name: string }>("SELECT current_database() AS name"))?.name}`;
      return new Member(name, dialect, node, url.href, serves);
    }
    const file = join(folder, `${name}.db`);
    return new Member(name, dialect, await openNode(sqlite, name, { now, database: fileOf(file) }), file, serves);
  }

  get log(): string {
    return join(folder, `${this.name}.log`);
  }
  start(world: string, failures: string[]): Life {
    const orders = {
      dialect: this.dialect,
      name: this.name,
      database: this.database,
      address: join(folder, `${world}.url`),
      serves: this.serves,
      token: TOKEN,
      seed: SEED,
      life: this.life++,
      log: this.log,
      mark: join(folder, `${this.name}.mark`),
    };
    const life = new Life(victim.program, orders, failures);
    lives.add(life);
    return life;
  }
  /** The tally of what was just killed. */
  note(life: Life): void {
    const tally = tallies[this.dialect];
    tally.kills++;
    tally.phases[life.phase] = (tally.phases[life.phase] ?? 0) + 1;
    tally.requests += life.count("talked");
  }
  /** The node once more, when no process has its database any longer. */
  async reopen(): Promise<TestNode> {
    if (this.dialect === "postgres") return this.node;
    return openNode(sqlite, this.name, { now, database: fileOf(this.database) });
  }
}
const fileOf = (path: string) => new SqliteTestDatabase(new Database(path));

/** How a process is ended: by its own hand at a step of what it does, or from outside, so many milliseconds after. */
function drawEnd(chance: Chance, serves: boolean): Death | number {
  if (chance.of(0.3)) return chance.below(60);
  const own: readonly Phase[] = serves ? ["pulled", "pushed"] : ["pull", "push"];
  const phase = chance.pick<Phase>(["write", "fold", "fold", "merge", "merge", "merge", "serve", ...own]);
  // Requests are fewer than statements.
  return {
    phase,
    step: 1 + chance.below(own.includes(phase) ? 5 : 40),
    when: chance.pick(["before", "after"] as const),
  };
}

/** Longest wait for what a process is to say, or to come to, before it is killed wherever it is; in milliseconds. */
const PATIENCE = 1_000;

/** Two processes, one of which is killed and started again at once, or both, until there were so many kills. */
class Killing {
  readonly #lives: Life[];
  constructor(
    private readonly members: readonly Member[],
    private readonly world: string,
    private readonly chance: Chance,
    readonly failures: string[],
  ) {
    this.#lives = members.map((member) => member.start(world, failures));
  }

  async run(kills: number): Promise<readonly Life[]> {
    for (let left = kills; left > 0 && this.failures.length === 0; ) {
      const both = left > 1 && this.chance.of(0.15);
      const victims = both ? [0, 1] : [this.chance.below(2)];
      // One that is starting, or one that was heard by the other for a while.
      if (this.chance.of(0.1)) await sleep(this.chance.below(250));
      else await this.#heard(this.#lives[victims[0] as number] as Life, this.chance.below(6));
      const ends = victims.map((n) => drawEnd(this.chance, this.members[n]?.serves ?? false));
      await Promise.all(victims.map((n, at) => this.#kill(n, ends[at] as Death | number)));
      left -= victims.length;
    }
    return this.#lives;
  }

  async #heard(life: Life, times: number): Promise<void> {
    await life.says("ready");
    await Promise.race([life.says("talked", life.count("talked") + times), sleep(PATIENCE)]);
  }

  async #kill(n: number, end: Death | number): Promise<void> {
    const [life, member] = [this.#lives[n] as Life, this.members[n] as Member];
    if (typeof end !== "number") life.die(end);
    await Promise.race([life.ended, sleep(typeof end === "number" ? end : PATIENCE / 2)]);
    life.kill();
    await life.ended;
    member.note(life);
    this.#lives[n] = member.start(this.world, this.failures);
  }
}

async function readRows(node: TestNode): Promise<Rows> {
  const tables = await contents(node);
  const rows = <T extends unknown[]>(name: string) => (tables[name] ?? []).map((row) => JSON.parse(row) as T);
  return {
    receipts: rows<[string, string, string]>("orders").map(([id, , note]) => [id, JSON.parse(note) as Write]),
    documents: rows<[string, string, string, number, string[]]>("documents").map(([id, title, body, views, tags]) => ({
      id,
      title,
      body,
      views,
      tags,
    })),
    plans: rows<[string, string[], unknown, Rows["plans"][number]["data"]]>("plans").map(([id, steps, , data]) => ({
      id,
      steps,
      data,
    })),
    inventory: rows<[string, string, string, number]>("inventory").map(([, sku, , quantity]) => ({ sku, quantity })),
  };
}

const worlds: readonly { readonly edge: Dialect; readonly hub: Dialect }[] = [
  { edge: "sqlite", hub: "postgres" },
  { edge: "postgres", hub: "sqlite" },
];

describe.each(worlds)("kill -9 at random moments (fault 12): an edge on $edge, a hub on $hub", ({ edge, hub }) => {
  test(
    `${KILLS / 2} kills: no acknowledged write is lost, no transaction is cut in half, and sync goes on`,
    async () => {
      const world = `${edge}-to-${hub}`;
      const failures: string[] = [];
      const members = [
        await Member.open(hub, `hub-${hub}`, true),
        await Member.open(edge, `edge-${edge}`, false),
      ] as const;
      for (const id of SHARED) {
        await members[0].node.sql(`INSERT INTO documents (id, title) VALUES ('${id}', 'shared')`);
        await members[0].node.sql(`INSERT INTO plans (id) VALUES ('${id}')`);
        await members[0].node.sql(`INSERT INTO inventory (store, sku, name) VALUES ('all', '${id}', 'shared')`);
      }
      await settle([members[1].node, members[0].node]);
      for (const { node, dialect } of members) if (dialect === "sqlite") await node.close();

      const chance = new Chance(SEED * 31 + worlds.findIndex((of) => of.edge === edge));
      // The last two come at the end. Whatever was interrupted, they sync again.
      const last = (await new Killing(members, world, chance, failures).run(KILLS / 2 - 2)) as [Life, Life];
      expect(failures).toEqual([]);
      // What was written meanwhile has to come through first, while both go on writing.
      await Promise.race([last[1].says("exchanged", 2), sleep(20_000 + KILLS * 200)]);
      expect(last[1].count("exchanged"), "exchanges after all kills").toBeGreaterThanOrEqual(2);
      for (const [n, life] of last.entries()) {
        life.kill();
        await life.ended;
        members[n]?.note(life);
      }

      const nodes = [await members[0].reopen(), await members[1].reopen()] as const;
      for (const { database } of nodes)
        if (database instanceof SqliteTestDatabase)
          expect(database.raw.pragma("integrity_check", { simple: true })).toBe("ok");
      const rounds = await settle([nodes[1], nodes[0]]);
      const rows = await readRows(nodes[0]);
      const acknowledged = members.map(({ log }) => readFileSync(log, "utf8").split("\n").slice(0, -1));
      for (const [n, { dialect }] of members.entries()) tallies[dialect].acknowledged += acknowledged[n]?.length ?? 0;
      const found = [
        ...failures,
        ...receiptProblems(rows.receipts, new Set(acknowledged.flat())),
        ...new Accounts(rows.receipts).problems(rows),
      ];
      problems.push(...found);
      expect(found.slice(0, 20)).toEqual([]);
      await expectEqual(...nodes);
      for (const { node } of nodes) {
        expect(await node.verify()).toEqual([]);
        expect(await node.parked()).toEqual([]);
      }
      // Two rounds bring everything everywhere, the third says that all is quiet.
      expect(rounds).toBeLessThanOrEqual(3);
      expect(acknowledged.flat().length).toBeGreaterThan(KILLS);
      if (process.env.GROVE_SHOW) console.log(world, rounds, JSON.stringify(tallies), rows.receipts.length);
      for (const { database } of nodes) if (database instanceof SqliteTestDatabase) await database.close();
    },
    60_000 + KILLS * 2_000,
  );
});
