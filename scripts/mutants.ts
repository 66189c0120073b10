// npm run mutants: plants each bug of packages/testkit/mutants in a copy of the sources and says who notices: the simulator,
// by how many seeds, or a test. Exits 1 if one survives. `-- --only WORDS` takes some, `-- --seeds N` bounds the seeds of each.
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { makeCopy } from "../packages/testkit/mutants/copy";
import { mutants } from "../packages/testkit/mutants/index";
import type { Mutant } from "../packages/testkit/mutants/mutant";
import { runTests, Trials, type Verdict } from "../packages/testkit/mutants/trial";

const { values } = parseArgs({
  options: { only: { type: "string", default: "" }, seeds: { type: "string", default: "100" } },
});
const seeds = Number(values.seeds);
const chosen = mutants.filter(({ name }) => name.includes(values.only));
if (chosen.length === 0 || !(seeds > 0)) {
  console.error(`npm run mutants [-- [--only WORDS] [--seeds N]]. The mutants are:\n${list(mutants)}`);
  process.exit(1);
}
const copies = Array.from({ length: Math.min(2, availableParallelism(), chosen.length) }, makeCopy);
// Stopped from outside, no copy stays behind.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
process.once("exit", () => {
  for (const copy of copies) copy.remove();
});

const trials = new Trials();
const started = performance.now();
await mustPass();
const counts: number[] = [];
const survivors: Mutant[] = [];
// Tests first: they take longest, and a lane with nothing left to do is a lane lost.
const queue = [...chosen].sort((a, b) => Number(a.by === undefined) - Number(b.by === undefined));
await Promise.all(
  copies.map(async (copy) => {
    for (let mutant = queue.shift(); mutant; mutant = queue.shift()) {
      const verdict = await trials.try(copy, mutant, seeds);
      console.log(`${mutant.name}: ${describe(mutant, verdict)}`);
      if (!verdict.caught) survivors.push(mutant);
      else if (verdict.seeds !== undefined) counts.push(verdict.seeds);
    }
  }),
);
counts.sort((a, b) => a - b);
const seconds = Math.round((performance.now() - started) / 1000);
const byTests = chosen.length - survivors.length - counts.length;
console.log(
  `${chosen.length} mutants: ${counts.length} caught by the simulator (median ${median(counts)} seeds, most ${counts.at(-1) ?? 0}), ${byTests} by tests, ${survivors.length} survived, ${seconds} s`,
);
if (survivors.length > 0) console.log(`Nobody notices:\n${list(survivors)}`);
process.exitCode = survivors.length > 0 ? 1 : 0;

/** What fails without a mutant catches none. */
async function mustPass(): Promise<void> {
  const [one, other = one] = copies as [(typeof copies)[number], (typeof copies)[number]?];
  const tests = chosen.flatMap(({ by }) => (by ? [by] : []));
  const simulated = chosen.some(({ by }) => by === undefined);
  const clean = await Promise.all([
    simulated ? trials.check(one, 1, Math.min(seeds, 10)) : undefined,
    tests.length > 0 ? runTests(other, tests) : undefined,
  ]);
  for (const verdict of clean)
    if (verdict?.caught) throw new Error(`Without any mutant there is a failure already: ${verdict.problem}`);
}

function describe({ by, takes }: Mutant, { caught, seeds: n, problem }: Verdict): string {
  const [first = ""] = (problem ?? "").split("\n");
  if (!caught) return `SURVIVES ${by ? `${by[0]}, ${JSON.stringify(by[1])}` : `${n} seeds`}. Without it: ${takes}`;
  return by ? `caught by ${by[0]}: ${first}` : `caught by seed ${n} of the simulator: ${first.slice(0, 140)}`;
}

function median(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? 0)) / 2;
}

function list(some: readonly Mutant[]): string {
  return some.map(({ name, takes }) => `  ${name} (${takes})`).join("\n");
}
