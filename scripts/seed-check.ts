// `npm run seed-check`: holds docs/seed.md against what the manual page names. Every name has a row; every example, file and
// test that a row leads to is there; a row that leads nowhere says "not yet". Another page can be given instead.

import { existsSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { seedNames } from "./seed-names";

const root = join(import.meta.dirname, "..");
const docs = join(root, "docs");

interface Row {
  readonly line: number;
  /** What it is called on the manual page. */
  readonly names: readonly string[];
  /** What it is here. */
  readonly here: string;
  /** Example and test. */
  readonly proof: string;
}

const COLUMNS = ["seed", "here", "example", "test"];

function readRows(page: string): Row[] {
  const rows: Row[] = [];
  let inTable = false;
  page.split("\n").forEach((text, n) => {
    // A bar within code is written \|.
    const cells = text.split(/(?<!\\)\|/).slice(1, -1);
    const [seed = "", here = "", ...proof] = cells.map((cell) => cell.trim());
    if (cells.length !== COLUMNS.length) inTable = false;
    else if (cells.every((cell, column) => cell.trim() === COLUMNS[column])) inTable = true;
    else if (inTable && !/^-+$/.test(seed)) {
      const names = [...seed.matchAll(/`([^`]+)`/g)].map(([, name]) => name as string);
      rows.push({ line: n + 1, names, here, proof: proof.join(" ") });
    }
  });
  return rows;
}

/** Links with the titles that stand behind them: [test/x.test.ts](../test/x.test.ts) "a title". */
const LINK = /\[[^\]]*\]\(([^)\s]+)\)((?:\s*"[^"]+",?)*)/g;

/** Whether a file has a test, or a group of tests, of this title. */
function hasTest(text: string, title: string): boolean {
  return ['"', "`", "'"].some((quote) => {
    const at = text.indexOf(`${quote}${title}${quote}`);
    return at > 0 && /\(\s*$/.test(text.slice(0, at));
  });
}

/** One sentence for each gap. */
export function findGaps(page: string, names = Object.values(seedNames).flat()): string[] {
  const rows = readRows(page);
  const gaps: string[] = [];
  const known = new Set(rows.flatMap((row) => row.names));
  for (const name of names) if (!known.has(name)) gaps.push(`${name} has no row`);
  for (const { line, names: own, here, proof } of rows) {
    const row = `line ${line} (${own.join(", ") || "?"})`;
    for (const name of own) if (!names.includes(name)) gaps.push(`${row}: the manual page does not name ${name}`);
    const links = [...proof.matchAll(LINK)];
    if (links.length === 0 && !/\bnot yet\b/i.test(here))
      gaps.push(`${row}: neither an example nor a test, nor "not yet"`);
    for (const [, target = "", titles = ""] of [...links, ...here.matchAll(LINK)]) {
      if (/^https?:/.test(target)) continue;
      const file = join(docs, target.replace(/#.*$/, ""));
      const shown = relative(root, file);
      if (!existsSync(file)) gaps.push(`${row}: there is no ${shown}`);
      else if (statSync(file).isFile()) {
        const text = readFileSync(file, "utf8");
        for (const [, title = ""] of titles.matchAll(/"([^"]+)"/g))
          if (!hasTest(text, title)) gaps.push(`${row}: ${shown} has no test "${title}"`);
      }
    }
  }
  return gaps;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const page = process.argv[2] ?? join(docs, "seed.md");
  const gaps = findGaps(readFileSync(page, "utf8"));
  const count = Object.values(seedNames).flat().length;
  if (gaps.length === 0)
    console.log(`${relative(root, page)} has a row for each of ${count} names, and all it leads to is there.`);
  else {
    console.error([`${page}:`, ...gaps].join("\n  "));
    process.exitCode = 1;
  }
}
