// `grove-crdt parked`: what waits and what was rejected, each with the reason. Writes nothing.
import type { ParkedRow, Rejection } from "@grove-crdt/store";
import type { Command } from "commander";
import { isoMoment, moment, shown } from "./lines";
import { type NodeCommandOptions, nodeCommand, withNode } from "./node-command";
import { type Terminal, terminalFor } from "./terminal";

const LISTED = { 0: "listed, also where there is nothing", 1: "the database could not be read, or capture is missing" };

export const parkedCommand = (): Command =>
  nodeCommand("parked", LISTED)
    .description(
      "List the rows that live and that a constraint keeps out of their table, and the changes that were rejected, each with the reason. Parked rows are tried again by themselves; of rejected changes node.retry(id) and node.revert(id) take care. Writes nothing.",
    )
    .action((options: NodeCommandOptions) => parked(options, process.cwd(), terminalFor(process.stdout)));

/**
 * @param cwd what relative paths count from
 * @throws GroveError `schema_load_failed`, `schema_invalid`, `capture_missing`, `unsupported_database`
 */
export async function parked(options: NodeCommandOptions, cwd: string, terminal: Terminal): Promise<void> {
  await withNode(options, cwd, async (node) => {
    // For its errors: it says what is missing.
    await node.status();
    const [rows, rejected] = await Promise.all([node.store.parked(), node.store.rejections()]);
    const rejections = rejected.map(({ change: _, ...rejection }): Rejection => rejection);
    if (options.json) {
      const told = rejections.map((rejection) => ({ ...rejection, at: isoMoment(rejection.at) }));
      terminal.print(JSON.stringify({ parked: rows, rejected: told }, null, 2));
    } else print(terminal, rows, rejections);
  });
}

function print({ print: line, style }: Terminal, rows: readonly ParkedRow[], rejections: readonly Rejection[]): void {
  for (const { table, pk, code, message } of rows) {
    line(`${style("yellow", "parked")} ${table} ${shown(pk)}  ${style("dim", code)}`);
    line(`  ${message}`);
  }
  for (const { id, peer, sent, table, pk, fields, code, message, at } of rejections) {
    const columns = fields === null ? "" : ` ${fields.join(", ")}`;
    const who = sent ? `${peer} rejected it` : `sent by ${peer}, rejected here`;
    line(
      `${style("red", "rejected")} ${table} ${shown(pk)}${columns}  ${style("dim", `${code}, ${who} ${moment(at)}, id ${id}`)}`,
    );
    line(`  ${message}`);
  }
  if (rows.length + rejections.length === 0) line(`${style("green", "nothing")} is parked, nothing was rejected`);
  else if (rejections.length > 0)
    line(style("dim", "node.retry(id) sends a rejected change again, node.revert(id) takes it back."));
}
