// The outbound half of an exchange. The push cursor is stored after the peer's acknowledgement.
import {
  type Cursor,
  DEFAULT_PAGE_BYTES,
  DEFAULT_PAGE_ROWS,
  decodeCursor,
  encodeCursor,
  GroveError,
  isGroveError,
  ORIGIN,
  type Outcome,
  type Position,
  type PushResponse,
  type RowKey,
  START,
  START_FULL,
  viewOf,
} from "@grove-crdt/core";
import { checkCollected } from "@grove-crdt/store";
import { areMostlyEqual, readWhole, type WholeRows } from "./agreement";
import type { ExchangeOptions, Link } from "./link";
import type { Outgoing } from "./passage";
import { count, firstRefusal, type PeerReport } from "./report";

/** Where the next push begins, given the stored push cursor. */
export function pushFrom({ scanned }: Link, stored: string | null): Cursor {
  const from = scanned && scanned.stored === stored ? scanned.cursor : stored;
  return from === null ? START : decodeCursor(from);
}

/** Pushes what was there when it was called; what is written meanwhile may wait for the next call. Returns the first refusal. */
export async function push(link: Link, options: ExchangeOptions, report: PeerReport): Promise<GroveError | null> {
  const { only = {}, pageRows = DEFAULT_PAGE_ROWS, pageBytes = DEFAULT_PAGE_BYTES, signal } = options;
  const view = viewOf(only);
  const { node, peer, transport, url } = link;
  const { store } = node;
  const wanted = await link.outbound(options);
  if (wanted.length === 0) return null;
  const state = await link.state();
  let stored = state?.pushCursor ?? null;
  let from = pushFrom(link, stored);
  let seen = state?.seen ?? null;
  const sighting = state?.displaced ? { displaced: state.displaced } : {};
  let rows = pageRows;
  let refusal: GroveError | null = null;
  let goal: number | null = null;
  for (let restarted = false; ; ) {
    const page = await store.serve({
      cursor: from,
      tables: wanted,
      view,
      peer,
      rows,
      bytes: pageBytes,
      // Hooks have to see what leaves.
      sums: link.comparing.push && !node.filtersOutbound,
    });
    // Collected since the exchange began: the page is of another time than what it would be sent under.
    checkCollected(page.collected, link.collected);
    const { sums } = page;
    const outgoing = await node.outgoing(peer, page.rows);
    const { rows: sent } = outgoing;
    goal ??= page.cursor.last;
    const next = encodeCursor(page.cursor);
    let acknowledged = false;
    if (sent.length + sums.length > 0 || link.restored) {
      const restored = link.restored && { restored: true as const };
      const request = { ...link.pusher, at: await store.position(), seen, ...sighting, ...restored };
      let answer: PushResponse;
      try {
        const message = { ...request, rows: sent, ...(sums.length > 0 && { sums: [...sums] }) };
        answer = await transport.push(message, { signal });
      } catch (error) {
        if (!isGroveError(error) || error.code !== "payload_too_large") throw error;
        if (page.rows.length + sums.length > 1) {
          rows = Math.ceil((page.rows.length + sums.length) / 2);
          continue;
        }
        if (sent.length === 0) throw error;
        // A row that this peer never takes is kept as rejected: it must not hold back all that comes after it.
        answer = await transport.push({ ...request, rows: [] }, { signal });
        answer.outcomes.push({ outcome: "rejected", code: error.code, message: error.message });
      }
      // This very push tells the peer where we stand now; what it saw of us before is settled with it.
      const settled = link.restored;
      await link.check(answer);
      // Found out by pushing: the next pull begins anew, also if this push goes on and tells the peer first.
      if (link.restored && !settled) await store.savePeer(peer, { pullCursor: null });
      if (settled) link.restored = false;
      if (answer.outcomes.length !== sent.length) {
        throw new GroveError(
          "transport",
          `${url} answered ${answer.outcomes.length} outcomes for ${sent.length} rows.`,
        );
      }
      const before = seen;
      seen = answer.at;
      report.pushed += sent.length;
      count(report, answer.outcomes);
      node.observer.page("out", "push", sent.length);
      node.observer.settled("out", peer, sent, answer.outcomes);
      await settle(link, outgoing, answer.outcomes);
      refusal ??= firstRefusal(answer.outcomes, url);
      const want = answer.want ?? [];
      if (!areMostlyEqual(sums.length, want.length)) link.comparing.push = false;
      report.agreed += Math.max(sums.length - want.length, 0);
      refusal ??= await sendUnequal(link, want, seen, options, report);
      acknowledged = true;
      if (answer.reset && !restarted) {
        // The receiver was restored: all that we have may be news to it.
        restarted = true;
        node.observer.reset(peer, "in");
        stored = encodeCursor(START_FULL);
        from = START_FULL;
        await store.savePeer(peer, { pushCursor: stored, seen: answer.at, ...(before && { displaced: before }) });
        continue;
      }
    }
    if (!refusal) {
      // A look in vain is not worth a write: whoever forgets it looks again.
      if (acknowledged || stored === null) {
        await store.savePeer(peer, { pushCursor: next, seen, url });
        stored = next;
      }
      link.scanned = { stored, cursor: next };
    }
    from = page.cursor;
    // What the peer did not ask for before is as old as it is long: it goes in one go, like the rest.
    if (!page.more || (page.cursor.position >= goal && !page.cursor.behind)) return refusal;
  }
}

