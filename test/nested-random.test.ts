// Random writes of all five types on three nodes: whole values by Drizzle and by raw SQL and helpers, mixed, with exchanges in any
// order. Each write reads as it was meant, and in the end all nodes are equal (faults 24 to 26, lineage 3 and 27).
import { writeFileSync } from "node:fs";
import { eq } from "drizzle-orm";
import { afterAll, describe, expect, test } from "vitest";
import { expectEqual } from "./support/comparison";
import { describeAcross, describeOnEach, type dialects } from "./support/dialects";
import { effort } from "./support/effort";
import { insert, literal, open, tables } from "./support/nested-tables";
import { type Change, COLUMNS, type Values, WAYS, type Way, Writes } from "./support/nested-writes";
import { settle } from "./support/network";
import type { TestNode } from "./support/node";
import { Chance } from "./support/request-damage";

const RUNS = Number(process.env.NESTED_RUNS ?? effort(12));
const FIRST = Number(process.env.NESTED_SEED ?? 1);
const STEPS = 25;
/** Writes by way and column. */
const made = new Map<string, number>();
let runs = 0;
afterAll(() => {
  const writes = Object.fromEntries([...made].sort());
  if (process.env.NESTED_REPORT) writeFileSync(process.env.NESTED_REPORT, JSON.stringify({ runs, writes }));
});

type Db = import("drizzle-orm/better-sqlite3").BetterSQLite3Database;

async function readRow(node: TestNode): Promise<Values | undefined> {
  return node.row<Values>("SELECT title, count, tags, steps, cards, data FROM plans WHERE id = 'p'");
}

/** A set's order is that of its adding, and that of an object's names says nothing. */
function normal(values: unknown): unknown {
  return JSON.parse(
    JSON.stringify(values, (name, own: unknown) => {
      if (name === "tags" && Array.isArray(own)) return [...own].sort();
      if (typeof own !== "object" || own === null || Array.isArray(own)) return own;
      return Object.fromEntries(Object.entries(own).sort(([x], [y]) => (x < y ? -1 : 1)));
    }),
  );
}

/** One statement over one to three columns. */
async function write(node: TestNode, chance: Chance, before: Values): Promise<readonly Change[]> {
  const { dialect } = node.registry;
  const writes = new Writes(chance, dialect);
  const columns = COLUMNS.filter(() => chance.of(1 / 4));
  if (columns.length === 0) columns.push(chance.pick(COLUMNS));
  const raw = chance.of(1 / 3);
  const changes = columns.map((column) =>
    raw || chance.of(1 / 2) ? writes.plain(column, before[column]) : writes.meant(column, before[column]),
  );
  for (const { column, meant } of changes) {
    const way: Way = raw ? "raw SQL" : meant ? "a helper" : "a plain value";
    made.set(`${way}: ${column}`, (made.get(`${way}: ${column}`) ?? 0) + 1);
  }
  if (raw) {
    const sets = changes.map(({ column, wanted }) => `${column} = ${literal(node, column, wanted)}`);
    await node.sql(`UPDATE plans SET ${sets.join(", ")} WHERE id = 'p'`);
  } else {
    const plans = tables[dialect].plans as typeof tables.sqlite.plans;
    const sets = Object.fromEntries(changes.map(({ column, wanted, meant }) => [column, meant ?? wanted]));
    await (node.database.db as unknown as Db).update(plans).set(sets).where(eq(plans.id, "p"));
  }
  return changes;
}

async function run(seed: number, kinds: readonly (keyof typeof dialects)[]): Promise<void> {
  const chance = new Chance(seed);
  const nodes: TestNode[] = [];
  for (const [n, kind] of kinds.entries()) nodes.push(await open(kind, `n${n}`, nodes[0]?.clock));
  const [first, ...others] = nodes as [TestNode, ...TestNode[]];
  const links = others.map((node) => [node, first] as const);
  await insert(first, "p", { count: 5, tags: ["t1"], steps: ["s1", "s2"], cards: [{ id: 1 }], data: { a: 1 } });
  await settle(...links);
  for (let step = 0; step < STEPS; step++) {
    first.clock.advance(chance.below(3));
    const node = chance.pick(nodes);
    const before = await readRow(node);
    if (chance.of(0.04)) await node.sql("DELETE FROM plans");
    else if (!before) await insert(node, "p", { data: { a: 2 } });
    else {
      const changes = await write(node, chance, before);
      const wanted = { ...before, ...Object.fromEntries(changes.map((change) => [change.column, change.wanted])) };
      expect(normal(await readRow(node))).toEqual(normal(wanted));
      if (chance.of(0.7)) {
        await node.node.fold();
        expect(normal(await readRow(node))).toEqual(normal(wanted));
      }
    }
    const [one, other] = [chance.pick(nodes), chance.pick(nodes)];
    if (one !== other && chance.of(0.5)) await settle([one, other]);
  }
  for (let round = 0; round < 2; round++) await settle(...links);
  await expectEqual(...nodes);
  // Whoever comes new is told the same.
  const late = await open(kinds[0] as keyof typeof dialects, "late", first.clock);
  await settle([late, first]);
  await expectEqual(late, first);
  for (const node of [...nodes, late]) await node.close();
  runs++;
}

async function runSeeds(first: number, count: number, kinds: readonly (keyof typeof dialects)[]): Promise<void> {
  for (let seed = first; seed < first + count; seed++) {
    try {
      await run(seed, kinds);
    } catch (error) {
      throw new Error(`NESTED_SEED=${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
}

describe("random writes by Drizzle, helpers and raw SQL", () => {
  const timeout = 120_000 + 10_000 * RUNS;
  describeOnEach("on three nodes", ({ dialect }) => {
    const count = dialect.thorough ? RUNS : Math.ceil(RUNS / 4);
    test(
      `end alike, ${count} seeds`,
      () => runSeeds(FIRST, count, [dialect.name, dialect.name, dialect.name]),
      timeout,
    );
  });
  describeAcross("on a hub and two edges", () => {
    const count = Math.ceil(RUNS / 4);
    test(`end alike, ${count} seeds`, () => runSeeds(FIRST, count, ["postgres", "sqlite", "sqlite"]), timeout);
  });

  test("all five types were written in every way that they have (lineage 3)", () => {
    // Of a few seeds on one dialect alone, not every one is drawn.
    if ([...made.values()].reduce((sum, count) => sum + count, 0) < 200) return;
    for (const way of WAYS)
      for (const column of COLUMNS) {
        if (way === "a helper" && column === "title") continue;
        expect(made.get(`${way}: ${column}`) ?? 0, `${way}: ${column}`).toBeGreaterThan(0);
      }
  });
});
