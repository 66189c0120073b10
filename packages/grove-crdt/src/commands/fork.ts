// `grove-crdt fork`: gives a copy of a database a node id of its own.
import type { Command } from "commander";
import { type NodeCommandOptions, nodeCommand, withNode } from "./node-command";
import { type Terminal, terminalFor } from "./terminal";

export const forkCommand = (): Command =>
  nodeCommand("fork", { 0: "the database has another node id", 1: "an error: nothing was changed" })
    .description(
      "Give the database a node id of its own: for a copy of a database that syncs under the same one (error forked). Rows stay, also those that were never sent; the next exchange with each peer is a full one. Stop the programs that sync the database first.",
    )
    .option("--node-id <id>", "the new id (default: one is drawn)")
    .action((options: NodeCommandOptions) => fork(options, process.cwd(), terminalFor(process.stdout)));

/**
 * @param cwd what relative paths count from
 * @throws GroveError `schema_load_failed`, `schema_invalid`, `capture_missing`, `capture_stale`, `node_id_invalid`
 */
export async function fork(options: NodeCommandOptions, cwd: string, terminal: Terminal): Promise<void> {
  // Its `--node-id` is the new one; the node opens under the old one.
  const { nodeId, ...others } = options;
  await withNode(others, cwd, async (node) => {
    const id = await node.fork(nodeId);
    const before = (await node.store.formerly()).at(-1) ?? null;
    if (options.json) {
      terminal.print(JSON.stringify({ node: id, before }, null, 2));
      return;
    }
    terminal.print(`${terminal.style("green", "forked")} the database is node ${id} from now on`);
    terminal.print(
      terminal.style("dim", `Where createNode({ nodeId }) names another id, name this one or leave it out.`),
    );
  });
}
