// Collecting: how a syncer takes part in rounds. At the start of an exchange both sides tell what they know of rounds; what a whole
// pull brought, and what a whole push took over, is noted afterwards. Where no round is under way none of this is asked for.
import {
  type Collection,
  type CollectionRequest,
  type CollectionResponse,
  GroveError,
  givenBy,
  isOpen,
  type Round,
  roundsToTell,
} from "@grove-crdt/core";
import type { ExchangeOptions, Link } from "./link";

/** By round, the closing states that go over with everything that a node has. */
type Given = NonNullable<CollectionRequest["gave"]>;

/** What the peer knew of rounds before an exchange, and what a pull from it brings. */
export type Talk = Pick<CollectionResponse, "rounds" | "view">;

const struckOff = (url: string) =>
  new GroveError(
    "struck_off",
    `${url} and other nodes have forgotten deletions that this node was not there to hear of. Call syncer.rejoin(): it begins anew from the peer's rows, and keeps what was never sent.`,
  );

/** @throws GroveError `struck_off` */
export function refuseStruck({ rounds }: Collection, peer: string): void {
  if (!rounds.some((round) => isOpen(round) && round.struck.includes(peer))) return;
  const message = `The node ${JSON.stringify(peer)} was struck off: what is deleted is being forgotten without it. It has to rejoin.`;
  throw new GroveError("struck_off", message);
}

/** While it is ready a node begins nothing with one that it never met. */
export const joinsLater = (who: string) =>
  new GroveError(
    "collecting",
    `Deletions are being forgotten, and until that has ended no new node joins: ${who} has to wait. \`npx grove-crdt gc --status\` tells for whom it waits.`,
  );

/** Whether this exchange carries all that the two could tell each other. */
async function isWhole({ node }: Link, { tables, only, carries }: ExchangeOptions): Promise<boolean> {
  if (only !== undefined || !node.tables.every((table) => tables.includes(table))) return false;
  // What is kept of tables that are not here counts like the rest.
  return carries === true || (await node.store.elsewhere()).length === 0;
}

/** Whether there is anything to talk about. Reads what this node itself has forgotten, for all messages that follow. */
export async function isUnderWay(link: Link, options: ExchangeOptions): Promise<boolean> {
  const { store } = link.node;
  if (link.waits) {
    // What this node takes for open may have ended long ago.
    const { peer, url } = link;
    await talk(link, options);
    if ((await store.admit(peer)) === "later") {
      link.forget();
      throw joinsLater(url);
    }
    link.waits = false;
  }
  const mine = await store.collection();
  link.collected = mine.upTo;
  refuseStruck(mine, link.peer);
  if (mine.rejoining)
    throw new GroveError("struck_off", "This node has begun to rejoin and not ended it. Call syncer.rejoin() again.");
  return link.collects || mine.rounds.some(isOpen);
}

/**
 * Tells the peer what is known of rounds, and hears what it knows. Whoever is ready forgets what is agreed on, here and there.
 *
 * @param gave what the peer has got by a push since
 * @throws GroveError `struck_off`, `not_collected`, `collecting`, and what transports throw
 */
export async function talk(
  link: Link,
  { signal }: Pick<ExchangeOptions, "signal">,
  gave?: Given,
  isAgain = false,
): Promise<Talk | null> {
  const { store } = link.node;
  const { transport, url } = link;
  if (!transport.collection) return null;
  // Before it tells anything, this node has closed.
  const { collection: mine } = await store.stepCollection({});
  link.collected = mine.upTo;
  const request = { ...link.self, rounds: [...roundsToTell(mine)], ...(gave && { gave }) };
  const answer = await transport.collection(request, { signal });
  const { collection, isStruck } = await store.stepCollection({ heard: answer.rounds });
  link.collected = collection.upTo;
  if (isStruck) throw struckOff(url);
  // Who heard the last word gives the verdict, and the peer has yet to hear it.
  if (collection.upTo !== mine.upTo && (answer.collected ?? 0) !== collection.upTo && !isAgain)
    return talk(link, { signal }, undefined, true);
  await link.check(answer);
  return answer;
}

/** What a pull that has brought everything is worth: the closing states that the peer had before. */
export async function noteTaken(link: Link, options: ExchangeOptions, { rounds, view }: Talk): Promise<void> {
  if (view === "filtered" || !(await isWhole(link, options))) return;
  const took = given(rounds, link.peer);
  // Of tables that it neither has nor keeps it cannot speak for others.
  const narrowed = view === "part" || !link.carriesAll(options);
  if (took.length > 0) await link.node.store.stepCollection({ took, narrowed });
}

/** What a push that gets through from here on is worth to the peer; null where it does not carry everything. */
export async function worthGiving(link: Link, options: ExchangeOptions): Promise<Given | null> {
  const { node } = link;
  const sent = await link.outbound(options);
  const carriesAll = (await isWhole(link, options)) && options.tables.every((table) => sent.includes(table));
  if (!carriesAll || node.filtersOutbound) return null;
  return given((await node.store.collection()).rounds, node.id);
}

/**
 * Tells the peer that a push has brought everything. What it rejected it does not have: as long as that is not settled it hears nothing.
 *
 * @throws as {@link talk}
 */
export async function give(link: Link, options: ExchangeOptions, gave: Given): Promise<void> {
  const rejected = await link.node.store.rejections();
  if (!rejected.some(({ sent, peer }) => sent && peer === link.peer)) await talk(link, options, gave);
}

const given = (rounds: readonly Round[], node: string): Given =>
  rounds.filter(isOpen).map((round) => [round.id, givenBy(round, node)] as const);
