// The Store port: what sync needs of a database. An implementation reads, calls a decision of core, and writes;
// it holds no merge rule. Nothing that it keeps in memory matters for correctness.
import type {
  Access,
  Admittance,
  Collection,
  Cursor,
  Discrepancy,
  HistoryRecord,
  Json,
  Outcome,
  Position,
  RejoinPeer,
  Round,
  RowChange,
  RowKey,
  RowSum,
  View,
} from "@grove-crdt/core";
import type { CollectionStep } from "./collection";
import type { Examined, ExamineOptions } from "./examined";
import type { RejectedChange, Rejection } from "./rejection";
import type { StatusOptions, StoredStatus } from "./status";
import type { Paths, TableDigest } from "./tree";

export interface StoreOptions {
  /** Physical time in microseconds since 1970. */
  readonly now: () => number;
  /** A number in [0, 1). */
  readonly random: () => number;
  /** Draws what nobody can guess. */
  readonly secret: () => string;
  /** How far a stamp may lie ahead of this node's clock, in milliseconds. */
  readonly maxClockDrift: number;
  /** The configured node id; without one the stored id is taken, or one is drawn. */
  readonly nodeId?: string;
}

/** What is wrong with the capture that the database has installed; `null` when nothing is. */
export interface CaptureProblem {
  readonly code: "capture_missing" | "capture_stale" | "not_adopted";
  /** Each missing or differing table or trigger; each table with something left to adopt. */
  readonly names: readonly string[];
}

/** How far an adoption has come. */
export interface AdoptProgress {
  /** The table at hand. */
  readonly table: string;
  /** How many of its rows were looked at, those that were adopted before included. */
  readonly rows: number;
  /** How many it has, as far as the database can say without counting for long. */
  readonly total: number | null;
}

/** How `node.adopt()` goes about it. */
export interface AdoptOptions {
  /** Called after each transaction. */
  readonly onProgress?: (progress: AdoptProgress) => void;
  /** Ends the adoption after the transaction at hand; what was adopted stays so, and the next call goes on. */
  readonly signal?: AbortSignal;
}

export interface DigestOptions {
  /** Ends it between two transactions; what was hashed stays so. */
  readonly signal?: AbortSignal;
}

export interface ServeQuery {
  readonly cursor: Cursor | null;
  readonly tables: readonly string[];
  /** The reading peer: what came from it is left out. Null = for many at once: see {@link Served.apart}. */
  readonly peer: string | null;
  readonly rows: number;
  /** Bytes of JSON text; a single larger row is still served, alone. */
  readonly bytes: number;
  /** Rows that this node adopted and nobody has written since may be served as sums. */
  readonly sums?: boolean;
  /** What the reader may see of each table; omitted = all. */
  readonly view?: View;
}

/** A page, but for what the store says of itself. */
export type Page = Omit<Served, "collected">;

export interface Served {
  readonly rows: readonly RowChange[];
  readonly sums: readonly RowSum[];
  readonly cursor: Cursor;
  readonly more: boolean;
  readonly reset: boolean;
  /** Deletions stamped up to this were forgotten when the page was read. */
  readonly collected: number;
  /** Of a page for many readers: what does not go to each of them as it stands in `rows`. */
  readonly apart?: Apart;
}

export interface Apart {
  /** By place in `rows`: what goes to the peers that sent a part of the row; null = nothing. */
  readonly senders: ReadonlyMap<number, ReadonlyMap<string, RowChange | null>>;
  /** Peers that rejected something, and so must read by themselves. */
  readonly rejecting: ReadonlySet<string>;
}

/** How a store has changed since the last look. */
export interface Activity {
  /** A captured write waits to be folded. */
  readonly pending: boolean;
  /** The last number given, by whichever process. */
  readonly seq: number;
}

export interface MergeRequest {
  /** The peer that sent the changes, under its node id. */
  readonly from: string;
  /** Checked against {@link rowChangeSchema}; tables, fields and values are checked here. */
  readonly rows: readonly RowChange[];
  /** What the sender may change; omitted = everything. */
  readonly access?: Access;
  /** The rows from this place on are this node's own: hooks gave them other values. */
  readonly ownFrom?: number;
  /** The rows are what was told of columns before this schema had them ({@link MergeContext.waited}). */
  readonly waited?: boolean;
  /** Rows of tables that are not here are kept, where {@link Store.keeps} says that they may be; omitted = they are rejected. */
  readonly keep?: boolean;
  /** Deletions stamped up to this were forgotten where the rows come from; omitted = they come from here. */
  readonly collected?: number;
  /** What to keep about the peer, given the outcomes; written in the merge's own transaction. */
  readonly peer?: (outcomes: readonly Outcome[]) => PeerUpdate;
}

