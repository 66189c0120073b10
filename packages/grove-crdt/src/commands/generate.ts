// `grove-crdt generate`: config, schema, models, text; then write the files, or with --check only compare them.
import { relative, resolve } from "node:path";
import { emitFiles } from "@grove-crdt/codegen";
import { readSchema } from "@grove-crdt/drizzle";
import { Command } from "commander";
import { type DrizzleConfig, loadConfig } from "./drizzle-config";
import { compareFiles, type GeneratedFile, patchOf, writeFiles } from "./generated-files";
import { importSpecifier, loadSchema } from "./schema-files";
import { type Terminal, terminalFor } from "./terminal";

export interface GenerateOptions {
  readonly config?: string;
  readonly check?: boolean;
  readonly out?: string;
}

export const generateCommand = (): Command =>
  new Command("generate")
    .description("Write the generated files: shadow tables, capture SQL, registry, types and merge functions.")
    .option("-c, --config <file>", "the Drizzle config (default: drizzle.config.ts, .js or .json)")
    .option(
      "-o, --out <folder>",
      "where to write; each dialect gets a folder in it (default: groveCrdt({ out }), ./generated)",
    )
    .option("--check", "write nothing; print a patch and exit with 1 when the files do not match the schema")
    .helpOption("-h, --help", "print this help")
    .action(async (options: GenerateOptions) => {
      const fresh = await generate(options, process.cwd(), terminalFor(process.stdout));
      if (!fresh) process.exitCode = 1;
    });

/**
 * @param cwd what relative paths count from
 * @returns false when --check found the files stale
 */
export async function generate(options: GenerateOptions, cwd: string, terminal: Terminal): Promise<boolean> {
  const config = await loadConfig(options.config, cwd);
  const folder = resolve(cwd, options.out ?? config.out, config.dialect);
  const files = compareFiles(folder, await emit(config, folder, cwd));
  const shown = ({ path }: GeneratedFile) => relative(cwd, path).replaceAll("\\", "/");
  if (options.check) {
    const stale = files.filter((file) => file.state !== "unchanged");
    for (const file of stale) terminal.print(patchOf(file, shown(file)));
    const verdict = stale.length === 0 ? terminal.style("green", "fresh") : terminal.style("red", "stale");
    const advice = stale.length === 0 ? "" : " Run `npx grove-crdt generate`.";
    terminal.print(`${verdict} ${stale.length} of ${files.length} generated files differ from the schema.${advice}`);
    return stale.length === 0;
  }
  writeFiles(files);
  const width = Math.max(...files.map((file) => shown(file).length));
  for (const file of files) {
    terminal.print(
      `${shown(file).padEnd(width)}  ${terminal.style(file.state === "unchanged" ? "dim" : "green", file.state)}`,
    );
  }
  return true;
}

async function emit(config: DrizzleConfig, folder: string, cwd: string): Promise<Record<string, string>> {
  const modules = await loadSchema(config, folder, cwd);
  const { dialect, casing, unmarked } = config;
  const { tables, files } = readSchema(modules, { dialect, ...(casing && { casing }), ...(unmarked && { unmarked }) });
  const sources = new Map([...files].map(([table, path]) => [table, importSpecifier(folder, path)]));
  return emitFiles({ dialect, tables, sources });
}
