// bench/RESULTS.md as text: goals beside figures, the commit of each, and what stands in the way of a goal that is missed.
import { isMet } from "./report";
import type { KeptCase, Results } from "./results";
import { shortfalls } from "./shortfalls";

/** The cases with a goal that the project set itself, in both dialects. */
export const GOALS = [
  "capture-insert",
  "capture-update",
  "capture-commit",
  "fold-lww",
  "fold-documents",
  "merge-page",
  "merge-known",
  "serve-page",
  "pull-scaling",
  "adopt",
  "shadow-bytes",
  "shadow-bytes-worn",
  "wire-bytes",
] as const;

const SECTIONS: readonly [title: string, has: (name: string, dialect: string) => boolean][] = [
  ["Goals", (name, dialect) => (GOALS as readonly string[]).includes(name) && dialect !== "pglite"],
  ["Memory, event loop, many edges, latency", (name) => /^(memory|event-loop|hub|stream|live)-/.test(name)],
  ["Beside others", (name) => /^(beside|list-merge)-/.test(name)],
  ["PGlite", (_, dialect) => dialect === "pglite"],
  ["All others", () => true],
];

const HEAD = `| case | goal | ratio | middle half | | ours | floor | unit | commit | load |
|---|---|---|---|---|---|---|---|---|---|`;

const number = (value: number) => value.toLocaleString("en", { maximumSignificantDigits: 3 });

function line(id: string, kept: KeptCase): string {
  const { goal, ratio, quartiles, ours, floor, unit, commit, load } = kept;
  const verdict = goal === null ? "" : isMet(kept) ? "met" : "**missed**";
  const half = kept.rounds > 1 ? quartiles.map((value) => value.toFixed(2)).join(" to ") : "";
  const texts = [id, goal === null ? "" : goal.toFixed(2), ratio.toFixed(2), half, verdict];
  return `| ${[...texts, number(ours), number(floor), unit, commit, load].join(" | ")} |`;
}

/** Where the figures are from; a page that mixes commits says so in its first lines. */
export function originOf(results: Results, known: readonly string[]): string {
  const kept = [...Object.values(results.cases), ...Object.values(results.sizes)];
  const commits = [...new Set(kept.map(({ commit }) => commit))].sort();
  const missing = known.filter((id) => !(id in results.cases));
  const said = [
    commits.length === 1
      ? `All figures are of one commit: ${commits[0]}.`
      : `⚠ Not one run: these figures come from ${commits.length} commits (${commits.join(", ")}).`,
  ];
  if (commits.some((commit) => commit.endsWith("+")))
    said.push("⚠ A commit with `+` had changes that were not committed.");
  if (missing.length > 0) said.push(`⚠ Not measured: ${missing.join(", ")}.`);
  return said.join("\n");
}

/** `known`: the ids of all cases, in the order in which they are listed. */
export function resultsPage(results: Results, known: readonly string[]): string {
  const rest = new Set(known.filter((id) => id in results.cases));
  const keptOf = (id: string) => results.cases[id] as KeptCase;
  const tables = SECTIONS.map(([title, has]) => {
    const ids = [...rest].filter((id) => {
      const at = id.lastIndexOf(".");
      return has(id.slice(0, at), id.slice(at + 1));
    });
    for (const id of ids) rest.delete(id);
    if (ids.length === 0) return "";
    return `\n## ${title}\n\n${HEAD}\n${ids.map((id) => line(id, keptOf(id))).join("\n")}\n`;
  });
  const missed = known.filter((id) => id in results.cases && !isMet(keptOf(id)));
  const reasons = missed.map(
    (id) => `- **${id}** (${keptOf(id).ratio.toFixed(2)}): ${shortfalls[id] ?? "not explained yet."}`,
  );
  return `# Results

Written by \`npm run bench -- --write\`; do not edit. What each case does, and what its floor is: [README.md](README.md).

${originOf(results, known)}
Machine: ${results.machine}.
*Ratio*: ours divided by floor, the median of the rounds; *middle half*: its quartiles. *Load*: how many processes wanted a core when
the case began.
${tables.join("")}
## Goals that are missed

${reasons.length > 0 ? reasons.join("\n") : "None."}
${sizesSection(results)}`;
}

/** Nothing before somebody measured it: then there are no plots either. */
function sizesSection(results: Results): string {
  if (Object.keys(results.sizes).length === 0) return "";
  return `
## Cost against size

The same work in tables of 1,000 to 1,000,000 rows. *fold*: 1,000 new rows, inserted and folded; *serve*, *merge*: a page of 1,000
rows; *pull*: 100 changes; *verify*: two nodes compared after 100 changes.

${Object.entries(results.sizes).map(sizesTable).join("\n")}
![Microseconds for each row that is folded, served and merged](plots/rows.svg)

![Milliseconds for a pull of 100 changes, and for a comparison after them](plots/changes.svg)
`;
}

function sizesTable([dialect, { points, commit }]: [string, Results["sizes"][string]]): string {
  const sizes = [...new Set(points.map(({ rows }) => rows))];
  const kinds = [...new Set(points.map(({ what }) => what))];
  const cell = (what: string, rows: number) =>
    number(points.find((point) => point.what === what && point.rows === rows)?.value ?? Number.NaN);
  return `| ${dialect}, ${commit} | ${sizes.map((rows) => `${rows.toLocaleString("en")} rows`).join(" | ")} |
|---|${sizes.map(() => "---|").join("")}
${kinds.map((what) => `| ${what}, ${unitOf(what)} | ${sizes.map((rows) => cell(what, rows)).join(" | ")} |`).join("\n")}
`;
}

export const unitOf = (what: string) => (what === "pull" || what === "verify" ? "ms" : "µs/row");
