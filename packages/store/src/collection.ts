// Rounds of collection as a database keeps them, the same in every dialect: `_grove_collection`, one row.
import {
  awaited,
  type Collection,
  collectable,
  GroveError,
  isOpen,
  joinRoundsOf,
  memberOf,
  NO_COLLECTION,
  type Round,
  type Self,
  type Stepped,
  stepRounds,
  type TableModel,
} from "@grove-crdt/core";
import { drawName } from "./identity";

/** What there is to note about rounds; nothing = only what this node itself has to say. */
export interface CollectionStep {
  /** Rounds as a peer knows them. */
  readonly heard?: readonly Round[];
  /** Closing states of which everything has come, by round. */
  readonly took?: Self["took"];
  /** What comes from a peer is only what this node may see of it. */
  readonly narrowed?: boolean;
  /** Begins a round; `upTo` in microseconds since 1970, omitted = all that was deleted until now. */
  readonly begin?: { readonly upTo?: number; readonly struck: readonly string[] };
  /** Gives up what this node began. */
  readonly cancel?: true;
}

export interface CollectionFacts extends Omit<Self, "took" | "narrowed" | "tables" | "clock"> {
  /** The clock before the step. */
  readonly clock: number;
  /** Physical time, and how far ahead of it a clock may be moved. */
  readonly now: number;
  readonly maxClockDrift: number;
  readonly models: readonly TableModel[];
  readonly random: () => number;
}

function begun(
  before: Collection,
  { upTo, struck }: NonNullable<CollectionStep["begin"]>,
  facts: CollectionFacts,
): Collection {
  const { node, clock, now, random } = facts;
  // Whoever strikes somebody off afterwards begins its own round anew.
  const isOwn = before.rounds.some((round) => isOpen(round) && round.by === node);
  const current = struck.length > 0 && isOwn ? cancelled(before, node) : before;
  const open = current.rounds.find((round) => isOpen(round) && !struck.includes(round.by));
  if (open) {
    const waits = awaited(open).map(({ node: name, why }) => `${name} (${why})`);
    throw new GroveError(
      "collecting",
      `${JSON.stringify(open.by)} began to collect already, and waits for ${waits.join(", ") || "itself"}. Let it end, or strike off there who will not come back.`,
      { details: { by: open.by } },
    );
  }
  const known = new Set([
    ...facts.peers,
    ...current.rounds.flatMap(({ members }) => members.flatMap((member) => [member.node, ...member.peers])),
  ]);
  const unknown = struck.find((name) => !known.has(name));
  if (struck.includes(node)) throw new GroveError("bad_request", "A node cannot strike off itself.");
  if (unknown !== undefined)
    throw new GroveError(
      "bad_request",
      `No node ${JSON.stringify(unknown)} is known here. Begin without it: the status names all for whom a collection waits.`,
    );
  const until = Math.min(upTo ?? Number.POSITIVE_INFINITY, Math.max(clock, now));
  const earlier = current.rounds.flatMap((round) => (round.by === node ? [round.began + 1] : []));
  const began = Math.max(now, ...earlier);
  const round: Round = { id: drawName(random, 12), by: node, began, upTo: until, struck, members: [] };
  return { ...current, rounds: [...current.rounds, round] };
}

/** Gives up what this node began, and forgets what ended without it: whoever carried that out still refuses it. */
function cancelled(current: Collection, node: string): Collection {
  const isOwn = (round: Round) => isOpen(round) && round.by === node;
  const isMissed = ({ verdict, upTo }: Round) => verdict !== undefined && upTo > current.upTo;
  const rounds = current.rounds
    .filter((round) => !isMissed(round))
    .map((round) => (isOwn(round) ? { ...round, cancelled: true as const } : round));
  if (rounds.length === current.rounds.length && !current.rounds.some(isOwn))
    throw new GroveError("bad_request", "This node has begun no collection that could be given up.");
  return { ...current, rounds };
}

