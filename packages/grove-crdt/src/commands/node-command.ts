// What the commands share that work as a node beside the program that syncs: the node, `--json`, and what their help says of exit codes.
import { GroveError } from "@grove-crdt/core";
import { createNode, type GroveNode } from "@grove-crdt/sync";
import type { Command } from "commander";
import { type DatabaseOptions, databaseCommand, type OpenDatabase, openDatabase } from "./database";
import { terminalFor } from "./terminal";

export interface NodeCommandOptions extends DatabaseOptions {
  readonly json?: boolean;
}

/** What each exit code means, as the help tells it. */
export type ExitCodes = Readonly<Record<number, string>>;

/** For the end of a command's help. */
export const exitCodesText = (codes: ExitCodes): string =>
  `\nExit codes:\n${Object.entries(codes)
    .map(([code, meaning]) => `  ${code.padEnd(4)} ${meaning}`)
    .join("\n")}`;

/** A command that works on a database and can print one object. */
export const nodeCommand = (name: string, codes: ExitCodes): Command =>
  databaseCommand(name)
    .option("--json", "print one object, without colours")
    .addHelpText("after", () => exitCodesText(codes));

/** Runs with a node over the database, and closes both. Nothing is settled or written by opening it. */
export async function withNode<T>(
  options: DatabaseOptions,
  cwd: string,
  work: (node: GroveNode, opened: OpenDatabase) => Promise<T>,
): Promise<T> {
  const opened = await openDatabase(options, cwd);
  const { client, registry, close } = opened;
  try {
    const { nodeId } = options;
    const node = createNode({ db: { $client: client }, registry, ...(nodeId !== undefined && { nodeId }) });
    try {
      return await work(node, opened);
    } finally {
      await node.close();
    }
  } finally {
    await close();
  }
}

/** A name that is drawn here would not be the one that the program is configured with. */
export async function refuseUnnamed(node: GroveNode): Promise<void> {
  const problem = await node.store.verify();
  if (problem?.code !== "capture_missing" && (await node.store.identity()) === null)
    throw new GroveError(
      "bad_request",
      "The database has no node id yet, so nobody has ever synced with it. Start the program that syncs it once.",
    );
}

/** Ctrl+C and SIGTERM abort the signal; the command then ends with {@link INTERRUPTED}. */
export async function interruptible(run: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  try {
    await run(stop.signal);
  } catch (error) {
    if ((error as { code?: unknown }).code !== "aborted") throw error;
    const terminal = terminalFor(process.stderr);
    terminal.print(`${terminal.style("yellow", "interrupted")} ${(error as Error).message}`);
    process.exitCode = INTERRUPTED;
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
}

/** What a shell reports of a command that Ctrl+C has ended. */
export const INTERRUPTED = 130;
