// `grove-crdt sync`: one exchange with one peer, with a progress bar, beside whatever program syncs the database or without one.
import { type Cursor, decodeCursor, GroveError } from "@grove-crdt/core";
import { createSyncer, type PeerReport, type PeerStatus, type Transport } from "@grove-crdt/sync";
import { Argument, type Command } from "commander";
import { counted } from "./lines";
import { INTERRUPTED, interruptible, type NodeCommandOptions, nodeCommand, withNode } from "./node-command";
import { type HeaderOptions, readUrl, transportOf, withHeaders } from "./peer-option";
import { bar, type Progress, progressFor, type Terminal, terminalFor } from "./terminal";

const ENDS = {
  0: "both have what the other one had, but for changes that were rejected: those are counted",
  1: "an error, or changes that were refused for their stamps: what went through before stays so",
  [INTERRUPTED]: "interrupted: nothing is lost, the next exchange goes on",
};

export interface SyncOptions extends NodeCommandOptions, HeaderOptions {
  readonly peer: string;
}

export const syncCommand = (): Command =>
  withHeaders(nodeCommand("sync", ENDS))
    .description(
      "Exchange once with a peer: pull what it has, push what it lacks. The database keeps its node id; one that was never started needs --node-id.",
    )
    .addArgument(new Argument("<url>", "where the peer's router is mounted").argParser(readUrl))
    .option("--node-id <id>", "as createNode({ nodeId }) has it; needed only while the node was never started")
    .action((peer: string, options: NodeCommandOptions & HeaderOptions) =>
      interruptible(async (signal) => {
        const progress = progressFor(process.stderr);
        const { error } = await sync({ ...options, peer }, process.cwd(), terminalFor(process.stdout), {
          signal,
          progress,
        });
        if (error) throw error;
      }),
    );

interface Manner {
  readonly signal?: AbortSignal;
  readonly progress?: Progress;
}

/**
 * @param cwd what relative paths count from
 * @returns what became of it; a peer's failure stands in `error`
 * @throws GroveError `schema_load_failed`, `schema_invalid`, `capture_missing`, `capture_stale`, `not_adopted`, `bad_request`
 */
export async function sync(
  options: SyncOptions,
  cwd: string,
  terminal: Terminal,
  { signal, progress }: Manner = {},
): Promise<PeerReport> {
  return withNode(options, cwd, async (node) => {
    // One that is drawn here would not be the one that the program is configured with.
    if (options.nodeId === undefined && (await identityOf(node.store)) === null)
      throw new GroveError(
        "bad_request",
        "The database has no node id yet. Name it with --node-id, as createNode({ nodeId }) does in your program, or start that program once.",
      );
    await node.ready();
    const started = performance.now();
    const transport = watched(transportOf(options.peer, options), progress);
    const syncer = createSyncer(node, { peers: [transport] });
    const [report] = (await syncer.sync({ signal })) as [PeerReport];
    progress?.end();
    const [status] = (await syncer.status()) as [PeerStatus];
    if (options.json) terminal.print(JSON.stringify(toJson(report), null, 2));
    else if (!report.error) print(terminal, report, performance.now() - started);
    else if (status.pending.rows > 0)
      terminal.print(
        `${terminal.style("yellow", "waiting")} ${counted(status.pending.rows, "row")} of this node's at most`,
      );
    return report;
  });
}

async function identityOf(store: { verify(): Promise<{ code: string } | null>; identity(): Promise<string | null> }) {
  const problem = await store.verify();
  return problem?.code === "capture_missing" ? "" : store.identity();
}

/** The same transport; each page that goes through moves the bar. */
function watched(transport: Transport, progress: Progress | undefined): Transport {
  if (!progress) return transport;
  const rows = { pulled: 0, pushed: 0 };
  const show = (part: number | null) =>
    progress.show(`${part === null ? "" : `${bar(part)} `}${rows.pulled} rows pulled, ${rows.pushed} pushed`);
  return {
    ...transport,
    pull: async (request, options) => {
      const answer = await transport.pull(request, options);
      rows.pulled += answer.rows.length;
      show(answer.more ? partOf(answer.cursor) : 1);
      return answer;
    },
    push: async (request, options) => {
      const answer = await transport.push(request, options);
      rows.pushed += request.rows.length;
      show(null);
      return answer;
    },
  };
}

/** How far a pull is: our own routers' cursors say it, others' need not. */
function partOf(sealed: string): number | null {
  try {
    const { position, last }: Cursor = decodeCursor(sealed.split(".")[0] as string);
    return last === 0 ? 1 : position / last;
  } catch {
    return null;
  }
}

const toJson = ({ error, ...report }: PeerReport) => ({
  ...report,
  error: error && { code: error.code, message: error.message },
});

function print({ print: line, style }: Terminal, report: PeerReport, milliseconds: number): void {
  const { peer, pulled, pushed, agreed, applied, superseded, parked, rejected } = report;
  const same = agreed > 0 ? `, ${agreed} adopted alike` : "";
  line(
    `${style("green", "synced")} with ${peer}: ${counted(pulled, "row")} pulled, ${pushed} pushed${same}, in ${(milliseconds / 1000).toFixed(1)} s`,
  );
  const parts = [`${applied} applied`, `${superseded} known already or overruled`];
  if (parked > 0) parts.push(style("yellow", `${parked} parked`));
  if (rejected > 0) parts.push(style("red", `${rejected} rejected`));
  if (pulled + pushed > 0) line(`  ${parts.join(", ")}`);
  if (parked + rejected > 0) line(style("dim", "  grove-crdt parked lists what is parked and rejected here"));
}
