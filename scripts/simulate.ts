// npm run simulate -- --seeds N --from S: runs the simulator over a range of seeds, in several processes.
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { registry } from "../generated/sqlite/registry";
import { drawPlan, shrink, simulatePlan } from "../packages/testkit/src/index";
import { simulateMany } from "./simulate-many";

const USAGE = `Usage: npm run simulate [-- options]

  --seeds N   how many seeds (default 500)
  --from S    the first one (default 1)
  --jobs J    processes side by side (default: one for each core)
  --trace     one seed: prints what happened
  --shrink    the first seed that fails: leaves out what the failure does not need, and prints what is left
  --help      show this

Exits 0 if every seed passed, 1 if one failed, 2 if the options are wrong. docs/simulator.md says what is simulated.`;

function readOptions() {
  try {
    const text = { type: "string" } as const;
    const flag = { type: "boolean", default: false } as const;
    const options = { seeds: text, from: text, jobs: text, trace: flag, shrink: flag, help: flag };
    const { values } = parseArgs({ options });
    const number = (name: "seeds" | "from" | "jobs", otherwise: number): number => {
      const value = Number(values[name] ?? otherwise);
      if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name} takes a whole number from 1 on.`);
      return value;
    };
    const jobs = number("jobs", availableParallelism());
    return { ...values, seeds: number("seeds", 500), from: number("from", 1), jobs };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

/** Runs one seed here, and prints its trace. */
async function printTrace(seed: number): Promise<number> {
  const { trace, problem } = await simulatePlan(drawPlan(seed), registry);
  console.log(trace.join("\n"));
  console.log(problem === null ? `seed ${seed} passed` : `seed ${seed}: ${problem}`);
  return problem === null ? 0 : 1;
}

async function printShrunk(seed: number): Promise<void> {
  const { plan, result, runs } = await shrink(drawPlan(seed), (smaller) => simulatePlan(smaller, registry));
  const { steps, ...rest } = plan;
  console.log(`seed ${seed}, shrunk by ${runs} runs to ${steps.length} steps of ${result.nodes} nodes:`);
  console.log(JSON.stringify(rest));
  for (const step of steps) console.log(JSON.stringify(step));
  console.log(`${result.trace.join("\n")}\n${result.problem}`);
}

const list = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");

const options = readOptions();
if (options.help) {
  console.log(USAGE);
  process.exit();
}
const { seeds, from, jobs } = options;
if (options.trace) process.exit(await printTrace(from));
const started = performance.now();
const totals = await simulateMany(from, seeds, jobs, (seed, problem) => console.log(`seed ${seed}: ${problem}`));
const seconds = Math.round((performance.now() - started) / 1000);
console.log(`writes: ${list(totals.kinds)}`);
console.log(`faults: ${list(totals.faults)}`);
console.log(
  `${seeds} seeds from ${from}: ${totals.writes} writes, ${totals.rowsSent} rows sent, ${totals.failed.length} failed, ${seconds} s`,
);
const [failed] = totals.failed;
if (failed !== undefined && options.shrink) await printShrunk(failed);
process.exit(failed === undefined ? 0 : 1);
