// The soak's stretches of the five types: the laws of merging, every schedule of three nodes, and random writes on databases.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Row, readTable, run, vitest, writeTable } from "./soak-run";

/** The heads of the page's tables. */
const LAWS = "| commit | cases of each |";
const INTERLEAVINGS = "| commit | type |";
const NESTED = "| commit | nodes |";

interface Told<Report> {
  readonly code: number | null;
  readonly output: string;
  readonly seconds: number;
  /** What the test wrote; null when it ended before it could say. */
  readonly report: Report | null;
}

/** Runs tests that write a report where the variable says. */
async function runTests<Report>(
  args: readonly string[],
  variable: string,
  env: NodeJS.ProcessEnv,
): Promise<Told<Report>> {
  const folder = mkdtempSync(join(tmpdir(), "grove-crdt-soak-"));
  const path = join(folder, "report.json");
  const begin = performance.now();
  const { code, output } = await run([vitest, "run", ...args], { ...env, [variable]: path }, true);
  const seconds = Math.round((performance.now() - begin) / 1_000);
  let report: Report | null = null;
  try {
    report = JSON.parse(readFileSync(path, "utf8")) as Report;
  } catch {
    // It ended before it could say.
  }
  rmSync(folder, { recursive: true, force: true });
  return { code, output, seconds, report };
}

/** The laws of the merge, and how arrays are matched. */
export async function soakLaws(commit: string, cases: number): Promise<boolean> {
  console.log(`${cases} cases of each law.`);
  const tests = ["laws", "list.test", "list-match"].map((name) => `packages/core/test/${name}`);
  const env = { GROVE_RUNS: String(cases), GROVE_ITEMS: "4000" };
  const { code, seconds } = await runTests([...tests, "--testTimeout", "3600000"], "GROVE_REPORT", env);
  writeTable(LAWS, [...readTable(LAWS), [commit, cases, code === 0 ? 0 : "failed", seconds]]);
  return code === 0;
}

/** As `packages/core/test/interleavings.test.ts` writes it: by type. */
interface Schedules {
  readonly steps: number;
  readonly schedules: number;
  readonly worlds: number;
  readonly ends: number;
}

/** Every schedule of writes and deliveries among three nodes, type by type. */
export async function soakInterleavings(commit: string, steps: number): Promise<boolean> {
  console.log(`Schedules of up to ${steps} steps.`);
  const { code, seconds, report } = await runTests<Readonly<Record<string, Schedules>>>(
    ["packages/core/test/interleavings.test.ts"],
    "GROVE_REPORT",
    // Some millions of states are held at once.
    { GROVE_DEPTH: String(steps), NODE_OPTIONS: "--max-old-space-size=8192" },
  );
  const rows = Object.entries(report ?? {}).map(
    ([type, all]): Row => [commit, type, all.steps, all.schedules, all.worlds, all.ends],
  );
  const failures = code === 0 ? 0 : "failed";
  const told = rows.length > 0 ? rows : [[commit, "?", steps, "?", "?", "?"]];
  writeTable(INTERLEAVINGS, [...readTable(INTERLEAVINGS), ...told.map((row) => [...row, failures, seconds])]);
  return code === 0;
}

/** As `test/nested-random.test.ts` writes it. */
interface NestedReport {
  readonly runs: number;
  /** By way and column. */
  readonly writes: Readonly<Record<string, number>>;
}

/** Random writes of all types by Drizzle, helpers and raw SQL, on three nodes. */
export async function soakNested(commit: string, seeds: number, resume: boolean): Promise<boolean> {
  const kinds = [
    ["three on SQLite", { TEST_DIALECTS: "sqlite" }, seeds],
    ["three on Postgres", { TEST_DIALECTS: "postgres" }, Math.ceil(seeds / 4)],
    ["Postgres and two on SQLite", {}, Math.ceil(seeds / 4)],
  ] as const;
  let good = true;
  for (const [nodes, dialects, count] of kinds) {
    const before = readTable(NESTED).filter(([, name]) => name === nodes);
    const first = resume ? Math.max(0, ...before.map(([, , , last]) => Number(last) || 0)) + 1 : 1;
    console.log(`${count} seeds from ${first} on ${nodes}.`);
    const across = nodes.startsWith("Postgres") ? ["-t", "on a hub and two edges"] : [];
    const { code, output, seconds, report } = await runTests<NestedReport>(
      ["test/nested-random.test.ts", ...across],
      "NESTED_REPORT",
      { ...dialects, NESTED_RUNS: String(seeds), NESTED_SEED: String(first) },
    );
    const writes = Object.values(report?.writes ?? {}).reduce((sum, some) => sum + some, 0);
    const again = /NESTED_SEED=(\d+)/.exec(output)?.[1];
    const failures = code === 0 ? 0 : again ? `seed ${again}` : "failed";
    const row: Row = [commit, nodes, first, first + count - 1, report ? writes : "?", failures, seconds];
    writeTable(NESTED, [...readTable(NESTED), row]);
    good = code === 0 && good;
  }
  return good;
}
