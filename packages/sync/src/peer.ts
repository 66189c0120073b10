// One peer of a syncer: exchanges that never overlap, local writes that go out as they are committed, and the stream in.
import { GroveError, type RowKey } from "@grove-crdt/core";
import pRetry, { AbortError } from "p-retry";
import { linked } from "./abort";
import { exchange, isStale } from "./exchange";
import { type ExchangeOptions, Link } from "./link";
import type { GroveNode } from "./node";
import { receive, Unsettled } from "./pull";
import { push, pushFrom, pushKeys } from "./push";
import { type RejoinReport, rejoin } from "./rejoin";
import { emptyReport, type PeerReport } from "./report";
import type { SyncerOptions } from "./syncer";
import type { Transport } from "./transport";
import { compareWhole, findDiffering, type VerifyOptions, type VerifyReport } from "./verify";
import { sleep, Wakeup, withJitter } from "./wakeup";

/** How a syncer stands with one peer. */
export interface PeerStatus {
  readonly url: string;
  /** The peer's node id; null while it was never reached. */
  readonly peer: string | null;
  /** Whether its changes stream in right now. */
  readonly streaming: boolean;
  /** What the peer has not acknowledged yet. `rows` counts at most those; `milliseconds` since when there are any. */
  readonly pending: { readonly rows: number; readonly milliseconds: number };
  /** Changes that the peer rejected: `node.rejected()` lists them. */
  readonly rejected: number;
  /** When an exchange, push or streamed page last went well; milliseconds since 1970. */
  readonly lastSuccess: number | null;
  /** What went wrong last; null once something has gone well since. */
  readonly lastError: GroveError | null;
  /** Rows received and sent since the syncer was made, duplicates included. */
  readonly received: number;
  readonly sent: number;
}

/** Longest wait between two looks at the database, in milliseconds. */
const IDLE = 1_000;

export class Peer {
  readonly link: Link;
  /** Exchanges with one peer never overlap. */
  #last: Promise<unknown> = Promise.resolve();
  /** Ends the wait for the next exchange. */
  readonly #due = new Wakeup();
  #streaming = false;
  #lastSuccess: number | null = null;
  #lastError: GroveError | null = null;
  #received = 0;
  #sent = 0;
  /** Since when rows have been waiting. */
  #waitingSince: number | null = null;

  constructor(
    private readonly node: GroveNode,
    transport: Transport,
    private readonly tables: readonly string[],
    private readonly options: SyncerOptions,
  ) {
    this.link = new Link(node, transport);
    node.connect(this.link);
  }

