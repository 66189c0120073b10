// What a node tells of itself, to a logger and to a meter: what is said, how loudly and how often, in one place. It knows names,
// codes and numbers; values of rows only where somebody asked for them. Whatever a logger or a meter throws stops nothing.
import {
  type ErrorCode,
  errorCodes,
  type GroveError,
  isGroveError,
  type Outcome,
  type RowChange,
} from "@grove-crdt/core";
import { describeError, type Logger, type LogLevel } from "./logger";
import { type Meter, Metrics, type Reading } from "./metrics";
import type { PeerReport } from "./report";

export interface ObserverOptions {
  /** Receives what happens to the node, in pino's shape: `(fields, message)`. Default: nobody is told. */
  readonly logger?: Logger;
  /** Counts and measures: a meter of OpenTelemetry's shape, for example `metrics.getMeter("grove-crdt")`. Default: nothing is counted. */
  readonly meter?: Meter;
  /** Log lines may carry keys of rows and messages of the database, which quote values (default false). */
  readonly logValues?: boolean;
}

type Direction = "in" | "out";
/** By what a page came or went. */
type Way = "pull" | "push" | "stream";

/** What no retry mends: somebody has to do something. */
const NEEDS_SOMEBODY: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "capture_missing",
  "capture_stale",
  "not_adopted",
  "protocol_mismatch",
  "node_id_taken",
  "self_peer",
  "forked",
  "struck_off",
  "internal",
]);
/** Why a request of a peer is refused that is news: what else is wrong with a request is the caller's affair. */
const NEWS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([...NEEDS_SOMEBODY, "unknown_table", "wrong_node"]);
/** Refusals that are remembered, so that a peer which asks again and again is one line. */
const MOST_REMEMBERED = 1_000;

/** How loudly an outcome is told; the others are only counted. */
const LOUDNESS: Partial<Record<Outcome["outcome"], LogLevel>> = { parked: "info", refused: "warn", rejected: "warn" };
const SENTENCE: Partial<Record<Outcome["outcome"], string>> = {
  parked: "changes are parked",
  refused: "changes are refused for now",
  rejected: "changes are rejected",
};

export class Observer {
  readonly #logger: Logger | undefined;
  readonly #metrics: Metrics | undefined;
  readonly #values: boolean;
  /** By peer: why it was refused last. */
  readonly #refused = new Map<string, string>();
  /** Why the node could not be opened last. */
  #obstacle: string | null = null;

  constructor(
    { logger, meter, logValues = false }: ObserverOptions,
    private readonly node: () => string | null,
    private readonly tables: readonly string[],
    read: () => Promise<Reading | null>,
  ) {
    this.#logger = logger;
    this.#values = logValues;
    this.#metrics = meter && new Metrics(meter, read);
  }

  /** Whether there is nobody to tell. */
  get isIdle(): boolean {
    return !this.#logger && !this.#metrics;
  }

  /** Whether somebody listens, so that nothing need go to the console. */
  get isHeard(): boolean {
    return this.#logger !== undefined;
  }

