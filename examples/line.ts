// A node's line to its peers: a `fetch` that the story can cut, and a meter for what its syncer sends and receives.
import type { PeerReport } from "grove-crdt";

export interface Traffic {
  /** Rows that went either way. */
  readonly messages: number;
  /** Those that told their receiver nothing new. */
  readonly superfluous: number;
}

/** By the peer's origin; aborted while the line is cut. */
const lines = new Map<string, AbortController>();

function to(url: string): AbortController {
  const { origin } = new URL(url);
  const line = lines.get(origin) ?? new AbortController();
  lines.set(origin, line);
  return line;
}

export const line = {
  /** Ends with the line, also while a stream comes in. */
  fetch: (url: string, init: RequestInit): Promise<Response> => {
    const { signal } = to(url);
    return fetch(url, { ...init, signal: init.signal ? AbortSignal.any([signal, init.signal]) : signal });
  },
  meter({ pulled, pushed, superseded }: PeerReport): void {
    traffic.messages += pulled + pushed;
    traffic.superfluous += superseded;
  },
};

const traffic: { -readonly [Count in keyof Traffic]: number } = { messages: 0, superfluous: 0 };

/** What the story can do with it. */
export const lineActs = {
  cut: (url: string) => to(url).abort(),
  mend: (url: string) => void lines.delete(new URL(url).origin),
  traffic: (): Traffic => traffic,
};
