// `grove-crdt gc`: begins to forget what was deleted, tells how far that is, or gives it up. It only begins: the exchanges of the
// programs that sync carry it on.
import { type Collection, membership, type Round } from "@grove-crdt/core";
import { type CollectOptions, type RoundStatus, statusOf } from "@grove-crdt/sync";
import { type Command, InvalidArgumentError, Option } from "commander";
import * as z from "zod";
import { type NodeCommandOptions, nodeCommand, refuseUnnamed, withNode } from "./node-command";
import { type Terminal, terminalFor } from "./terminal";

export interface GcOptions extends NodeCommandOptions {
  /** Forgets what was deleted before this time; omitted = until now. */
  readonly before?: Date;
  /** The same in milliseconds before now. */
  readonly olderThan?: number;
  /** Node ids that are not waited for. */
  readonly strike?: readonly string[];
  readonly status?: boolean;
  readonly cancel?: boolean;
}

export const gcCommand = (): Command =>
  nodeCommand("gc", {
    0: "begun, told or given up",
    1: "an error: one is under way already, or there is none to give up",
  })
    .description(
      "Forget what was deleted, here and on every node that can be reached from this one, once all of them have heard of it. Only begins: it goes on with the exchanges of the programs that sync. Until it has ended no new node can join.",
    )
    .addOption(
      new Option("--before <date>", "what was deleted before this time: 2026-01-31, or 2026-01-31T12:00Z")
        .argParser(parseDate)
        .conflicts("olderThan"),
    )
    .addOption(
      new Option(
        "--older-than <time>",
        "what was deleted longer ago than this: 30d, 12h, 90m (default: all)",
      ).argParser(parseDuration),
    )
    .option("--strike <node>", "do not wait for this node, which then has to rejoin; may be repeated", another)
    .addOption(
      new Option("--status", "begin nothing: tell what was forgotten, and for whom it waits").conflicts(BEGINNING),
    )
    .addOption(new Option("--cancel", "give up what was begun here").conflicts([...BEGINNING, "status"]))
    .action((options: GcOptions) => gc(options, process.cwd(), terminalFor(process.stdout)));

const BEGINNING = ["before", "olderThan", "strike"];

/** A date, or a time that says where it is: one without a zone would mean something else on each machine. */
const moment = z.union([
  z.iso.date(),
  z.iso.datetime({ offset: true }),
  z.iso.datetime({ offset: true, precision: -1 }),
]);

function parseDate(text: string): Date {
  if (moment.safeParse(text).success) return new Date(text);
  throw new InvalidArgumentError("Give a date (2026-01-31) or a time with its zone (2026-01-31T12:00Z).");
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

function parseDuration(text: string): number {
  const [, count, unit = ""] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  if (count === undefined) throw new InvalidArgumentError("Give a number of days, hours or minutes: 30d, 12h, 90m.");
  return Number(count) * (UNITS[unit] as number);
}

const another = (name: string, known: readonly string[] = []): string[] => [...known, name];

/** A round as the command tells of it. */
interface Told extends RoundStatus {
  readonly members: readonly string[];
  /** Tables of which deletions are forgotten; null = not settled yet. */
  readonly tables: readonly string[] | null;
}

/**
 * @param cwd what relative paths count from
 * @throws GroveError `schema_load_failed`, `schema_invalid`, `capture_missing`, `capture_stale`, `not_adopted`, `collecting`, `bad_request`
 */
export async function gc(options: GcOptions, cwd: string, terminal: Terminal): Promise<void> {
  await withNode(options, cwd, async (node) => {
    await refuseUnnamed(node);
    await node.ready();
    if (options.cancel) await node.cancelCollection();
    else if (!options.status) await node.collect(beginning(options));
    const standing = standingOf(await node.store.collection());
    if (options.json) terminal.print(JSON.stringify({ node: node.id, ...standing }, null, 2));
    else print(terminal, standing);
  });
}

function beginning({ before, olderThan, strike }: GcOptions): CollectOptions {
  const until = before ?? (olderThan === undefined ? undefined : new Date(Date.now() - olderThan));
  return { ...(until && { before: until }), ...(strike && { strike }) };
}

interface Standing {
  readonly before: Date | null;
  /** The node was struck off and begins anew. */
  readonly rejoining: boolean;
  readonly rounds: readonly Told[];
}

/** All from one look: the programs that sync go on meanwhile. */
function standingOf(collection: Collection): Standing {
  const { before, rounds } = statusOf(collection);
  const told = rounds.map((status, n): Told => ({ ...status, ...membersOf(collection.rounds[n] as Round) }));
  return { before, rejoining: collection.rejoining === true, rounds: told };
}

function membersOf(round: Round): Pick<Told, "members" | "tables"> {
  const { verdict } = round;
  if (!verdict) return { members: membership(round), tables: null };
  return { members: verdict.closings.map(([node]) => node), tables: verdict.tables.map(([table]) => table) };
}

function print(terminal: Terminal, { before, rejoining, rounds }: Standing): void {
  const { print: line, style } = terminal;
  if (rejoining) line(`${style("yellow", "rejoining")} begun and not ended: call syncer.rejoin() in the program`);
  if (before) line(`${style("green", "forgotten")} here: what was deleted until ${before.toISOString()}`);
  else if (rounds.length === 0) line("nothing was ever forgotten here, and nothing is under way");
  for (const round of rounds) {
    line(`${heading(terminal, round)} begun by ${round.by}: what was deleted until ${round.before.toISOString()}`);
    line(`  members     ${round.members.join(", ")}`);
    if (round.struck.length > 0) line(`  struck off  ${round.struck.join(", ")}`);
    if (round.tables)
      line(`  tables      ${round.tables.join(", ") || "none: deleted rows of all may have to be shown"}`);
    for (const { node, why } of round.awaited) line(`  waits for   ${node}: ${why}`);
    if (round.state === "open")
      line(style("dim", "It goes on with the exchanges of the programs that sync; gc --status tells how far it is."));
  }
}

function heading({ style }: Terminal, { state }: RoundStatus): string {
  if (state === "ended") return style("green", "ended");
  return state === "cancelled" ? style("dim", "given up") : style("yellow", "under way");
}
