// Callers for tests: a principal says in its token what it is, and calls a node's router as that.
import {
  createSyncer,
  httpTransport,
  type PullResponse,
  type PushResponse,
  type Syncer,
  type SyncerOptions,
} from "grove-crdt";
import type { Context } from "hono";
import { expect } from "vitest";
import type { SyncingNode } from "./node";

export interface Who {
  readonly id: string;
  readonly [detail: string]: unknown;
}
export const tokenOf = (who: Who) => `Bearer ${JSON.stringify(who)}`;
export const headersOf = (who: Who) => ({ authorization: tokenOf(who) });

/** For the router's `authenticate`: nobody without a token. */
export function authenticate(c: Context): Who | null {
  const header = c.req.header("authorization");
  return header ? (JSON.parse(header.slice("Bearer ".length)) as Who) : null;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the router answers
  readonly json: any;
}

export async function send(to: Pick<SyncingNode, "app">, who: Who | null, path: string, body: object): Promise<Answer> {
  const response = await to.app.request(path, {
    method: "POST",
    headers: { "content-type": "application/json", ...(who && headersOf(who)) },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, text, json: JSON.parse(text) };
}

/** The principal's node goes by its own name, unless the request says otherwise. */
export async function pullAs(who: Who, from: Pick<SyncingNode, "app">, request: object = {}): Promise<PullResponse> {
  const { status, text, json } = await send(from, who, "/pull", {
    protocol: 1,
    node: `n-${who.id}`,
    cursor: null,
    ...request,
  });
  expect(status, text).toBe(200);
  return json;
}

export async function pushAs(
  who: Who,
  to: Pick<SyncingNode, "app">,
  rows: readonly object[],
  request: object = {},
): Promise<PushResponse> {
  const at = { incarnation: "abc", seq: 1 };
  const { status, text, json } = await send(to, who, "/push", {
    protocol: 1,
    node: `n-${who.id}`,
    at,
    seen: null,
    rows,
    ...request,
  });
  expect(status, text).toBe(200);
  return json;
}

/** A syncer that calls as a principal. */
export function linkAs(
  who: Who,
  from: Pick<SyncingNode, "node">,
  to: Pick<SyncingNode, "app">,
  options: Partial<SyncerOptions> = {},
): Syncer {
  const transport = httpTransport("http://peer", {
    headers: () => headersOf(who),
    fetch: async (url, init) => to.app.request(url.replace("http://peer", ""), init),
  });
  return createSyncer(from.node, { peers: [transport], ...options });
}
