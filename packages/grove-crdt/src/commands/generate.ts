// `grove-crdt generate`: config, schema, models, text; then the files, drizzle-kit's migrations, and capture in them.
// With --check it only compares.
import { existsSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { createRegistry, emitFiles } from "@grove-crdt/codegen";
import { GroveError, type Registry } from "@grove-crdt/core";
import { readSchema } from "@grove-crdt/drizzle";
import { Command, Option } from "commander";
import { type DrizzleConfig, loadConfig } from "./drizzle-config";
import { type Edge, readEdgeOf } from "./edge";
import { compareFiles, type GeneratedFile, patchOf, writeFiles } from "./generated-files";
import { checkCapture, writeCapture } from "./migrations/capture-migrations";
import { runKit } from "./migrations/drizzle-kit";
import { readMigrations } from "./migrations/folder";
import { exitCodesText } from "./node-command";
import { importSpecifier, loadSchema } from "./schema-files";
import { type Terminal, terminalFor } from "./terminal";
import { watch } from "./watch";

export interface GenerateOptions {
  readonly config?: string;
  readonly check?: boolean;
  readonly out?: string;
  /** False: write no migrations. */
  readonly kit?: boolean;
  readonly watch?: boolean;
  /** Print one object instead. */
  readonly json?: boolean;
}

export const generateCommand = (): Command =>
  new Command("generate")
    .description(
      "Write the generated files (shadow tables, capture SQL, registry, types, merge functions), run `drizzle-kit generate`, and add capture to its migrations.",
    )
    .option("-c, --config <file>", "the Drizzle config (default: drizzle.config.ts, .js or .json)")
    .option(
      "-o, --out <folder>",
      "where to write; each dialect gets a folder in it (default: groveCrdt({ out }), ./generated)",
    )
    .option("--check", "write nothing; print a patch and exit with 1 when files or migrations do not match the schema")
    .option("--no-kit", "leave drizzle-kit and the migrations alone")
    .addOption(
      new Option("--watch", "generate again whenever the config or a schema file changes, until Ctrl+C").conflicts([
        "check",
        "json",
      ]),
    )
    .option("--json", "print one object: which files were written, or are stale")
    .helpOption("-h, --help", "print this help")
    .addHelpText("after", () => exitCodesText(ENDS))
    .action(async (options: GenerateOptions) => {
      if (options.watch) return watch(options, process.cwd(), terminalFor(process.stdout));
      const fresh = await generate(options, process.cwd(), terminalFor(process.stdout));
      if (!fresh) process.exitCode = 1;
    });

const ENDS = { 0: "written, or with --check all is fresh", 1: "an error, or with --check something is stale" };

/** Tells `--json` what would otherwise be printed. */
interface Teller extends Terminal {
  readonly told?: { readonly files: { path: string; state: string }[]; readonly problems: string[] };
}

/**
 * @param cwd what relative paths count from
 * @returns false when --check found the files or the migrations stale
 * @throws GroveError `schema_load_failed`, `schema_invalid`, `kit_failed`, `migrations_invalid`
 */
export async function generate(options: GenerateOptions, cwd: string, terminal: Terminal): Promise<boolean> {
  if (!options.json) return run(options, cwd, terminal);
  const told = { files: [], problems: [] };
  const fresh = await run(options, cwd, { print: () => {}, style: (_, text) => text, told });
  terminal.print(JSON.stringify({ fresh, ...told }, null, 2));
  return fresh;
}

async function run(options: GenerateOptions, cwd: string, terminal: Teller): Promise<boolean> {
  const config = await loadConfig(options.config, cwd);
  const folder = resolve(cwd, options.out ?? config.out, config.dialect);
  const { texts, registry, edge } = await emit(config, folder, cwd);
  const files = [...compareFiles(folder, texts), ...(edge?.files ?? [])];
  const migrations = resolve(cwd, config.migrations);
  const withKit = options.kit ?? true;
  if (options.check) {
    const isFresh = checkFiles(files, cwd, terminal);
    if (!withKit) return isFresh;
    const isCaptured = checkMigrations(migrations, registry, terminal);
    return (await checkEdge(edge, cwd, terminal)) && isCaptured && isFresh;
  }
  writeFiles(files);
  print(terminal, cwd, files);
  if (withKit)
    await migrate({ ...config, out: options.out ?? config.out }, cwd, { folder: migrations, registry }, terminal);
  if (withKit && edge) {
    const own = await loadConfig(edge.config, cwd);
    const place = { folder: resolve(cwd, own.migrations), registry: edge.registry };
    await migrate({ ...own, out: options.out ?? own.out }, cwd, place, terminal);
  }
  return true;
}

const shown = (cwd: string, path: string) => relative(cwd, path).replaceAll("\\", "/");

function print(terminal: Teller, cwd: string, files: readonly { path: string; state: string }[]): void {
  for (const { path, state } of files) terminal.told?.files.push({ path: shown(cwd, path), state });
  const width = Math.max(...files.map(({ path }) => shown(cwd, path).length));
  for (const { path, state } of files) {
    terminal.print(
      `${shown(cwd, path).padEnd(width)}  ${terminal.style(state === "unchanged" ? "dim" : "green", state)}`,
    );
  }
}

function checkFiles(files: readonly GeneratedFile[], cwd: string, terminal: Teller): boolean {
  const stale = files.filter((file) => file.state !== "unchanged");
  for (const { path, state } of files) terminal.told?.files.push({ path: shown(cwd, path), state });
  for (const file of stale) terminal.print(patchOf(file, shown(cwd, file.path)));
  const verdict = stale.length === 0 ? terminal.style("green", "fresh") : terminal.style("red", "stale");
  const advice = stale.length === 0 ? "" : " Run `npx grove-crdt generate`.";
  terminal.print(`${verdict} ${stale.length} of ${files.length} generated files differ from the schema.${advice}`);
  return stale.length === 0;
}

/** A project without migrations has none that could be stale. */
function checkMigrations(folder: string, registry: Registry, terminal: Teller): boolean {
  const problems = checkCapture({ folder, registry }) ?? [];
  terminal.told?.problems.push(...problems);
  if (problems.length > 0) {
    const verdict = terminal.style("red", "stale");
    terminal.print(`${verdict} migrations: ${problems.join("; ")}. Run \`npx grove-crdt generate\`.`);
  }
  return problems.length === 0;
}

async function checkEdge(edge: Edge | null, cwd: string, terminal: Teller): Promise<boolean> {
  if (edge === null || !existsSync(resolve(cwd, edge.config))) return true;
  const { migrations } = await loadConfig(edge.config, cwd);
  return checkMigrations(resolve(cwd, migrations), edge.registry, terminal);
}

async function migrate(
  config: DrizzleConfig,
  cwd: string,
  { folder, registry }: { folder: string; registry: Registry },
  terminal: Teller,
): Promise<void> {
  if (!config.breakpoints) {
    throw new GroveError(
      "migrations_invalid",
      `${relative(cwd, config.path)} says \`breakpoints: false\`: capture cannot be told apart from other statements then. Leave it out, or run \`npx grove-crdt generate --no-kit\`.`,
    );
  }
  const count = () => readMigrations(folder)?.length ?? 0;
  const before = count();
  await runKit(config, cwd, terminal.print, count);
  const written = await writeCapture({ config, cwd, registry, folder, before });
  if (written.length > 0) print(terminal, cwd, written);
}

interface Emitted {
  readonly texts: Record<string, string>;
  readonly registry: Registry;
  readonly edge: Edge | null;
}

async function emit(config: DrizzleConfig, folder: string, cwd: string): Promise<Emitted> {
  const modules = await loadSchema(config, folder, cwd);
  const { dialect, casing, unmarked, tables: named, history } = config;
  const read = readSchema(modules, {
    dialect,
    ...(casing && { casing }),
    ...(unmarked && { unmarked }),
    ...(named && { tables: named }),
    ...(history && { history }),
  });
  const { tables, files } = read;
  const sources = new Map([...files].map(([table, path]) => [table, importSpecifier(folder, path)]));
  const edge = await readEdgeOf({ config, modules, read }, dirname(folder), cwd);
  return { texts: emitFiles({ dialect, tables, sources }), registry: createRegistry(dialect, tables), edge };
}
