// The benchmarks as a product: every goal has its case in both dialects, results say where they come from, plots are drawn.
import { expect, test } from "vitest";
import { cases } from "../bench/cases/index";
import { drawSizes } from "../bench/plots";
import { isMet } from "../bench/report";
import type { KeptCase, Results } from "../bench/results";
import { GOALS, originOf, resultsPage } from "../bench/results-page";

const ids = cases.map(({ id }) => id);

test("every goal has its case in both dialects, and a figure to reach", () => {
  for (const name of GOALS)
    for (const dialect of ["sqlite", "postgres"])
      expect(cases.find(({ id }) => id === `${name}.${dialect}`)?.goal, `${name}.${dialect}`).toBeGreaterThan(0);
});

test("no two cases have one id", () => {
  expect(new Set(ids).size).toBe(ids.length);
});

const kept = (commit: string, ratio = 1): KeptCase => ({
  ratio,
  goal: 1.5,
  better: "lower",
  unit: "ms",
  ours: ratio,
  floor: 1,
  quartiles: [ratio, ratio],
  rounds: 9,
  about: "ours / floor",
  commit,
  at: "2026-01-01T00:00Z",
  load: 0.5,
  seconds: 1,
});
const results = (found: Results["cases"]): Results => ({ machine: "2 cores", cases: found, sizes: {} });

test("results of one commit say so, others are marked", () => {
  const known = ["a.sqlite", "b.sqlite"];
  expect(originOf(results({ "a.sqlite": kept("abc"), "b.sqlite": kept("abc") }), known)).toBe(
    "All figures are of one commit: abc.",
  );
  expect(originOf(results({ "a.sqlite": kept("abc"), "b.sqlite": kept("def") }), known)).toContain("⚠ Not one run");
  expect(originOf(results({ "a.sqlite": kept("abc+"), "b.sqlite": kept("abc+") }), known)).toContain("not committed");
  expect(originOf(results({ "a.sqlite": kept("abc") }), known)).toContain("⚠ Not measured: b.sqlite");
});

test("a missed goal is named below the tables, a met one is not", () => {
  const page = resultsPage(
    results({ "merge-page.sqlite": kept("abc", 2), "merge-page.postgres": kept("abc", 1.5), gone: kept("abc") }),
    ids,
  );
  expect(page).toContain("| merge-page.sqlite | 1.50 | 2.00 | 2.00 to 2.00 | **missed** |");
  expect(page).toContain("| merge-page.postgres | 1.50 | 1.50 | 1.50 to 1.50 | met |");
  expect(page).toContain("- **merge-page.sqlite** (2.00):");
  expect(page).not.toContain("- **merge-page.postgres**");
});

test("a rate meets its goal from above, a time from below", () => {
  expect(isMet({ ...kept("abc", 2), better: "higher" })).toBe(true);
  expect(isMet({ ...kept("abc", 2), better: "lower" })).toBe(false);
  expect(isMet({ ...kept("abc", 2), goal: null })).toBe(true);
});

test("a plot is an SVG with a line for each kind of work in each dialect", () => {
  const dots = ["sqlite", "postgres"].flatMap((dialect) =>
    ["fold", "merge"].flatMap((what) => [1_000, 10_000].map((rows) => ({ dialect, what, rows, value: rows / 1_000 }))),
  );
  const svg = drawSizes(dots, "microseconds per row");
  expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  expect(svg.match(/<path [^>]*stroke="#/g)?.length).toBeGreaterThanOrEqual(4);
  for (const word of ["sqlite", "postgres", "fold", "merge", "rows in the table"]) expect(svg).toContain(word);
});
