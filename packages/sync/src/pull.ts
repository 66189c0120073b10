// The inbound half of an exchange: pages that a peer serves, asked for one by one or streamed. The cursor is stored in the
// transaction that merges what it stands for.
import {
  DEFAULT_PAGE_ROWS,
  encodeCursor,
  GroveError,
  type Only,
  type Outcome,
  type Position,
  type PullResponse,
  type RowChange,
  START_FULL,
} from "@grove-crdt/core";
import type { PeerUpdate } from "@grove-crdt/store";
import { areMostlyEqual } from "./agreement";
import type { ExchangeOptions, Link } from "./link";
import { count, firstRefusal, type PeerReport } from "./report";

/**
 * Merges a page. The stored cursor moves with it, unless something was refused, in this page or one before: that one
 * must come again.
 *
 * @param cursor what the page was asked for with
 */
async function takePage(
  link: Link,
  page: PullResponse,
  cursor: string | null,
  refused: GroveError | null,
  report: PeerReport,
  way: "pull" | "stream",
): Promise<GroveError | null> {
  const { node, peer, url } = link;
  let refusal = refused;
  report.pulled += page.rows.length;
  node.observer.page("in", way, page.rows.length);
  const known = (outcomes: readonly Outcome[]) => {
    refusal ??= firstRefusal(outcomes, url);
    return { seen: page.at, url, ...(!refusal && { pullCursor: page.cursor }) };
  };
  if (page.rows.length > 0) {
    const { outcomes } = await node.merge(peer, page.rows, known, { collected: page.collected ?? 0 });
    count(report, outcomes);
    await keepRejected(link, page.rows, outcomes);
  } else if (page.cursor !== cursor) await node.store.savePeer(peer, known([]));
  return refusal;
}

/** Keeps what we rejected. What a hook of ours skips is not meant for us; the peer still has it. */
function keepRejected({ node, peer }: Link, rows: readonly RowChange[], outcomes: readonly Outcome[]): Promise<void> {
  const kept = outcomes.map((one): Outcome => (one.code === "skipped" ? { outcome: "superseded" } : one));
  return node.store.settleRejections(peer, false, rows, kept);
}

/** The peer lost a piece of its history: what it had from us is news to it again. */
function pushAgain(link: Link, update: PeerUpdate = {}): Promise<void> {
  link.scanned = null;
  return link.node.store.savePeer(link.peer, { ...update, pushCursor: encodeCursor(START_FULL) });
}

/** Of these tables alone: the peer refuses what it does not sync. */
const onlyOf = (only: Only, tables: readonly string[]): Only =>
  Object.fromEntries(Object.entries(only).filter(([table]) => tables.includes(table)));

/** Pages after which somebody else has a turn: a peer that is written to faster than it is read would have the link for itself. */
const PAGES_AT_A_TIME = 20;

/** Pulls until nothing is left. `between` runs after every {@link PAGES_AT_A_TIME} pages. Returns the first refusal. */
export async function pull(
  link: Link,
  options: ExchangeOptions,
  report: PeerReport,
  between?: () => Promise<void>,
): Promise<GroveError | null> {
  const { node, transport } = link;
  const { only, pageRows, pageBytes, signal } = options;
  const wanted = link.inbound(options);
  if (wanted.length === 0) return null;
  const state = await link.state();
  let cursor = state?.pullCursor ?? null;
  let seen: Position | null = state?.seen ?? null;
  const sighting = state?.displaced ? { displaced: state.displaced } : {};
  let refusal: GroveError | null = null;
  // An empty database has nothing to compare.
  if (cursor === null && (await node.store.position()).seq === 0) link.comparing.pull = false;
  let pages = 0;
  for (let restarted = false; ; ) {
    const request = {
      ...link.self,
      cursor,
      ...(link.comparing.pull && { sums: true }),
      seen,
      ...sighting,
      ...(link.complains && { now: node.now() }),
      tables: wanted,
      ...(only && { only: onlyOf(only, wanted) }),
      rows: pageRows,
      bytes: pageBytes,
    };
    const page = await transport.pull(request, { signal });
    await link.check(page);
    if (link.restored && !restarted) {
      restarted = true;
      cursor = null;
      await pushAgain(link, { pullCursor: null });
      continue;
    }
    if (page.reset) {
      node.observer.reset(link.peer, "in");
      await pushAgain(link, page.restored && seen ? { displaced: seen } : {});
    }
    seen = page.at;
    refusal ??= await fetchUnequal(link, page, options, report);
    refusal = await takePage(link, page, cursor, refusal, report, "pull");
    // Who knows later stamps itself had better doubt its own clock.
    link.complains = refusal?.code === "clock_drift" && !(await node.store.isAhead());
    cursor = page.cursor;
    if (page.more) {
      if (++pages % PAGES_AT_A_TIME === 0) await between?.();
      continue;
    }
    // The peer has begun to sync a table with us: it is asked for at once.
    const grown = link.inbound(options).some((table) => !wanted.includes(table));
    return grown && !refusal ? pull(link, options, report, between) : refusal;
  }
}

