// Results that are kept: bench/results.json holds the last full run of each case with its commit, so that a long run can be
// done in parts; bench/RESULTS.md is made of it.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import type { Figure } from "./report";
import type { Point } from "./sizes";

export interface Taken {
  /** Short commit; with `+` where the tree had changes besides. */
  readonly commit: string;
  /** ISO 8601, UTC, to the minute. */
  readonly at: string;
  /** Mean number of processes that wanted a core, over the minute before; more than there are cores disturbs. */
  readonly load: number;
  /** How long it took. */
  readonly seconds: number;
}

export interface KeptCase extends Figure, Taken {
  readonly quartiles: readonly [number, number];
  readonly rounds: number;
  readonly about: string;
}

export interface KeptSizes extends Taken {
  readonly points: readonly Point[];
}

export interface Results {
  /** What the cases ran on, in plain words. */
  readonly machine: string;
  cases: Record<string, KeptCase>;
  sizes: Record<string, KeptSizes>;
}

export const folder = fileURLToPath(new URL(".", import.meta.url));
const file = `${folder}results.json`;
/** What a run itself writes makes no commit another one. */
const WRITTEN = ["bench/results.json", "bench/RESULTS.md", "bench/plots"];

const git = (...args: string[]) => execFileSync("git", args, { cwd: folder, encoding: "utf8" }).trim();

/** The commit that is measured. */
export function readCommit(): string {
  const changed = git("status", "--porcelain", "--", ":/", ...WRITTEN.map((path) => `:(top,exclude)${path}`));
  return `${git("rev-parse", "--short", "HEAD")}${changed === "" ? "" : "+"}`;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "x86-64", arm64: "ARM" };

export function machineInWords(): string {
  const memory = Math.round(totalmem() / 2 ** 30);
  const kind = ARCHITECTURES[process.arch] ?? process.arch;
  return `${cpus().length} ${kind} cores, ${memory} GiB of memory, ${process.platform}, Node ${process.versions.node}`;
}

export const readResults = (): Results =>
  existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : { machine: machineInWords(), cases: {}, sizes: {} };

/** Keeps one result. What another run has written meanwhile stays. */
export function keep<K extends "cases" | "sizes">(kind: K, id: string, result: Results[K][string]): Results {
  const results: Results = { ...readResults(), machine: machineInWords() };
  results[kind] = { ...results[kind], [id]: result };
  const text = JSON.stringify(results, null, 2).replace(/\[\s+([-+.\de]+),\s+([-+.\de]+)\s+\]/g, "[$1, $2]");
  writeFileSync(file, `${text}\n`);
  return results;
}

/** Runs a measurement and says when, on what and how long. */
export async function taken<T>(commit: string, measure: () => Promise<T>): Promise<[T, Taken]> {
  const load = Number((loadavg()[0] as number).toFixed(1));
  const begun = Date.now();
  const found = await measure();
  const seconds = Math.round((Date.now() - begun) / 1000);
  return [found, { commit, at: `${new Date(begun).toISOString().slice(0, 16)}Z`, load, seconds }];
}
