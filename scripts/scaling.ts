// npm run scaling: simulates 100,000 edges with the costs that bench/results.json has, and prints the table of docs/scaling.md;
// with --write it puts it there.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { breaksFirst, type Costs, type Outcome, type Scenario, simulate } from "./scaling-model";

const path = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const EDGES = 100_000;

const scenario = (hubs: number, every: number, group: Scenario["group"], joined = false): Scenario => ({
  edges: EDGES,
  hubs,
  every,
  group,
  joined,
});

export const scenarios: readonly Scenario[] = [
  ...[1, 4, 16, 64].map((hubs) => scenario(hubs, 60, "all", true)),
  ...[1, 4, 16, 64].map((hubs) => scenario(hubs, 60, 100, true)),
  ...[4, 16, 64].map((hubs) => scenario(hubs, 60, 100)),
  ...[16, 64, 256].map((hubs) => scenario(hubs, 10, 100)),
  ...[16, 64, 256].map((hubs) => scenario(hubs, 10, 1)),
  ...[64, 256].map((hubs) => scenario(hubs, 1, 1)),
];

const SOURCES: Readonly<Record<keyof Costs, readonly [id: string, what: string, unit: string, scale: number]>> = {
  push: ["hub-cpu.sqlite", "a push of one change, request included", "ms", 1],
  merge: ["merge-page.sqlite", "a row merged as one of a page", "ms", 1 / 1000],
  serve: ["serve-page.sqlite", "a row served as one of a page", "ms", 1 / 1000],
  deliver: ["stream-cpu.sqlite", "a page handed to one stream", "ms", 1],
  open: ["stream-open.sqlite", "a stream opened", "ms", 1],
  streamMemory: ["stream-memory.sqlite", "memory of an open stream", "KiB", 1],
};

/** The costs among the benchmarks' results. */
export function costsOf(cases: Readonly<Record<string, { readonly ours: number }>>): Costs {
  const found = Object.entries(SOURCES).map(([name, [id, , , scale]]) => {
    const kept = cases[id];
    if (!kept) throw new Error(`bench/results.json has no ${id}. Run npm run bench -- --write --only ${id}`);
    return [name, Number((kept.ours * scale).toPrecision(3))];
  });
  return Object.fromEntries(found) as unknown as Costs;
}

const NAMES = { push: "pushes", stream: "streams", exchange: "other hubs' changes", middle: "the hub in the middle" };

export function scenarioLine({ hubs, every, group, joined }: Scenario, outcome: Outcome): string {
  const whole = outcome.hub.push + outcome.hub.stream + outcome.hub.exchange;
  const percent = (share: number) => `${Math.round(share * 100).toLocaleString("en")} %`;
  const time = (milliseconds: number) => `${Math.round(milliseconds).toLocaleString("en")} ms`;
  const first = breaksFirst(outcome);
  const cells = [
    hubs,
    joined && hubs > 1 ? "joined" : hubs > 1 ? "apart" : "",
    `${every} s`,
    group === "all" ? "all" : group === 1 ? "none" : group,
    percent(whole),
    joined && hubs > 1 ? percent(outcome.middle) : "",
    outcome.grows ? "grows" : time(outcome.pushP99),
    group === 1 ? "" : outcome.grows ? "grows" : time(outcome.visibleP99),
    `${Math.round(outcome.memory).toLocaleString("en")} MiB`,
    `${outcome.back.toLocaleString("en", { maximumSignificantDigits: 2 })} s`,
    first === null ? "" : NAMES[first],
  ];
  return `| ${cells.join(" | ")} |`;
}

/** The part of docs/scaling.md that is written by this script. */
export function scalingText(costs: Costs): string {
  const costLines = Object.entries(SOURCES).map(
    ([name, [id, what, unit]]) => `| ${what} | ${costs[name as keyof Costs]} ${unit} | ${id} |`,
  );
  return `| cost on a hub | measured | case |
|---|---|---|
${costLines.join("\n")}

| hubs | | a change every | streamed to | a hub's thread | the middle's | push, p99 | visible, p99 | streams' memory | back after a restart | full first |
|---|---|---|---|---|---|---|---|---|---|---|
${scenarios.map((each) => scenarioLine(each, simulate(each, costs))).join("\n")}`;
}

const BEGIN = "<!-- npm run scaling -- --write -->";
const END = "<!-- end -->";

export function withText(page: string, text: string): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`docs/scaling.md needs ${BEGIN} and ${END} where the tables stand.`);
  return `${page.slice(0, from + BEGIN.length)}\n\n${text}\n\n${page.slice(to)}`;
}

/** The costs as a page's first table has them. */
export function costsIn(page: string): Costs {
  const read = Object.entries(SOURCES).map(([name, [id]]) => {
    const found = page.split("\n").find((each) => each.startsWith("|") && each.includes(`| ${id} |`));
    return [name, Number.parseFloat(found?.split("|")[2] ?? "")];
  });
  return Object.fromEntries(read) as unknown as Costs;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const text = scalingText(costsOf(JSON.parse(readFileSync(path("bench/results.json"), "utf8")).cases));
  if (process.argv.includes("--write")) {
    const file = path("docs/scaling.md");
    writeFileSync(file, withText(readFileSync(file, "utf8"), text));
  }
  console.log(text);
}
