// `npm run errors`: writes docs/errors.md, the page of all error codes, from core's list, what error-entries.ts adds to it, and the
// statuses of the router. With `-- --check` it only says whether the page is what it should be.
import { readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { type ErrorCode, errorCodes } from "@grove-crdt/core";
import { STATUS } from "@grove-crdt/server";
import { type Entry, errorEntries, type Meeting } from "./error-entries";

const root = join(import.meta.dirname, "..");
export const errorsPage = join(root, "docs/errors.md");

const GROUPS: readonly Entry["group"][] = [
  "Generating",
  "Opening a database",
  "Peers and exchanges",
  "Requests",
  "Changes",
  "At work",
];

const HEAD = `<!-- Made by \`npm run errors\` from packages/core/src/errors.ts and scripts/error-entries.ts. Do not edit. -->
# Errors

Every error of grove-crdt is a \`GroveError\` with a \`code\` of this page, a message that says what is wrong, where and what to do,
and often \`details\`. Programs tell errors apart by the code; messages may change.

\`\`\`ts
// told-apart.ts
import { isGroveError } from "grove-crdt";
import { node } from "./node";

try {
  await node.ready();
} catch (error) {
  const isBehind = isGroveError(error) && error.code === "capture_stale";
  if (!isBehind) throw error;
  console.log(\`\${error.code}: migrate, then start again\`);
}
\`\`\`

A router answers a refused request with \`{ "error": { "code", "message", "details"? } }\` and the status below. What fails inside is
answered with 500 and \`internal\`; the cause is in the log of the node alone.`;

const MET: Record<Meeting, string> = {
  command: "printed by a command, which ends with another exit code than 0",
  call: "thrown by a call",
  answer: "answered to a request",
  exchange: "the error of an exchange: in reports, `syncer.status()` and the log",
  outcome: "the outcome of a change: for whoever sent it",
};

function section(code: ErrorCode): string {
  const { met, passes, cure }: Entry = errorEntries[code];
  const status = met.includes("answer") ? (STATUS[code] ?? 500) : null;
  const meetings = met.map((one) => (one === "answer" ? `${MET.answer}, status ${status}` : MET[one]));
  return [
    `### \`${code}\``,
    errorCodes[code],
    `- **Who meets it:** ${meetings.join("; ")}.`,
    `- **What to do:** ${cure}`,
    `- **By itself:** ${passes ? "it passes; whatever waits for it is tried again." : "it stays until somebody acts."}`,
  ].join("\n\n");
}

/** The page as it should be. */
export function makeErrorsPage(): string {
  const codes = Object.keys(errorCodes) as ErrorCode[];
  const parts = GROUPS.map((group) => {
    const own = codes.filter((code) => errorEntries[code].group === group);
    return [`## ${group}`, ...own.map(section)].join("\n\n");
  });
  const contents = `| code | |\n|---|---|\n${codes
    .map(
      (code) =>
        `| [\`${code}\`](#${code}) | ${(errorCodes[code].split(/(?<=\.) /)[0] as string).replaceAll("|", "\\|")} |`,
    )
    .join("\n")}`;
  return `${[HEAD, contents, ...parts].join("\n\n")}\n`;
}

/** What keeps a page from being the one that belongs to the codes; null = nothing. */
export function findStale(page: string): string | null {
  const wanted = makeErrorsPage();
  if (page === wanted) return null;
  const [is, should] = [page.split("\n"), wanted.split("\n")];
  const line = should.findIndex((text, n) => text !== is[n]);
  const at = line < 0 ? should.length : line;
  return `${relative(root, errorsPage)}:${at + 1} is not what the codes make of it. Run \`npm run errors\` and commit the page.`;
}

function main(): void {
  if (!process.argv.includes("--check")) writeFileSync(errorsPage, makeErrorsPage());
  const stale = findStale(readFileSync(errorsPage, "utf8"));
  if (stale === null) console.log(`${Object.keys(errorCodes).length} codes, each with its entry.`);
  else {
    console.error(stale);
    process.exitCode = 1;
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) main();
