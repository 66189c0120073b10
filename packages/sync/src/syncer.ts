// The syncer: exchanges with all peers, once or for as long as asked, and never gives up on one.
import { GroveError, type Json, type Only } from "@grove-crdt/core";
import type { GroveNode } from "./node";
import { Peer, type PeerStatus } from "./peer";
import type { RejoinReport } from "./rejoin";
import type { PeerReport } from "./report";
import type { Transport } from "./transport";
import type { VerifyOptions, VerifyReport } from "./verify";

/** With whom a node is kept in step, and how often. */
export interface SyncerOptions {
  readonly peers: readonly Transport[];
  /** Names of the tables to exchange; omitted = all of the node's. */
  readonly tables?: readonly string[];
  /**
   * Of these tables only the rows with these keys, or only these columns (database names); both ways. What is asked for may grow: then
   * what was left out arrives.
   */
  readonly only?: Only;
  /** Milliseconds between two exchanges with a peer in {@link Syncer.run} (default 30,000). */
  readonly interval?: number;
  /** Bounds of the wait after a failure, in milliseconds (defaults 1,000 and 30,000). It doubles, with jitter. */
  readonly minRetry?: number;
  readonly maxRetry?: number;
  /** Rows of a page (default 1,000). */
  readonly pageRows?: number;
  /** Bytes of a page (default 1 MiB). */
  readonly pageBytes?: number;
  /** Called after each exchange of {@link Syncer.run}, each push and each streamed page that held rows, and each failure. */
  readonly onReport?: (report: PeerReport) => void;
}

export interface RunOptions {
  readonly signal?: AbortSignal;
}

/** Keeps a node in step with its peers. Made by {@link createSyncer}. */
export class Syncer {
  readonly #peers: readonly Peer[];

  constructor(node: GroveNode, options: SyncerOptions) {
    const tables = options.tables ?? node.tables;
    const unknown = [...tables, ...Object.keys(options.only ?? {})].find((table) => !node.tables.includes(table));
    if (unknown !== undefined) {
      throw new GroveError(
        "unknown_table",
        `createSyncer: the node does not sync the table ${JSON.stringify(unknown)}. It syncs: ${node.tables.join(", ")}.`,
      );
    }
    this.#peers = options.peers.map((transport) => new Peer(node, transport, tables, options));
  }

  /** Exchanges once with every peer, all at the same time. Failures stand in the reports; it never rejects for a peer's sake. */
  async sync({ signal }: RunOptions = {}): Promise<PeerReport[]> {
    return Promise.all(this.#peers.map((peer) => peer.exchange(signal)));
  }

  /**
   * Exchanges with every peer at the interval, and pushes what is written here as soon as it is committed, by whichever
   * process. Resolves once `signal` aborts; never rejects for a peer's sake.
   */
  async run({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    await Promise.all(this.#peers.map((peer) => peer.keepUp(signal)));
  }

  /**
   * Merges what the peers with a streaming transport write, as they write it. While a stream is down, exchanges take its
   * place, as often as it is asked for again. Resolves once `signal` aborts; never rejects for a peer's sake.
   */
  async stream({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    await Promise.all(this.#peers.map((peer) => peer.follow(signal)));
  }

  /** {@link run} and {@link stream} in the background. `stop` resolves when whatever is under way has ended. */
  start(): {
    /** Ends both. */
    stop(): Promise<void>;
  } {
    const controller = new AbortController();
    const { signal } = controller;
    const running = Promise.all([this.run({ signal }), this.stream({ signal })]);
    return {
      stop: async () => {
        controller.abort();
        await running;
      },
    };
  }

  /**
   * Pushes until every peer has acknowledged all that was written before the call; failures are tried again. What a peer
   * rejects for good counts as acknowledged.
   *
   * @throws GroveError `aborted` when `signal` aborts first, for example `AbortSignal.timeout(5_000)`; nothing is lost by it
   */
  async flush({ signal }: RunOptions = {}): Promise<void> {
    await Promise.all(this.#peers.map((peer) => peer.flush(signal)));
  }

  /**
   * Sends one row as it stands to every peer, now, ahead of whatever else waits. It is sent again in its turn if nobody says
   * that it arrived.
   *
   * @param pk canonical values in the order of the key's columns
   */
  async pushChange(table: string, pk: readonly Json[], { signal }: RunOptions = {}): Promise<PeerReport[]> {
    return Promise.all(this.#peers.map((peer) => peer.pushKeys([[table, pk]], signal)));
  }

  /**
   * Exchanges with every peer, and compares what it then holds with what this node holds: rows and all that is known of them. Told
   * by hashes that both sides keep, so what travels and what is read grow with what was written since the last comparison and with what
   * differs; the first one reads all rows, and so does each one of tables that are seen in part. A row that a peer rejected, or
   * that it may not see, differs. Failures stand in the reports.
   */
  async verify(options: VerifyOptions = {}): Promise<VerifyReport[]> {
    return Promise.all(this.#peers.map((peer) => peer.verify(options)));
  }

  /**
   * For a node that was struck off: takes the rows of the first peer for its own, and then puts back what was written here and nobody
   * ever acknowledged. Rows that the others have deleted since go. What cannot be put back, since its row is gone, stays on record
   * (`node.rejected()`, code `struck_off`). The application should write nothing meanwhile; if the process ends, call it again.
   *
   * @throws GroveError `bad_request` where nothing makes it necessary, `collecting` while a collection is under way, `transport`
   */
  async rejoin({ signal }: RunOptions = {}): Promise<RejoinReport> {
    const [peer] = this.#peers;
    if (!peer) throw new GroveError("bad_request", "The syncer has no peer to rejoin at.");
    return peer.rejoin(signal);
  }

  /** How it stands with each peer, in the order of `peers`. */
  async status(): Promise<PeerStatus[]> {
    return Promise.all(this.#peers.map((peer) => peer.status()));
  }
}

/** A syncer for a node. Does nothing until one of its methods is called. */
export function createSyncer(node: GroveNode, options: SyncerOptions): Syncer {
  return new Syncer(node, options);
}
