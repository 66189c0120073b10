// Rejoining: a node that was struck off takes a peer's rows for its own, and then puts back what it had written itself and what nobody
// ever acknowledged. What was set aside stands on record all the while: if the process ends in between, the next call goes on.
import { decideRejoin, GroveError, isGroveError } from "@grove-crdt/core";
import type { RejectedChange } from "@grove-crdt/store";
import type { ExchangeOptions, Link } from "./link";
import { pull } from "./pull";
import { emptyReport } from "./report";

export interface RejoinReport {
  /** The peer's node id. */
  readonly peer: string;
  /** Rows that came from the peer. */
  readonly pulled: number;
  /** Rows that were here and that nobody else has any more. */
  readonly removed: number;
  /** Unsent changes that were put back; those that could not be are on record (`node.rejected()`, code `struck_off`). */
  readonly restored: number;
  readonly kept: number;
}

/** @throws GroveError `bad_request` where nothing makes it necessary, or the syncer has not all tables, `collecting`, and what transports throw */
export async function rejoin(link: Link, options: ExchangeOptions): Promise<RejoinReport> {
  const { node, transport, url } = link;
  const { store } = node;
  const left = node.tables.filter(
    (table) => !options.tables.includes(table) || Object.hasOwn(options.only ?? {}, table),
  );
  if (left.length > 0) {
    const message = `syncer.rejoin() begins all tables anew, and this syncer leaves out rows of ${left.join(", ")}. Call it on a syncer to ${url} without \`tables\` and \`only\`.`;
    throw new GroveError("bad_request", message, { details: { tables: left } });
  }
  if (!transport.collection) throw new GroveError("transport", `The transport to ${url} cannot tell of collections.`);
  try {
    await link.meet(options);
  } catch (error) {
    if (!isGroveError(error) || error.code !== "struck_off") throw error;
    const message = `${url} is collecting without this node. Rejoin when that has ended; \`npx grove-crdt gc --status\` there tells for whom it waits.`;
    throw new GroveError("collecting", message, { cause: error });
  }
  const mine = await store.collection();
  link.collected = mine.upTo;
  const { collected = 0, rounds, seen } = await transport.collection({ ...link.self, rounds: [] }, options);
  if (!mine.rejoining && collected <= mine.upTo)
    throw new GroveError("bad_request", `This node has forgotten what ${url} has: there is nothing to rejoin for.`);
  // One that was begun goes on, unless the peer has forgotten more by now, or is another one.
  if (collected !== mine.upTo) {
    // What ended is passed on: who missed it as well hears of it here.
    const ended = rounds.filter(({ verdict, upTo }) => verdict && upTo === collected);
    const known = seen === null ? 0 : (await store.knows(seen)) ? seen.seq : null;
    await store.beginRejoin(collected, ended, { peer: link.peer, seen: known });
    link.collected = collected;
  }
  const report = emptyReport(url);
  const refusal = await pull(link, options, report);
  if (refusal) throw refusal;
  const { restored, kept } = await putBack(link);
  const removed = await store.endRejoin();
  node.notify();
  return { peer: link.peer, pulled: report.pulled, removed, restored, kept };
}

/** What was set aside goes back to where it still belongs. */
async function putBack({ node }: Link): Promise<{ readonly restored: number; readonly kept: number }> {
  const { store } = node;
  const aside = (await store.rejections()).filter(({ code }) => code === "struck_off");
  const states = await store.states(aside.map(({ table, pk }) => [table, pk] as const));
  let restored = 0;
  let kept = 0;
  const settled: RejectedChange[] = [];
  for (const [n, one] of aside.entries()) {
    const decision = decideRejoin(one.change, one.fields === null, states[n]?.cl ? states[n] : null);
    if (decision.kind === "kept") {
      kept++;
      continue;
    }
    if (decision.kind === "merge") {
      const [outcome] = (await store.merge({ from: node.id, rows: [decision.change], ownFrom: 0 })).outcomes;
      if (outcome?.outcome === "rejected" || outcome?.outcome === "refused") {
        kept++;
        continue;
      }
      restored++;
      if (decision.isPart) {
        kept++;
        continue;
      }
    }
    settled.push(one);
  }
  for (const { id } of settled) await store.forgetRejection(id);
  return { restored, kept };
}
