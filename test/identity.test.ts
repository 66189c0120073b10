// Who calls: nobody without credentials, each node id for one principal, writes of others only from who may relay, streams
// no longer than the credentials are valid (faults 29, 38, 39; lineage 17).
import type { RowChange } from "@grove-crdt/core";
import { createSyncer, httpTransport, type PeerReport, syncRouter } from "grove-crdt";
import { afterEach, describe, expect, test, vi } from "vitest";
import { authenticate, headersOf, linkAs, pullAs, pushAs, send, type Who } from "./support/callers";
import { randomness } from "./support/clock";
import { expectEqual } from "./support/comparison";
import { describeOnEach } from "./support/dialects";
import type { RouterSettings, TestNode } from "./support/node";
import { closeStreams, openStream, streamRequest, until } from "./support/streams";

const strict: RouterSettings = { authenticate: authenticate as never, mayRelay: () => false };
const insert = (node: TestNode, id: string, title = id) =>
  node.sql("INSERT INTO documents (id, title) VALUES (?, ?)", id, title);

afterEach(closeStreams);

describeOnEach("who calls", ({ dialect, openNode }) => {
  const open = (id: string, router: RouterSettings = {}) => openNode(id, { router: { ...strict, ...router } });
  const at = { incarnation: "abc", seq: 1 };

  describe("credentials", () => {
    test("fault 38: without them nothing is answered and nothing changes, on any endpoint", async () => {
      const hub = await open("hub");
      await insert(hub, "secret");
      const before = await hub.database.dump();
      for (const [path, init] of [
        ["/pull", { method: "POST", body: JSON.stringify({ protocol: 1, node: "x", cursor: null }) }],
        ["/push", { method: "POST", body: JSON.stringify({ protocol: 1, node: "x", at, seen: null, rows: [] }) }],
        ["/stream?protocol=1&node=x", {}],
        ["/nothing", {}],
      ] as const) {
        const answer = await hub.app.request(path, init);
        expect(answer.status).toBe(401);
        const text = await answer.text();
        expect(JSON.parse(text).error.code).toBe("unauthenticated");
        expect(text).not.toContain("secret");
      }
      expect(await hub.database.dump()).toBe(before);
    });

    test("that name nobody, as the router can tell, are answered with 500 and the cure in the log", async () => {
      const hub = await open("hub");
      const errors: unknown[] = [];
      const app = syncRouter(hub.node, { authenticate: () => ({ name: "somebody" }), onError: (e) => errors.push(e) });
      const answer = await send({ app }, { id: "x" }, "/pull", { protocol: 1, node: "x", cursor: null });
      expect([answer.status, answer.json.error.code]).toEqual([500, "internal"]);
      expect(String(errors[0])).toContain("principalId");
    });

    test("that have expired are none, and a stream ends when they do, also while its reader does not read", async () => {
      const hub = await open("hub");
      const now = Date.now() / 1000;
      const expired = await send(hub, { id: "a", exp: now - 1 }, "/pull", { protocol: 1, node: "n-a", cursor: null });
      expect(expired.status).toBe(401);
      const app = syncRouter(hub.node, { authenticate: () => ({ id: "a", exp: now + 0.4 }), onError: () => {} });
      const stream = await openStream(hub, { node: "n-a" }, app);
      const idle = await app.request(streamRequest({ node: "n-a2" }));
      await until(() => stream.ended, 3_000);
      expect(stream.error).toMatchObject({ code: "unauthenticated" });
      await expect(idle.text()).rejects.toMatchObject({ code: "unauthenticated" });
      await insert(hub, "later");
      expect(stream.keys).toEqual([]);
      // Nothing of it goes on inside.
      await hub.node.close();
    });
  });

  describe("a node id", () => {
    test("is bound to the principal at first contact, and refused from every other one", async () => {
      const hub = await open("hub");
      await insert(hub, "1");
      await pullAs({ id: "a" }, hub, { node: "till" });
      for (const [path, request] of [
        ["/pull", { protocol: 1, node: "till", cursor: null }],
        ["/pull", { protocol: 1, node: "till", cursor: null, rows: 0 }],
        ["/push", { protocol: 1, node: "till", at, seen: null, rows: [] }],
      ] as const) {
        const answer = await send(hub, { id: "b" }, path, request);
        expect([answer.status, answer.json.error.code]).toEqual([403, "node_id_taken"]);
      }
      const stream = new Request("http://hub/stream?protocol=1&node=till", { headers: headersOf({ id: "b" }) });
      expect((await hub.app.request(stream)).status).toBe(403);
      // The same principal may come back with another opening of its database, or have more than one.
      await pushAs({ id: "a" }, hub, [], { node: "till", at: { incarnation: "other", seq: 9 } });
      await pullAs({ id: "a" }, hub, { node: "till-2" });
      await pullAs({ id: "b" }, hub, { node: "desk" });
    });

    test("stays bound when the process ends, and is free once it is released", async () => {
      const hub = await openNode("hub", { router: strict, durable: true });
      await pullAs({ id: "a" }, hub, { node: "till" });
      const again = await openNode("hub", { router: strict, database: await hub.database.reopen() });
      await pullAs({ id: "a" }, again, { node: "till" });
      const asB = () => send(again, { id: "b" }, "/pull", { protocol: 1, node: "till", cursor: null });
      expect((await asB()).status).toBe(403);
      await again.node.release("till");
      expect((await asB()).status).toBe(200);
      const asA = () => send(again, { id: "a" }, "/pull", { protocol: 1, node: "till", cursor: null });
      expect((await asA()).status).toBe(403);
      await again.node.release("till");
      // Whoever comes first has it, the old one too.
      expect((await asA()).status).toBe(200);
      expect((await asB()).status).toBe(403);
    });

    test("goes to one of two that come at once", async () => {
      const hub = await open("hub");
      const request = { protocol: 1, node: "till", cursor: null };
      const answers = await Promise.all(["a", "b", "c"].map((id) => send(hub, { id }, "/pull", request)));
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 403, 403]);
    });
  });

  describe("fault 39: writes in another node's name", () => {
    const evil: Who = { id: "evil" };
    /** A hub with a row that two nodes wrote to, each under its own name. */
    async function hubWithRow() {
      const hub = await open("hub");
      const victim = await openNode("victim", { clock: hub.clock });
      await victim.sql(
        "INSERT INTO documents (id, title, view_count, tags) VALUES ('d', 'title', 3, ?)",
        dialect.textsOf("x", "y"),
      );
      await victim.sql("UPDATE documents SET view_count = view_count + 2 WHERE id = 'd'");
      expect(await linkAs({ id: "victim" }, victim, hub).sync()).toMatchObject([{ applied: 1, rejected: 0 }]);
      return { hub, victim, row: (await hub.node.inspect("documents", ["d"])) as RowChange };
    }

    test("are refused, whatever they claim, and change nothing", async () => {
      const { hub, row } = await hubWithRow();
      const later = hub.clock.now() + 10;
      const { life } = row;
      const [total] = row.counter?.view_count?.totals ?? [];
      const [tag] = row.set?.tags ?? [];
      const at = { table: "documents", pk: ["d"], cl: 1, life };
      const own = [later, "n-evil"];
      const forged: object[] = [
        { ...at, lww: { title: ["!", later, "victim"] } },
        // Its stamp, another value: of equal stamps the greater bytes would win.
        { ...at, lww: { title: ["~~~", life[0], life[1]] } },
        { ...at, counter: { view_count: { totals: [[total?.[0], "victim", "99", "0", later]] } } },
        { ...at, counter: { view_count: { totals: [["fresh", "victim", "99", "0", later]] } } },
        { ...at, counter: { view_count: { birth: ["77", later, "victim"] } } },
        { ...at, set: { tags: [["z", later, "victim"]] } },
        { ...at, set: { tags: [[tag?.[0], later, "victim"]] } },
        { table: "documents", pk: ["d"], cl: 2, life: [later, "victim"] },
        { table: "documents", pk: ["d"], cl: 3, life: own, lww: { title: ["title", life[0], "victim"] } },
        { table: "documents", pk: ["new"], cl: 1, life: [later, "victim"], lww: { title: ["!"] } },
        { table: "documents", pk: ["new"], cl: 1, life: own, lww: { title: ["!", later, "victim"] } },
      ];
      const { outcomes } = await pushAs(evil, hub, forged);
      for (const [n, outcome] of outcomes.entries())
        expect(outcome, JSON.stringify(forged[n])).toMatchObject({ outcome: "rejected", code: "forbidden" });
      expect(await hub.node.inspect("documents", ["d"])).toEqual(row);
      expect(await hub.node.inspect("documents", ["new"])).toBeNull();
    });

    test("another node's incarnation does not help to count in its place", async () => {
      const { hub, victim, row } = await hubWithRow();
      const [total] = row.counter?.view_count?.totals ?? [];
      const stolen = [total?.[0], "n-evil", "1000", "0", hub.clock.now() + 10];
      const change = { table: "documents", pk: ["d"], cl: 1, life: row.life };
      await pushAs(evil, hub, [{ ...change, counter: { view_count: { totals: [stolen] } } }]);
      await victim.sql("UPDATE documents SET view_count = view_count + 1 WHERE id = 'd'");
      await linkAs({ id: "victim" }, victim, hub).sync();
      // Its own thousand, under its own name, and all of the victim's.
      expect(await hub.row("SELECT view_count FROM documents")).toEqual({ view_count: 1006 });
    });

    test("whoever saw an element may take it out of a set, and whoever may relay brings all", async () => {
      const { hub, victim } = await hubWithRow();
      const other = await openNode("other", { clock: hub.clock });
      const who = { id: "other" };
      await linkAs(who, other, hub).sync();
      await other.sql("UPDATE documents SET tags = ?, title = 'by other' WHERE id = 'd'", dialect.textsOf("y"));
      expect(await linkAs(who, other, hub).sync()).toMatchObject([{ applied: 1, rejected: 0 }]);
      expect(await hub.row("SELECT title, tags FROM documents")).toEqual({ title: "by other", tags: ["y"] });
      // What came to the victim on another way, it may not bring.
      await insert(other, "e");
      await linkAs({ id: "peer" }, other, victim)
        .sync()
        .catch(() => {});
      await victim.node.merge("other", (await other.node.pull({ protocol: 1, node: "x", cursor: null })).rows);
      const [report] = await linkAs({ id: "victim" }, victim, hub).sync();
      expect(report).toMatchObject({ rejected: 1 });
      expect(await hub.node.inspect("documents", ["e"])).toBeNull();
      const trusting = { app: syncRouter(hub.node, { authenticate, mayRelay: ({ id }) => id === "victim" }) };
      const [kept] = await victim.node.rejected();
      await victim.node.retry(kept?.id as number);
      expect(await linkAs({ id: "victim" }, victim, trusting).sync()).toMatchObject([{ applied: 1, rejected: 0 }]);
      expect(await hub.node.inspect("documents", ["e"])).not.toBeNull();
      expect(await victim.node.rejected()).toEqual([]);
    });
  });

  test("edges of one hub bring nothing but their own, whatever they write at the same time and however often they repeat it", async () => {
    const hub = await open("hub");
    const random = randomness();
    const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
    const edges: { readonly node: TestNode; readonly sync: (mayLose?: boolean) => Promise<PeerReport | undefined> }[] =
      [];
    for (const id of ["e1", "e2", "e3"]) {
      const node = await openNode(id, { clock: hub.clock });
      let lost = false;
      const syncer = createSyncer(node.node, {
        pageRows: pick([1, 2, 100]),
        peers: [
          httpTransport("http://hub", {
            headers: () => headersOf({ id }),
            fetch: async (url, init) => {
              const answer = await hub.app.request(url.replace("http://hub", ""), init);
              if (lost && random() < 0.3) throw new Error("lost");
              return answer;
            },
          }),
        ],
      });
      edges.push({
        node,
        sync: async (mayLose = true) => {
          lost = mayLose;
          const [report] = await syncer.sync();
          expect(report?.rejected).toBe(0);
          return report;
        },
      });
    }
    const tags = () => dialect.textsOf(...["x", "y", "z"].filter(() => random() < 0.5));
    for (let n = 0; n < 90; n++) {
      hub.clock.advance(pick([0, 0, 1, 5]));
      const { node, sync } = pick(edges);
      const key = pick(["1", "2", "3"]);
      const write = pick(["insert", "title", "views", "tags", "delete", "sync", "sync"]);
      if (write === "sync") await sync();
      else if (write === "insert")
        await node.sql(
          "INSERT INTO documents (id, title, tags) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING",
          key,
          `${n}`,
          tags(),
        );
      else if (write === "title") await node.sql("UPDATE documents SET title = ? WHERE id = ?", `${n}`, key);
      else if (write === "views") await node.sql("UPDATE documents SET view_count = view_count + 1 WHERE id = ?", key);
      else if (write === "tags") await node.sql("UPDATE documents SET tags = ? WHERE id = ?", tags(), key);
      else await node.sql("DELETE FROM documents WHERE id = ?", key);
    }
    for (let round = 0; round < 2; round++) for (const { sync } of edges) expect((await sync(false))?.error).toBeNull();
    await expectEqual(hub, ...edges.map(({ node }) => node));
    for (const { node } of edges) expect(await node.node.rejected()).toEqual([]);
  });

  test("each refused push has its line in the audit, with who and why, and without values", async () => {
    const lines: object[] = [];
    const hub = await open("hub", { onAudit: (event) => lines.push(event), limits: { changes: 2 } });
    const row = { table: "documents", pk: ["1"], cl: 1, life: [hub.clock.now(), "other"], lww: { title: ["SECRET"] } };
    await pushAs({ id: "a" }, hub, [row, { ...row, life: [hub.clock.now(), "n-a"] }]);
    await send(hub, { id: "a" }, "/push", { protocol: 1, node: "n-a", at, seen: null, rows: [row, row, row] });
    await send(hub, null, "/push", { protocol: 1, node: "n-a", at, seen: null, rows: [row] });
    await send(hub, { id: "b" }, "/push", { protocol: 1, node: "n-a", at, seen: null, rows: [row] });
    await pullAs({ id: "a" }, hub);
    expect(lines).toMatchObject([
      {
        event: "push_refused",
        principal: "a",
        node: "n-a",
        code: "rejected",
        count: 1,
        rows: [{ table: "documents", pk: ["1"], code: "forbidden" }],
      },
      { principal: "a", node: "n-a", code: "payload_too_large" },
      { principal: null, node: null, code: "unauthenticated" },
      { principal: "b", node: "n-a", code: "node_id_taken" },
    ]);
    expect(JSON.stringify(lines)).not.toContain("SECRET");
    // By default it is a line of the log.
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    try {
      await pushAs({ id: "a" }, { app: syncRouter(hub.node, { authenticate }) }, [row]);
      expect(JSON.parse(String(warn.mock.calls[0]?.[0]).replace("grove-crdt audit ", ""))).toMatchObject({
        principal: "a",
      });
    } finally {
      warn.mockRestore();
    }
  });
});
