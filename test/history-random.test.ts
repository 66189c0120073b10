// History against what the tables showed: random writes of all five types on three nodes, with exchanges in any order, and every
// node's table written down after each step. Asked afterwards, each node tells every row as it was at each of these times.
import { describe, expect, test } from "vitest";
import { Clock } from "./support/clock";
import type { TestDialect } from "./support/dialect";
import { describeAcross, describeOnEach } from "./support/dialects";
import { effort } from "./support/effort";
import { openHistorian } from "./support/history";
import { type Column, insert, literal } from "./support/nested-tables";
import { COLUMNS, type Values, Writes } from "./support/nested-writes";
import { settle } from "./support/network";
import type { TestNode } from "./support/node";
import { Chance } from "./support/request-damage";

const RUNS = Number(process.env.HISTORY_RUNS ?? effort(10));
const FIRST = Number(process.env.HISTORY_SEED ?? 1);
const STEPS = 30;
const KEYS = ["p", "q"];

interface Seen {
  readonly node: TestNode;
  readonly at: number;
  readonly rows: ReadonlyMap<string, unknown>;
}

const readTable = async (node: TestNode): Promise<ReadonlyMap<string, unknown>> => {
  const rows = await node.rows<Values & { id: string }>("SELECT id, title, count, tags, steps, cards, data FROM plans");
  return new Map(rows.map((row) => [row.id, normal(row)]));
};

/** The order of an object's names says nothing, and a counter is a number to the driver. */
function normal(row: object | null | undefined): unknown {
  if (!row) return null;
  const { count, ...rest } = row as { count?: unknown };
  const sorted = (own: unknown): unknown => {
    if (typeof own !== "object" || own === null) return own;
    if (Array.isArray(own)) return own.map(sorted);
    return Object.fromEntries(
      Object.entries(own)
        .sort(([x], [y]) => (x < y ? -1 : 1))
        .map(([name, value]) => [name, sorted(value)]),
    );
  };
  return { ...(sorted(rest) as object), count: Number(count) };
}

async function write(node: TestNode, chance: Chance, id: string): Promise<void> {
  const before = await node.row<Values>("SELECT title, count, tags, steps, cards, data FROM plans WHERE id = ?", id);
  if (!before) {
    await insert(node, id, { count: chance.below(9), data: { a: chance.below(3) }, steps: ["s1"] });
    return;
  }
  if (chance.of(0.12)) {
    await node.sql("DELETE FROM plans WHERE id = ?", id);
    if (chance.of(0.4)) await insert(node, id, { title: "again", tags: ["t0"] });
    return;
  }
  const writes = new Writes(chance, node.registry.dialect);
  const columns: Column[] = COLUMNS.filter(() => chance.of(1 / 4));
  if (columns.length === 0) columns.push(chance.pick(COLUMNS));
  const sets = columns.map((column) => {
    const { wanted } = writes.plain(column, before[column]);
    return `${column} = ${literal(node, column, wanted)}`;
  });
  await node.sql(`UPDATE plans SET ${sets.join(", ")} WHERE id = ?`, id);
}

async function run(seed: number, dialects: readonly TestDialect[]): Promise<void> {
  const chance = new Chance(seed);
  const clock = new Clock();
  const nodes: TestNode[] = [];
  for (const [n, dialect] of dialects.entries()) nodes.push(await openHistorian(dialect, `n${n}`, { clock }));
  const seen: Seen[] = [];
  const begin = clock.now();
  for (let step = 0; step < STEPS; step++) {
    clock.advance(1 + chance.below(5));
    for (let n = chance.below(3); n >= 0; n--) await write(chance.pick(nodes), chance, chance.pick(KEYS));
    const [one, other] = [chance.pick(nodes), chance.pick(nodes)];
    if (one !== other && chance.of(0.6)) await settle([one, other]);
    for (const node of nodes) {
      await node.node.fold();
      seen.push({ node, at: clock.now(), rows: await readTable(node) });
    }
  }
  for (const { node, at, rows } of seen) {
    for (const id of KEYS) {
      const then = await node.node.stateAt("plans", [id], at);
      expect(normal(then?.values), `${id} of ${node.id} at step time ${at - begin}`).toEqual(rows.get(id) ?? null);
    }
  }
  // Nobody is told of a time before there was a row.
  for (const node of nodes) expect(await node.node.stateAt("plans", ["p"], begin)).toBeNull();
  for (const node of nodes) await node.close();
}

async function runSeeds(dialects: readonly TestDialect[], count: number): Promise<void> {
  for (let seed = FIRST; seed < FIRST + count; seed++) {
    try {
      await run(seed, dialects);
    } catch (error) {
      throw new Error(`HISTORY_SEED=${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
}

describe("history of random writes", () => {
  const timeout = 120_000 + 10_000 * RUNS;
  describeOnEach("on three nodes", ({ dialect }) => {
    const count = dialect.thorough ? RUNS : Math.ceil(RUNS / 4);
    test(`tells what the tables showed, ${count} seeds`, () => runSeeds([dialect, dialect, dialect], count), timeout);
  });
  describeAcross("on three nodes", ({ sqlite, postgres }) => {
    const count = Math.ceil(RUNS / 4);
    test(
      `tells what the tables showed, ${count} seeds`,
      () => runSeeds([sqlite.dialect, postgres.dialect, sqlite.dialect], count),
      timeout,
    );
  });
});
