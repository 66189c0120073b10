// `npm run soak`: the long runs behind docs/reliability.md. Each stretch is written into that page's tables when it is done,
// so that a run may be stopped at any time and `--resume` goes on after the last seed that stands there.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startPostgres } from "../examples/postgres";
import { soakKills, soakSchedules } from "./soak-processes";
import { soakRequests, soakScopes } from "./soak-requests";
import { type Row, readCommit, readTable, run, running, vitest, writeTable } from "./soak-run";
import { soakStranger } from "./soak-stranger";
import { soakInterleavings, soakLaws, soakNested } from "./soak-types";

const USAGE = `Usage: npm run soak [-- options]

  --resume       go on after the last seed in docs/reliability.md
  --only NAME    tests, laws, interleavings, nested, kills, schedules-postgres, writers, streams, requests, scopes, stranger
                 or simulator
  --cases N      of each law (default 10000)
  --steps N      of the schedules of three nodes (default 6)
  --nested N     seeds of random writes of all types, a quarter of them on Postgres (default 1000)
  --kills N      of processes under load, of each dialect (default 500)
  --schedules N  of each kind of two connections to one Postgres, and a tenth as many of three (default 3000)
  --minutes N    of writers in real processes (default 10)
  --streams N    on one hub, for a minute (default 1000)
  --requests N   near the valid ones, on each dialect (default 100000)
  --scopes N     random requests of scoped principals, on each dialect (default 10000)
  --seeds N      of the simulator (default 100000)
  --help         show this`;

/** Seeds between two lines that are written down. */
const STRETCH = 500;

/** The heads of the page's tables. */
const WRITERS = "| commit | seconds |";
const STREAMS = "| commit | streams |";
const SIMULATOR = "| commit | first seed |";

interface WritersReport {
  readonly seconds: number;
  readonly writes: number;
  readonly rows: number;
  readonly kills: number;
  readonly exchanges: Readonly<Record<string, number>>;
  readonly problems: readonly string[];
}

/** The writers' test on a server with its ordinary settings: unlike in the tests, it vacuums and reaches the disk. */
async function soakWriters(commit: string, minutes: number): Promise<boolean> {
  console.log(`Writers in real processes, ${minutes} minutes.`);
  const folder = mkdtempSync(join(tmpdir(), "grove-crdt-soak-"));
  const report = join(folder, "report.json");
  const database = await startPostgres();
  const env = { DATABASE_URL: database.url, GROVE_SECONDS: String(Math.round(minutes * 60)), GROVE_REPORT: report };
  const { code } = await run([vitest, "run", "test/postgres/writers.test.ts"], env, true);
  let failures = "did not end";
  let row: Row = [];
  try {
    const { seconds, writes, rows, kills, exchanges, problems }: WritersReport = JSON.parse(
      readFileSync(report, "utf8"),
    );
    const { ok = 0, ...others } = exchanges;
    const failed = Object.entries(others).map(([how, count]) => `${count} ${how}`);
    row = [seconds, writes, rows, kills, ok, failed.join(", ") || 0];
    failures = String(problems.length === 0 && code !== 0 ? "failed" : problems.length);
  } catch {
    row = [Math.round(minutes * 60), "?", "?", "?", "?", "?"];
  }
  writeTable(WRITERS, [...readTable(WRITERS), [commit, ...row, failures]]);
  rmSync(folder, { recursive: true, force: true });
  await database.stop();
  return code === 0;
}

/** As `test/crowd.test.ts` writes it. */
interface CrowdReport {
  readonly changes: number;
  readonly complete: number;
  readonly median: number;
  readonly p99: number;
  readonly worst: number;
  readonly readsPerSecond: number;
  readonly memory: readonly [start: number, most: number];
  readonly one: { readonly readsPerSecond: number };
}

async function soakStreams(commit: string, streams: number): Promise<boolean> {
  const seconds = 60;
  console.log(`${streams} streams on one hub, ${seconds} seconds.`);
  const folder = mkdtempSync(join(tmpdir(), "grove-crdt-soak-"));
  const report = join(folder, "report.json");
  const env = { GROVE_STREAMS: String(streams), GROVE_SECONDS: String(seconds), GROVE_REPORT: report };
  const { code } = await run([vitest, "run", "test/crowd.test.ts"], env, true);
  let row: Row = ["?", "?", "?", "?", "?"];
  try {
    const { changes, complete, median, p99, worst, readsPerSecond, memory, one }: CrowdReport = JSON.parse(
      readFileSync(report, "utf8"),
    );
    const reads = `${readsPerSecond.toFixed(0)} (${one.readsPerSecond.toFixed(0)})`;
    row = [changes, complete, `${median}, ${p99}, ${worst}`, reads, memory.join(" to ")];
  } catch {
    // It ended before it could say.
  }
  writeTable(STREAMS, [...readTable(STREAMS), [commit, streams, seconds, ...row, code === 0 ? 0 : "failed"]]);
  rmSync(folder, { recursive: true, force: true });
  return code === 0;
}

/** `count 12, title 7`, as the simulator prints it and the table has it. */
const readCounts = (text: string): Record<string, number> =>
  Object.fromEntries(
    [...text.matchAll(/([^,]+?) (\d+)(?:,|$)/g)].map(([, name, count]) => [name?.trim(), Number(count)]),
  );
