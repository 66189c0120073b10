// `npm run faults`: writes into docs/faults.md which tests name each fault in their titles. With --check it only compares, and fails
// where the page is stale or a fault that has no test does not say so.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const root = join(import.meta.dirname, "..");
const page = join(root, "docs/faults.md");

/** What stands where no test names a fault yet. */
const OPEN = "open";

/** A title's numbers: "faults 5, 6 and 8", "fault 12", "faults 24 to 26". */
const NAMED = /\bfaults? (\d+(?:(?:, (?:and )?| and | to )\d+)*)/g;
/** Titles of tests and groups, in whatever quotes. */
const TITLE = /(?:test|describe\w*)(?:\.\w+(?:\([^)]*\))?)*\(\s*(["'`])((?:\\.|(?!\1)[^\\])*)\1/gs;

export function numbersIn(title: string): number[] {
  return [...title.matchAll(NAMED)].flatMap(([, list = ""]) => {
    const parts = list.split(/, (?:and )?| and /);
    return parts.flatMap((part) => {
      const [from, to = from] = part.split(" to ").map(Number) as [number, number?];
      return Array.from({ length: (to as number) - from + 1 }, (_, n) => from + n);
    });
  });
}

/** Files by the number that a title in them names. */
export function findTests(files: Iterable<readonly [path: string, text: string]>): Map<number, Set<string>> {
  const found = new Map<number, Set<string>>();
  for (const [path, text] of files)
    for (const [, , title = ""] of text.matchAll(TITLE))
      for (const number of numbersIn(title)) found.set(number, (found.get(number) ?? new Set()).add(path));
  return found;
}

const ROW = /^\| (\d+) \|(.*)\| ([^|]*) \|$/;

/** The page with its last column as the tests have it. */
export function fill(text: string, tests: ReadonlyMap<number, ReadonlySet<string>>): string {
  return text
    .split("\n")
    .map((line) => {
      const [, number, middle] = ROW.exec(line) ?? [];
      if (number === undefined) return line;
      const files = [...(tests.get(Number(number)) ?? [])].sort();
      const links = files.map((file) => `[${file.split("/").at(-1)?.replace(".test.ts", "")}](../${file})`);
      return `| ${number} |${middle}| ${links.join(", ") || OPEN} |`;
    })
    .join("\n");
}

const faultsOf = (text: string) =>
  text.split("\n").flatMap((line) => {
    const [, number, , last] = ROW.exec(line) ?? [];
    return number === undefined ? [] : [{ number: Number(number), open: last === OPEN }];
  });

function main(check: boolean): number {
  const paths = ["test", "packages", "examples"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".test.ts") && !file.includes("node_modules"))
      .map((file) => `${folder}/${file}`),
  );
  const tests = findTests(paths.map((path) => [path, readFileSync(join(root, path), "utf8")] as const));
  const text = readFileSync(page, "utf8");
  const filled = fill(text, tests);
  const faults = faultsOf(filled);
  const open = faults.filter((fault) => fault.open).map(({ number }) => number);
  const strangers = [...tests.keys()].filter((number) => !faults.some((fault) => fault.number === number));
  if (!check) writeFileSync(page, filled);
  console.log(
    `faults: ${faults.length - open.length} of ${faults.length} have tests that name them; open: ${open.join(", ") || "none"}`,
  );
  if (strangers.length > 0) console.log(`not in docs/faults.md: ${strangers.join(", ")}`);
  if (check && filled !== text)
    console.log("docs/faults.md is stale: run `npm run faults`, and see what it takes away.");
  return strangers.length > 0 || (check && filled !== text) ? 1 : 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href)
  process.exitCode = main(process.argv.includes("--check"));