export interface MergeResult {
  /** One for each row, in order. */
  readonly outcomes: readonly Outcome[];
  /** Whether anything in the database changed. */
  readonly changed: boolean;
}

/** What a node keeps about a peer, under the peer's node id. */
export interface PeerState {
  /** The cursor that the peer gave us, for our next pull from it. */
  readonly pullCursor: string | null;
  /** Our own cursor for what we push to it: moved by its acknowledgements. */
  readonly pushCursor: string | null;
  /** Where we saw the peer last, in its order of writes. */
  readonly seen: Position | null;
  /** Where we had seen the peer before it turned out to be without that history: restored, or another database by its name. */
  readonly displaced: Position | null;
  readonly url: string | null;
  /** Microseconds since 1970. */
  readonly lastSuccess: number | null;
  readonly lastError: string | null;
}
export type PeerUpdate = Partial<PeerState>;

/** A row that does not show in its table, or not as it was received, and why. */
export interface ParkedRow {
  readonly table: string;
  readonly pk: readonly Json[];
  readonly code: string;
  readonly message: string;
}

/** A row as it stands while nobody folds. */
export interface SeenRow {
  /** Null when nothing is known of it. */
  readonly state: RowChange | null;
  /** Captured writes of it that no fold has looked at: their values stand beside the stamps of earlier ones. */
  readonly unfolded: number;
  /** Why the table does not show it, though it lives; null = it shows, or is deleted. */
  readonly parked: Pick<ParkedRow, "code" | "message"> | null;
}

/** How often a database may be looked at by those who wait for something new. */
export interface Polling {
  /** Milliseconds between two looks while something is written. */
  readonly active: number;
  /** Whether a look costs enough to look less often when nothing is. */
  readonly slows: boolean;
}

