// Hooks: in which order they run, what each gets, and what null does. Both directions, over both dialects.
import type { ChangeRecord, HookContext, SyncHook } from "grove-crdt";
import { describe, expect, test } from "vitest";
import { linkAs, pullAs, pushAs } from "./support/callers";
import { describeOnEach } from "./support/dialects";
import { documentOf, type Hooked, openHooked, withValue, x } from "./support/hooks";
import type { TestNode } from "./support/node";

describeOnEach("hooks", (suite) => {
  const { textsOf, time } = suite.dialect;
  const open = (id: string, settings?: Hooked) => openHooked(suite, id, settings);
  const insert = (node: TestNode, id: string, title = id) =>
    node.sql("INSERT INTO documents (id, title) VALUES (?, ?)", id, title);
  const order = (node: TestNode, id: string, note = id) =>
    node.sql(`INSERT INTO orders (id, note, total, placed_at) VALUES (?, ?, 1, ${time(0)})`, id, note);
  const titles = async (node: TestNode) =>
    (await node.rows<{ title: string }>("SELECT title FROM documents ORDER BY id")).map(({ title }) => title);

  describe("run in their order, each on what the one before left", () => {
    const appends = (name: string): SyncHook => ({
      beforeInboundChange: (change) => withValue(change, (value) => `${value} ${name}`),
      beforeOutboundChange: async (change) => withValue(change, (value) => `${value} ${name}`),
    });
    const hooks = [appends("n1"), { tables: ["orders"] }, appends("n2")];
    const routerHooks = [appends("r1"), appends("r2")];

    test("inbound the router's come first, then the node's", async () => {
      const hub = await open("hub", { hooks, routerHooks });
      const { outcomes } = await pushAs(x, hub, [documentOf("1", hub.clock.now())]);
      expect(outcomes).toEqual([{ outcome: "applied" }]);
      expect(await titles(hub)).toEqual(["1 r1 r2 n1 n2"]);
    });

    test("outbound the node's come first, then the router's; a syncer knows the node's alone", async () => {
      const hub = await open("hub", { hooks, routerHooks });
      await insert(hub, "1");
      const { rows } = await pullAs(x, hub);
      expect(rows.map(({ lww }) => lww?.title?.[0])).toEqual(["1 n1 n2 r1 r2"]);
      const peer = await open("peer", { clock: hub.clock });
      await linkAs({ id: "hub" }, hub, peer).sync();
      expect(await titles(peer)).toEqual(["1 n1 n2"]);
    });

    test("a whole page is seen by each beforeOutboundRead before any beforeOutboundChange", async () => {
      const seen: string[] = [];
      const traces = (name: string): SyncHook => ({
        beforeOutboundRead: (changes) => {
          seen.push(`${name} reads ${changes.map(({ pk, field }) => `${pk}.${field}`).join(" ")}`);
          return name === "n" ? changes.filter(({ type }) => type === "lww").toReversed() : changes;
        },
        beforeOutboundChange: (change) => {
          seen.push(`${name} sends ${change.pk}.${change.field}`);
          return change.field === "title" ? change : null;
        },
      });
      const hub = await open("hub", { hooks: [traces("n")], routerHooks: [traces("r")] });
      await insert(hub, "1");
      await insert(hub, "2");
      const { rows } = await pullAs(x, hub);
      const all = (id: string) => ["title", "body", "view_count", "tags"].map((field) => `${id}.${field}`).join(" ");
      expect(seen.slice(0, 2)).toEqual([
        `n reads ${all("1")} ${all("2")}`,
        expect.stringMatching(/^r reads ([12]\.(title|body) ?){4}$/),
      ]);
      expect(seen.slice(2).sort()).toEqual([
        "n sends 1.body",
        "n sends 1.title",
        "n sends 2.body",
        "n sends 2.title",
        "r sends 1.title",
        "r sends 2.title",
      ]);
      // In the order in which they were written, whatever the hook made of it.
      expect(rows.map(({ pk, lww, counter, set }) => [pk[0], Object.keys(lww ?? {}), counter, set])).toEqual([
        ["1", ["title"], undefined, undefined],
        ["2", ["title"], undefined, undefined],
      ]);
    });
  });

  describe("null", () => {
    const dropsBody: SyncHook = {
      beforeInboundChange: (change) => (change.field === "body" ? null : change),
      beforeOutboundChange: (change) => (change.field === "body" ? null : change),
    };
    const dropsOrders: SyncHook = {
      beforeInboundChange: ({ table, ...change }) => (table === "orders" ? null : { ...change, table }),
      beforeOutboundRead: (changes) => changes.filter(({ table }) => table !== "orders"),
    };

    test("keeps a pushed change where it was written, with the code skipped, and merges the rest of the row", async () => {
      const after: string[] = [];
      const later: SyncHook = {
        beforeInboundChange: (change) => {
          after.push(change.field);
          return change;
        },
      };
      const hub = await open("hub", { routerHooks: [dropsBody], hooks: [dropsOrders, later] });
      const edge = await open("edge", { clock: hub.clock });
      await edge.sql(`INSERT INTO documents VALUES ('1', 'title', 'body', 3, '${textsOf("a")}')`);
      await order(edge, "o");
      const [report] = await linkAs({ id: "edge" }, edge, hub).sync();
      expect(report).toMatchObject({ error: null, pushed: 2, rejected: 2 });
      expect(await hub.rows("SELECT * FROM documents")).toEqual([
        { id: "1", title: "title", body: "", view_count: 3, tags: ["a"] },
      ]);
      expect(await hub.rows("SELECT * FROM orders")).toEqual([]);
      expect(after.sort()).toEqual(["tags", "title", "view_count"]);
      expect(await edge.node.rejected()).toMatchObject([
        { sent: true, peer: "hub", table: "documents", pk: ["1"], code: "skipped", fields: ["body"] },
        { sent: true, peer: "hub", table: "orders", pk: ["o"], code: "skipped", fields: null },
      ]);
      // Not by itself again; with the next write of the row, all of it.
      expect((await linkAs({ id: "edge" }, edge, hub).sync())[0]).toMatchObject({ pushed: 0 });
      await edge.sql("UPDATE documents SET title = 'new' WHERE id = '1'");
      expect((await linkAs({ id: "edge" }, edge, hub).sync())[0]).toMatchObject({ pushed: 1, rejected: 1 });
      expect(after.filter((field) => field === "view_count")).toHaveLength(2);
    });

    test("of an own pull is no news: nothing is recorded on either side", async () => {
      const edge = await open("edge", { hooks: [dropsBody, dropsOrders] });
      const hub = await open("hub", { clock: edge.clock });
      await hub.sql("INSERT INTO documents (id, title, body) VALUES ('1', 'title', 'body')");
      await order(hub, "o");
      await linkAs({ id: "edge" }, edge, hub).sync();
      expect(await edge.rows("SELECT title, body FROM documents")).toEqual([{ title: "title", body: "" }]);
      expect(await edge.rows("SELECT id FROM orders")).toEqual([]);
      expect(await edge.node.rejected()).toEqual([]);
      expect(await hub.node.rejected()).toEqual([]);
    });

    test("keeps a change from going out, in answers as in pushes, and nothing is recorded", async () => {
      const hub = await open("hub", { hooks: [dropsOrders], routerHooks: [dropsBody] });
      await hub.sql("INSERT INTO documents (id, title, body) VALUES ('1', 'title', 'body')");
      await order(hub, "o");
      const { rows } = await pullAs(x, hub);
      expect(rows.map(({ table, lww }) => [table, Object.keys(lww ?? {})])).toEqual([["documents", ["title"]]]);
      const peer = await open("peer", { clock: hub.clock });
      await linkAs({ id: "hub" }, hub, peer).sync();
      expect(await peer.rows("SELECT title, body FROM documents")).toEqual([{ title: "title", body: "body" }]);
      expect(await peer.rows("SELECT id FROM orders")).toEqual([]);
      expect([...(await hub.node.rejected()), ...(await peer.node.rejected())]).toEqual([]);
    });

    test("for the row itself keeps it from being deleted", async () => {
      const keeps: SyncHook = { beforeInboundChange: (change) => (change.tombstone ? null : change) };
      const hub = await open("hub", { hooks: [keeps] });
      const now = hub.clock.now();
      await pushAs(x, hub, [documentOf("1", now)]);
      const deleted = { table: "documents", pk: ["1"], cl: 2, life: [now + 1, "n-x"] };
      const { outcomes } = await pushAs(x, hub, [deleted]);
      expect(outcomes).toMatchObject([{ outcome: "rejected", code: "skipped" }]);
      expect(outcomes[0]?.fields).toBeUndefined();
      expect(await titles(hub)).toEqual(["1"]);
    });
  });

  describe("are given", () => {
    /** What the hooks of every method were given. */
    interface Given {
      readonly method: string;
      readonly change: ChangeRecord;
      readonly context: HookContext;
    }
    class Notes implements SyncHook {
      readonly given: Given[] = [];
      constructor(readonly tables?: readonly string[]) {}
      beforeInboundChange(change: ChangeRecord, context: HookContext) {
        return this.#note("beforeInboundChange", change, context);
      }
      afterInboundChange(change: ChangeRecord, context: HookContext) {
        this.#note("afterInboundChange", change, context);
      }
      beforeOutboundChange(change: ChangeRecord, context: HookContext) {
        return this.#note("beforeOutboundChange", change, context);
      }
      beforeOutboundRead(changes: readonly ChangeRecord[], context: HookContext) {
        for (const change of changes) this.#note("beforeOutboundRead", change, context);
        return changes;
      }
      #note(method: string, change: ChangeRecord, context: HookContext) {
        this.given.push({ method, change, context });
        return change;
      }
      of(method: string) {
        return this.given.filter((given) => given.method === method);
      }
    }
    const methods = ["beforeInboundChange", "afterInboundChange", "beforeOutboundRead", "beforeOutboundChange"];

    test("the tables that they name, and with an instance of a class its own `this`", async () => {
      const [all, some, none] = [new Notes(), new Notes(["orders"]), new Notes([])];
      const hub = await open("hub", { hooks: [all, none], routerHooks: [some] });
      const edge = await open("edge", { clock: hub.clock });
      await insert(edge, "1");
      await order(edge, "o");
      await linkAs({ id: "edge" }, edge, hub).sync();
      await pullAs(x, hub);
      const tables = (notes: Notes, method: string) => [...new Set(notes.of(method).map(({ change }) => change.table))];
      for (const method of methods) {
        expect(tables(all, method).sort(), method).toEqual(["documents", "orders"]);
        expect(tables(some, method), method).toEqual(["orders"]);
        expect(tables(none, method), method).toEqual([]);
      }
    });

    test("one change for each field, with what was written and when, and the row itself where it was deleted or bare", async () => {
      const notes = new Notes();
      const hub = await open("hub", { hooks: [notes] });
      const now = hub.clock.now();
      const total = ["abc", "n-x", "2", "1", now + 5];
      await pushAs(x, hub, [
        documentOf("1", now, {
          lww: { title: ["t"], body: ["b", now + 3, "n-y"] },
          counter: { view_count: { birth: ["7", now, "n-x"], totals: [total as never] } },
          set: { tags: [["a", now + 2, "n-y", 0]] },
        }),
        { table: "documents", pk: ["1"], cl: 1, life: [now, "n-x"] },
        { table: "documents", pk: ["2"], cl: 2, life: [now, "n-x"] },
      ]);
      const row = { table: "documents", pk: ["1"], cl: 1 };
      expect(notes.of("beforeInboundChange").map(({ change }) => change)).toEqual([
        { ...row, field: "title", type: "lww", hlc: now, nodeId: "n-x", value: "t" },
        { ...row, field: "body", type: "lww", hlc: now + 3, nodeId: "n-y", value: "b" },
        {
          ...row,
          field: "view_count",
          type: "counter",
          hlc: now + 5,
          nodeId: "n-x",
          counter: { birth: ["7", now, "n-x"], totals: [total] },
        },
        { ...row, field: "tags", type: "set", hlc: now + 2, nodeId: "n-y", set: [["a", now + 2, "n-y", 0]] },
        { ...row, field: "", type: "row", hlc: now, nodeId: "n-x" },
        { table: "documents", pk: ["2"], cl: 2, field: "", type: "row", hlc: now, nodeId: "n-x", tombstone: true },
      ]);
    });

    test("who is at the other end: principal, peer and request; of an own syncer the peer alone", async () => {
      const [atHub, atEdge] = [new Notes(), new Notes()];
      const hub = await open("hub", { hooks: [atHub] });
      const edge = await open("edge", { clock: hub.clock, hooks: [atEdge] });
      await insert(edge, "1");
      await insert(hub, "2");
      const who = { id: "till", tenant: "acme" };
      await linkAs(who, edge, hub).sync();
      for (const method of methods) {
        const contexts = atHub.of(method).map(({ context }) => context);
        expect(contexts.length, method).toBeGreaterThan(0);
        for (const { principal, peer, request } of contexts) {
          expect([principal, peer]).toEqual([who, "edge"]);
          expect(request?.headers.get("authorization")).toContain("acme");
          expect(request?.method).toBe("POST");
        }
        const own = atEdge.of(method).map(({ context }) => context);
        expect(own.length, method).toBeGreaterThan(0);
        for (const { principal, peer, request } of own)
          expect([principal, peer, request]).toEqual([undefined, "hub", undefined]);
      }
    });

    test("what decodes key and value to what the driver has, by the properties of the table", async () => {
      const notes = new Notes();
      const hub = await open("hub", { hooks: [notes] });
      await order(hub, "o", "n");
      await hub.sql("INSERT INTO inventory (store, sku, name, quantity) VALUES ('s', 'k', 'N', 3)");
      await pullAs(x, hub);
      const decoded = Object.fromEntries(
        notes
          .of("beforeOutboundChange")
          .map(({ change, context }) => [`${change.table}.${change.field}`, context.decode(change)]),
      );
      expect(decoded).toMatchObject({
        "orders.note": { id: "o", note: "n" },
        "inventory.name": { store: "s", sku: "k", name: "N" },
        // No value: what was counted stands in the change.
        "inventory.quantity": { store: "s", sku: "k" },
      });
      expect(Object.keys(decoded["inventory.quantity"] ?? {})).toEqual(["store", "sku"]);
      expect(Object.keys(decoded["orders.placed_at"] ?? {})).toEqual(["id", "placedAt"]);
    });

    test("no change of a table or a shape that is none of the node's: the store says what is wrong with it", async () => {
      const notes = new Notes();
      const hub = await open("hub", { hooks: [notes] });
      const { outcomes } = await pushAs(x, hub, [
        { ...documentOf("1", hub.clock.now()), table: "strangers" },
        { table: "documents" },
        documentOf("2", hub.clock.now()),
      ]);
      expect(outcomes.map(({ outcome, code }) => code ?? outcome)).toEqual(["unknown_table", "bad_change", "applied"]);
      expect(new Set(notes.given.map(({ change }) => change.pk[0]))).toEqual(new Set(["2"]));
    });
  });
});
