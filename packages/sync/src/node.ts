// A node: one syncing database. It answers the questions of the protocol, whoever carries them. Long, for it is what users hold:
// each method is short, and its docstring is the reference.
import {
  type CollectionRequest,
  type CollectionResponse,
  type DigestRequest,
  type DigestResponse,
  type Discrepancy,
  type ExplainedRow,
  explainState,
  type FieldHistoryRequest,
  type FieldHistoryResponse,
  type FieldWrite,
  GroveError,
  type HistoryRequest,
  type HistoryResponse,
  type Json,
  MAX_FORMER_IDS,
  type Outcome,
  type PullRequest,
  type PullResponse,
  type PushRequest,
  type PushResponse,
  type Registry,
  type RowChange,
  type RowKey,
  type RowSum,
  type StateAt,
  type StreamRequest,
  type TableModel,
  type TableName,
} from "@grove-crdt/core";
import {
  type AdoptOptions,
  type CaptureProblem,
  type DatabaseClient,
  drawName,
  openStore,
  type ParkedRow,
  type PeerUpdate,
  type Rejection,
  type SeenRow,
  type Store,
} from "@grove-crdt/store";
import { type Linked, linked } from "./abort";
import { findUnequal } from "./agreement";
import { Answering, type FollowOptions, unknownTable } from "./answering";
import { type Caller, NOBODY } from "./caller";
import { type ChangesOptions, readChanges, type TableEvent } from "./changes";
import { type CollectionStatus, type CollectOptions, statusOf } from "./collection-status";
import { Digests } from "./digests";
import { HistoryReading } from "./history-reading";
import type { SyncHook } from "./hook";
import { InFlight } from "./in-flight";
import type { Reading } from "./metrics";
import { Observer, type ObserverOptions } from "./observer";
import { type MergeReport, type Outgoing, Passage } from "./passage";
import { type Connected, Rejections } from "./rejections";
import { type NodeStatus, type StatusOptions, toStatus } from "./status";
import { type Wake, Watcher } from "./watcher";

/** What a node is made of. See {@link createNode}. */
export interface NodeOptions<R extends Registry = Registry> extends ObserverOptions {
  /** A Drizzle database: over better-sqlite3, postgres.js, a node-postgres Pool or PGlite. */
  readonly db: { readonly $client: DatabaseClient };
  /** The default export of what `npx grove-crdt generate` emits: `registry`. */
  readonly registry: R;
  /** Names the database for good. Omitted: the stored id, or one that is drawn at first start. */
  readonly nodeId?: string;
  /** Names of the tables to sync; omitted = all of the registry. */
  readonly tables?: readonly string[];
  /** What changes pass on their way in and out, whoever carries them. */
  readonly hooks?: readonly SyncHook<R>[];
  /** Milliseconds that a hook may take for a change or a page (default 5,000). */
  readonly hookTimeout?: number;
  /**
   * Receives what hooks throw that is no GroveError, and which hooks hang or return rubbish. Default: the logger; without one,
   * console.error.
   */
  readonly onHookError?: (error: unknown) => void;
  /** How far a stamp may lie ahead of this node's clock, in milliseconds (default 60,000). */
  readonly maxClockDrift?: number;
  /** Physical time in microseconds since 1970; for tests. */
  readonly now?: () => number;
  /** A number in [0, 1); for tests. */
  readonly random?: () => number;
}

export interface CalledBy {
  readonly caller?: Caller;
  /** So that a node fits where a transport is wanted. */
  readonly signal?: AbortSignal;
}

/** A row as {@link GroveNode.explain} tells it. */
export type SeenExplained = ExplainedRow & Omit<SeenRow, "state">;

/** One syncing database. Made by {@link createNode}. */
export class GroveNode<R extends Registry = Registry> {
  readonly store: Store;
  readonly registry: R;
  /** Physical time in microseconds since 1970. */
  readonly now: () => number;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly #maxClockDrift: number;
  #ready: Promise<void> | null = null;
  #id: string | null = null;
  /** The ids that the database had before {@link fork}; known once the node is ready. */
  formerly: readonly string[] = [];
  readonly #watcher: Watcher;
  /** Hashes of what the node holds, for {@link Syncer.verify}. */
  readonly digests: Digests;
  /** Tells logger and meter what happens. */
  readonly observer: Observer;
  readonly #passage: Passage;
  readonly #history: HistoryReading;
  #answers: Answering | null = null;
  readonly #rejections: Rejections;
  readonly #inFlight = new InFlight();
  #closed = false;
  /** What has no end of its own: streams, and loops over changes. */
  readonly #endless = new Set<Linked>();

