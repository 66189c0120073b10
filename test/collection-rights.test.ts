// What a principal that may not relay can say about a collection, and what it hears: its own part, and no more of others than it needs.
import type { Round } from "@grove-crdt/core";
import { expect, test } from "vitest";
import { describeOnEach } from "./support/dialects";
import { settle, sync } from "./support/network";
import { type RouterSettings, type TestNode, TOKEN } from "./support/node";

const INCARNATION = "abc";

describeOnEach("a principal that may not relay", ({ openNode }) => {
  /** A hub that has met two nodes of its own, and a stranger who sees one table. */
  async function world(router: RouterSettings = {}) {
    const hub = await openNode("hub", { router: { ...router, mayRelay: () => true } });
    const { clock } = hub;
    const inner = await openNode("inner", { clock });
    await inner.sql("INSERT INTO documents (id, title) VALUES ('1', 't')");
    await settle([inner, hub]);
    // The same database behind another router: whoever comes there is a stranger.
    const outside = await openNode("hub", {
      database: hub.database,
      clock,
      router: { mayRelay: () => false, tables: () => ["orders"], ...router },
    });
    const ask = async (rounds: readonly object[], gave?: readonly unknown[]) => {
      const response = await outside.app.request("/collection", {
        method: "POST",
        headers: { authorization: TOKEN, "content-type": "application/json" },
        body: JSON.stringify({ protocol: 1, node: "stranger", rounds, ...(gave && { gave }) }),
      });
      expect(response.status).toBe(200);
      return (await response.json()) as { rounds: Round[]; collected?: number; view: string };
    };
    return { hub, inner, ask };
  }
  const mine = (round: Round, more: object = {}) => ({
    ...round,
    members: [
      {
        node: "stranger",
        version: 1,
        closing: INCARNATION,
        clock: round.upTo + 2,
        peers: ["hub"],
        has: [INCARNATION],
        narrowed: true,
        ready: false,
        tables: [["orders", []]],
        ...more,
      },
    ],
  });
  const hubKnows = async (hub: TestNode, member: string) =>
    (await hub.node.store.collection()).rounds[0]?.members.find(({ node }) => node === member);
  const status = async ({ node }: TestNode) => (await node.collection()).rounds;

  test("hears of the node that it asks and of nobody else, and of its tables alone", async () => {
    const { hub, inner, ask } = await world();
    expect(await ask([])).toMatchObject({ rounds: [], view: "part" });
    await hub.node.collect();
    const { rounds } = await ask([]);
    expect(rounds).toHaveLength(1);
    expect(JSON.stringify(rounds)).not.toMatch(/inner|documents/);
    expect(rounds[0]?.members).toMatchObject([{ node: "hub", partial: true, tables: [["orders", []]] }]);
    // Nor once the other has its record there.
    for (let n = 0; n < 2; n++) await sync(inner, hub);
    expect(await hubKnows(hub, "inner")).toBeDefined();
    expect(JSON.stringify((await ask([])).rounds)).not.toMatch(/inner|documents/);
  });

  test("begins nothing, ends nothing, and speaks for nobody else", async () => {
    const { hub, inner, ask } = await world();
    await ask([]);
    const foreign = { id: "own", by: "stranger", began: 1, upTo: 1, struck: ["inner"], members: [] };
    await ask([foreign]);
    expect(await status(hub)).toEqual([]);
    await hub.node.collect();
    const [round] = (await ask([])).rounds as [Round];
    const verdict = { tables: [["orders", []]], closings: [["hub", INCARNATION, round.upTo + 1]] };
    for (const untrue of [
      { ...mine(round), verdict },
      { ...mine(round), cancelled: true },
      { ...mine(round), struck: ["inner"] },
      mine(round, { node: "inner" }),
    ])
      await ask([untrue]);
    expect(await status(hub)).toMatchObject([{ state: "open", struck: [] }]);
    expect(await hubKnows(hub, "inner")).toBeUndefined();
    // What it gave is its own, whatever it says.
    for (let n = 0; n < 2; n++) await sync(inner, hub);
    const closing = (await hubKnows(hub, "inner"))?.closing;
    await ask([mine(round)], [[round.id, [INCARNATION, "other"]]]);
    expect(closing).toMatch(/./);
    expect((await hubKnows(hub, "hub"))?.has).toContain(INCARNATION);
    expect((await hubKnows(hub, "hub"))?.has).not.toContain("other");
  });

  test("takes part, and the collection ends", async () => {
    const { hub, inner, ask } = await world();
    await ask([]);
    await hub.node.collect();
    const closingsOf = (told: readonly Round[]) => told[0]?.members.find(({ node }) => node === "hub")?.has ?? [];
    const [round] = (await ask([])).rounds as [Round];
    await ask([mine(round)], [[round.id, [INCARNATION]]]);
    for (let n = 0; n < 3; n++) await sync(inner, hub);
    // It knows of no member but the hub, which hands over what it has.
    const has = [INCARNATION, ...closingsOf((await ask([])).rounds)];
    const { rounds, collected } = await ask([mine(round, { version: 2, has, ready: true })]);
    const told = { rounds, collected, awaited: (await status(hub))[0]?.awaited };
    expect(told).toMatchObject({ awaited: [], collected: round.upTo });
    expect(told.rounds[0]?.verdict?.closings.map(([node]) => node).sort()).toEqual(["hub", "inner", "stranger"]);
    expect(told.rounds[0]?.verdict?.tables).toEqual([["orders", []]]);
  });
});
