// The Transport port: how a syncer reaches a peer. Two calls, each with the protocol's own messages.
import type { PullRequest, PullResponse, PushRequest, PushResponse } from "@grove-crdt/core";

export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface Transport {
  /** Where it leads, for messages and reports. */
  readonly url: string;
  /** @throws GroveError with the peer's code, or `transport` when it cannot be reached */
  pull(request: PullRequest, options?: CallOptions): Promise<PullResponse>;
  /** @throws GroveError with the peer's code, or `transport` when it cannot be reached */
  push(request: PushRequest, options?: CallOptions): Promise<PushResponse>;
}
