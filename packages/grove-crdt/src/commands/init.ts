// `grove-crdt init`: finds dialect, schema and config, shows what it would write, asks, and writes it.
import { readFileSync, writeFileSync } from "node:fs";
import { basename, extname, relative, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { isDeepStrictEqual } from "node:util";
import type { Dialect } from "@grove-crdt/core";
import { Command, Option } from "commander";
import { findConfig, readConfig } from "./drizzle-config";
import { type GeneratedFile, patchOf } from "./generated-files";
import { byHand, expected, newConfig, type Part, withPart } from "./init-config";
import { findProject, isAnnotated, missingPackages, readDependencies, refused } from "./init-project";
import { loadDefault, loadDefaultOf } from "./load";
import { type Terminal, terminalFor } from "./terminal";

export interface InitOptions {
  readonly config?: string;
  readonly dialect?: Dialect;
  readonly schema?: string;
  readonly out?: string;
  readonly unmarked?: "lww" | "local";
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export const initCommand = (): Command =>
  new Command("init")
    .description(
      "Set a project up: find its dialect, schema and Drizzle config, and write what `generate` needs into the config. Shows the change and asks first. Ends with 0 once the project is set up, with 1 when it was refused or cannot be.",
    )
    .option(
      "-c, --config <file>",
      "the Drizzle config (default: drizzle.config.ts, .js or .json; made if there is none)",
    )
    .addOption(
      new Option("--dialect <name>", "the database (default: by the installed driver and the schema)").choices([
        "sqlite",
        "postgres",
      ]),
    )
    .option("--schema <path>", "the schema's file or folder, for a new config (default: looked for)")
    .option(
      "-o, --out <folder>",
      "where `generate` shall write (default: ./generated, or ./src/generated beside ./src)",
    )
    .addOption(
      new Option("--unmarked <type>", "what columns without an annotation are, in tables that have one").choices([
        "lww",
        "local",
      ]),
    )
    .option("-y, --yes", "write without asking")
    .option("--dry-run", "write nothing")
    .option("--json", "print one object; asks nothing, so that it writes only with --yes")
    .helpOption("-h, --help", "print this help")
    .action(async (options: InitOptions) => {
      const done = await init(options, process.cwd(), terminalFor(process.stdout), askOnTerminal());
      if (!done) process.exitCode = 1;
    });

/** Asks whether to write; null where nobody could answer. */
type Ask = (() => Promise<boolean>) | null;

function askOnTerminal(): Ask {
  if (process.stdin.isTTY !== true || process.stdout.isTTY !== true) return null;
  return async () => {
    const lines = createInterface({ input: process.stdin, output: process.stdout });
    try {
      return /^y(es)?$/i.test((await lines.question("Write this? [y/N] ")).trim());
    } finally {
      lines.close();
    }
  };
}

/** What is to be done, found without writing anything. */
interface Plan {
  readonly dialect: Dialect;
  readonly schema: readonly string[];
  readonly file: GeneratedFile;
  /** What to do next, a command or an advice each. */
  readonly next: readonly string[];
}

/**
 * @param cwd what relative paths count from
 * @returns false when there was something to write and it was not to be written
 * @throws GroveError `schema_load_failed`
 */
export async function init(options: InitOptions, cwd: string, terminal: Terminal, ask: Ask): Promise<boolean> {
  const plan = await readPlan(options, cwd);
  const { file } = plan;
  const isSetUp = file.state === "unchanged";
  const patch = isSetUp ? "" : patchOf(file, shownFrom(cwd, file.path));
  if (!options.json) show(terminal, cwd, plan, patch);
  const agreed = !isSetUp && !options.dryRun && (options.yes === true || (!options.json && (await answer(ask))));
  if (agreed) writeFileSync(file.path, file.after);
  if (options.json) {
    const { dialect, schema, next } = plan;
    const config = { path: shownFrom(cwd, file.path), state: file.state };
    terminal.print(JSON.stringify({ dialect, schema, config, patch, written: agreed, next }, null, 2));
  } else conclude(terminal, cwd, plan, options.dryRun === true, agreed);
  return isSetUp || agreed || options.dryRun === true;
}

/** @throws GroveError where there is nobody to ask */
function answer(ask: Ask): Promise<boolean> {
  if (ask !== null) return ask();
  throw refused("Nothing is written: there is no terminal to ask on. Pass --yes to write, or --dry-run to look only.");
}

const shownFrom = (cwd: string, path: string): string => relative(cwd, path).replaceAll("\\", "/");

async function readPlan(options: InitOptions, cwd: string): Promise<Plan> {
  const names = readDependencies(cwd);
  const path = findConfig(options.config, cwd);
  const made = path === null ? makeConfig(options, names, cwd) : await changeConfig(path, options, cwd);
  const { run, dev } = missingPackages(made.dialect, names);
  const next = [
    ...(run.length > 0 ? [`npm install ${run.join(" ")}`] : []),
    ...(dev.length > 0 ? [`npm install --save-dev ${dev.join(" ")}`] : []),
    ...(isAnnotated(made.schema, cwd)
      ? []
      : [`annotate what several nodes write in ${made.schema[0]}: import { lww, counter } from "grove-crdt/schema"`]),
    "npx grove-crdt generate",
  ];
  return { ...made, next };
}

type Made = Omit<Plan, "next">;

function makeConfig(options: InitOptions, names: ReadonlySet<string>, cwd: string): Made {
  const { dialect, schema } = findProject(options, names, cwd);
  const path = resolve(cwd, options.config ?? "drizzle.config.ts");
  if (extname(path) !== ".ts") throw refused("A new config is TypeScript: name it drizzle.config.ts.");
  const after = newConfig(partOf(options, dialect, schema), schema);
  return { dialect, schema: [schema], file: { path, before: undefined, after, state: "new" } };
}

async function changeConfig(path: string, options: InitOptions, cwd: string): Promise<Made> {
  const shown = shownFrom(cwd, path);
  const config = (await loadDefault(path, shown)) as Record<string, unknown>;
  const { dialect, schema, out } = readConfig(config, path, cwd);
  const given = { dialect: options.dialect, schema: options.schema };
  for (const [name, value] of Object.entries(given).filter(([, value]) => value !== undefined)) {
    const isSame =
      name === "dialect" ? value === dialect : schema.some((one) => resolve(cwd, one) === resolve(cwd, `${value}`));
    if (!isSame)
      throw refused(`${shown} says otherwise than --${name} ${value}. Change it there, or leave --${name} out.`);
  }
  const hasPart = "groveCrdt" in config;
  const part = hasPart ? { dialect, options: { out } } : partOf(options, dialect, schema[0] as string);
  const before = readFileSync(path, "utf8");
  const after = withPart({ text: before, config, isJson: extname(path) === ".json" }, part);
  if (after === before) return { dialect, schema, file: { path, before, after, state: "unchanged" } };
  await checkChanged(path, after, expected(config, part), part, cwd);
  return { dialect, schema, file: { path, before, after, state: "changed" } };
}

/** A change of somebody's file is shown only once it is known to say what it shall say. */
async function checkChanged(path: string, after: string, wanted: object, part: Part, cwd: string): Promise<void> {
  const isJson = extname(path) === ".json";
  const loaded = isJson ? JSON.parse(after) : await loadDefaultOf(path, after, shownFrom(cwd, path)).catch(explain);
  if (!isDeepStrictEqual(plain(loaded), plain(wanted))) throw byHand(part);
}

/** The changed config looks for us, where the user's own had no need to. What else fails is our change, not their file. */
function explain(error: unknown): null {
  if (error instanceof Error && /Cannot find (module|package) '?grove-crdt/.test(error.message))
    throw refused("grove-crdt is not installed in this project. Run: npm install grove-crdt", { cause: error });
  return null;
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));

function partOf({ out, unmarked }: InitOptions, dialect: Dialect, schema: string): Part {
  const folder = out ?? (/^(\.\/)?src\//.test(schema) ? "./src/generated" : "./generated");
  return { dialect, options: { out: folder, ...(unmarked && { unmarked }) } };
}

function show(terminal: Terminal, cwd: string, { dialect, schema, file }: Plan, patch: string): void {
  terminal.print(`dialect  ${dialect}`);
  terminal.print(`schema   ${schema.filter((path) => basename(path) !== "shadow.ts").join(", ")}`);
  terminal.print(`config   ${shownFrom(cwd, file.path)} (${file.state})`);
  if (patch !== "")
    terminal.print(
      `\n${patch
        .split("\n")
        .map((line) => coloured(terminal, line))
        .join("\n")}\n`,
    );
}

function coloured({ style }: Terminal, line: string): string {
  if (line.startsWith("+")) return style("green", line);
  return line.startsWith("-") ? style("red", line) : line;
}

function conclude(terminal: Terminal, cwd: string, { file, next }: Plan, dry: boolean, written: boolean): void {
  const { print, style } = terminal;
  const path = shownFrom(cwd, file.path);
  if (file.state === "unchanged") print(`${style("green", "set up")} already; ${path} has all that is needed`);
  else if (written) print(`${style("green", "written")} ${path}`);
  else print(`${style("yellow", dry ? "dry run" : "left")} nothing is written`);
  if (!written && file.state !== "unchanged") return;
  print("next:");
  for (const step of next) print(`  ${step}`);
}