const addCounts = (one: string, other: string): string => {
  const counts = readCounts(one);
  for (const [name, count] of Object.entries(readCounts(other))) counts[name] = (counts[name] ?? 0) + count;
  return Object.keys(counts)
    .sort()
    .map((name) => `${name} ${counts[name]}`)
    .join(", ");
};

/** Stretches of seeds, each on all cores; a line of the table grows with every stretch that is done. */
async function soakSimulator(commit: string, seeds: number, resume: boolean): Promise<boolean> {
  const before = readTable(SIMULATOR);
  const from = resume ? Math.max(0, ...before.map(([, , last]) => Number(last))) + 1 : 1;
  console.log(`Simulator, seeds ${from} to ${from + seeds - 1}.`);
  const last = before.at(-1);
  const grown = resume && last?.[0] === commit && Number(last[2]) === from - 1 ? before.pop() : undefined;
  const first = Number(grown?.[1] ?? from);
  let [writes = "", rows = 0, faults = ""] = grown ? [grown[3], Number(grown[4]), grown[5]] : [];
  const failed: string[] = grown && grown[6] !== "none" ? (grown[6] as string).split(", ") : [];
  for (let next = from; next < from + seeds; ) {
    const count = Math.min(STRETCH, from + seeds - next);
    const args = ["--import", "tsx", "scripts/simulate.ts", "--from", `${next}`, "--seeds", `${count}`];
    const { output } = await run(args, {}, false);
    const [, kinds] = /^writes: (.*)$/m.exec(output) ?? [];
    const [, happened] = /^faults: (.*)$/m.exec(output) ?? [];
    const [, sent] = /seeds from \d+: \d+ writes, (\d+) rows sent/.exec(output) ?? [];
    if (kinds === undefined || happened === undefined) throw new Error(`The simulator did not end:\n${output}`);
    writes = addCounts(writes, kinds);
    faults = addCounts(faults, happened);
    rows += Number(sent);
    for (const line of output.matchAll(/^seed (\d+): .*$/gm)) {
      failed.push(line[1] as string);
      console.log(line[0]);
    }
    next += count;
    writeTable(SIMULATOR, [...before, [commit, first, next - 1, writes, rows, faults, failed.join(", ") || "none"]]);
    console.log(`up to seed ${next - 1}: ${failed.length} failed`);
  }
  return failed.length === 0;
}

/** Every test, those included that `.ci/run` leaves out, and each property in full. */
async function soakTests(): Promise<boolean> {
  console.log("Every test, in full.");
  const { code } = await run([vitest, "run"], { GROVE_WHOLE: "1", GROVE_EFFORT: "1" }, true);
  return code === 0;
}

const STRETCHES = [
  "tests",
  "laws",
  "interleavings",
  "nested",
  "kills",
  "schedules-postgres",
  "writers",
  "streams",
  "requests",
  "scopes",
  "stranger",
  "simulator",
];
/** Flag to what it is when it is not given. */
const NUMBERS = {
  cases: 10_000,
  steps: 6,
  nested: 1_000,
  kills: 500,
  schedules: 3_000,
  minutes: 10,
  streams: 1_000,
  requests: 100_000,
  scopes: 10_000,
  seeds: 100_000,
};

function readFlags() {
  try {
    const text = { type: "string" } as const;
    const { values } = parseArgs({
      options: {
        resume: { type: "boolean" },
        help: { type: "boolean" },
        only: text,
        cases: text,
        steps: text,
        nested: text,
        kills: text,
        schedules: text,
        minutes: text,
        streams: text,
        requests: text,
        scopes: text,
        seeds: text,
      },
    });
    const { only } = values;
    if (only !== undefined && !STRETCHES.includes(only)) throw new Error(`There is no ${only}.`);
    const numbers = { ...NUMBERS };
    for (const name of Object.keys(NUMBERS) as (keyof typeof NUMBERS)[]) {
      numbers[name] = Number(values[name] ?? NUMBERS[name]);
      if (!(numbers[name] > 0)) throw new Error(`--${name} takes a number.`);
    }
    return { ...values, ...numbers, only };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

const {
  help,
  resume = false,
  only,
  cases,
  steps,
  nested,
  kills,
  schedules,
  minutes,
  streams,
  requests,
  scopes,
  seeds,
} = readFlags();
if (help) {
  console.log(USAGE);
  process.exit();
}
process.on("exit", () => {
  for (const child of running) child.kill();
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));

const commit = readCommit();
let good = true;
const isWanted = (name: string) => only === undefined || only === name;
if (isWanted("tests")) good = (await soakTests()) && good;
if (isWanted("laws")) good = (await soakLaws(commit, cases)) && good;
if (isWanted("interleavings")) good = (await soakInterleavings(commit, steps)) && good;
if (isWanted("nested")) good = (await soakNested(commit, nested, resume)) && good;
if (isWanted("kills")) good = (await soakKills(commit, kills)) && good;
if (isWanted("schedules-postgres")) good = (await soakSchedules(commit, schedules)) && good;
if (isWanted("writers")) good = (await soakWriters(commit, minutes)) && good;
if (isWanted("streams")) good = (await soakStreams(commit, streams)) && good;
if (isWanted("requests")) good = (await soakRequests(commit, requests, resume)) && good;
if (isWanted("scopes")) good = (await soakScopes(commit, scopes)) && good;
if (isWanted("stranger")) good = (await soakStranger(commit)) && good;
if (isWanted("simulator")) good = (await soakSimulator(commit, seeds, resume)) && good;
process.exit(good ? 0 : 1);
