// The soak's stretches of requests: damaged ones, and those of principals that see a part.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Row, readTable, run, vitest, writeTable } from "./soak-run";

/** The heads of the page's tables. */
const REQUESTS = "| commit | dialect | first seed |";
const SCOPES = "| commit | dialect | cases |";
/** Both databases, one after the other. */
const DIALECTS = ["sqlite", "postgres"] as const;

/** As `test/requests.test.ts` writes it; several lines when it was run several times. */
interface RequestsReport {
  /** Status to how often it was answered. */
  readonly answers: Readonly<Record<string, number>>;
  readonly lastSeed: number;
  /** Bytes that are held in the end and were not at the start. */
  readonly grown: number;
}

/** Generated requests near the valid shapes; a run that fails says with which seed it does so again. */
export async function soakRequests(commit: string, cases: number, resume: boolean): Promise<boolean> {
  let good = true;
  for (const dialect of DIALECTS) {
    const before = readTable(REQUESTS).filter(([, name]) => name === dialect);
    const first = resume ? Math.max(0, ...before.map(([, , , last]) => Number(last) || 0)) + 1 : 1;
    console.log(`${cases} requests on ${dialect}, from seed ${first} on.`);
    const folder = mkdtempSync(join(tmpdir(), "grove-crdt-soak-"));
    const report = join(folder, "report.json");
    const env = {
      TEST_DIALECTS: dialect,
      REQUEST_CASES: String(cases),
      REQUEST_SEED: String(first),
      REQUEST_REPORT: report,
    };
    const begin = performance.now();
    const { code, output } = await run([vitest, "run", "test/requests.test.ts"], env, true);
    const seconds = Math.round((performance.now() - begin) / 1_000);
    let row: Row = ["?", "?", "?"];
    try {
      const { answers, lastSeed, grown }: RequestsReport = JSON.parse(readFileSync(report, "utf8"));
      const told = Object.entries(answers).map(([status, count]) => `${status}: ${count}`);
      row = [lastSeed, told.join(", "), (grown / 1024 / 1024).toFixed(1)];
    } catch {
      // It ended before it could say.
    }
    const [last, ...told] = row as [string | number, ...(string | number)[]];
    const again = /Again: REQUEST_SEED=(\d+)/.exec(output)?.[1];
    const failures = code === 0 ? 0 : again ? `seed ${again}` : "failed";
    writeTable(REQUESTS, [...readTable(REQUESTS), [commit, dialect, first, last, cases, ...told, failures, seconds]]);
    rmSync(folder, { recursive: true, force: true });
    good = code === 0 && good;
  }
  return good;
}

/** Random requests of principals that see a part; what they may not see or write is compared after each. */
export async function soakScopes(commit: string, cases: number): Promise<boolean> {
  let good = true;
  for (const dialect of DIALECTS) {
    console.log(`${cases} random requests of scoped principals on ${dialect}.`);
    const env = { TEST_DIALECTS: dialect, SCOPE_CASES: String(cases) };
    const begin = performance.now();
    const { code } = await run(
      [vitest, "run", "test/scopes.test.ts", "-t", "random requests", "--testTimeout", String(60_000 + 100 * cases)],
      env,
      true,
    );
    const seconds = Math.round((performance.now() - begin) / 1_000);
    writeTable(SCOPES, [...readTable(SCOPES), [commit, dialect, cases, code === 0 ? 0 : "failed", seconds]]);
    good = code === 0 && good;
  }
  return good;
}