/** Asks for those rows whole whose sums differ. They are merged before the page's cursor is stored. */
async function fetchUnequal(
  link: Link,
  { sums = [], cursor }: PullResponse,
  { pageRows = DEFAULT_PAGE_ROWS, pageBytes, signal }: ExchangeOptions,
  report: PeerReport,
): Promise<GroveError | null> {
  const { node, peer, transport, url } = link;
  let left = await node.unequal(sums);
  if (!areMostlyEqual(sums.length, left.length)) link.comparing.pull = false;
  report.agreed += sums.length - left.length;
  let refusal: GroveError | null = null;
  while (left.length > 0) {
    const want = left.slice(0, pageRows);
    const answer = await transport.pull({ ...link.self, cursor, want, bytes: pageBytes }, { signal });
    await link.check(answer);
    // Whoever has its rows has seen it, also if the page itself is never merged.
    const known = () => ({ seen: answer.at });
    const { outcomes } = await node.merge(peer, answer.rows, known, { collected: answer.collected ?? 0 });
    report.pulled += answer.rows.length;
    count(report, outcomes);
    await keepRejected(link, answer.rows, outcomes);
    refusal ??= firstRefusal(outcomes, url);
    const came = new Set(answer.rows.map((row) => JSON.stringify([row?.table, row?.pk])));
    const missing = answer.more ? want.filter((key) => !came.has(JSON.stringify(key))) : [];
    if (missing.length === want.length) {
      throw new GroveError("transport", `${url} did not answer with the rows that it was asked for.`);
    }
    left = [...missing, ...left.slice(want.length)];
  }
  return refusal;
}

/** What ends a stream that must be begun anew by an exchange: the two sides have to find out what they still know. */
export class Unsettled extends Error {}

/**
 * Merges what the peer streams, from the stored cursor on, until the stream ends. `onPage` is called after each page.
 *
 * @throws GroveError `clock_drift` for a page that must come again, `wrong_node`, `transport`
 * @throws Unsettled
 */
export async function receive(
  link: Link,
  options: ExchangeOptions,
  onPage: (page: PullResponse) => void,
  report: PeerReport,
): Promise<void> {
  const { transport } = link;
  const { only, signal } = options;
  const wanted = link.inbound(options);
  if (!transport.stream || wanted.length === 0) return;
  const state = await link.state();
  let cursor = state?.pullCursor ?? null;
  const narrowed = only && { only: onlyOf(only, wanted) };
  const request = { ...link.self, cursor, seen: state?.seen ?? null, tables: wanted, ...narrowed };
  for await (const page of transport.stream(request, { signal })) {
    // A sign of life says nothing of what is forgotten.
    if (page.rows.length > 0 && (page.collected ?? 0) !== link.collected) throw new Unsettled();
    await link.check({ ...page, collected: link.collected });
    if (link.restored) throw new Unsettled();
    if (page.reset) {
      link.node.observer.reset(link.peer, "in");
      await pushAgain(link);
    }
    const refusal = await takePage(link, page, cursor, null, report, "stream");
    onPage(page);
    if (refusal) throw refusal;
    cursor = page.cursor;
  }
}
