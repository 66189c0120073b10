// A node: one syncing database. It answers the questions of the protocol, whoever carries them. Long, for it is what users hold:
// each method is short, and its docstring is the reference.
import {
  checkProtocol,
  DEFAULT_PAGE_BYTES,
  DEFAULT_PAGE_ROWS,
  type Discrepancy,
  decodeCursor,
  encodeCursor,
  GroveError,
  type Json,
  type Outcome,
  PROTOCOL_VERSION,
  type PullRequest,
  type PullResponse,
  type PushRequest,
  type PushResponse,
  parseRowChange,
  type Registry,
  type RowChange,
  type RowKey,
  type RowSum,
  START_FULL,
  type StreamRequest,
} from "@grove-crdt/core";
import {
  type AdoptOptions,
  type CaptureProblem,
  type DatabaseClient,
  openStore,
  type ParkedRow,
  type PeerUpdate,
  type Store,
} from "@grove-crdt/store";
import { type Linked, linked } from "./abort";
import { findUnequal, readWhole } from "./agreement";
import { type ChangesOptions, readChanges, type TableEvent } from "./changes";
import type { FollowerOptions } from "./follower";
import { InFlight } from "./in-flight";
import { Streams } from "./streams";
import { type Wake, Watcher } from "./watcher";

export interface NodeOptions {
  /** A Drizzle database: over better-sqlite3, postgres.js, a node-postgres Pool or PGlite. */
  readonly db: { readonly $client: DatabaseClient };
  /** The default export of what `npx grove-crdt generate` emits: `registry`. */
  readonly registry: Registry;
  /** Names the database for good. Omitted: the stored id, or one that is drawn at first start. */
  readonly nodeId?: string;
  /** Names of the tables to sync; omitted = all of the registry. */
  readonly tables?: readonly string[];
  /** How far a stamp may lie ahead of this node's clock, in milliseconds (default 60,000). */
  readonly maxClockDrift?: number;
  /** Physical time in microseconds since 1970; for tests. */
  readonly now?: () => number;
  /** A number in [0, 1); for tests. */
  readonly random?: () => number;
}

export type FollowOptions = Omit<FollowerOptions, "peer" | "tables" | "cursor">;

export interface MergeReport {
  readonly outcomes: readonly Outcome[];
  readonly changed: boolean;
}

/** One syncing database. Made by {@link createNode}. */
export class GroveNode {
  readonly store: Store;
  /** Physical time in microseconds since 1970. */
  readonly now: () => number;
  /** A number in [0, 1). */
  readonly random: () => number;
  #ready: Promise<void> | null = null;
  #id: string | null = null;
  readonly #watcher: Watcher;
  readonly #streams: Streams;
  readonly #inFlight = new InFlight();
  #closed = false;
  /** What has no end of its own: streams, and loops over changes. */
  readonly #endless = new Set<Linked>();
  readonly #registry: Registry;

  constructor(options: NodeOptions) {
    const {
      db,
      registry,
      nodeId,
      tables,
      maxClockDrift = 60_000,
      now = () => Date.now() * 1000,
      random = Math.random,
    } = options;
    this.now = now;
    this.random = random;
    this.#registry = registry;
    this.store = this.#inFlight.track(openStore(db?.$client, registry, { now, random, maxClockDrift, nodeId }, tables));
    this.#watcher = new Watcher(this.store);
    this.#streams = new Streams(this.store, this.#watcher, this);
  }