export interface Store {
  readonly tables: readonly string[];
  /** Whether rows of tables that are not here may be kept: not where the store was told which tables there are for it. */
  readonly keeps: boolean;
  readonly polling: Polling;
  /** Compares the installed capture with the generated one. */
  verify(): Promise<CaptureProblem | null>;
  /** What the database is and what it lacks, whether capture is installed or not. Writes nothing. */
  examine(options?: ExamineOptions): Promise<Examined>;
  /** How the database stands. Writes nothing, also where captured writes wait. */
  status(options?: StatusOptions): Promise<StoredStatus>;
  /** Creates or renews shadow tables and triggers, and records what there is to adopt. */
  install(): Promise<void>;
  /** Adopts what is recorded as not adopted. @throws GroveError `aborted`, `bad_value` */
  adopt(options?: AdoptOptions): Promise<void>;
  /** The stored node id; null while the database has none. */
  identity(): Promise<string | null>;
  /** The ids that the database had before {@link fork}. */
  formerly(): Promise<readonly string[]>;
  /** The node id, settled and stored. @throws GroveError `node_id_mismatch`, `node_id_invalid` */
  identify(): Promise<string>;
  /** Newest incarnation and last number. */
  position(): Promise<Position>;
  /** Whether this database still holds the history in which it stood there. */
  knows(position: Position): Promise<boolean>;
  /** Whether a captured write waits to be folded. */
  pending(): Promise<boolean>;
  /** One cheap look, many times a second: whether a reader would find anything new. */
  activity(): Promise<Activity>;
  /** How many rows of these tables are numbered after a position: at most what is left to send. */
  countAfter(position: number, tables: readonly string[]): Promise<number>;
  /** Folds all captured writes; returns how many rows said something new. */
  fold(): Promise<number>;
  /** Names of the tables that are not here and of which rows are kept. They may be named in a {@link ServeQuery}. */
  elsewhere(): Promise<readonly string[]>;
  /**
   * Merges what was kept of tables that are here now. What a table cannot take stays kept.
   *
   * @returns how many rows came into their tables
   * @throws GroveError `clock_drift` while this node's clock is behind what it was told
   */
  arrive(): Promise<number>;
  serve(query: ServeQuery): Promise<Served>;
  merge(request: MergeRequest): Promise<MergeResult>;
  /** All that is known of each row, in the order of the keys; null where that is nothing, no such row can be, or the view does not show it. */
  states(keys: readonly RowKey[], view?: View): Promise<(RowChange | null)[]>;
  /**
   * Hashes of what the tables hold, as far as they are asked for: of the rows written since they were asked for last, those alone are read.
   * What was changed without a number of its own, behind capture, is not in them: see {@link reconcile}.
   */
  digest(asked: ReadonlyMap<string, Paths>, options?: DigestOptions): Promise<ReadonlyMap<string, TableDigest>>;
  peer(node: string): Promise<PeerState | null>;
  savePeer(node: string, update: PeerUpdate): Promise<void>;
  /**
   * Keeps what was rejected, with code and message; forgets what had been and is taken now.
   *
   * @param sent the peer rejected what we sent; else we what it sent
   */
  settleRejections(
    peer: string,
    sent: boolean,
    rows: readonly RowChange[],
    outcomes: readonly Outcome[],
  ): Promise<void>;
  /** What was rejected and not settled since, oldest first; with an id that one alone. */
  rejections(id?: number): Promise<readonly RejectedChange[]>;
  forgetRejection(id: number): Promise<void>;
  /** Has a rejected row sent again. */
  retry(rejection: Rejection): Promise<void>;
  /** Takes back what a peer rejected; `theirs` is the row as the peer has it. */
  revert(rejection: RejectedChange, theirs: RowChange | null): Promise<void>;
  /** A row's key and a field's value as the driver has them, by property. @throws GroveError `unknown_table`, `bad_value` */
  decode(table: string, pk: readonly Json[], field: string, value: Json | undefined): Record<string, unknown>;
  /** What signs this database's cursors; drawn once. */
  secret(): Promise<string>;
  /** Binds a peer's node id to who calls, unless it is bound; returns whose it is. */
  bindPeer(node: string, principal: string): Promise<string>;
  releasePeer(node: string): Promise<void>;
  /** Whether the node knows stamps further ahead of its time than `maxClockDrift`: its clock was wrong, or is. */
  isAhead(): Promise<boolean>;
  /**
   * If so, gives all that was stamped beyond that bound stamps of now, and sets the clock right; nothing where other nodes wrote such
   * stamps too or took them, since then it may be this clock that is behind. In one transaction, which reads every row. Returns how
   * many rows it changed.
   */
  restamp(): Promise<number>;
  /** What was forgotten, and the rounds in which nodes agree on more. */
  collection(): Promise<Collection>;
  /**
   * Takes a step in all rounds, and forgets what they have agreed on. `isStruck`: others have, and this node was not there.
   *
   * @throws GroveError `collecting`, `bad_request`
   */
  stepCollection(step: CollectionStep): Promise<{ readonly collection: Collection; readonly isStruck: boolean }>;
  /**
   * Sets aside what nobody has acknowledged, as changes that were rejected with the code `struck_off`, under the node's own id as the
   * peer, and forgets all that is known of rows; the tables stay as they are. From then on what the peer has decides.
   *
   * Called again before it has ended, it begins with another peer, or with what the peer has forgotten since.
   *
   * @param collected deletions stamped up to this are forgotten at the peer
   * @param rounds the one by which they were, if the peer knows it
   * @param at the peer, and how far it knows this node's rows; absent = it may know anything
   */
  beginRejoin(collected: number, rounds: readonly Round[], at?: RejoinPeer): Promise<void>;
  /** Once the peer's rows have come: takes the others out of the tables. Returns how many those were. */
  endRejoin(): Promise<number>;
  /** Notes a node that there is an exchange with; whether there may be one. */
  admit(peer: string): Promise<Admittance>;
  /** The node ids that are bound to who calls. */
  peersOf(principal: string): Promise<readonly string[]>;
  /**
   * Gives the database another node id, and forgets how far its peers are: a full exchange with each of them follows.
   *
   * @throws GroveError `node_id_invalid`
   */
  fork(id?: string): Promise<string>;
  /** Rows that live in the shadow but that a constraint keeps out of the base table. */
  parked(): Promise<readonly ParkedRow[]>;
  /** Compares base tables with their shadows; what no trigger saw counts as written now. All rows are hashed anew for the next {@link digest}. */
  reconcile(): Promise<readonly Discrepancy[]>;
  /**
   * The whole shadow of a row as it stands, and how many captured writes of it no fold has looked at yet. Writes nothing.
   *
   * @throws GroveError `unknown_table`, `bad_value`
   */
  look(table: string, pk: readonly Json[]): Promise<SeenRow>;
  /**
   * What is kept of a row's history, within its bounds and the oldest first. Of a row that nobody wrote since it is kept, the present.
   *
   * @throws GroveError `unknown_table`, `no_history`, `bad_value`
   */
  history(table: string, pk: readonly Json[]): Promise<readonly HistoryRecord[]>;
  /** Writes these values to a row, as an application would: it is captured. @throws GroveError `unknown_table`, `bad_value`, `bad_request` */
  restore(table: string, pk: readonly Json[], values: Readonly<Record<string, Json>>): Promise<void>;
  /** The whole shadow of a row as plain data; null when there is none. */
  inspect(table: string, pk: readonly Json[]): Promise<RowChange | null>;
}
