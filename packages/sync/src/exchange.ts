// One exchange with one peer: pull until nothing is left, then push until nothing is left. Cursors are stored with
// what they stand for: the pull cursor in the merge's own transaction, the push cursor after the acknowledgement.
import {
  DEFAULT_PAGE_BYTES,
  DEFAULT_PAGE_ROWS,
  decodeCursor,
  encodeCursor,
  GroveError,
  isGroveError,
  type Outcome,
  type Position,
  PROTOCOL_VERSION,
  type PullResponse,
  type PushResponse,
  type RowKey,
  START,
  START_FULL,
} from "@grove-crdt/core";
import type { PeerState } from "@grove-crdt/store";
import { areMostlyEqual, readWhole } from "./agreement";
import type { GroveNode } from "./node";
import type { Transport } from "./transport";

export interface PeerReport {
  /** The peer's node id; null while it was never reached. */
  peer: string | null;
  url: string;
  /** Rows received and rows sent. */
  pulled: number;
  pushed: number;
  /** Adopted rows of which both sides hold the same: told by their sums, without values. */
  agreed: number;
  /** Outcomes of both directions together. */
  applied: number;
  superseded: number;
  parked: number;
  rejected: number;
  /** Not taken now, sent again later: a stamp beyond the clock drift bound. */
  refused: number;
  error: GroveError | null;
}

export interface ExchangeOptions {
  readonly tables: readonly string[];
  /** Bounds of a page; the peer may give less. */
  readonly pageRows?: number;
  readonly pageBytes?: number;
  readonly signal?: AbortSignal;
}

export const emptyReport = (url: string): PeerReport => ({
  peer: null,
  url,
  pulled: 0,
  pushed: 0,
  agreed: 0,
  applied: 0,
  superseded: 0,
  parked: 0,
  rejected: 0,
  refused: 0,
  error: null,
});

function count(report: PeerReport, outcomes: readonly Outcome[]): void {
  for (const { outcome } of outcomes) report[outcome]++;
}

/** The first refusal; a page that has one is asked for, or sent, again. */
function firstRefusal(outcomes: readonly Outcome[], url: string): GroveError | null {
  const refused = outcomes.find(({ outcome }) => outcome === "refused");
  return refused ? new GroveError("clock_drift", `${url}: ${refused.message}`) : null;
}

export class Exchange {
  /** The peer's node id, once it has answered. */
  peer: string | null = null;
  /** The tables that the peer syncs. */
  #theirs: readonly string[] = [];
  /** Our own database turned out to be restored: everything goes both ways again. */
  #restored = false;
  /** Whether adopted rows are worth comparing by sums before they are asked for, and before they are sent. */
  #comparing = { pull: true, push: true };
  /** What is stored as the last error; unknown at the start. */
  #lastError: string | null | undefined;

  constructor(
    private readonly node: GroveNode,
    private readonly transport: Transport,
  ) {}

  /** Runs the exchange; an error ends it and stands in the report. Whatever was acknowledged before stays so. */
  async run(options: ExchangeOptions): Promise<PeerReport> {
    const report = emptyReport(this.transport.url);
    try {
      await this.node.ready();
      await this.#meet(options);
      report.peer = this.peer;
      const late = await this.#pull(options, report);
      const early = await this.#push(options, report);
      report.error = late ?? early;
    } catch (error) {
      report.error = isGroveError(error)
        ? error
        : new GroveError("internal", `Sync with ${this.transport.url} failed: ${(error as Error).message}`, {
            cause: error,
          });
      // Whoever answers at this address next time is asked for its name again.
      if (report.error.code === "wrong_node") this.peer = null;
    }
    await this.#remember(report);
    return report;
  }

  /** Keeps what became of the exchange, when that is news: an idle peer costs no write. */
  async #remember({ peer, pulled, pushed, error }: PeerReport): Promise<void> {
    const lastError = error === null ? null : `${error.code}: ${error.message}`;
    if (peer === null || (lastError === this.#lastError && pulled + pushed === 0)) return;
    try {
      await this.node.store.savePeer(peer, { lastError, ...(error === null && { lastSuccess: this.node.now() }) });
      this.#lastError = lastError;
    } catch {
      // The database is what failed, and the report says so.
    }
  }

  /** Asks who is there, once: cursors are kept under the peer's identity, not under its address. */
  async #meet({ signal }: ExchangeOptions): Promise<void> {
    if (this.peer !== null) return;
    const answer = await this.transport.pull(
      { protocol: PROTOCOL_VERSION, node: this.node.id, cursor: null, rows: 0 },
      { signal },
    );
    if (answer.node === this.node.id) {
      throw new GroveError(
        "self_peer",
        `${this.transport.url} is this very node ${JSON.stringify(answer.node)}, or a copy of its database. Remove it from the peers, or give the copy an identity of its own.`,
      );
    }
    this.peer = answer.node;
    this.#theirs = answer.tables;
  }

