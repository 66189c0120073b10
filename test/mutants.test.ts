// Planted bugs: `npm run mutants` tries them all. Here a few that the simulator notices at once, and that all still fit the code.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Copy, makeCopy, root } from "../packages/testkit/mutants/copy";
import { mutants } from "../packages/testkit/mutants/index";
import { type Mutant, mutate } from "../packages/testkit/mutants/mutant";
import { Trials } from "../packages/testkit/mutants/trial";

const AT_ONCE = ["nothing is relayed", "the floor follows the position", "a counter is a register"];

describe("planted bugs", () => {
  test("are 25 or more, each under a name of its own", () => {
    expect(mutants.length).toBeGreaterThanOrEqual(25);
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  });

  test.each(mutants)("$name: fits the code, which says that once", (mutant) => {
    const text = readFileSync(join(root, mutant.file), "utf8");
    expect(mutate(mutant, text)).not.toBe(text);
  });

  test.each(mutants.filter(({ by }) => by))("$name: the test that notices is there", ({ by }) => {
    const [file, name] = by as NonNullable<Mutant["by"]>;
    // The first words: a name may come of several parts.
    expect(readFileSync(join(root, file), "utf8")).toContain(name.split(" ").slice(0, 3).join(" "));
  });

  test("that do not fit the code are refused", () => {
    const [some] = mutants as [Mutant];
    expect(() => mutate(some, "")).toThrow("occurs 0 times");
    expect(() => mutate(some, some.find.repeat(2))).toThrow("occurs 2 times");
  });
});

describe("the simulator", () => {
  const trials = new Trials();
  let copy: Copy;
  beforeAll(() => {
    copy = makeCopy();
  });
  afterAll(() => copy.remove());

  test("finds nothing in a copy without a bug", async () => {
    expect(await trials.check(copy, 1, 2)).toEqual({ caught: false, seeds: 2, problem: null });
  });

  test.each(mutants.filter(({ name }) => AT_ONCE.includes(name)))("notices: $name", async (mutant) => {
    const { caught, seeds } = await trials.try(copy, mutant, 20);
    expect({ caught, seeds }).toEqual({ caught: true, seeds: expect.any(Number) });
  });
});
