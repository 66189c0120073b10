// `grove-crdt status`: how the database stands, beside whatever program syncs it. Writes nothing.
import type { KnownPeer, Lag, NodeStatus } from "@grove-crdt/sync";
import type { Command } from "commander";
import { counted, printRows, span } from "./lines";
import { type NodeCommandOptions, nodeCommand, withNode } from "./node-command";
import { type Terminal, terminalFor } from "./terminal";

export const statusCommand = (): Command =>
  nodeCommand("status", { 0: "told", 1: "the database could not be read, or capture is missing" })
    .description(
      "Tell how the database stands: node id, peers and what they have not acknowledged in rows and in time, what is parked and rejected, tombstones, and how many captured writes wait. Writes nothing; counts rows and tombstones, so it reads every shadow table once.",
    )
    .action((options: NodeCommandOptions) => status(options, process.cwd(), terminalFor(process.stdout)));

/**
 * @param cwd what relative paths count from
 * @throws GroveError `schema_load_failed`, `schema_invalid`, `capture_missing`, `unsupported_database`
 */
export async function status(options: NodeCommandOptions, cwd: string, terminal: Terminal): Promise<void> {
  await withNode(options, cwd, async (node) => {
    const told = await node.status({ counts: true });
    if (options.json) terminal.print(JSON.stringify(toJson(told), null, 2));
    else print(terminal, told);
  });
}

/** Times as programs read them. */
const toJson = ({ id, peers, ...told }: NodeStatus) => ({
  node: id,
  ...told,
  peers: peers.map((peer) => ({
    ...peer,
    lastSuccess: peer.lastSuccess === null ? null : new Date(peer.lastSuccess).toISOString(),
  })),
});

function print(terminal: Terminal, told: NodeStatus): void {
  const { print: line, style } = terminal;
  const { id, incarnation, seq, log, peers, parked, rejected, clockAhead, collection, counts } = told;
  line(`${style("bold", "node")} ${id ?? style("yellow", "has no id yet: the program that syncs was never started")}`);
  const facts: [string, string][] = [
    ["incarnation", incarnation === null ? "none: nothing was written yet" : `${incarnation}, last number ${seq}`],
    ["log", log.rows === 0 ? "empty" : style("yellow", `${counted(log.rows, "write")} to be folded${since(log)}`)],
    ["parked", parked === 0 ? "none" : style("yellow", `${counted(parked, "row")}: grove-crdt parked lists them`)],
    ["rejected", rejections(rejected.sent, rejected.received, terminal)],
  ];
  if (clockAhead > 0)
    facts.push(["clock", style("yellow", `stamps up to ${span(clockAhead)} ahead of this machine's clock`)]);
  const open = collection.rounds.filter(({ state }) => state === "open");
  if (collection.before) facts.push(["forgotten", `what was deleted until ${collection.before.toISOString()}`]);
  for (const round of open) {
    const waits = round.awaited.map(({ node }) => node).join(", ");
    facts.push(["collection", style("yellow", `begun by ${round.by}, held by ${waits || "nobody: it is ending"}`)]);
  }
  printRows(terminal, facts);
  line(style("bold", "peers"));
  if (peers.length === 0) line("  none: nobody was ever met");
  printRows(
    terminal,
    peers.map((peer) => peerCells(terminal, peer)),
  );
  line(style("bold", "tables"));
  printRows(
    terminal,
    Object.entries(counts ?? {}).map(([table, { rows, tombstones }]) => [
      table,
      counted(rows, "row"),
      tombstones === 0 ? style("dim", "no tombstones") : counted(tombstones, "tombstone"),
    ]),
  );
}

const since = ({ milliseconds }: Lag): string => (milliseconds > 0 ? `, the oldest for ${span(milliseconds)}` : "");

function rejections(sent: number, received: number, { style }: Terminal): string {
  if (sent + received === 0) return "none";
  const parts = [
    ...(sent > 0 ? [`${sent} of this node's by peers`] : []),
    ...(received > 0 ? [`${received} of peers' here`] : []),
  ];
  return style("yellow", `${parts.join(", ")}: grove-crdt parked lists them`);
}

function peerCells({ style }: Terminal, { peer, url, lag, lastSuccess, lastError }: KnownPeer): string[] {
  const waits =
    lag === null
      ? style("dim", "asks for itself")
      : lag.rows === 0
        ? style("green", "has everything")
        : style("yellow", `lacks ${counted(lag.rows, "row")}${since(lag)}`);
  const last = lastSuccess === null ? "" : `last news ${span(Math.max(0, Date.now() - lastSuccess))} ago`;
  return [peer, url ?? "-", waits, lastError === null ? style("dim", last) : style("red", lastError)];
}
