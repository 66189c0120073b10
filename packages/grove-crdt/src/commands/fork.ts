// `grove-crdt fork`: gives a copy of a database a node id of its own.
import { createNode } from "@grove-crdt/sync";
import type { Command } from "commander";
import { type DatabaseOptions, databaseCommand, openDatabase } from "./database";
import { type Terminal, terminalFor } from "./terminal";

export const forkCommand = (): Command =>
  databaseCommand("fork")
    .description(
      "Give the database a node id of its own: for a copy of a database that syncs under the same one (error forked). Rows stay, also those that were never sent; the next exchange with each peer is a full one. Stop the programs that sync the database first.",
    )
    .option("--node-id <id>", "the new id (default: one is drawn)")
    .action((options: DatabaseOptions) => fork(options, process.cwd(), terminalFor(process.stdout)));

/**
 * @param cwd what relative paths count from
 * @throws GroveError `schema_load_failed`, `schema_invalid`, `capture_missing`, `capture_stale`, `node_id_invalid`
 */
export async function fork(options: DatabaseOptions, cwd: string, terminal: Terminal): Promise<void> {
  const { client, registry, close } = await openDatabase(options, cwd);
  try {
    const node = createNode({ db: { $client: client }, registry });
    const id = await node.fork(options.nodeId);
    terminal.print(`${terminal.style("green", "forked")} the database is node ${id} from now on`);
    terminal.print(
      terminal.style("dim", `Where createNode({ nodeId }) names another id, name this one or leave it out.`),
    );
  } finally {
    await close();
  }
}
