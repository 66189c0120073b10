// The syncer: exchanges with all peers, once or for as long as asked, and never gives up on one.
import { GroveError } from "@grove-crdt/core";
import pRetry, { AbortError } from "p-retry";
import { Exchange, type PeerReport } from "./exchange";
import type { GroveNode } from "./node";
import type { Transport } from "./transport";

export interface SyncerOptions {
  readonly peers: readonly Transport[];
  /** Names of the tables to exchange; omitted = all of the node's. */
  readonly tables?: readonly string[];
  /** Milliseconds between two exchanges with a peer in {@link Syncer.run} (default 30,000). */
  readonly interval?: number;
  /** Bounds of the wait after a failure, in milliseconds (defaults 1,000 and 30,000). It doubles, with jitter. */
  readonly minRetry?: number;
  readonly maxRetry?: number;
  /** Rows of a page (default 1,000). */
  readonly pageRows?: number;
  /** Bytes of a page (default 1 MiB). */
  readonly pageBytes?: number;
  /** Called after each exchange in {@link Syncer.run}. */
  readonly onReport?: (report: PeerReport) => void;
}

export interface RunOptions {
  readonly signal?: AbortSignal;
}

interface Peer {
  readonly exchange: Exchange;
  readonly transport: Transport;
  /** Exchanges with one peer never overlap. */
  last: Promise<unknown>;
}

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done);
  });
}

/** Keeps a node in step with its peers. Made by {@link createSyncer}. */
export class Syncer {
  readonly #peers: readonly Peer[];
  readonly #tables: readonly string[];

  constructor(
    node: GroveNode,
    private readonly options: SyncerOptions,
  ) {
    this.#tables = options.tables ?? node.tables;
    const unknown = this.#tables.find((table) => !node.tables.includes(table));
    if (unknown !== undefined) {
      throw new GroveError(
        "unknown_table",
        `createSyncer: the node does not sync the table ${JSON.stringify(unknown)}. It syncs: ${node.tables.join(", ")}.`,
      );
    }
    this.#peers = options.peers.map((transport) => ({
      transport,
      exchange: new Exchange(node, transport),
      last: Promise.resolve(),
    }));
  }

  #exchange(peer: Peer, signal?: AbortSignal): Promise<PeerReport> {
    const { pageRows, pageBytes } = this.options;
    const run = () => peer.exchange.run({ tables: this.#tables, pageRows, pageBytes, signal });
    const result = peer.last.then(run, run);
    peer.last = result;
    return result;
  }

  /** Exchanges once with every peer, all at the same time. Failures stand in the reports; it never rejects for a peer's sake. */
  async sync({ signal }: RunOptions = {}): Promise<PeerReport[]> {
    return Promise.all(this.#peers.map((peer) => this.#exchange(peer, signal)));
  }

  /** Exchanges with every peer at the interval until `signal` aborts; then resolves. */
  async run({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    await Promise.all(this.#peers.map((peer) => this.#keepUp(peer, signal)));
  }

  async #keepUp(peer: Peer, signal: AbortSignal): Promise<void> {
    const { interval = 30_000, minRetry = 1_000, maxRetry = 30_000, onReport } = this.options;
    while (!signal.aborted) {
      await pRetry(
        async () => {
          const report = await this.#exchange(peer, signal);
          if (signal.aborted) throw new AbortError("aborted");
          onReport?.(report);
          if (report.error) throw report.error;
        },
        {
          retries: Number.POSITIVE_INFINITY,
          factor: 2,
          minTimeout: minRetry,
          maxTimeout: maxRetry,
          randomize: true,
          signal,
        },
      ).catch(() => {});
      await sleep(interval * (0.9 + 0.2 * Math.random()), signal);
    }
  }

  /** {@link run} in the background. `stop` resolves when the exchange under way has ended. */
  start(): { stop(): Promise<void> } {
    const controller = new AbortController();
    const running = this.run({ signal: controller.signal });
    return {
      stop: () => {
        controller.abort();
        return running;
      },
    };
  }
}

/** A syncer for a node. Does nothing until `sync`, `run` or `start` is called. */
export function createSyncer(node: GroveNode, options: SyncerOptions): Syncer {
  return new Syncer(node, options);
}