  /** The node id. @throws GroveError `capture_missing` before {@link ready} has resolved */
  get id(): string {
    if (this.#id === null) throw new GroveError("capture_missing", "The node is not ready. Await node.ready() first.");
    return this.#id;
  }

  /** Names of the tables that this node syncs. */
  get tables(): readonly string[] {
    return this.store.tables;
  }

  /**
   * Verifies the installed capture and settles the node id. Router and syncer await it.
   *
   * @throws GroveError `capture_missing`, `capture_stale`, `not_adopted`, `node_id_mismatch`
   */
  ready(): Promise<void> {
    this.#ready ??= this.#open().catch((error: unknown) => {
      this.#ready = null;
      throw error;
    });
    return this.#ready;
  }

  async #open(): Promise<void> {
    const problem = await this.store.verify();
    if (problem && problem.code !== "not_adopted") throw toError(problem);
    // Before the refusal: whoever adopts from outside finds the identity that the program gave its database.
    const id = await this.store.identify();
    if (problem) throw toError(problem);
    this.#id = id;
  }

  /**
   * Creates or renews shadow tables and triggers, and adopts the rows that are there already. Safe to call at every start: what
   * is installed and adopted costs nothing again. Capture begins in one short transaction; adopting takes as long as the tables
   * are large, in transactions of some thousand rows, so nobody waits for it but the caller. Of large tables, rather let your
   * migrations install capture and call {@link adopt}, which tells how far it is.
   *
   * @throws GroveError `capture_missing` (a table does not exist), `bad_value`, `node_id_mismatch`
   */
  async ensureShadowTables(): Promise<void> {
    await this.store.install();
    this.#ready = null;
    await this.store.adopt();
    await this.ready();
  }

  /**
   * Adopts the rows from before capture, and values of columns that were added since: they count as the oldest possible writes.
   * Runs in transactions of some thousand rows beside the application's; a killed or interrupted call is taken up by the next.
   * Does nothing where nothing is left.
   *
   * @throws GroveError `capture_missing`, `capture_stale`, `aborted`, `bad_value`
   */
  async adopt(options: AdoptOptions = {}): Promise<void> {
    const problem = await this.store.verify();
    if (problem && problem.code !== "not_adopted") throw toError(problem);
    await this.store.identify();
    await this.store.adopt(options);
    await this.ready();
    this.notify();
  }

  /** Folds what applications wrote since the last look; pull, push and merge do so themselves. Returns the number of rows. */
  async fold(): Promise<number> {
    await this.ready();
    return this.store.fold();
  }

  /**
   * Tells the node that something was written, so that nobody need wait for the next look at the database. Never needed: local
   * writes are noticed within 10 ms on SQLite and 50 ms on Postgres, on Postgres within a second after a quiet spell.
   */
  notify(): void {
    this.#watcher.notify();
  }

  /**
   * Calls `wake` whenever something may have been written, by whichever process. Returns how to stop.
   *
   * @param idle longest wait between two looks at the database, in milliseconds
   */
  watch(wake: Wake, idle: number): () => void {
    return this.#watcher.listen(wake, idle);
  }

  /**
   * What is written in the node's tables from now on, locally or by merges: which row, which columns, by which node. What was
   * written the very moment before may come as well. Several writes between two looks come as one event. Ends when `signal` aborts or the loop is left.
   *
   * An element that was taken out of a set counts as written by the node that had added it.
   *
   * @example
   * for await (const { table, pk } of node.changes({ tables: ["orders"], signal })) redraw(table, pk);
   * @throws GroveError `unknown_table`, `capture_missing`, `capture_stale`, `not_adopted`
   */
  changes(options: ChangesOptions = {}): AsyncIterable<TableEvent> {
    const { tables = this.tables } = options;
    this.#refuseUnknown(tables);
    // At once, not when the first event is asked for: what is written in between belongs to it. So does what waits to be
    // folded, which may have been written a moment before.
    const start = this.ready().then(async () => {
      const { incarnation, seq } = await this.store.position();
      return { incarnation, floor: seq, position: seq, last: seq, tables: [...tables].sort(), full: false };
    });
    start.catch(() => {});
    const { signal, done } = this.#opened(options.signal);
    const { store } = this;
    const models = this.#registry.tables;
    const watcher = this.#watcher;
    const events = async function* () {
      yield* readChanges(store, watcher, models, await start, signal);
    };
    return this.#during(events(), done);
  }

  /** Rows that live but that a constraint keeps out of the table, with the database's message. */
  async parked(): Promise<readonly ParkedRow[]> {
    await this.ready();
    return this.store.parked();
  }

  /**
   * Compares the tables with what the node knows of them, and mends what no trigger saw (a trigger was disabled, another
   * program wrote without it): a new row counts as inserted now, a missing one as deleted now, a counter or set as
   * changed now. Values that a user's trigger or the column's type changed on their way in are reported and left alone.
   *
   * What an LWW column missed cannot be seen: its value lives in the table and nowhere else. Write such a column once
   * more, with capture on, and the value travels. Of a row that went unseen this node has no values left, also where a
   * deleted row keeps them because another one may refer to it. A look at every row: not for every start.
   */
  async verify(): Promise<readonly Discrepancy[]> {
    await this.ready();
    const found = await this.store.reconcile();
    if (found.some(({ action }) => action !== "none")) this.notify();
    return found;
  }

  /** The whole state of a row, stamps included; null when nobody ever wrote it. Key values are canonical. */
  async inspect(table: string, pk: readonly Json[]): Promise<RowChange | null> {
    await this.ready();
    return this.store.inspect(table, pk);
  }

  /** Merges rows that `from` sent. Each is checked on its own; a bad one never holds back its neighbours. */
  async merge(
    from: string,
    rows: readonly unknown[],
    peer?: (outcomes: readonly Outcome[]) => PeerUpdate,
  ): Promise<MergeReport> {
    await this.ready();
    const outcomes: Outcome[] = [];
    const good: { change: RowChange; index: number }[] = [];
    rows.forEach((row, index) => {
      const parsed = parseRowChange(row);
      if ("change" in parsed) good.push({ change: parsed.change, index });
      else outcomes[index] = { outcome: "rejected", code: "bad_change", message: parsed.problem };
    });
    const result = await this.store.merge({ from, rows: good.map(({ change }) => change), peer });
    good.forEach(({ index }, n) => {
      outcomes[index] = result.outcomes[n] as Outcome;
    });
    if (result.changed) this.notify();
    return { outcomes, changed: result.changed };
  }

  /** The rows of which this node does not hold the very same state. */
  async unequal(sums: readonly RowSum[]): Promise<RowKey[]> {
    await this.ready();
    return findUnequal(this.store, sums);
  }

  async #answer(peer: string) {
    const [at, known] = await Promise.all([this.store.position(), this.store.peer(peer)]);
    return {
      protocol: PROTOCOL_VERSION,
      node: this.id,
      at,
      seen: known?.seen ?? null,
      now: this.now(),
      tables: [...this.tables],
    };
  }

  /** Answers `POST /pull`. @throws GroveError `protocol_mismatch`, `unknown_table`, `bad_cursor`, `self_peer` */
  async pull(request: PullRequest): Promise<PullResponse> {
    await this.ready();
    checkProtocol(request.protocol);
    // Who asks without wanting rows only wants to know who is there; a node may so find out that it talks to itself.
    if (request.rows !== 0) this.#refuseSelf(request.node);
    // The asking node saw this database further than it is: it was restored, and both sides begin anew.
    const restored = request.seen != null && !(await this.store.knows(request.seen));
    const cursor = restored ? START_FULL : request.cursor === null ? null : decodeCursor(request.cursor);
    const { rows = DEFAULT_PAGE_ROWS, bytes = DEFAULT_PAGE_BYTES } = request;
    if (request.want) {
      const whole = await readWhole(this.store, request.want, { rows, bytes });
      const unmoved = request.cursor ?? encodeCursor(START_FULL);
      const more = whole.taken < request.want.length;
      return { ...(await this.#answer(request.node)), cursor: unmoved, more, rows: whole.rows };
    }
    const served = await this.store.serve({
      cursor,
      tables: request.tables ?? this.tables,
      peer: request.node,
      rows,
      bytes,
      sums: request.sums,
    });
    return {
      ...(await this.#answer(request.node)),
      cursor: encodeCursor(served.cursor),
      more: served.more,
      ...((served.reset || restored) && { reset: true }),
      rows: served.rows,
      ...(served.sums.length > 0 && { sums: [...served.sums] }),
    };
  }

  /**
   * Answers `GET /stream`: first what the reader lacks, as pull would, then what is written, as it is written. The first page
   * comes at once, also when it is empty; so does one after `keepAlive` milliseconds in silence. The caller turns pages to text.
   *
   * @throws GroveError `protocol_mismatch`, `unknown_table`, `bad_cursor`, `self_peer`; while it runs `slow_reader`
   */
  async follow(request: StreamRequest, options: FollowOptions): Promise<AsyncGenerator<PullResponse, undefined>> {
    await this.ready();
    checkProtocol(request.protocol);
    this.#refuseSelf(request.node);
    const { node: peer } = request;
    const tables = [...new Set(request.tables ?? this.tables)].sort();
    this.#refuseUnknown(tables);
    const restored = request.seen != null && !(await this.store.knows(request.seen));
    const cursor = restored || request.cursor === null ? START_FULL : decodeCursor(request.cursor);
    const { seen } = await this.#answer(peer);
    const { signal, done } = this.#opened(options.signal);
    const pages = this.#streams.follow({ ...options, signal, peer, tables, cursor, seen, restored });
    return this.#during(pages, done);
  }

  /** Calls `done` once the iteration has ended. */
  async *#during<Item>(items: AsyncIterable<Item>, done: () => void): AsyncGenerator<Item, undefined> {
    try {
      yield* items;
    } finally {
      done();
    }
    return undefined;
  }

  /** Answers `POST /push`. @throws GroveError `protocol_mismatch`, `self_peer` */
  async push(request: Omit<PushRequest, "rows"> & { readonly rows: readonly unknown[] }): Promise<PushResponse> {
    await this.ready();
    checkProtocol(request.protocol);
    this.#refuseSelf(request.node);
    // What is answered as `seen` is from before this push, so that a restored pusher can tell.
    const { seen } = await this.#answer(request.node);
    const reset = request.seen !== null && !(await this.store.knows(request.seen));
    const { outcomes } = await this.merge(request.node, request.rows, () => ({ seen: request.at }));
    const want = await this.unequal(request.sums ?? []);
    const answer = { ...(await this.#answer(request.node)), seen, ...(reset && { reset }), outcomes: [...outcomes] };
    return want.length > 0 ? { ...answer, want } : answer;
  }

  /** A signal that aborts with the caller's, or when the node closes. @throws GroveError `aborted` */
  #opened(signal?: AbortSignal): { readonly signal: AbortSignal; readonly done: () => void } {
    if (this.#closed) throw new GroveError("aborted", "The node is closed.");
    const opened = linked(signal);
    this.#endless.add(opened);
    const done = () => {
      this.#endless.delete(opened);
      opened.done();
    };
    return { signal: opened.signal, done };
  }

  /**
   * Ends streams and loops over {@link changes}, and begins no new ones; single requests are still answered. Resolves once
   * nothing of the node uses the database any more. The database stays open: it is the caller's.
   */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { abort } of [...this.#endless]) abort();
    await this.#inFlight.ended();
  }

  #refuseUnknown(tables: readonly string[]): void {
    const unknown = tables.find((table) => !this.tables.includes(table));
    if (unknown === undefined) return;
    throw new GroveError("unknown_table", `The table ${JSON.stringify(unknown)} is not synced by this node.`, {
      details: { table: unknown },
    });
  }

  #refuseSelf(peer: string): void {
    if (peer !== this.id) return;
    throw new GroveError(
      "self_peer",
      `The node ${JSON.stringify(peer)} talks to itself, or to a copy of its own database. Give the copy an identity of its own.`,
    );
  }
}

function toError({ code, names }: CaptureProblem): GroveError {
  const some = `${names.slice(0, 5).join(", ")}${names.length > 5 ? " …" : ""}`;
  const message =
    code === "not_adopted"
      ? `Rows or columns from before capture were never looked at: ${some}. Run \`npx grove-crdt adopt\` or call node.adopt(); until then they would not be synced.`
      : `The capture of this database ${code === "capture_missing" ? "is missing" : "differs from the generated one"}: ${some}. Call node.ensureShadowTables() or run the generated migrations.`;
  return new GroveError(code, message, { details: { names } });
}

/**
 * A node over a Drizzle database. Does no I/O yet: await `node.ready()`.
 *
 * @example
 * const node = createNode({ db: drizzle({ client: new Database("edge.db") }), registry });
 * await node.ensureShadowTables();
 */
export function createNode(options: NodeOptions): GroveNode {
  return new GroveNode(options);
}
