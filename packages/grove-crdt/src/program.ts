// The command line as a program that can be run: one file per command. Says what went wrong on standard error and ends with 1.
import { createRequire } from "node:module";
import { isGroveError } from "@grove-crdt/core";
import { Command } from "commander";
import { adoptCommand } from "./commands/adopt";
import { doctorCommand } from "./commands/doctor";
import { forkCommand } from "./commands/fork";
import { gcCommand } from "./commands/gc";
import { generateCommand } from "./commands/generate";
import { initCommand } from "./commands/init";
import { inspectCommand } from "./commands/inspect";
import { parkedCommand } from "./commands/parked";
import { statusCommand } from "./commands/status";
import { syncCommand } from "./commands/sync";
import { terminalFor } from "./commands/terminal";
import { verifyCommand } from "./commands/verify";

const { version } = createRequire(import.meta.url)("../package.json") as { version: string };

const createProgram = (): Command =>
  new Command("grove-crdt")
    .description("Make a Drizzle database multi-writer: CRDT columns, generated capture, sync over HTTP.")
    .version(version, "-v, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .showHelpAfterError("(--help lists what there is)")
    .addCommand(initCommand())
    .addCommand(generateCommand())
    .addCommand(doctorCommand())
    .addCommand(statusCommand())
    .addCommand(inspectCommand())
    .addCommand(parkedCommand())
    .addCommand(syncCommand())
    .addCommand(verifyCommand())
    .addCommand(adoptCommand())
    .addCommand(forkCommand())
    .addCommand(gcCommand());

/** Runs one command; its exit code is the process's. @param argv as `process.argv` has it */
export async function runProgram(argv: readonly string[]): Promise<void> {
  try {
    await createProgram().parseAsync(argv);
  } catch (error) {
    const terminal = terminalFor(process.stderr);
    terminal.print(`${terminal.style("red", "error")} ${describe(error)}`);
    process.exitCode = 1;
  }
}

/** Our own errors speak for themselves; of anything else the origin is needed. */
function describe(error: unknown): string {
  if (isGroveError(error)) return `${(error as { code?: string }).code}: ${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