  #settings(signal?: AbortSignal): ExchangeOptions {
    const { only, pageRows, pageBytes } = this.options;
    const carries = this.options.tables === undefined && only === undefined && this.node.keeps;
    return { tables: this.tables, carries, only, pageRows, pageBytes, signal };
  }

  #inTurn(run: () => Promise<PeerReport>): Promise<PeerReport> {
    const begin = () => {
      const since = this.#waitingSince;
      const begun = performance.now();
      return run().then((report) => {
        // What has been written meanwhile waits since then.
        if (report.error === null && this.#waitingSince === since) this.#waitingSince = null;
        return this.#note(report, performance.now() - begun);
      });
    };
    const result = this.#last.then(begin, begin);
    this.#last = result.catch(() => {});
    return result;
  }

  /** The last number of ours that was looked at for this peer. */
  #pushedTo(): number {
    const { scanned } = this.link;
    return scanned ? pushFrom(this.link, scanned.stored).last : 0;
  }

  /** @param milliseconds how long it took; null for a streamed page */
  #note(report: PeerReport, milliseconds: number | null): PeerReport {
    this.#received += report.pulled;
    this.#sent += report.pushed;
    // A syncer that is stopped has done nothing wrong.
    if (report.error?.code === "aborted") return report;
    const before = this.#lastError ?? (this.#lastSuccess === null ? undefined : null);
    this.node.observer.exchanged(report, before, milliseconds);
    this.#lastError = report.error;
    if (report.error === null) this.#lastSuccess = Date.now();
    return report;
  }

  /** Pulls and pushes until nothing is left. */
  exchange(signal?: AbortSignal): Promise<PeerReport> {
    return this.#inTurn(() => exchange(this.link, this.#settings(signal)));
  }

  /** Exchanges, then compares what both hold. Never rejects for the peer's sake. */
  async verify({ recount, signal }: VerifyOptions = {}): Promise<VerifyReport> {
    const report = { url: this.link.url, peer: this.link.known, rows: 0, differing: [] };
    try {
      await this.#exchanged(signal);
      const settings = { ...this.#settings(signal), recount };
      const { keys, rows, comparison } = await findDiffering(this.link, this.node.digests, settings);
      // What was written meanwhile is no difference.
      if (keys.length > 0) await this.#exchanged(signal);
      const differing = await compareWhole(this.link, keys, comparison.view, signal);
      return { ...report, peer: this.link.known, rows, differing, error: null };
    } catch (error) {
      return { ...report, peer: this.link.known, error: this.link.error(error) };
    }
  }

  /** @throws GroveError */
  async rejoin(signal?: AbortSignal): Promise<RejoinReport> {
    let result: RejoinReport | undefined;
    let failure: unknown;
    // In turn with exchanges, which it must not meet.
    await this.#inTurn(async () => {
      const report = emptyReport(this.link.url);
      try {
        result = await rejoin(this.link, this.#settings(signal));
        return { ...report, peer: this.link.known, pulled: result.pulled };
      } catch (error) {
        failure = error;
        return { ...report, error: this.link.error(error) };
      }
    });
    if (!result) throw failure;
    return result;
  }

  async #exchanged(signal?: AbortSignal): Promise<void> {
    const { error } = await this.exchange(signal);
    if (error) throw error;
  }

  push(signal?: AbortSignal): Promise<PeerReport> {
    return this.#inTurn(() => exchange(this.link, this.#settings(signal), [push]));
  }

  /** Pushes until the peer has acknowledged all that was written before the call. @throws GroveError `aborted` */
  async flush(signal?: AbortSignal): Promise<void> {
    const { minRetry = 1_000 } = this.options;
    for (;;) {
      const { error } = await this.push(signal);
      if (!error) return;
      if (!signal?.aborted) await sleep(withJitter(minRetry, this.node.random), signal);
      if (signal?.aborted) {
        const { rows } = (await this.status()).pending;
        const message = `${this.link.url} has not acknowledged everything: up to ${rows} rows wait. They stay in the database.`;
        throw new GroveError("aborted", message, { cause: this.#lastError ?? error });
      }
    }
  }

  pushKeys(keys: readonly RowKey[], signal?: AbortSignal): Promise<PeerReport> {
    return this.#inTurn(() =>
      exchange(this.link, this.#settings(signal), [(link, options, report) => pushKeys(link, keys, options, report)]),
    );
  }

  /** Exchanges at the interval, and pushes what is written as soon as it is; until `signal` aborts. */
  async keepUp(signal: AbortSignal): Promise<void> {
    const { interval = 30_000, minRetry = 1_000, maxRetry = 30_000, onReport } = this.options;
    const { random } = this.node;
    const stop = this.node.watch((found) => {
      if (found && !found.pending && found.seq <= this.#pushedTo()) return;
      this.#waitingSince ??= Date.now();
      this.#due.ring();
    }, IDLE);
    try {
      let whole = true;
      for (let next = 0; !signal.aborted; ) {
        if (whole) next = performance.now() + withJitter(interval, random);
        let hurried = false;
        const waiting = linked(signal);
        this.#hurry = () => {
          hurried = true;
          waiting.abort();
        };
        await pRetry(
          async () => {
            const report = await (whole ? this.exchange(signal) : this.push(signal));
            if (signal.aborted) throw new AbortError("aborted");
            // A push that only looked is nobody's news.
            if (whole || report.error || report.pushed > 0) onReport?.(report);
            // After a failure, all is caught up on.
            whole = true;
            if (report.error) throw report.error;
          },
          {
            retries: Number.POSITIVE_INFINITY,
            factor: 2,
            minTimeout: minRetry,
            maxTimeout: maxRetry,
            randomize: true,
            signal: waiting.signal,
          },
        ).catch(() => {});
        waiting.done();
        this.#hurry = () => {};
        if (signal.aborted) return;
        if (hurried) continue;
        const rung = await this.#due.wait(Math.max(next - performance.now(), 0), signal);
        // However much is written here, the peer is asked at the interval.
        whole = !rung || performance.now() >= next;
      }
    } finally {
      stop();
    }
  }
  /** The peer can be reached again: what waits to be tried again need not wait any longer. */
  #hurry: () => void = () => {};

  /** Merges what the peer streams, and takes turns with pulls while its stream is down; until `signal` aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    const { transport } = this.link;
    if (!transport.stream) return;
    const { reconnect = 5_000 } = transport;
    while (!signal.aborted) {
      // Exchanges take over while there is no stream, and settle what a stream cannot.
      const report = await this.exchange(signal);
      if (signal.aborted) return;
      this.options.onReport?.(report);
      if (!report.error && !(await this.#receive(signal))) continue;
      await sleep(withJitter(reconnect, this.node.random), signal);
    }
  }

  /** Returns false if the two have something to settle, and may go on at once. */
  async #receive(signal: AbortSignal): Promise<boolean> {
    const { link } = this;
    let report = emptyReport(link.url);
    let error: GroveError | null = null;
    try {
      const onPage = () => {
        // The first page comes at once: the peer can be reached.
        if (!this.#streaming) this.#hurry();
        this.#streaming = true;
        this.#note({ ...report, peer: link.known }, null);
        if (report.pulled > 0) this.options.onReport?.({ ...report, peer: link.known });
        for (const name of ["pulled", "applied", "superseded", "parked", "rejected", "refused"] as const)
          report[name] = 0;
      };
      await receive(link, this.#settings(signal), onPage, report);
    } catch (cause) {
      if (cause instanceof Unsettled) return false;
      error = link.error(cause);
      if (isStale(error)) link.forget();
    } finally {
      this.#streaming = false;
    }
    if (error && !signal.aborted) {
      report = { ...report, peer: link.known, error };
      this.#note(report, null);
      this.options.onReport?.(report);
    }
    return true;
  }

  async status(): Promise<PeerStatus> {
    const { link } = this;
    let rows = 0;
    if (link.known !== null) {
      const state = await link.state();
      rows = await this.node.store.countAfter(
        pushFrom(link, state?.pushCursor ?? null).position,
        link.shared(this.tables),
      );
    }
    this.#waitingSince = rows === 0 ? null : (this.#waitingSince ?? Date.now());
    const rejections = await this.node.store.rejections();
    return {
      url: link.url,
      peer: link.known,
      rejected: rejections.filter(({ peer, sent }) => sent && peer === link.known).length,
      streaming: this.#streaming,
      pending: { rows, milliseconds: this.#waitingSince === null ? 0 : Date.now() - this.#waitingSince },
      lastSuccess: this.#lastSuccess,
      lastError: this.#lastError,
      received: this.#received,
      sent: this.#sent,
    };
  }
}
