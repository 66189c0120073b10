// The project's own drizzle-kit, run as a child: its output is shown, its questions are asked.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { GroveError } from "@grove-crdt/core";
import type { DrizzleConfig } from "../drizzle-config";

/** The file that `npx drizzle-kit` runs. */
function findKit(config: DrizzleConfig): string {
  const { resolve } = createRequire(config.path);
  // Its `exports` do not list package.json, so its folder is looked for from an entry that they list.
  for (let folder = resolveOrRefuse(resolve); folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = join(folder, "package.json");
    if (!existsSync(manifest)) continue;
    const { name, bin } = JSON.parse(readFileSync(manifest, "utf8")) as { name?: string; bin?: Record<string, string> };
    if (name === "drizzle-kit" && bin?.["drizzle-kit"]) return join(folder, bin["drizzle-kit"]);
  }
  throw missing();
}

const missing = () =>
  new GroveError(
    "kit_failed",
    "drizzle-kit is not installed where drizzle.config.ts is. Install it (`npm install --save-dev drizzle-kit`), or run `npx grove-crdt generate --no-kit`, which writes no migrations.",
  );

function resolveOrRefuse(resolve: NodeJS.RequireResolve): string {
  try {
    return dirname(resolve("drizzle-kit"));
  } catch {
    throw missing();
  }
}

interface Finished {
  readonly code: number | null;
  readonly output: string;
}

/** Where the output goes. */
type Show = (text: string) => void;

/** @param show null = nowhere, and it may ask nothing */
function run(config: DrizzleConfig, cwd: string, args: readonly string[], show: Show | null): Promise<Finished> {
  const kit = findKit(config);
  // Questions need a terminal on both ends; without one, what it prints is passed on.
  const isTerminal = show !== null && process.stdin.isTTY === true && process.stdout.isTTY === true;
  const child = spawn(process.execPath, [kit, "generate", `--config=${relative(cwd, config.path)}`, ...args], {
    cwd,
    stdio: isTerminal ? "inherit" : ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const pass = (text: string) => {
    output += text;
    show?.(text.trimEnd());
  };
  child.stdout?.setEncoding("utf8").on("data", pass);
  child.stderr?.setEncoding("utf8").on("data", pass);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}

const refused = (what: string, output: string): GroveError => {
  const needsTerminal = output.includes("require a TTY") || output.includes("Interactive prompts");
  const advice = needsTerminal
    ? "It asks whether something was renamed: run `npx grove-crdt generate` in a terminal and answer."
    : "Mend what it says, then run `npx grove-crdt generate` again; `--no-kit` leaves drizzle-kit out.";
  return new GroveError("kit_failed", `${what}. The generated files are written, no migration is. ${advice}`);
};

/**
 * Runs `drizzle-kit generate`.
 *
 * @param migrations how many migrations there are; drizzle-kit ends with 0 when it failed, so that its word alone does
 * not count
 * @throws GroveError `kit_failed`
 */
export async function runKit(config: DrizzleConfig, cwd: string, show: Show, migrations: () => number): Promise<void> {
  const before = migrations();
  const { code, output } = await run(config, cwd, [], show);
  if (code !== 0) throw refused(`\`drizzle-kit generate\` ended with ${code}`, output);
  if (migrations() > before || saysNothingToDo(output)) return;
  // On a terminal its output went past us: asked again, it says whether there was nothing to do.
  const again = await run(config, cwd, [], null);
  if (migrations() === before && !saysNothingToDo(again.output))
    throw refused("`drizzle-kit generate` wrote no migration", again.output);
}

const saysNothingToDo = (output: string): boolean => output.includes("No schema changes, nothing to migrate");

/** Has drizzle-kit add an empty migration, with its own idea of names, ids and times. */
export async function addMigration(config: DrizzleConfig, cwd: string, name: string): Promise<void> {
  const { code, output } = await run(config, cwd, ["--custom", `--name=${name}`], null);
  if (code !== 0) throw refused(`\`drizzle-kit generate --custom\` ended with ${code}:\n${output}`, output);
}
