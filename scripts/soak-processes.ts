// The soak's stretches of killed processes, and of connections whose statements come in every order.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Row, readTable, run, vitest, writeTable } from "./soak-run";

/** The heads of the page's tables. */
const KILLS = "| commit | dialect | kills |";
const SCHEDULES = "| commit | connections |";

interface Told {
  readonly code: number | null;
  readonly seconds: number;
  /** Each line of what the test wrote; none when it ended before it could say. */
  readonly lines: readonly string[];
}

async function runTest(path: string, env: NodeJS.ProcessEnv): Promise<Told> {
  const folder = mkdtempSync(join(tmpdir(), "grove-crdt-soak-"));
  const report = join(folder, "report.json");
  const begin = performance.now();
  const { code } = await run([vitest, "run", path], { ...env, GROVE_REPORT: report }, true);
  const seconds = Math.round((performance.now() - begin) / 1_000);
  let text = "";
  try {
    text = readFileSync(report, "utf8");
  } catch {
    // It ended before it could say.
  }
  rmSync(folder, { recursive: true, force: true });
  return { code, seconds, lines: text.split("\n").filter((line) => line !== "") };
}

/** As `test/kills.test.ts` writes it. */
interface KillsReport {
  readonly tallies: Readonly<
    Record<
      string,
      {
        readonly kills: number;
        readonly phases: Readonly<Record<string, number>>;
        readonly acknowledged: number;
        readonly requests: number;
      }
    >
  >;
  readonly problems: readonly string[];
}

/** Processes killed under load, so many of each dialect. */
export async function soakKills(commit: string, kills: number): Promise<boolean> {
  console.log(`${kills} kills of processes of each dialect.`);
  const { code, seconds, lines } = await runTest("test/kills.test.ts", { GROVE_KILLS: String(kills * 2) });
  let rows: Row[] = [[commit, "?", "?", "?", "?", "?", "failed", seconds]];
  if (lines.length > 0) {
    const { tallies, problems } = JSON.parse(lines.join("\n")) as KillsReport;
    const failures = code === 0 ? 0 : problems.length || "failed";
    rows = Object.entries(tallies).map(([dialect, { kills, phases, acknowledged, requests }]) => {
      const told = Object.entries(phases).sort(([, a], [, b]) => b - a);
      const interrupted = told.map(([phase, count]) => `${phase}: ${count}`).join(", ");
      return [commit, dialect, kills, interrupted, acknowledged, requests, failures, seconds];
    });
  }
  writeTable(KILLS, [...readTable(KILLS), ...rows]);
  return code === 0;
}

/** As `test/postgres/schedules.test.ts` writes it: a line for each scenario. */
interface ScheduleReport {
  readonly actors: number;
  readonly every: boolean;
  readonly schedules: number;
  readonly problems: readonly string[];
}

/** Orders of the statements of two and three connections: all of two, up to so many of each kind; some of three. */
export async function soakSchedules(commit: string, schedules: number): Promise<boolean> {
  console.log(`Up to ${schedules} schedules of each kind.`);
  const env = { GROVE_SCHEDULES: String(schedules) };
  const { code, seconds, lines } = await runTest("test/postgres/schedules.test.ts", env);
  const reports = lines.map((line) => JSON.parse(line) as ScheduleReport);
  const rows = [2, 3].map((connections): Row => {
    const kinds = reports.filter(({ actors }) => actors === connections);
    const sum = kinds.reduce((all, report) => all + report.schedules, 0);
    const problems = kinds.reduce((all, report) => all + report.problems.length, 0);
    const whole = kinds.filter(({ every }) => every).length;
    return [commit, connections, kinds.length, whole, sum, code === 0 ? 0 : problems || "failed", seconds];
  });
  writeTable(SCHEDULES, [...readTable(SCHEDULES), ...rows]);
  return code === 0;
}