/** @throws GroveError `collecting`, `bad_request` */
export function decideStep(
  current: Collection,
  { heard = [], took, narrowed, begin, cancel }: CollectionStep,
  facts: CollectionFacts,
): Stepped & { readonly clock: number } {
  const { node, models, now, maxClockDrift } = facts;
  if (current.rejoining) {
    if (begin || cancel)
      throw new GroveError("struck_off", "This node has begun to rejoin and not ended it. Call syncer.rejoin() again.");
    // It knows nothing yet that it could speak for.
    return { collection: current, collect: null, isStruck: false, clock: facts.clock };
  }
  let collection = heard.length > 0 ? joinRoundsOf(current, heard, node) : current;
  if (begin) collection = begun(collection, begin, facts);
  if (cancel) collection = cancelled(collection, node);
  // Whoever closes writes nothing older any more; but no stamp moves a clock beyond the bound.
  const horizon = now + maxClockDrift * 1000;
  const upTo = collection.rounds
    .filter((round) => isOpen(round) && round.upTo < horizon)
    .map((round) => round.upTo + 1);
  const clock = Math.max(facts.clock, ...upTo);
  const tables = models.map((model) => [model.name, collectable(model)] as const);
  return { ...stepRounds(collection, { ...facts, clock, tables, took, narrowed }), clock };
}

/** What `_grove_collection` holds. */
export const readCollection = (row: readonly unknown[] | undefined): Collection =>
  row
    ? {
        upTo: Number(row[0]),
        rounds: JSON.parse(row[1] as string) as Round[],
        ...(Number(row[2]) === 1 && { rejoining: true as const }),
      }
    : NO_COLLECTION;

/** Whether this database ever exchanged anything, under its name or one before. */
export const HAS_MET = (schema: string): string =>
  `EXISTS (SELECT 1 FROM ${schema}_grove_peers WHERE coalesce(pull_cursor, push_cursor, seen_incarnation, displaced_incarnation) IS NOT NULL) OR EXISTS (SELECT 1 FROM ${schema}_grove_node WHERE coalesce(formerly, '[]') <> '[]')`;

/** Whether something that was sent to this database is not in its tables: it waits for a row that somebody holds, or was rejected here. */
export const LACKS = (schema: string): string =>
  `EXISTS (SELECT 1 FROM ${schema}_grove_parked WHERE code = 'busy' OR sent = 0)`;

/** The rows of which a collection may forget something, as a condition on the shadow table; null = none. */
export function worthCollecting(
  { cells }: { readonly cells: string },
  { name }: TableModel,
  { verdict }: Round,
): string | null {
  const fields = verdict?.tables.find(([table]) => table === name)?.[1];
  if (!fields) return null;
  if (fields.length === 0) return "cl > 1";
  const names = fields.map((field) => `'${field.replaceAll("'", "''")}'`).join(", ");
  return `cl > 1 OR id IN (SELECT row FROM ${cells} WHERE field IN (${names}) GROUP BY row, field HAVING count(*) > 1)`;
}

/** Rows are merged only where both sides have forgotten the same. @throws GroveError `not_collected` */
export function checkCollected(ours: number, theirs: number | undefined): void {
  if (theirs === undefined || theirs === ours) return;
  throw new GroveError(
    "not_collected",
    `Deletions were forgotten up to ${told(ours)} here, and up to ${told(theirs)} there. The next exchange settles it.`,
    { details: { ours, theirs } },
  );
}

const told = (upTo: number): string => (upTo === 0 ? "no time" : new Date(upTo / 1000).toISOString());

/** Whether a step may close: then it is to be done under the database's newest incarnation. */
export const mayClose = ({ rounds }: Collection, { begin, heard = [] }: CollectionStep, node: string): boolean =>
  begin !== undefined || [...rounds, ...heard].some((round) => isOpen(round) && !memberOf(round, node)?.closing);
