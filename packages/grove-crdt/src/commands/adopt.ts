// `grove-crdt adopt`: adopts the rows of the database that drizzle.config names, with progress. Interrupted, it is taken up
// by the next run.
import { GroveError, isGroveError } from "@grove-crdt/core";
import type { AdoptProgress } from "@grove-crdt/store";
import { createNode } from "@grove-crdt/sync";
import type { Command } from "commander";
import { type DatabaseOptions, databaseCommand, openDatabase } from "./database";
import { type Terminal, terminalFor } from "./terminal";

/** What a shell reports of a command that Ctrl+C has ended. */
const INTERRUPTED = 130;

export const adoptCommand = (): Command =>
  databaseCommand("adopt")
    .description(
      "Adopt the rows that were in the database before capture, and values of columns that were added since: they count as the oldest possible writes. Can be interrupted and run again; ends with 0 once nothing is left, with 130 when interrupted.",
    )
    .option("--node-id <id>", "as createNode({ nodeId }) has it; needed only while the node was never started")
    .action(async (options: DatabaseOptions) => {
      const stop = new AbortController();
      const interrupt = () => stop.abort();
      process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
      const terminal = terminalFor(process.stdout);
      try {
        await adopt(options, process.cwd(), terminal, { signal: stop.signal, live: process.stdout.isTTY === true });
      } catch (error) {
        if (!isGroveError(error) || (error as GroveError).code !== "aborted") throw error;
        terminal.print(`${terminal.style("yellow", "interrupted")} ${error.message}`);
        process.exitCode = INTERRUPTED;
      } finally {
        process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
      }
    });

interface Manner {
  readonly signal?: AbortSignal;
  /** Show every transaction, not only each table's end. */
  readonly live?: boolean;
}

/**
 * @param cwd what relative paths count from
 * @throws GroveError `schema_load_failed`, `schema_invalid`, `capture_missing`, `capture_stale`, `node_id_invalid`,
 *   `node_id_mismatch`, `aborted`, `bad_value`
 */
export async function adopt(
  options: DatabaseOptions,
  cwd: string,
  terminal: Terminal,
  { signal, live = false }: Manner = {},
): Promise<void> {
  const { client, registry, close } = await openDatabase(options, cwd);
  let last: AdoptProgress | null = null;
  const tell = (done: boolean) => {
    if (last && (done || live)) terminal.print(describe(terminal, last, done));
  };
  try {
    const { nodeId } = options;
    const node = createNode({ db: { $client: client }, registry, nodeId });
    const problem = await node.store.verify();
    // One that is drawn here would not be the one that the program is configured with.
    if (problem?.code === "not_adopted" && nodeId === undefined && (await node.store.identity()) === null) {
      throw new GroveError(
        "node_id_invalid",
        "The database has no node id yet. Name it with --node-id, as createNode({ nodeId }) does in your program, or start that program once.",
      );
    }
    await node.adopt({
      signal,
      onProgress: (progress) => {
        if (last && last.table !== progress.table) tell(true);
        last = progress;
        tell(false);
      },
    });
    tell(true);
    if (!last) terminal.print(`${terminal.style("green", "adopted")} already; nothing was left to do`);
  } finally {
    await close();
  }
}

function describe(terminal: Terminal, { table, rows, total }: AdoptProgress, done: boolean): string {
  const of = done || total === null ? "" : ` of ${total}`;
  return `${done ? terminal.style("green", "adopted") : terminal.style("dim", "adopting")} ${table}: ${rows}${of} rows`;
}