  #state(): Promise<PeerState | null> {
    return this.node.store.peer(this.peer as string);
  }

  async #check(answer: PullResponse | PushResponse): Promise<void> {
    if (answer.node !== this.peer) {
      throw new GroveError(
        "wrong_node",
        `${this.transport.url} was node ${JSON.stringify(this.peer)} and is now ${JSON.stringify(answer.node)}. The next sync begins with it anew.`,
      );
    }
    this.#theirs = answer.tables;
    // The peer has seen us further than we are: this database was restored from a backup.
    if (answer.seen !== null && !(await this.node.store.knows(answer.seen))) this.#restored = true;
  }

  async #pull(options: ExchangeOptions, report: PeerReport): Promise<GroveError | null> {
    const { tables, pageRows, pageBytes, signal } = options;
    const peer = this.peer as string;
    const state = await this.#state();
    let cursor = state?.pullCursor ?? null;
    let seen = state?.seen ?? null;
    // Tables that the peer does not sync cannot be asked for; they begin from zero when it does.
    const wanted = tables.filter((table) => this.#theirs.includes(table));
    if (wanted.length === 0) return null;
    let refusal: GroveError | null = null;
    // An empty database has nothing to compare.
    if (cursor === null && (await this.node.store.position()).seq === 0) this.#comparing.pull = false;
    for (let restarted = false; ; ) {
      const request = {
        protocol: PROTOCOL_VERSION,
        node: this.node.id,
        cursor,
        ...(this.#comparing.pull && { sums: true }),
        seen,
        tables: wanted,
        rows: pageRows,
        bytes: pageBytes,
      };
      const page = await this.transport.pull(request, { signal });
      await this.#check(page);
      if (this.#restored && !restarted) {
        restarted = true;
        cursor = null;
        await this.node.store.savePeer(peer, { pullCursor: null, pushCursor: encodeCursor(START_FULL) });
        continue;
      }
      // The peer lost a piece of its history: what it had from us is news to it again.
      if (page.reset) await this.node.store.savePeer(peer, { pushCursor: encodeCursor(START_FULL) });
      seen = page.at;
      refusal ??= await this.#fetchUnequal(page, options, report);
      report.pulled += page.rows.length;
      // The stored cursor stays before the first page that had a refusal: that page must come again.
      const known = (outcomes: readonly Outcome[]) => {
        refusal ??= firstRefusal(outcomes, this.transport.url);
        return { seen: page.at, url: this.transport.url, ...(!refusal && { pullCursor: page.cursor }) };
      };
      if (page.rows.length > 0) {
        const { outcomes } = await this.node.merge(peer, page.rows, known);
        count(report, outcomes);
        await this.node.store.settleRejections(peer, page.rows, outcomes);
      } else if (page.cursor !== cursor) await this.node.store.savePeer(peer, known([]));
      cursor = page.cursor;
      if (!page.more) return refusal;
    }
  }

  /** Asks for those rows whole whose sums differ. They are merged before the page's cursor is stored. */
  async #fetchUnequal(
    { sums = [], cursor }: PullResponse,
    { pageRows = DEFAULT_PAGE_ROWS, pageBytes, signal }: ExchangeOptions,
    report: PeerReport,
  ): Promise<GroveError | null> {
    const peer = this.peer as string;
    let left = await this.node.unequal(sums);
    if (!areMostlyEqual(sums.length, left.length)) this.#comparing.pull = false;
    report.agreed += sums.length - left.length;
    let refusal: GroveError | null = null;
    while (left.length > 0) {
      const want = left.slice(0, pageRows);
      const request = { protocol: PROTOCOL_VERSION, node: this.node.id, cursor, want, bytes: pageBytes };
      const answer = await this.transport.pull(request, { signal });
      await this.#check(answer);
      const { outcomes } = await this.node.merge(peer, answer.rows);
      report.pulled += answer.rows.length;
      count(report, outcomes);
      await this.node.store.settleRejections(peer, answer.rows, outcomes);
      refusal ??= firstRefusal(outcomes, this.transport.url);
      const came = new Set(answer.rows.map((row) => JSON.stringify([row?.table, row?.pk])));
      const missing = answer.more ? want.filter((key) => !came.has(JSON.stringify(key))) : [];
      if (missing.length === want.length) {
        throw new GroveError("transport", `${this.transport.url} did not answer with the rows that it was asked for.`);
      }
      left = [...missing, ...left.slice(want.length)];
    }
    return refusal;
  }

  async #push(options: ExchangeOptions, report: PeerReport): Promise<GroveError | null> {
    const { tables, pageRows = DEFAULT_PAGE_ROWS, pageBytes = DEFAULT_PAGE_BYTES, signal } = options;
    const peer = this.peer as string;
    const { store } = this.node;
    const wanted = tables.filter((table) => this.#theirs.includes(table));
    if (wanted.length === 0) return null;
    const state = await this.#state();
    let stored = state?.pushCursor ?? null;
    let seen = state?.seen ?? null;
    let rows = pageRows;
    let refusal: GroveError | null = null;
    for (let restarted = false; ; ) {
      const page = await store.serve({
        cursor: stored === null ? START : decodeCursor(stored),
        tables: wanted,
        peer,
        rows,
        bytes: pageBytes,
        sums: this.#comparing.push,
      });
      const { sums } = page;
      const next = encodeCursor(page.cursor);
      let changed = next !== stored;
      if (page.rows.length + sums.length > 0 || this.#restored) {
        const request = { protocol: PROTOCOL_VERSION, node: this.node.id, at: await store.position(), seen };
        let answer: PushResponse;
        try {
          const message = { ...request, rows: page.rows, ...(sums.length > 0 && { sums: [...sums] }) };
          answer = await this.transport.push(message, { signal });
        } catch (error) {
          if (!isGroveError(error) || error.code !== "payload_too_large") throw error;
          if (page.rows.length + sums.length > 1) {
            rows = Math.ceil((page.rows.length + sums.length) / 2);
            continue;
          }
          if (page.rows.length === 0) throw error;
          // A row that this peer never takes is kept as rejected: it must not hold back all that comes after it.
          answer = await this.transport.push({ ...request, rows: [] }, { signal });
          answer.outcomes.push({ outcome: "rejected", code: error.code, message: error.message });
        }
        // This very push tells the peer where we stand now; what it saw of us before is settled with it.
        const settled = this.#restored;
        await this.#check(answer);
        if (settled) this.#restored = false;
        if (answer.outcomes.length !== page.rows.length) {
          throw new GroveError(
            "transport",
            `${this.transport.url} answered ${answer.outcomes.length} outcomes for ${page.rows.length} rows.`,
          );
        }
        seen = answer.at;
        report.pushed += page.rows.length;
        count(report, answer.outcomes);
        await store.settleRejections(peer, page.rows, answer.outcomes);
        refusal ??= firstRefusal(answer.outcomes, this.transport.url);
        const want = answer.want ?? [];
        if (!areMostlyEqual(sums.length, want.length)) this.#comparing.push = false;
        report.agreed += Math.max(sums.length - want.length, 0);
        refusal ??= await this.#sendUnequal(want, seen, options, report);
        changed = true;
        if (answer.reset && !restarted) {
          // The receiver was restored: all that we have may be news to it.
          restarted = true;
          stored = encodeCursor(START_FULL);
          await store.savePeer(peer, { pushCursor: stored, seen });
          continue;
        }
      }
      if (changed && !refusal) await store.savePeer(peer, { pushCursor: next, seen, url: this.transport.url });
      stored = next;
      if (!page.more) return refusal;
    }
  }
  /** Sends those rows whole whose sums the peer does not have, before the page counts as acknowledged. */
  async #sendUnequal(
    want: readonly RowKey[],
    seen: Position,
    { pageRows = DEFAULT_PAGE_ROWS, pageBytes = DEFAULT_PAGE_BYTES, signal }: ExchangeOptions,
    report: PeerReport,
  ): Promise<GroveError | null> {
    const { store } = this.node;
    let refusal: GroveError | null = null;
    let most = pageRows;
    for (let left = want; left.length > 0; ) {
      const { rows, taken } = await readWhole(store, left, { rows: most, bytes: pageBytes });
      const request = { protocol: PROTOCOL_VERSION, node: this.node.id, at: await store.position(), seen };
      let outcomes: readonly Outcome[];
      try {
        const answer = await this.transport.push({ ...request, rows }, { signal });
        await this.#check(answer);
        outcomes = answer.outcomes;
      } catch (error) {
        if (!isGroveError(error) || error.code !== "payload_too_large") throw error;
        if (rows.length > 1) {
          most = Math.ceil(rows.length / 2);
          continue;
        }
        outcomes = [{ outcome: "rejected", code: error.code, message: error.message }];
      }
      report.pushed += rows.length;
      count(report, outcomes);
      await store.settleRejections(this.peer as string, rows, outcomes);
      refusal ??= firstRefusal(outcomes, this.transport.url);
      left = left.slice(taken);
    }
    return refusal;
  }
}