/** Keeps what the peer rejected, and forgets what it took; of a row of which a hook of ours held back a part, that stays on record. */
function settle({ node, peer }: Link, { rows, failed }: Outgoing, outcomes: readonly Outcome[]): Promise<void> {
  const held = rows.map((row, n) => (outcomes[n]?.outcome === "rejected" ? undefined : failed.get(row)));
  return node.store.settleRejections(
    peer,
    true,
    rows.map((row, n) => held[n]?.row ?? row),
    outcomes.map((outcome, n) => held[n]?.outcome ?? outcome),
  );
}

/** Sends those rows whole whose sums the peer does not have, before the page counts as acknowledged. */
async function sendUnequal(
  link: Link,
  want: readonly RowKey[],
  seen: Position,
  options: ExchangeOptions,
  report: PeerReport,
): Promise<GroveError | null> {
  const { pageRows = DEFAULT_PAGE_ROWS, pageBytes = DEFAULT_PAGE_BYTES } = options;
  const { node } = link;
  let refusal: GroveError | null = null;
  let most = pageRows;
  for (let left = want; left.length > 0; ) {
    const { rows: whole, taken } = await readWhole(
      node.store,
      left,
      { rows: most, bytes: pageBytes },
      viewOf(options.only ?? {}),
    );
    checkCollected((await node.store.collection()).upTo, link.collected);
    const outgoing = await node.outgoing(link.peer, whole);
    const { rows } = outgoing;
    const outcomes = await pushRows(link, rows, seen, options);
    if (outcomes === null) {
      most = Math.ceil(whole.length / 2);
      continue;
    }
    report.pushed += rows.length;
    count(report, outcomes);
    node.observer.page("out", "push", rows.length);
    node.observer.settled("out", link.peer, rows, outcomes);
    await settle(link, outgoing, outcomes);
    refusal ??= firstRefusal(outcomes, link.url);
    left = left.slice(taken);
  }
  return refusal;
}

/** Pushes whole rows, whatever the cursor says. Returns null when they are too many for the peer. */
async function pushRows(
  link: Link,
  rows: WholeRows["rows"],
  seen: Position | null,
  { signal }: ExchangeOptions,
): Promise<readonly Outcome[] | null> {
  const request = { ...link.pusher, at: await link.node.store.position(), seen };
  try {
    const answer = await link.transport.push({ ...request, rows }, { signal });
    await link.check(answer);
    return answer.outcomes;
  } catch (error) {
    if (!isGroveError(error) || error.code !== "payload_too_large") throw error;
    return rows.length > 1 ? null : [{ outcome: "rejected", code: error.code, message: error.message }];
  }
}

/** Pushes these rows whole, at once and beside the cursor, which does not move. Returns the first refusal. */
export async function pushKeys(
  link: Link,
  keys: readonly RowKey[],
  options: ExchangeOptions,
  report: PeerReport,
): Promise<GroveError | null> {
  const tables = await link.outbound(options);
  const wanted = keys.filter(([table]) => tables.includes(table));
  const state = await link.state();
  return sendUnequal(link, wanted, state?.seen ?? ORIGIN, options, report);
}
