// npm run bench: what sync costs, against the same work without it. bench/README.md describes each case.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { cases } from "./cases/index";
import { Bench } from "./harness";
import { writePlots } from "./plots";
import { type Figure, isMet, line, summarize } from "./report";
import { folder, keep, type Results, readCommit, readResults, taken } from "./results";
import { resultsPage } from "./results-page";
import { type Dialect, sizes } from "./sizes";

const HELP = `npm run bench -- [options]

Measures each case against the same work without grove-crdt, both turn by turn in the same run.

  --only NAME   run only the cases whose id begins with NAME; may be repeated
  --quick       small sizes and three rounds: shows that the cases run, not how fast
  --whole       list and set cases with all their 10,000 writes, which takes many minutes; with --rounds 1
  --rounds N    rounds of each case (default 9)
  --json        print one object: id → { ratio, goal, better, unit, ours, floor }
  --write       keep what was measured in bench/results.json, and write bench/RESULTS.md and bench/plots from it
  --resume      with --write: leave out what was measured on this very commit already
  --page        measure nothing, write bench/RESULTS.md and bench/plots from bench/results.json
  --help        this text

sizes.sqlite and sizes.postgres measure cost against size for the plots; they run with --write, or when --only names them.

Cases:
${cases.map(({ id, about }) => `  ${id.padEnd(32)} ${about}`).join("\n")}
`;

function fail(message: string): never {
  console.error(`${message}\nSee npm run bench -- --help`);
  process.exit(2);
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: "string", multiple: true },
        quick: { type: "boolean", default: false },
        whole: { type: "boolean", default: false },
        rounds: { type: "string" },
        json: { type: "boolean", default: false },
        write: { type: "boolean", default: false },
        resume: { type: "boolean", default: false },
        page: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    return values;
  } catch (error) {
    return fail((error as Error).message);
  }
}

function writePage(results: Results): void {
  const known = cases.map(({ id }) => id);
  writeFileSync(`${folder}RESULTS.md`, resultsPage(results, known));
  writePlots(results);
}

const { only = [], quick, whole, json, write, resume, page, help, ...given } = readArguments();
if (help) {
  console.log(HELP);
  process.exit(0);
}
if (page) {
  writePage(readResults());
  process.exit(0);
}
const rounds = Number(given.rounds ?? (quick ? 3 : 9));
if (!Number.isInteger(rounds) || rounds < 1) fail(`--rounds: ${given.rounds} is not a whole number from 1 up.`);
if (write && (quick || whole)) fail("--write keeps runs of the usual sizes; leave out --quick and --whole.");
if (resume && !write) fail("--resume goes with --write.");
const growing = Object.keys(sizes).map((dialect) => `sizes.${dialect}`);
const stranger = only.find((name) => ![...cases.map(({ id }) => id), ...growing].some((id) => id.startsWith(name)));
if (stranger !== undefined) fail(`--only: no case begins with ${JSON.stringify(stranger)}.`);

const commit = write ? readCommit() : "";
const kept = write ? readResults() : null;
const chosen = (id: string, before: { readonly commit: string } | undefined) =>
  (only.length === 0 || only.some((name) => id.startsWith(name))) && !(resume && before?.commit === commit);

const figures: Record<string, Figure> = {};
const failed: string[] = [];

/** What one case throws is told, and the others still run. */
async function attempt(id: string, run: (bench: Bench) => Promise<void>): Promise<void> {
  if (json) console.error(id);
  const bench = new Bench({ rounds, quick, whole });
  try {
    await run(bench);
  } catch (error) {
    failed.push(id);
    console.error(`${id} failed:`, error);
  } finally {
    bench.dispose();
  }
}

if (!json) console.log(line(null, null));
for (const each of cases) {
  if (!chosen(each.id, kept?.cases[each.id])) continue;
  await attempt(each.id, async (bench) => {
    const [found, when] = await taken(commit, () => each.run(bench));
    const result = summarize(each, found);
    figures[each.id] = result.figure;
    if (!json) console.log(line(each.id, result));
    if (!kept) return;
    const { figure, quartiles } = result;
    keep("cases", each.id, { ...figure, quartiles, rounds: found.length, about: each.about, ...when });
  });
}
for (const id of growing) {
  const dialect = id.slice("sizes.".length) as Dialect;
  if ((!write && only.length === 0) || !chosen(id, kept?.sizes[dialect])) continue;
  await attempt(id, async (bench) => {
    const [points, when] = await taken(commit, () => sizes[dialect](bench));
    if (!json) for (const { what, rows, value } of points) console.log(id, what, rows, Number(value.toPrecision(3)));
    if (!kept) return;
    keep("sizes", dialect, { points, ...when });
  });
}
if (kept) writePage(readResults());
if (json) console.log(JSON.stringify(figures, null, 2));
else {
  const missed = Object.entries(figures).filter(([, figure]) => !isMet(figure));
  console.log(missed.length === 0 ? "\nEvery goal is met." : `\nMissed: ${missed.map(([id]) => id).join(", ")}`);
}
if (failed.length > 0) {
  console.error(`Failed: ${failed.join(", ")}`);
  process.exitCode = 1;
}