  constructor(options: NodeOptions<R>) {
    const {
      db,
      registry,
      nodeId,
      tables,
      maxClockDrift = 60_000,
      now = () => Date.now() * 1000,
      random = Math.random,
      hooks = [],
      hookTimeout = 5_000,
      onHookError = (error) => {
        if (this.observer.isHeard) this.observer.failed(error, "a hook");
        else console.error("grove-crdt: a hook failed:", error);
      },
    } = options;
    this.now = now;
    this.#maxClockDrift = maxClockDrift;
    this.random = random;
    this.registry = registry;
    // What is injected makes tests repeat themselves; else nobody may guess it.
    const secret = () => (options.random ? drawName(random, 32) : crypto.randomUUID());
    const settings = { now, random, secret, maxClockDrift, nodeId };
    this.store = this.#inFlight.track(openStore(db?.$client, registry, settings, tables));
    this.observer = new Observer(
      options,
      () => this.#id,
      this.store.tables,
      async () => (this.#id === null || this.#closed ? null : toReading(await this.status())),
    );
    this.#watcher = new Watcher(this.store);
    this.digests = new Digests(this.store, () => this.id);
    const settingsOfHooks = { timeout: hookTimeout, onError: onHookError };
    this.#passage = new Passage(
      this.store,
      () => this.id,
      hooks,
      settingsOfHooks,
      () => this.notify(),
      (...merged) => this.observer.merged(...merged),
    );
    this.#history = new HistoryReading(this.store, registry.tables, this.#passage, () => this.id);
    this.#rejections = new Rejections(this.store, (from, rows) => this.#passage.merge(from, rows));
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
      this.observer.failedToOpen(error);
      throw error;
    });
    return this.#ready;
  }

  /** Whether {@link close} was called. */
  get isClosed(): boolean {
    return this.#closed;
  }

  async #open(): Promise<void> {
    const problem = await this.store.verify();
    if (problem && problem.code !== "not_adopted") throw toError(problem);
    // Before the refusal: whoever adopts from outside finds the identity that the program gave its database.
    const id = await this.store.identify();
    if (problem) throw toError(problem);
    this.#id = id;
    this.formerly = (await this.store.formerly()).slice(-MAX_FORMER_IDS);
    await this.store.arrive();
    const secret = await this.store.secret();
    const identity = { id, secret, now: this.now, restamp: (theirs: number) => this.restamp(theirs) };
    this.#answers ??= new Answering(this.store, this.#watcher, this.#passage, identity, this.digests);
    this.observer.opened();
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
    const models = this.registry.tables;
    const watcher = this.#watcher;
    const events = async function* () {
      yield* readChanges(store, watcher, models, await start, signal);
    };
    return this.#during(events(), done);
  }

  /**
   * How the database stands: who it has exchanged with and what they have not acknowledged, what waits, what was rejected. Reads one
   * snapshot and writes nothing, also before {@link ready}. What it costs grows with what waits for peers; with the tables only if
   * rows are to be counted.
   *
   * @param options.counts also how many rows and tombstones each table has (default false)
   * @throws GroveError `capture_missing`, `unsupported_database`
   */
  async status(options: StatusOptions = {}): Promise<NodeStatus> {
    await this.#refuseMissing();
    return toStatus(await this.store.status(options), this.tables, this.now());
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

  /**
   * A row for people: what each column says, who wrote it and when, and what it is made of; deleted rows too. Writes nothing, also
   * before {@link ready}: writes that no fold has looked at yet are counted in `unfolded`, their values stand beside earlier stamps.
   *
   * @param pk canonical values in the order of the key's columns
   * @returns null when nobody ever wrote it
   * @throws GroveError `unknown_table`, `bad_value`, `capture_missing`, `unsupported_database`
   */
  async explain(table: string, pk: readonly Json[]): Promise<SeenExplained | null> {
    await this.#refuseMissing();
    const { state, ...seen } = await this.store.look(table, pk);
    const model = this.registry.tables.find(({ name }) => name === table) as TableModel;
    return state && { ...explainState(model, state), ...seen };
  }

  /**
   * A row as this node had it at a time, by its own clock. Of a table of which history is kept: see docs/history.md.
   *
   * @param pk canonical values in the order of the key's columns
   * @param time a Date, or microseconds since 1970 as `since` and {@link fieldHistory} tell them
   * @returns null when the node knew nothing of the row then
   * @throws GroveError `unknown_table`, `no_history`, `bad_value`, `history_gone` where what is kept begins later
   */
  async stateAt(table: TableName<R>, pk: readonly Json[], time: Date | number): Promise<StateAt | null> {
    await this.ready();
    return this.#history.stateAt(table, pk, time);
  }

  /**
   * What was written to a field, the oldest first, and what became of it: what was overruled and what was deleted, too.
   *
   * @param pk canonical values in the order of the key's columns
   * @param field the column's name in the database
   * @throws GroveError `unknown_table`, `no_history`, `bad_value`
   */
  async fieldHistory(table: TableName<R>, pk: readonly Json[], field: string): Promise<readonly FieldWrite[]> {
    await this.ready();
    return this.#history.fieldHistory(table, pk, field);
  }

  /**
   * Writes values to a row again, such as {@link stateAt} and {@link fieldHistory} tell: an ordinary write of now, which is captured and
   * travels. Columns that are not named stay as they are; a row that is not there is inserted with those that are.
   *
   * @param pk canonical values in the order of the key's columns
   * @param values canonical values by column name
   * @throws GroveError `unknown_table`, `bad_value`, `bad_request`; and what the database throws at such a write
   * @example
   * const then = await node.stateAt("documents", ["d1"], yesterday);
   * if (then?.values) await node.restoreRow("documents", ["d1"], then.values);
   */
  async restoreRow(table: TableName<R>, pk: readonly Json[], values: Readonly<Record<string, Json>>): Promise<void> {
    await this.ready();
    await this.store.restore(table, pk, values);
    this.notify();
  }

  /** Answers `GET /history`. @throws GroveError as {@link stateAt} */
  async history(request: HistoryRequest, { caller = NOBODY }: CalledBy = {}): Promise<HistoryResponse> {
    await this.ready();
    return this.#history.answerState(request, caller);
  }

  /** Answers `GET /field-history`. @throws GroveError as {@link fieldHistory} */
  async historyOfField(
    request: FieldHistoryRequest,
    { caller = NOBODY }: CalledBy = {},
  ): Promise<FieldHistoryResponse> {
    await this.ready();
    return this.#history.answerField(request, caller);
  }

  /** Merges rows that `from` sent. Each is checked on its own; a bad one never holds back its neighbours. */
  async merge(
    from: string,
    rows: readonly unknown[],
    peer?: (outcomes: readonly Outcome[]) => PeerUpdate,
    { collected }: { readonly collected?: number } = {},
  ): Promise<MergeReport> {
    await this.ready();
    return this.#passage.merge(from, rows, peer, { collected });
  }

  /**
   * Mends what was written while this node's clock was ahead of the time, and what peers therefore refuse: once the clock is right it
   * gets stamps of now. Called by itself when a peer refuses a stamp, or has its own refused. Where other nodes wrote stamps that lie
   * ahead of this clock, or have taken some, nothing is touched: it may be this clock that is behind.
   *
   * @param theirs the peer's clock, microseconds since 1970: nothing happens while it does not agree with this node's
   * @returns how many rows have other stamps now
   */
  async restamp(theirs: number): Promise<number> {
    await this.ready();
    return Math.abs(theirs - this.now()) > this.#maxClockDrift * 1000 ? 0 : this.store.restamp();
  }

  /** The rows of which this node does not hold the very same state. */
  async unequal(sums: readonly RowSum[]): Promise<RowKey[]> {
    await this.ready();
    return findUnequal(this.store, sums);
  }

  /**
   * Answers `POST /pull`.
   *
   * @param options.caller who asks; left out, everything may be seen
   * @throws GroveError `protocol_mismatch`, `unknown_table`, `bad_cursor`, `self_peer`, `node_id_taken`
   */
  async pull(request: PullRequest, options: CalledBy = {}): Promise<PullResponse> {
    const { caller = NOBODY } = options;
    const answer = await this.#answered(request.node, (answers) => answers.pull(request, caller));
    if (request.rows !== 0) this.observer.page("out", "pull", answer.rows.length);
    if (answer.restored) this.observer.reset(request.node, "out");
    return answer;
  }

  /**
   * Answers `GET /stream`: first what the reader lacks, as pull would, then what is written, as it is written. The first page
   * comes at once, also when it is empty; so does one after `keepAlive` milliseconds in silence. The caller turns pages to text.
   *
   * @throws GroveError as {@link pull}; while it runs `slow_reader`
   */
  async follow(
    request: StreamRequest,
    { caller = NOBODY, ...options }: FollowOptions & CalledBy,
  ): Promise<AsyncGenerator<PullResponse, undefined>> {
    await this.ready();
    const { signal, done } = this.#opened(options.signal);
    try {
      const pages = await this.#answered(request.node, (answers) =>
        answers.follow(request, { ...options, signal }, caller),
      );
      return this.#during(this.observer.isIdle ? pages : this.#told(request.node, pages), done);
    } catch (error) {
      done();
      throw error;
    }
  }

  /**
   * Answers `POST /digest`.
   *
   * @throws GroveError as {@link pull}, and `forbidden` where hooks decide what leaves
   */
  async digest(request: DigestRequest, { caller = NOBODY }: CalledBy = {}): Promise<DigestResponse> {
    return this.#answered(request.node, (answers) => answers.digest(request, caller));
  }

  /** Answers `POST /collection`. @throws GroveError `protocol_mismatch`, `self_peer`, `node_id_taken`, `struck_off`, `collecting` */
  async exchangeRounds(request: CollectionRequest, { caller = NOBODY }: CalledBy = {}): Promise<CollectionResponse> {
    return this.#answered(request.node, (answers) => answers.collection(request, caller));
  }

  /** Answers `POST /push`. @throws GroveError `protocol_mismatch`, `self_peer`, `node_id_taken` */
  async push(
    request: Omit<PushRequest, "rows"> & { readonly rows: readonly unknown[] },
    { caller = NOBODY }: CalledBy = {},
  ): Promise<PushResponse> {
    this.observer.page("in", "push", request.rows.length);
    const answer = await this.#answered(request.node, (answers) => answers.push(request, caller));
    if (answer.reset) this.observer.reset(request.node, "out");
    if (request.restored) this.observer.reset(request.node, "in");
    return answer;
  }

  async #answering(): Promise<Answering> {
    await this.ready();
    return this.#answers as Answering;
  }

  /** An answer to a peer; why it gets none is told the observer. */
  async #answered<Answer>(peer: string, ask: (answers: Answering) => Promise<Answer>): Promise<Answer> {
    const answers = await this.#answering();
    try {
      const answer = await ask(answers);
      this.observer.answered(peer);
      return answer;
    } catch (error) {
      this.observer.refused(peer, error);
      throw error;
    }
  }

  /** The pages of a stream, each told the observer. */
  async *#told(peer: string, pages: AsyncIterable<PullResponse>): AsyncGenerator<PullResponse, undefined> {
    const left = this.observer.followed(peer);
    try {
      for await (const page of pages) {
        this.observer.page("out", "stream", page.rows.length);
        yield page;
      }
    } finally {
      left();
    }
    return undefined;
  }

  /**
   * Frees a peer's node id from the principal that it was bound to at first contact: whoever calls under it next has it. For a
   * device that changes hands.
   */
  async release(peer: string): Promise<void> {
    await (await this.#answering()).release(peer);
  }

  /** What of these rows goes out to a peer: hooks may have a say. */
  async outgoing(peer: string, rows: readonly RowChange[]): Promise<Outgoing> {
    return this.#passage.outgoing(peer, rows);
  }
  /** Whether rows of tables that this node does not have are kept and passed on. */
  get keeps(): boolean {
    return this.#passage.keeps(NOBODY);
  }
  /** Names of the tables that this node does not have, and of which it keeps rows for peers that do, and for the day when it does. */
  async elsewhere(): Promise<readonly string[]> {
    await this.ready();
    return this.store.elsewhere();
  }
  /** Whether what goes out must be seen by hooks. */
  get filtersOutbound(): boolean {
    return this.#passage.filtersOutbound(NOBODY);
  }

  /**
   * Changes that were rejected and not settled since, oldest first: this node's by a peer, and a peer's by this node (`sent` false).
   * They are kept; nothing is sent again by itself until the row is written anew.
   */
  async rejected(): Promise<readonly Rejection[]> {
    await this.ready();
    return this.#rejections.list();
  }

  /**
   * Takes back a write that a peer rejected: the row becomes what the peer has, but for what was written to it here besides. Peers
   * that got the write from here still have it. Of a peer's change that was rejected here only the record goes.
   *
   * @param id of {@link rejected}
   * @throws GroveError `no_rejection`, `not_connected` (no syncer of this process has met the peer), `transport`
   */
  async revert(id: number): Promise<void> {
    await this.ready();
    await this.#rejections.revert(id);
    this.notify();
  }

  /**
   * Sends a rejected write again, with the syncer's next push to the peer; or merges a peer's change that was rejected here.
   *
   * @param id of {@link rejected}
   * @throws GroveError `no_rejection`
   */
  async retry(id: number): Promise<void> {
    await this.ready();
    await this.#rejections.retry(id);
    this.notify();
  }

  /**
   * Gives the database another node id: for a copy of a database that syncs under the same one. Everything stays as it is, what
   * was written here and never sent included; with each peer a full exchange follows. Call it before anything else, while no other
   * process syncs this database; from then on leave `nodeId` out, or name the new one.
   *
   * @param nodeId omitted = one is drawn
   * @returns the new id
   * @throws GroveError `bad_request` once the node is ready, `capture_missing`, `capture_stale`, `node_id_invalid`
   */
  async fork(nodeId?: string): Promise<string> {
    if (this.#ready !== null)
      throw new GroveError(
        "bad_request",
        "node.fork() comes before anything else: the node has begun to sync as it is.",
      );
    const problem = await this.store.verify();
    if (problem && problem.code !== "not_adopted") throw toError(problem);
    return this.store.fork(nodeId);
  }

  /**
   * Begins to forget what was deleted, with every node that can be reached from here over the peers of each: once all of them have
   * heard of all deletions up to a time, each forgets them, and the totals of counters that nobody adds to any more become one. Goes on
   * with the exchanges of all syncers; {@link collection} tells how far it is. Until it has ended, nobody can join who is new.
   *
   * @param options.before forgets what was deleted before this time (default: until now)
   * @param options.strike nodes that are not waited for: when they come back they have to rejoin (`syncer.rejoin()`)
   * @throws GroveError `collecting` while one is under way, `bad_request`
   */
  async collect(options: CollectOptions = {}): Promise<CollectionStatus> {
    const { before, strike = [] } = options;
    await this.ready();
    const begin = { struck: [...strike], ...(before && { upTo: before.getTime() * 1000 }) };
    return statusOf((await this.store.stepCollection({ begin })).collection);
  }

  /**
   * Gives up the collection that this node began; and one that ended without this node, where nobody is left who carried it out.
   *
   * @throws GroveError `bad_request` when there is none, `struck_off` while the node rejoins
   */
  async cancelCollection(): Promise<CollectionStatus> {
    await this.ready();
    return statusOf((await this.store.stepCollection({ cancel: true })).collection);
  }

  /** What was forgotten, and for whom a collection waits. */
  async collection(): Promise<CollectionStatus> {
    await this.ready();
    return statusOf(await this.store.collection());
  }

  /** Tells the node of a way to a peer. */
  connect(link: Connected): void {
    this.#rejections.connect(link);
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
    if (!this.#closed) this.observer.closed();
    this.#closed = true;
    for (const { abort } of [...this.#endless]) abort();
    await this.#inFlight.ended();
  }

  /** For what may come before {@link ready}. */
  async #refuseMissing(): Promise<void> {
    const problem = this.#id === null ? await this.store.verify() : null;
    if (problem?.code === "capture_missing") throw toError(problem);
  }

  #refuseUnknown(tables: readonly string[]): void {
    const unknown = tables.find((table) => !this.tables.includes(table));
    if (unknown !== undefined) throw unknownTable(unknown);
  }
}

const toReading = ({ log, parked, rejected, peers }: NodeStatus): Reading => ({
  log: log.rows,
  parked,
  rejected,
  lag: new Map(
    peers.flatMap(({ peer, lag }) => (lag ? [[peer, { rows: lag.rows, seconds: lag.milliseconds / 1000 }]] : [])),
  ),
});

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
export function createNode<const R extends Registry>(options: NodeOptions<R>): GroveNode<R> {
  return new GroveNode(options);
}
