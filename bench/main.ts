// npm run bench: what sync costs, against the same work without it. bench/README.md describes each case.
import { parseArgs } from "node:util";
import { cases } from "./cases/index";
import { Bench } from "./harness";
import { type Figure, isMet, line, summarize } from "./report";

const HELP = `npm run bench -- [options]

Measures each case against the same work without grove-crdt, both turn by turn in the same run.

  --only NAME   run only the cases whose id begins with NAME; may be repeated
  --quick       small sizes and three rounds: shows that the cases run, not how fast
  --whole       list and set cases with all their 10,000 writes, which takes many minutes; with --rounds 1
  --rounds N    rounds of each case (default 9)
  --json        print one object: id → { ratio, goal, better, unit, ours, floor }
  --help        this text

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
        help: { type: "boolean", short: "h", default: false },
      },
    });
    return values;
  } catch (error) {
    return fail((error as Error).message);
  }
}

const { only = [], quick, whole, json, help, ...given } = readArguments();
if (help) {
  console.log(HELP);
  process.exit(0);
}
const rounds = Number(given.rounds ?? (quick ? 3 : 9));
if (!Number.isInteger(rounds) || rounds < 1) fail(`--rounds: ${given.rounds} is not a whole number from 1 up.`);
const stranger = only.find((name) => !cases.some(({ id }) => id.startsWith(name)));
if (stranger !== undefined) fail(`--only: no case begins with ${JSON.stringify(stranger)}.`);
const chosen = cases.filter(({ id }) => only.length === 0 || only.some((name) => id.startsWith(name)));

const figures: Record<string, Figure> = {};
if (!json) console.log(line(null, null));
for (const each of chosen) {
  if (json) console.error(each.id);
  const bench = new Bench({ rounds, quick, whole });
  try {
    const result = summarize(each, await each.run(bench));
    figures[each.id] = result.figure;
    if (!json) console.log(line(each.id, result));
  } finally {
    bench.dispose();
  }
}
if (json) console.log(JSON.stringify(figures, null, 2));
else {
  const missed = Object.entries(figures).filter(([, figure]) => !isMet(figure));
  console.log(missed.length === 0 ? "\nEvery goal is met." : `\nMissed: ${missed.map(([id]) => id).join(", ")}`);
}
