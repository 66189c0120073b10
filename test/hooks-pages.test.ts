// Pages of which hooks leave nothing: the cursor moves past them (lineage 24), pulled, pushed and streamed. And hooks on streams.
import { createSyncer, type SyncHook, streamingTransport } from "grove-crdt";
import { afterEach, expect, test } from "vitest";
import { headersOf, linkAs, pullAs } from "./support/callers";
import { describeOnEach } from "./support/dialects";
import { type Hooked, openHooked, withValue, x } from "./support/hooks";
import type { TestNode } from "./support/node";
import { until } from "./support/streams";

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

describeOnEach("hooks and pages", (suite) => {
  const open = (id: string, settings?: Hooked) => openHooked(suite, id, settings);
  const insert = (node: TestNode, from: number, to: number, kind = "hidden") =>
    node.sql(
      Array.from(
        { length: to - from },
        (_, n) => `INSERT INTO documents (id, title) VALUES ('${from + n}', '${kind}')`,
      ).join("; "),
    );
  const titles = async (node: TestNode) =>
    (await node.rows<{ title: string }>("SELECT title FROM documents ORDER BY length(id), id")).map(
      ({ title }) => title,
    );
  /** Lets nothing through of a row below this number. */
  const from = (number: number): SyncHook => ({
    beforeOutboundRead: (changes) => changes.filter(({ pk }) => Number(pk[0]) >= number),
  });

  test("an answer of which hooks leave nothing moves the cursor, and what follows arrives (lineage 24)", async () => {
    const hub = await open("hub", { routerHooks: [from(40)] });
    await insert(hub, 0, 42);
    const cursors = new Set<string>();
    const keys: unknown[] = [];
    let page = await pullAs(x, hub, { rows: 10 });
    for (; ; page = await pullAs(x, hub, { rows: 10, cursor: page.cursor })) {
      expect(cursors).not.toContain(page.cursor);
      cursors.add(page.cursor);
      keys.push(...page.rows.map(({ pk }) => pk[0]));
      if (!page.more) break;
      expect(page.rows).toEqual([]);
    }
    expect(keys).toEqual(["40", "41"]);
    expect(cursors.size).toBe(5);
    // With nothing new, and with something hidden.
    const quiet = await pullAs(x, hub, { cursor: page.cursor });
    expect(quiet.cursor).toBe(page.cursor);
    await hub.sql("UPDATE documents SET title = 'still hidden' WHERE id = '3'");
    const moved = await pullAs(x, hub, { cursor: page.cursor });
    expect([moved.rows, moved.cursor === page.cursor]).toEqual([[], false]);
  });

  test("a puller gets past pages of nothing, of the peer's hooks as of its own", async () => {
    const hub = await open("hub", { routerHooks: [from(20)] });
    await insert(hub, 0, 30);
    const own: SyncHook = { beforeInboundChange: (change) => (Number(change.pk[0]) >= 28 ? change : null) };
    const edge = await open("edge", { clock: hub.clock, hooks: [own] });
    await linkAs({ id: "edge" }, edge, hub, { pageRows: 4 }).sync();
    expect((await edge.rows<{ id: string }>("SELECT id FROM documents ORDER BY id")).map(({ id }) => id)).toEqual([
      "28",
      "29",
    ]);
    expect((await linkAs({ id: "edge" }, edge, hub).sync())[0]).toMatchObject({ pulled: 0, pushed: 0, error: null });
  });

  test("a pusher gets past pages of nothing, and does not look at them twice", async () => {
    let looked = 0;
    const counts: SyncHook = {
      beforeOutboundRead: (changes) => {
        looked += new Set(changes.map(({ pk }) => pk[0])).size;
        return changes;
      },
    };
    const edge = await open("edge", { hooks: [counts, from(20)] });
    await insert(edge, 0, 22);
    const hub = await open("hub", { clock: edge.clock });
    const syncer = linkAs({ id: "edge" }, edge, hub, { pageRows: 4 });
    expect((await syncer.sync())[0]).toMatchObject({ pushed: 2, error: null });
    expect(await hub.rows("SELECT id FROM documents ORDER BY id")).toEqual([{ id: "20" }, { id: "21" }]);
    expect(looked).toBe(22);
    await edge.sql("UPDATE documents SET title = 'still hidden' WHERE id = '3'");
    for (let n = 0; n < 3; n++) expect((await syncer.sync())[0]).toMatchObject({ pushed: 0, error: null });
    expect(looked).toBe(23);
  });

  /** A syncer that streams, over the router and without a socket. */
  function stream(edge: TestNode, hub: TestNode) {
    const peer = streamingTransport("http://peer", {
      headers: () => headersOf({ id: edge.id, tenant: "acme" }),
      reconnect: 20,
      fetch: async (url, init) => hub.app.request(url.replace("http://peer", ""), init as RequestInit),
    });
    const syncer = createSyncer(edge.node, { peers: [peer], minRetry: 20 });
    const running = syncer.start();
    stops.push(() => running.stop());
    return async () => until(async () => (await syncer.status())[0]?.streaming);
  }

  test("a stream goes on past what hooks keep back, and resumes behind it (lineage 24)", async () => {
    let seen = 0;
    const counts: SyncHook = {
      beforeOutboundChange: (change, { principal, request, peer }) => {
        expect([(principal as { tenant: string }).tenant, peer, request?.headers.has("authorization")]).toEqual([
          "acme",
          "edge",
          true,
        ]);
        seen++;
        return Number(change.pk[0]) >= 10 ? change : null;
      },
    };
    const hub = await open("hub", { routerHooks: [counts] });
    const edge = await open("edge", { clock: hub.clock });
    const streaming = stream(edge, hub);
    await streaming();
    await insert(hub, 0, 10);
    await until(() => seen >= 10);
    await insert(hub, 10, 12, "shown");
    await until(async () => (await titles(edge)).length === 2);
    expect(await titles(edge)).toEqual(["shown", "shown"]);
    // The reader's cursor stands behind all of them.
    await stops.pop()?.();
    const before = seen;
    await stream(edge, hub)();
    await insert(hub, 12, 13, "shown");
    await until(async () => (await titles(edge)).length === 3);
    expect(seen - before).toBeLessThanOrEqual(8);
  });

  test("two readers of one stream get what their own hooks leave of it", async () => {
    const mine: SyncHook = {
      beforeOutboundChange: (change, { peer }) =>
        change.field === "title" ? withValue(change, (title) => `${title} for ${peer}`) : change,
    };
    const hub = await open("hub", { routerHooks: [mine] });
    const edges = [await open("one", { clock: hub.clock }), await open("two", { clock: hub.clock })];
    for (const edge of edges) await stream(edge, hub)();
    await insert(hub, 0, 2, "t");
    for (const edge of edges) {
      await until(async () => (await titles(edge)).length === 2);
      expect(await titles(edge)).toEqual([`t for ${edge.id}`, `t for ${edge.id}`]);
    }
    expect(await titles(hub)).toEqual(["t", "t"]);
  });

  test("inbound through a stream: skipped, rejected, changed, and the stream goes on", async () => {
    const hooks: SyncHook[] = [
      {
        beforeInboundChange: (change) => {
          if (change.pk[0] === "1") return null;
          if (change.pk[0] === "2" && change.field === "body") throw new Error("no");
          return change.field === "title" ? withValue(change, (title) => `${title}!`) : change;
        },
      },
    ];
    const hub = await open("hub");
    const edge = await open("edge", { clock: hub.clock, hooks });
    await stream(edge, hub)();
    await insert(hub, 0, 4, "t");
    await until(async () => (await titles(edge)).length === 3);
    expect(await titles(edge)).toEqual(["t!", "t!", "t!"]);
    await until(async () => (await edge.node.rejected()).length > 0);
    expect(await edge.node.rejected()).toMatchObject([
      { sent: false, peer: "hub", pk: ["2"], fields: ["body"], code: "hook_failed" },
    ]);
    // And the hub hears of the changed values, through the edge's push.
    await until(async () => (await titles(hub)).filter((title) => title === "t!").length === 3);
    expect(await titles(hub)).toEqual(["t!", "t", "t!", "t!"]);
  });
});
