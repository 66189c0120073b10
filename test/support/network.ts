// The network between test nodes: HTTP messages without a socket. Requests are counted, and any link can be tampered with.
import {
  createSyncer,
  httpTransport,
  type PeerReport,
  type Syncer,
  type SyncerOptions,
  type Transport,
} from "grove-crdt";
import { type SyncingNode, TOKEN } from "./node";

export type Forward = (path: string, body: string) => Promise<Response>;
/** Stands between two nodes: may answer by itself, forward once, twice, later, or not at all. */
export type Tamper = (
  path: "/pull" | "/push" | "/digest" | "/collection",
  body: string,
  forward: Forward,
) => Promise<Response>;

/** One request to a node's router, with what it carried counted. */
export async function request(to: SyncingNode, path: string, body: string): Promise<Response> {
  const { traffic } = to;
  traffic.requests++;
  const headers = { authorization: TOKEN, "content-type": "application/json" };
  const response = await to.app.request(path, { method: "POST", headers, body });
  if (!response.ok) return response;
  if (path === "/pull") {
    traffic.pulls++;
    traffic.served += ((await response.clone().json()) as { rows: unknown[] }).rows.length;
  } else if (path === "/push") {
    traffic.pushes++;
    traffic.received += (JSON.parse(body) as { rows: unknown[] }).rows.length;
  }
  return response;
}

/** How one node reaches another. */
export function transportTo(to: SyncingNode, tamper?: Tamper): Transport {
  const forward: Forward = (path, body) => request(to, path, body);
  const send = tamper ?? ((path, body) => forward(path, body));
  return httpTransport(`http://${to.id}.test/sync`, {
    fetch: (url, { body }) => send(url.slice(url.lastIndexOf("/")) as Parameters<Tamper>[0], body as string, forward),
  });
}

export const link = (
  from: SyncingNode,
  to: SyncingNode,
  options: Partial<SyncerOptions> = {},
  tamper?: Tamper,
): Syncer => createSyncer(from.node, { peers: [transportTo(to, tamper)], ...options });

const links = new WeakMap<SyncingNode, Map<SyncingNode, Syncer>>();

/** One exchange, both directions, begun by `from`; an error is thrown. */
export async function sync(from: SyncingNode, to: SyncingNode, options?: Partial<SyncerOptions>): Promise<PeerReport> {
  const known = links.get(from) ?? new Map<SyncingNode, Syncer>();
  links.set(from, known);
  const syncer = (options === undefined && known.get(to)) || link(from, to, options);
  if (options === undefined) known.set(to, syncer);
  const [report] = (await syncer.sync()) as [PeerReport];
  if (report.error) throw report.error;
  return report;
}

/** Exchanges along the pairs until nothing travels any more; returns the rounds that it took, the quiet one included. */
export async function settle(...pairs: readonly (readonly [SyncingNode, SyncingNode])[]): Promise<number> {
  for (let round = 1; round <= 20; round++) {
    let moved = 0;
    for (const [from, to] of pairs) {
      const { pulled, pushed } = await sync(from, to);
      moved += pulled + pushed;
    }
    if (moved === 0) return round;
  }
  throw new Error("the nodes did not come to rest within 20 rounds");
}

/** The status of an answer and the code of the error that it carries. */
export async function errorOf(response: Response): Promise<[status: number, code: string | undefined]> {
  const { error } = (await response.json()) as { error?: { code: string } };
  return [response.status, error?.code];
}

/** A well-formed message of a peer that is no node of ours. */
export const pullMessage = (fields: object = {}) => ({ protocol: 1, node: "stranger", cursor: null, ...fields });
export const pushMessage = (rows: readonly unknown[], fields: object = {}) => ({
  protocol: 1,
  node: "stranger",
  at: { incarnation: "abc", seq: rows.length },
  seen: null,
  rows,
  ...fields,
});
