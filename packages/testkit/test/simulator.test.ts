// Seeds of the simulator, 40 of them in .ci/run beside its own step: rows and metadata equal in the end, counters what was added,
// adds win, all quiet. A failure prints its seed; `npm run simulate -- --from SEED --trace` replays it, `--shrink` makes it small.
import { describe, expect, test } from "vitest";
import { registry } from "../../../generated/sqlite/registry";
import { effort } from "../../../test/support/effort";
import { drawPlan, type Plan, shrink, simulate, simulatePlan } from "../src/index";

const PER_TEST = effort(20);
const SEEDS = 2 * PER_TEST;

describe("nodes that write at any time over a bad network end equal (faults 5, 6, 7, 8, 10, 11, 13, 16, 21, 23, 27, 28, 45, 46, 47, 53, 55, 56)", () => {
  const starts = Array.from({ length: SEEDS / PER_TEST }, (_, n) => 1 + n * PER_TEST);
  test.each(starts)(`seeds %i and the ${PER_TEST - 1} after it`, { timeout: 120_000 }, async (from) => {
    let writes = 0;
    for (let seed = from; seed < from + PER_TEST; seed++) {
      const result = await simulate(seed, registry);
      expect(result.problem, `seed ${seed}`).toBeNull();
      writes += result.writes;
    }
    // A simulation without writes would prove nothing.
    expect(writes).toBeGreaterThan(PER_TEST * 10);
  });
});

describe("seeds that failed once (faults 16, 22, 28)", () => {
  test.each([
    ["what an earlier syncer left out was taken for sent", 17929],
    ["a deletion that the peer never had was dropped", 17618],
    ["what was on record gave way to what was set aside later", 19937],
    ["all who had carried a collection out were restored", 21859],
    ["totals that were put together went to who had not collected", 27431],
  ])("%s: %i", { timeout: 60_000 }, async (_, seed) => {
    expect((await simulate(seed, registry)).problem).toBeNull();
  });
});

describe("one seed is one run", () => {
  const find = (wanted: (plan: Plan) => boolean): number => {
    for (let seed = 1; ; seed++) if (wanted(drawPlan(seed))) return seed;
  };
  const does = (name: Plan["steps"][number]["do"]) => (plan: Plan) =>
    !plan.http && plan.steps.filter((step) => step.do === name).length > 2;
  test.each([
    ["with crashes", find(does("crash"))],
    ["with streams", find(does("stream"))],
    ["with restored databases", find(does("restore"))],
    ["with collections", find((plan) => plan.collects && does("collect")(plan) && does("gather")(plan))],
    ["over HTTP", find(({ http }) => http)],
  ])("the trace repeats to the letter, %s", async (_, seed) => {
    const [one, other] = [await simulate(seed, registry), await simulate(seed, registry)];
    expect(one.trace).toEqual(other.trace);
    expect(one.trace.length).toBeGreaterThan(20);
    expect(other).toEqual(one);
  });
});

describe("collections in the simulator (fault 22)", () => {
  test("end, strike off, let nodes rejoin and forget, and lose nothing", { timeout: 120_000 }, async () => {
    const told: Record<string, number> = {};
    for (let seed = 1, left = effort(6); left > 0; seed++) {
      const plan = drawPlan(seed);
      if (!plan.collects) continue;
      left--;
      const { problem, faults } = await simulatePlan(plan, registry);
      expect(problem, `seed ${seed}`).toBeNull();
      for (const [name, count] of Object.entries(faults)) told[name] = (told[name] ?? 0) + count;
    }
    expect(told["collections ended"]).toBeGreaterThan(0);
  });
});

describe("a plan that fails", () => {
  test("is shrunk to the steps, nodes and faults that the failure needs", async () => {
    const plan = drawPlan(16);
    const isBad = ({ steps, faults }: Plan) => steps.some(({ node }) => node === 1) && faults.doubled > 0;
    const found = await shrink(
      { ...plan, faults: { requestLost: 0.1, answerLost: 0, doubled: 0.1, late: 0.1 } },
      async (smaller) => ({
        problem: isBad(smaller) ? "equal in nothing" : null,
      }),
    );
    expect(found.plan.steps).toHaveLength(1);
    expect(found.plan.steps[0]?.node).toBe(1);
    expect(found.plan.faults).toEqual({ requestLost: 0, answerLost: 0, doubled: 0.1, late: 0 });
    expect(found.plan.nodes.length - found.plan.absent.length).toBe(2);
  });

  test("runs without any steps as well", async () => {
    expect((await simulatePlan({ ...drawPlan(3), steps: [] }, registry)).problem).toBeNull();
  });
});
