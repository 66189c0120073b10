// `grove-crdt adopt`: adopts the rows of the database that drizzle.config names, with progress. Interrupted, it is taken up
// by the next run.
import { GroveError } from "@grove-crdt/core";
import type { AdoptProgress } from "@grove-crdt/store";
import type { Command } from "commander";
import { INTERRUPTED, interruptible, type NodeCommandOptions, nodeCommand, withNode } from "./node-command";
import { bar, type Progress, progressFor, type Terminal, terminalFor } from "./terminal";

const ENDS = {
  0: "nothing is left to adopt",
  1: "an error: what was adopted before it stays so",
  [INTERRUPTED]: "interrupted: the next run goes on",
};

export const adoptCommand = (): Command =>
  nodeCommand("adopt", ENDS)
    .description(
      "Adopt the rows that were in the database before capture, and values of columns that were added since: they count as the oldest possible writes. Can be interrupted and run again; ends with 0 once nothing is left, with 130 when interrupted.",
    )
    .option("--node-id <id>", "as createNode({ nodeId }) has it; needed only while the node was never started")
    .action((options: NodeCommandOptions) =>
      interruptible((signal) =>
        adopt(options, process.cwd(), terminalFor(process.stdout), { signal, progress: progressFor(process.stderr) }),
      ),
    );

interface Manner {
  readonly signal?: AbortSignal;
  readonly progress?: Progress;
}

/**
 * @param cwd what relative paths count from
 * @throws GroveError `schema_load_failed`, `schema_invalid`, `capture_missing`, `capture_stale`, `node_id_invalid`,
 *   `node_id_mismatch`, `aborted`, `bad_value`
 */
export async function adopt(
  options: NodeCommandOptions,
  cwd: string,
  terminal: Terminal,
  { signal, progress }: Manner = {},
): Promise<void> {
  const tables = new Map<string, AdoptProgress>();
  let table: string | null = null;
  const tell = () => {
    const last = tables.get(table ?? "");
    if (last && !options.json) terminal.print(`${terminal.style("green", "adopted")} ${last.table}: ${last.rows} rows`);
  };
  await withNode(options, cwd, async (node) => {
    const problem = await node.store.verify();
    // One that is drawn here would not be the one that the program is configured with.
    if (problem?.code === "not_adopted" && options.nodeId === undefined && (await node.store.identity()) === null) {
      throw new GroveError(
        "node_id_invalid",
        "The database has no node id yet. Name it with --node-id, as createNode({ nodeId }) does in your program, or start that program once.",
      );
    }
    try {
      await node.adopt({
        signal,
        onProgress: (now) => {
          if (table !== now.table) {
            progress?.end();
            tell();
          }
          table = now.table;
          tables.set(now.table, now);
          progress?.show(describe(now));
        },
      });
    } finally {
      progress?.end();
    }
    tell();
  });
  if (options.json) {
    const adopted = [...tables.values()].map(({ table, rows }) => ({ table, rows }));
    terminal.print(JSON.stringify({ adopted }, null, 2));
  } else if (tables.size === 0) {
    terminal.print(`${terminal.style("green", "adopted")} already; nothing was left to do`);
  }
}

const describe = ({ table, rows, total }: AdoptProgress): string =>
  total === null ? `adopting ${table}: ${rows} rows` : `${bar(rows / total)} ${table}: ${rows} of ${total} rows`;
