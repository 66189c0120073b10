// Two and three connections to one hub's database, in every order of their statements: transactions of applications, merges, folds and
// pages that are served. Two short ones are followed through all their schedules where GROVE_SCHEDULES asks for it, as `npm run soak`
// does; else, and for three, some are drawn. A schedule that failed is run again by GROVE_SEED.
import { appendFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Step } from "../fixtures/schedules/effects";
import { type Part, type Scenario, World } from "../fixtures/schedules/world";
import { effort } from "../support/effort";
import { Chance } from "../support/request-damage";
import { type Actor, type Choice, everySchedule, type Turn } from "../support/schedule";

/** Most schedules of one scenario that are followed one after the other, and how many are drawn. */
const EVERY = Number(process.env.GROVE_SCHEDULES ?? 0);
const DRAWN = EVERY > 0 ? Math.ceil(EVERY / 10) : effort(20);
const SEED = Number(process.env.GROVE_SEED ?? 1);

const touch = (count: number, ...rows: string[]): Step[] => rows.map((row) => ["touch", row, count]);
const application = (by: string, ...steps: Step[]): Part => ({ does: "transaction", by, steps });
const merge = (by: string, ...steps: Step[]): Part => ({ does: "merge", by, steps });
const [serve, fold]: Part[] = [{ does: "serve" }, { does: "fold" }] as [Part, Part];

/** The other order of rows than that in which a merge locks them. */
const a = application("a", ...touch(1, "y", "x"));
const b = application("b", ...touch(10, "x"));
const peer = merge("peer", ...touch(100, "x", "y"));
const other = merge("peer-2", ...touch(1_000, "y", "x"));

const two: readonly Scenario[] = [
  { title: "a transaction and a merge of the same rows (fault 3)", rows: ["x", "y"], parts: [a, peer] },
  {
    title: "a merge beside writes that wait to be folded (fault 45)",
    rows: ["x", "y"],
    unfolded: true,
    parts: [b, peer],
  },
  {
    title: "a transaction that is rolled back, and a merge",
    rows: ["x", "y"],
    parts: [{ ...a, ends: "ROLLBACK" } as Part, peer],
  },
  {
    title: "a transaction and a merge that insert one key",
    rows: ["x"],
    parts: [
      application("a", ["insert", "new", 3], ...touch(1, "x")),
      merge("peer", ["insert", "new", 10], ...touch(100, "x")),
    ],
  },
  {
    title: "a row that is inserted and then counted, and a merge of the same key (fault 3)",
    rows: ["x"],
    parts: [
      {
        does: "transaction",
        by: "a",
        steps: [["insert", "new", 3], ...touch(1, "new"), ...touch(2, "new")],
        ends: "each",
      },
      merge("peer", ["insert", "new", 10], ...touch(100, "x")),
    ],
  },
  {
    title: "deletes on either side of what the other updates (fault 23)",
    rows: ["x", "y"],
    parts: [application("a", ...touch(1, "x"), ["delete", "y"]), merge("peer", ["delete", "x"], ...touch(100, "y"))],
  },
  {
    title: "a row that is deleted and inserted again, and a merge of what it was",
    rows: ["x", "y"],
    parts: [application("a", ["delete", "x"], ["insert", "x", 5]), peer],
  },
  { title: "a transaction and a page that is served (faults 1, 2 and 43)", rows: ["x", "y"], parts: [a, serve] },
  {
    title: "a page that is served beside writes that wait to be folded (fault 43)",
    rows: ["x"],
    unfolded: true,
    parts: [b, serve],
  },
  {
    title: "writes that are committed while a page is folded for and served (faults 43 and 44)",
    rows: ["x", "y"],
    unfolded: true,
    parts: [
      {
        does: "transaction",
        by: "a",
        steps: [...touch(1, "x"), ...touch(2, "y", "x"), ...touch(4, "x")],
        ends: "each",
      },
      serve,
    ],
  },
  { title: "a transaction and a fold", rows: ["x", "y"], unfolded: true, parts: [b, fold] },
  { title: "two transactions", rows: ["x", "y"], parts: [a, application("b", ...touch(10, "y", "x"))] },
  { title: "merges of two processes", rows: ["x", "y"], parts: [peer, other] },
  { title: "a merge and a page that is served", rows: ["x", "y"], unfolded: true, parts: [peer, serve] },
  { title: "two folds", rows: ["x", "y"], unfolded: true, parts: [fold, fold] },
];

