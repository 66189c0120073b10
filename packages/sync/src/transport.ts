// The Transport port: how a syncer reaches a peer. Two calls, each with the protocol's own messages, and a stream if it has one.
import type {
  CollectionRequest,
  CollectionResponse,
  DigestRequest,
  DigestResponse,
  PullRequest,
  PullResponse,
  PushRequest,
  PushResponse,
  StreamRequest,
} from "@grove-crdt/core";

export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** The way to one peer: a few questions and their answers. */
export interface Transport {
  /** Where it leads, for messages and reports. */
  readonly url: string;
  /** @throws GroveError with the peer's code, or `transport` when it cannot be reached */
  pull(request: PullRequest, options?: CallOptions): Promise<PullResponse>;
  /** @throws GroveError with the peer's code, or `transport` when it cannot be reached */
  push(request: PushRequest, options?: CallOptions): Promise<PushResponse>;
  /** Hashes of what the peer holds. @throws GroveError with the peer's code, or `transport` when it cannot be reached */
  digest?(request: DigestRequest, options?: CallOptions): Promise<DigestResponse>;
  /** What the peer knows of collections. @throws GroveError with the peer's code, or `transport` when it cannot be reached */
  collection?(request: CollectionRequest, options?: CallOptions): Promise<CollectionResponse>;
  /**
   * Pages as they are written, from the cursor on. Ends only with an error, or when `signal` aborts.
   *
   * @throws GroveError with the peer's code, or `transport` when it cannot be reached, breaks off or falls silent
   */
  stream?(request: StreamRequest, options?: CallOptions): AsyncIterable<PullResponse>;
  /** Milliseconds before a stream that broke off is asked for again. */
  readonly reconnect?: number;
}
