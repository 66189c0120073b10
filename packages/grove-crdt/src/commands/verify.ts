// `grove-crdt verify`: whether the tables still agree with what the node knows of them, or whether a peer holds the same rows.
import type { Discrepancy, Json } from "@grove-crdt/core";
import { createSyncer, type VerifyReport } from "@grove-crdt/sync";
import { Argument, type Command } from "commander";
import { counted, shown } from "./lines";
import {
  INTERRUPTED,
  interruptible,
  type NodeCommandOptions,
  nodeCommand,
  refuseUnnamed,
  withNode,
} from "./node-command";
import { type HeaderOptions, readUrl, transportOf, withHeaders } from "./peer-option";
import { type Progress, progressFor, type Terminal, terminalFor } from "./terminal";

const ENDS = {
  0: "no difference",
  1: "an error: nothing was found out",
  2: "rows differ, and are named",
  [INTERRUPTED]: "interrupted",
};

export interface VerifyCommandOptions extends NodeCommandOptions, HeaderOptions {
  readonly peer?: string;
  readonly recount?: boolean;
}

export const verifyCommand = (): Command =>
  withHeaders(nodeCommand("verify", ENDS))
    .description(
      "Compare the tables with what the node knows of them, row by row, and take over what no trigger saw: it counts as written now. With an address: exchange with that peer, compare digests, and name the rows in which the two differ.",
    )
    .addArgument(new Argument("[url]", "where a peer's router is mounted").argParser(readUrl))
    .option("--recount", "with an address: both read all of their rows, whatever hashes they keep")
    .action((peer: string | undefined, options: VerifyCommandOptions) =>
      interruptible(async (signal) => {
        const manner = { signal, progress: progressFor(process.stderr) };
        const isEqual = await verify({ ...options, peer }, process.cwd(), terminalFor(process.stdout), manner);
        if (!isEqual) process.exitCode = 2;
      }),
    );

interface Manner {
  readonly signal?: AbortSignal;
  readonly progress?: Progress;
}

/**
 * @param cwd what relative paths count from
 * @returns whether there is no difference
 * @throws GroveError as `node.ready()`, and what kept the peer from being compared
 */
export async function verify(
  options: VerifyCommandOptions,
  cwd: string,
  terminal: Terminal,
  { signal, progress }: Manner = {},
): Promise<boolean> {
  return withNode(options, cwd, async (node) => {
    await refuseUnnamed(node);
    await node.ready();
    const { peer, recount = false } = options;
    progress?.show(peer === undefined ? "comparing tables with their shadows" : `comparing with ${peer}`);
    if (peer === undefined) {
      const found = await node.verify().finally(() => progress?.end());
      if (options.json) terminal.print(JSON.stringify({ node: node.id, differences: found }, null, 2));
      else printLocal(terminal, found);
      return found.length === 0;
    }
    const syncer = createSyncer(node, { peers: [transportOf(peer, options)] });
    const [report] = (await syncer.verify({ recount, signal })) as [VerifyReport];
    progress?.end();
    if (report.error) throw report.error;
    const { differing, ...told } = report;
    if (options.json) terminal.print(JSON.stringify({ node: node.id, ...told, differing }, null, 2));
    else printPeer(terminal, report);
    return differing.length === 0;
  });
}

const PROBLEMS: Readonly<Record<string, string>> = {
  unknown_row: "the table has it and capture never saw it",
  missing_row: "it lives and is not in the table",
  missed_value: "its value was changed where no trigger saw it",
  changed_value: "a trigger or the column's type changed the value on its way in",
};
const ACTIONS: Readonly<Record<string, string>> = {
  insert: "counts as inserted now",
  delete: "counts as deleted now",
  update: "counts as changed now",
  none: "left alone",
};

function printLocal({ print: line, style }: Terminal, found: readonly Discrepancy[]): void {
  for (const { table, pk, field, problem, action } of found) {
    const column = field === undefined ? "" : `.${field}`;
    const what = PROBLEMS[problem] ?? `${problem.replaceAll("_", " ")}`;
    line(`${style("yellow", "differs")} ${table}${column} ${row(pk)}: ${what}; ${ACTIONS[action] ?? action}`);
  }
  if (found.length === 0) line(`${style("green", "equal")} the tables say what the node knows of them`);
  else line(`${counted(found.length, "difference")} between the tables and what the node knew of them`);
}

function printPeer({ print: line, style }: Terminal, { peer, rows, differing }: VerifyReport): void {
  for (const { table, pk, here, there } of differing) {
    const what =
      here && there ? "the two hold different states" : here ? `${peer} knows nothing of it` : "only the peer knows it";
    line(`${style("yellow", "differs")} ${table} ${row(pk)}: ${what}`);
  }
  if (differing.length === 0)
    line(`${style("green", "equal")} ${counted(rows, "row")}, deleted ones included, as ${peer} has them`);
  else
    line(
      `${counted(differing.length, "row")} of ${rows} ${differing.length === 1 ? "differs" : "differ"} from what ${peer} has`,
    );
}

const row = (pk: readonly Json[]): string => shown(pk);
