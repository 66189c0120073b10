// What every stretch of the soak does: run a program, and keep its figures in the tables of docs/reliability.md.
import { execFileSync, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const root = join(import.meta.dirname, "..");
export const vitest = join(root, "node_modules/vitest/vitest.mjs");
const page = join(root, "docs/reliability.md");

export type Row = readonly (string | number)[];

/** The rows of the table whose head begins so. */
export function readTable(head: string): string[][] {
  const lines = readFileSync(page, "utf8").split("\n");
  const first = lines.findIndex((line) => line.startsWith(head)) + 2;
  const end = lines.findIndex((line, n) => n >= first && !line.startsWith("|"));
  return lines.slice(first, end).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

export function writeTable(head: string, rows: readonly Row[]): void {
  const lines = readFileSync(page, "utf8").split("\n");
  const first = lines.findIndex((line) => line.startsWith(head)) + 2;
  const end = lines.findIndex((line, n) => n >= first && !line.startsWith("|"));
  lines.splice(first, end - first, ...rows.map((row) => `| ${row.join(" | ")} |`));
  writeFileSync(page, lines.join("\n"));
}

/** The commit that is run; the page itself may differ. */
export function readCommit(): string {
  const git = (...args: string[]) =>
    execFileSync("git", ["--no-optional-locks", ...args], { cwd: root, encoding: "utf8" }).trim();
  const changed = git("status", "--porcelain", "--", ".", ":!docs");
  return git("rev-parse", "--short", "HEAD") + (changed === "" ? "" : " and changes");
}

export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

export const running = new Set<ReturnType<typeof spawn>>();
export function run(args: readonly string[], env: NodeJS.ProcessEnv, show: boolean): Promise<Ended> {
  const child = spawn(process.execPath, args, { cwd: root, env: { ...process.env, CI: "1", ...env } });
  running.add(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output += chunk;
      if (show) process.stdout.write(chunk);
    });
  }
  return new Promise((resolve) => {
    child.once("close", (code) => {
      running.delete(child);
      resolve({ code, output });
    });
  });
}
