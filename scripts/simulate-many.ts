// Seeds side by side, in processes that take the next few as soon as they are done. The simulator is made one file for that:
// its processes start at once, and run a good deal faster than through a loader.
import { type ChildProcess, fork } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const root = join(import.meta.dirname, "..");

/** Seeds that a process is given at a time. */
const SEEDS_AT_A_TIME = 5;
/** A seed takes a fraction of a second; one that takes so long does not end. */
const MOST_MILLISECONDS_PER_SEED = 120_000;

export interface SeedReport {
  readonly seed: number;
  readonly problem: string | null;
  readonly writes: number;
  readonly rowsSent: number;
  readonly kinds: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
}

export interface Totals {
  writes: number;
  rowsSent: number;
  readonly kinds: Record<string, number>;
  readonly faults: Record<string, number>;
  /** Seeds, in their order. */
  readonly failed: number[];
}

const add = (totals: Record<string, number>, counts: Readonly<Record<string, number>>): void => {
  for (const [name, count] of Object.entries(counts)) totals[name] = (totals[name] ?? 0) + count;
};

/** @param onProblem called for each seed that fails, as it does */
export async function simulateMany(
  from: number,
  seeds: number,
  jobs: number,
  onProblem: (seed: number, problem: string) => void,
): Promise<Totals> {
  const folder = join(root, "tmp", `simulate-${process.pid}`);
  const outfile = join(folder, "worker.mjs");
  await build({
    entryPoints: [join(import.meta.dirname, "simulate-worker.ts")],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    sourcemap: true,
    // Ours come along; the others are found where they are installed.
    plugins: [
      {
        name: "packages",
        setup: ({ onResolve }) =>
          onResolve({ filter: /^[^./]/ }, ({ path, kind }) => {
            if (kind === "entry-point" || path.startsWith("@grove-crdt/") || path.startsWith("grove-crdt")) return null;
            return { path, external: true };
          }),
      },
    ],
  });
  // Stopped from outside, nothing stays behind.
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  const totals: Totals = { writes: 0, rowsSent: 0, kinds: {}, faults: {}, failed: [] };
  const note = ({ seed, problem, writes, rowsSent, kinds, faults }: SeedReport) => {
    totals.writes += writes;
    totals.rowsSent += rowsSent;
    add(totals.kinds, kinds);
    add(totals.faults, faults);
    if (problem === null) return;
    totals.failed.push(seed);
    onProblem(seed, problem);
  };
  let next = from;
  const end = from + seeds;
  const take = (): readonly number[] => {
    const count = Math.min(SEEDS_AT_A_TIME, end - next);
    next += count;
    return Array.from({ length: count }, (_, n) => next - count + n);
  };
  try {
    await Promise.all(Array.from({ length: Math.min(jobs, seeds) }, () => work(outfile, take, note)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  totals.failed.sort((a, b) => a - b);
  return totals;
}

/** One process after the other, until no seed is left: one that ends by itself has failed at the seed that it was at. */
async function work(file: string, take: () => readonly number[], note: (report: SeedReport) => void): Promise<void> {
  for (let left = [...take()]; left.length > 0; ) {
    const child = fork(file, { execArgv: ["--enable-source-maps"] });
    const ended = await lead(child, left, take, note);
    left = ended ? [] : left;
    if (ended) return;
    const seed = left.shift() as number;
    note({
      seed,
      problem: "the process ended, or did not come to an end",
      writes: 0,
      rowsSent: 0,
      kinds: {},
      faults: {},
    });
    if (left.length === 0) left = [...take()];
  }
}

/** Gives a process its seeds; false when it ends before it was told to. What it has not answered is in `left`. */
function lead(
  child: ChildProcess,
  left: number[],
  take: () => readonly number[],
  note: (report: SeedReport) => void,
): Promise<boolean> {
  return new Promise((resolve) => {
    let isDone = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const watch = () => {
      clearTimeout(timer);
      timer = setTimeout(() => child.kill("SIGKILL"), MOST_MILLISECONDS_PER_SEED);
    };
    child.once("exit", () => {
      clearTimeout(timer);
      resolve(isDone);
    });
    child.on("message", (report: SeedReport) => {
      watch();
      left.splice(left.indexOf(report.seed), 1);
      note(report);
      if (left.length > 0) return;
      left.push(...take());
      if (left.length > 0) child.send(left);
      else {
        isDone = true;
        child.kill();
      }
    });
    watch();
    child.send(left);
  });
}
