#!/usr/bin/env node
// The command line: one file per command. Says what went wrong on standard error and ends with 1.
import { createRequire } from "node:module";
import { isGroveError } from "@grove-crdt/core";
import { Command } from "commander";
import { adoptCommand } from "./commands/adopt";
import { forkCommand } from "./commands/fork";
import { gcCommand } from "./commands/gc";
import { generateCommand } from "./commands/generate";
import { terminalFor } from "./commands/terminal";

const { version } = createRequire(import.meta.url)("../package.json") as { version: string };

const program = new Command("grove-crdt")
  .description("Make a Drizzle database multi-writer: CRDT columns, generated capture, sync over HTTP.")
  .version(version, "-v, --version", "print the version")
  .helpOption("-h, --help", "print this help")
  .helpCommand(false)
  .showHelpAfterError("(--help lists what there is)")
  .addCommand(generateCommand())
  .addCommand(adoptCommand())
  .addCommand(forkCommand())
  .addCommand(gcCommand());

try {
  await program.parseAsync();
} catch (error) {
  const terminal = terminalFor(process.stderr);
  terminal.print(`${terminal.style("red", "error")} ${describe(error)}`);
  process.exitCode = 1;
}

/** Our own errors speak for themselves; of anything else the origin is needed. */
function describe(error: unknown): string {
  if (isGroveError(error)) return `${(error as { code?: string }).code}: ${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