const three: readonly Scenario[] = [
  { title: "two transactions and a merge (faults 3 and 4)", rows: ["x", "y"], parts: [a, b, peer] },
  {
    title: "a transaction, a merge and a page that is served (faults 1, 3 and 43)",
    rows: ["x", "y"],
    parts: [a, peer, serve],
  },
  {
    title: "a transaction, a fold and a page that is served (fault 43)",
    rows: ["x", "y"],
    unfolded: true,
    parts: [a, fold, serve],
  },
  { title: "a transaction and merges of two processes", rows: ["x", "y"], unfolded: true, parts: [a, peer, other] },
  {
    title: "an insert, a delete and a merge",
    rows: ["x", "y"],
    parts: [
      application("a", ["insert", "new", 3], ...touch(1, "x")),
      application("b", ["delete", "y"]),
      merge("peer", ["insert", "new", 10], ...touch(100, "y", "x")),
    ],
  },
  {
    title: "two transactions and a page that is served (fault 1)",
    rows: ["x", "y"],
    unfolded: true,
    parts: [a, b, serve],
  },
];

/** As `npm run soak` reads it: one line for each scenario. */
interface Report {
  readonly title: string;
  readonly actors: number;
  /** Every order that there is was run. */
  readonly every: boolean;
  /** Orders that differ. */
  readonly schedules: number;
  readonly problems: readonly string[];
}

/** Runs schedules of a scenario until one goes wrong. */
async function explore(scenario: Scenario, most: number, drawn: number): Promise<Report> {
  const world = await World.open(scenario);
  const problems: string[] = [];
  const orders = new Set<string>();
  const run = async (choose: Choice): Promise<readonly Turn[] | null> => {
    const { turns, problems: found } = await world.run(choose);
    const order = turns.map(({ name }) => name.at(-1)).join("");
    orders.add(order);
    if (found.length > 0) problems.push(`in the order ${order}: ${found.join("; ")}`);
    return problems.length > 0 ? null : turns;
  };
  const every = await everySchedule(run, most);
  for (let n = 0; n < drawn && problems.length === 0; n++)
    await run(drawChoice(scenario, new Chance(SEED * 1_000 + n)));
  problems.push(...(await world.problems()));
  await world.close();
  const { title, parts } = scenario;
  return { title, actors: parts.length, every, schedules: orders.size, problems };
}

/** Statements of a merge that meets nothing, roughly: an application's come at any of them. */
const SPAN = 20;

function drawChoice({ parts }: Scenario, chance: Chance): Choice {
  // An application that is away for longer than the store waits for its rows.
  const away = chance.of(0.2);
  let waits = away ? 4 : 0;
  /** By part: at which turn each statement of an application is due. */
  const due = parts.map((part) => {
    if (part.does !== "transaction") return [];
    const turns = [...part.steps, null].map(() => (away ? 3 * SPAN : chance.below(SPAN))).sort((a, b) => a - b);
    return away ? [0, ...turns.slice(1)] : turns;
  });
  const taken = parts.map(() => 0);
  return (turn, ready, blocked) => {
    const isDue = ({ place }: Actor) => (due[place]?.[taken[place] as number] ?? 0) <= turn;
    const soon = ready.filter((actor) => parts[actor.place]?.does === "transaction" && isDue(actor));
    if (soon.length === 0 && blocked && waits-- > 0) return -1;
    const others = ready.filter(({ place }) => parts[place]?.does !== "transaction");
    const from = soon.length > 0 ? soon : others.length > 0 ? others : ready;
    const actor = chance.pick(from);
    taken[actor.place] = (taken[actor.place] as number) + 1;
    return ready.indexOf(actor);
  };
}

describe("every order of statements loses nothing, counts exactly and serves whole pages (faults 1 to 4, 43, 45 and 51)", () => {
  test.each([...two, ...three].map((scenario) => [scenario.title, scenario] as const))(
    "%s",
    async (_, scenario) => {
      const report = await explore(scenario, scenario.parts.length === 2 ? EVERY : 0, DRAWN);
      if (process.env.GROVE_REPORT) appendFileSync(process.env.GROVE_REPORT, `${JSON.stringify(report)}\n`);
      if (process.env.GROVE_SHOW) console.log(JSON.stringify(report));
      expect(report.problems).toEqual([]);
      expect(report.schedules).toBeGreaterThan(1);
    },
    60_000 + EVERY * 500,
  );
});