  #say(level: LogLevel, fields: object, message: string): void {
    try {
      this.#logger?.[level]({ node: this.node(), ...fields }, `grove-crdt: ${message}`);
    } catch {
      // A logger that fails must not fail the sync.
    }
  }

  #measure(take: (metrics: Metrics) => void): void {
    if (!this.#metrics) return;
    try {
      take(this.#metrics);
    } catch {
      // Nor a meter.
    }
  }

  /** An error as fields: of ours code and message, of others what {@link describeError} leaves. */
  #fields(error: unknown): object {
    if (!isGroveError(error)) return { err: describeError(error, this.#values) };
    const { code, message, cause } = error;
    // Under this code the message repeats what somebody else's error said.
    const said = code !== "internal" || this.#values ? { error: message } : {};
    return { code, ...said, ...(cause !== undefined && { err: describeError(cause, this.#values) }) };
  }

  opened(): void {
    this.#obstacle = null;
    this.#say("info", { tables: this.tables.length }, "the node is open");
  }

  /** The node cannot be opened: its schema, its identity or its database is not what it should be. Said once for each reason. */
  failedToOpen(error: unknown): void {
    const obstacle = isGroveError(error) ? error.code : describeError(error, true);
    if (JSON.stringify(obstacle) === this.#obstacle) return;
    this.#obstacle = JSON.stringify(obstacle);
    this.#say("error", this.#fields(error), "the node cannot be opened");
  }

  closed(): void {
    this.#measure((metrics) => metrics.close());
    this.#say("info", {}, "the node is closed");
  }

  /** Something failed that nobody expected: in a hook, a stream or an answer. */
  failed(error: unknown, where: string): void {
    this.#say("error", this.#fields(error), `${where} failed`);
  }

  page(direction: Direction, way: Way, rows: number): void {
    this.#measure((metrics) => {
      metrics.pages.add(1, { direction, way });
      if (rows > 0) metrics.rows.add(rows, { direction, way });
    });
  }

  /** A reader began to follow this node; the result tells that it has left. */
  followed(peer: string): () => void {
    this.#say("debug", { peer }, "a stream is open");
    this.#measure((metrics) => metrics.streams.add(1));
    return () => {
      this.#say("debug", { peer }, "a stream has ended");
      this.#measure((metrics) => metrics.streams.add(-1));
    };
  }

  /** A page of `peer` was merged. */
  merged(peer: string, rows: readonly unknown[], outcomes: readonly Outcome[], milliseconds: number): void {
    this.#measure((metrics) => metrics.merges.record(milliseconds / 1000));
    this.settled("in", peer, rows, outcomes);
  }

  /** What became of rows: of a peer's here, or of ours there. One line for each table, outcome and code. */
  settled(direction: Direction, peer: string, rows: readonly unknown[], outcomes: readonly Outcome[]): void {
    if (!this.#logger && !this.#metrics) return;
    const groups = new Map<string, { outcome: Outcome; table: string | null; rows: number; keys: unknown[] }>();
    outcomes.forEach((outcome, n) => {
      const { table, pk } = (rows[n] ?? {}) as Partial<RowChange>;
      // Strangers send any name.
      const known = typeof table === "string" && this.tables.includes(table) ? table : null;
      const key = JSON.stringify([outcome.outcome, codeOf(outcome), known]);
      const group = groups.get(key) ?? { outcome, table: known, rows: 0, keys: [] };
      groups.set(key, group);
      group.rows++;
      if (this.#values && group.keys.length < 10) group.keys.push(pk);
    });
    for (const { outcome: first, table, rows, keys } of groups.values()) {
      const { outcome, message } = first;
      const code = codeOf(first);
      this.#measure((metrics) => metrics.outcomes.add(rows, { direction, outcome, ...(code && { code }) }));
      const level = LOUDNESS[outcome];
      if (!level) continue;
      const values = this.#values ? { keys, said: message } : {};
      this.#say(level, { peer, direction, table, code, rows, ...values }, SENTENCE[outcome] as string);
    }
  }

  /** One side no longer has the history that the other remembers: everything goes both ways again. */
  reset(peer: string, direction: Direction): void {
    const whose =
      direction === "in" ? "the peer was restored, or is another" : "this database was restored, or is another";
    this.#say("warn", { peer }, `${whose}: everything is exchanged anew`);
  }

  /** A peer's request is refused. Said once for each peer and reason. */
  refused(peer: string, error: unknown): void {
    if (!this.#logger || !isGroveError(error) || !NEWS.has(error.code)) return;
    if (this.#refused.get(peer) === error.code) return;
    if (this.#refused.size >= MOST_REMEMBERED) this.#refused.clear();
    this.#refused.set(peer, error.code);
    this.#say("warn", { peer: peer.slice(0, 64), ...this.#fields(error) }, "a peer is refused");
  }

  /** A peer's request was answered: what it is refused for next is news again. */
  answered(peer: string): void {
    this.#refused.delete(peer);
  }

  /**
   * An exchange, push or streamed page has ended. What changes is said aloud: first contact, a failure, another failure, and that it
   * goes well again. What goes on as before is for those who debug.
   *
   * @param before how it went before; undefined at first
   * @param milliseconds how long it took; null for a streamed page, which took as long as there was nothing to say
   */
  exchanged(report: PeerReport, before: GroveError | null | undefined, milliseconds: number | null): void {
    const { peer, url, pulled, pushed, agreed, error } = report;
    if (milliseconds !== null) {
      const attributes = { peer: peer ?? "unknown", result: error?.code ?? "ok" };
      this.#measure((metrics) => metrics.exchanges.record(milliseconds / 1000, attributes));
    }
    if (error) {
      const isNews = error.code !== before?.code;
      const level = !isNews ? "debug" : NEEDS_SOMEBODY.has(error.code) ? "error" : "warn";
      this.#say(level, { peer, url, ...this.#fields(error) }, "an exchange failed");
      return;
    }
    const numbers = {
      peer,
      url,
      pulled,
      pushed,
      agreed,
      ...(milliseconds !== null && { milliseconds: Math.round(milliseconds) }),
    };
    if (before === undefined) this.#say("info", numbers, "first exchange with the peer");
    else if (before) this.#say("info", numbers, "exchanges go well again");
    else if (milliseconds !== null || pulled > 0) this.#say("debug", numbers, "an exchange is done");
  }
}

/** Codes of ours; whatever else a peer says is not told apart, for nobody knows how many it has. */
function codeOf({ code }: Outcome): string | undefined {
  if (code === undefined) return undefined;
  return Object.hasOwn(errorCodes, code) ? code : "other";
}
