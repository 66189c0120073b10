// Seeds of two to five nodes, 30 of them in .ci/run: rows and metadata equal in the end, counters what was added, adds win, all quiet.
// A failure prints its seed; `npm run simulate -- --from SEED --trace` replays it.
import { describe, expect, test } from "vitest";
import { registry } from "../../../generated/sqlite/registry";
import { effort } from "../../../test/support/effort";
import { simulate } from "../src/index";

const PER_TEST = effort(15);
const SEEDS = 2 * PER_TEST;

describe("nodes that write at any time over a bad network end equal (faults 5, 6, 8, 10, 11, 45, 46, 47)", () => {
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

  test("one seed is one run: the trace repeats to the letter", async () => {
    const [one, other] = [await simulate(7, registry), await simulate(7, registry)];
    expect(one.trace).toEqual(other.trace);
    expect(one.trace.length).toBeGreaterThan(20);
  });
});
