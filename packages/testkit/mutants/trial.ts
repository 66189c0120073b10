// One mutant's trial: seeds of the simulator, or a test, in a copy where it was made.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Copy } from "./copy";
import { root } from "./copy";
import type { Mutant } from "./mutant";

/** A seed takes half a second; one that takes so long does not end. */
const MOST_MILLISECONDS_PER_SEED = 60_000;
const MOST_MILLISECONDS_PER_TEST = 120_000;

export interface Verdict {
  readonly caught: boolean;
  /** How many seeds it took, or how many found nothing; absent for a test. */
  readonly seeds?: number;
  /** What was found first. */
  readonly problem: string | null;
}

/** Seeds from `first` on, until one fails. @throws Error when the copy does not run at all */
export async function runSeeds({ folder }: Copy, first: number, count: number): Promise<Verdict> {
  const args = ["--import", "tsx", "packages/testkit/mutants/hunt.ts", String(first), String(count)];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  let seeds = 0;
  let problem: string | null = null;
  let late = false;
  const stop = () => {
    late = true;
    child.kill("SIGKILL");
  };
  let timer = setTimeout(stop, MOST_MILLISECONDS_PER_SEED);
  for await (const line of createInterface({ input: child.stdout })) {
    clearTimeout(timer);
    timer = setTimeout(stop, MOST_MILLISECONDS_PER_SEED);
    seeds++;
    problem ??= (JSON.parse(line) as Verdict).problem;
  }
  const code = await ended;
  clearTimeout(timer);
  if (problem !== null) return { caught: true, seeds, problem };
  if (late && seeds > 0) return { caught: true, seeds: seeds + 1, problem: "the seed does not end" };
  if (late || code !== 0) throw new Error(`The simulator does not run in ${folder}: ${errors || "it does not end"}`);
  return { caught: false, seeds, problem: null };
}

type Test = NonNullable<Mutant["by"]>;
const literally = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** Runs these tests; caught = one failed. @throws Error when one could not be run */
export async function runTests({ folder }: Copy, tests: readonly Test[]): Promise<Verdict> {
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const config = "packages/testkit/mutants/vitest.config.ts";
  const files = [...new Set(tests.map(([file]) => file))];
  const names = tests.map(([, name]) => literally(name)).join("|");
  const args = [vitest, "run", "--config", config, "--root", folder, "--reporter=json", "-t", names, ...files];
  // With CI set, the long files are run as well.
  const env = { ...process.env, CI: "1" };
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  let [output, errors] = ["", ""];
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), MOST_MILLISECONDS_PER_TEST);
  await new Promise((resolve) => child.once("close", resolve));
  clearTimeout(timer);
  const start = output.indexOf('{"numTotalTestSuites"');
  const { testResults } = (start < 0 ? { testResults: [] } : JSON.parse(output.slice(start))) as TestReport;
  const ran = testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === "passed" || status === "failed"),
  );
  for (const [file, name] of tests)
    if (!ran.some(({ fullName }) => fullName.includes(name)))
      throw new Error(`${file} has no test ${JSON.stringify(name)}, or does not run in ${folder}: ${errors || output}`);
  const failed = ran.find(({ status }) => status === "failed");
  return { caught: failed !== undefined, problem: failed?.fullName ?? null };
}

interface TestReport {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** Tries mutants, and remembers which seeds of the simulator pass without any: only those prove something. */
export class Trials {
  readonly #passes = new Map<number, boolean>();

  /** Notes that these seeds pass without a mutant. */
  async check(copy: Copy, first: number, count: number): Promise<Verdict> {
    const verdict = await runSeeds(copy, first, count);
    for (let n = 0; n < (verdict.seeds ?? 0); n++)
      this.#passes.set(first + n, !(verdict.caught && n === (verdict.seeds ?? 0) - 1));
    return verdict;
  }

  /** @param seeds how many of the simulator at most */
  async try(copy: Copy, mutant: Mutant, seeds: number): Promise<Verdict> {
    const { by } = mutant;
    if (by !== undefined) return planted(copy, mutant, () => runTests(copy, [by]));
    for (let first = 1; first <= seeds; ) {
      const verdict = await planted(copy, mutant, () => runSeeds(copy, first, seeds - first + 1));
      const seed = first - 1 + (verdict.seeds ?? 0);
      if (!verdict.caught) break;
      if (!this.#passes.has(seed)) await this.check(copy, seed, 1);
      if (this.#passes.get(seed)) return { ...verdict, seeds: seed };
      first = seed + 1;
    }
    return { caught: false, seeds, problem: null };
  }
}

async function planted(copy: Copy, mutant: Mutant, run: () => Promise<Verdict>): Promise<Verdict> {
  const mend = copy.plant(mutant);
  try {
    return await run();
  } finally {
    mend();
  }
}
