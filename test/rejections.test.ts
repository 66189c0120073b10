// Refused writes (fault 57): kept at their origin with the code, seen in the status, taken back or sent again when somebody says
// so, and nothing else is held up by them.
import type { RowChange } from "@grove-crdt/core";
import { GroveError, type SyncHook } from "grove-crdt";
import { counter, fixed, lww, set } from "grove-crdt/schema";
import { beforeAll, describe, expect, test } from "vitest";
import { authenticate, linkAs, type Who } from "./support/callers";
import { expectEqual } from "./support/comparison";
import { describeOnEach } from "./support/dialects";
import type { RouterSettings, TestNode } from "./support/node";
import type { TestSchema } from "./support/schemas";

describeOnEach("refused writes (fault 57)", ({ dialect, openNode, makeSchema }) => {
  let schema: TestSchema;
  beforeAll(async () => {
    const { table, text, integer, texts } = dialect;
    const parents = table("parents", {
      id: text("id").primaryKey(),
      name: lww(text("name").notNull().default("")),
    });
    schema = await makeSchema({
      parents,
      items: table("items", {
        id: text("id").primaryKey(),
        tenantId: fixed(text("tenant_id").notNull()),
        name: lww(text("name").notNull().default("")),
        note: lww(text("note")),
        price: lww(integer("price").notNull().default(0)),
        stock: counter(integer("stock").notNull().default(0)),
        tags: set(texts("tags").notNull().default([])),
        parent: lww(text("parent").references(() => parents.id, { onDelete: "cascade" })),
      }),
    });
  });

  const who: Who = { id: "till" };
  /** The hub takes no price above 100, no more than 10 in stock at a time, no tag "bad", and no deletion. */
  class Rules implements SyncHook {
    open = false;
    beforeInboundChange(change: Parameters<NonNullable<SyncHook["beforeInboundChange"]>>[0]) {
      if (this.open) return change;
      if (change.field === "price" && Number(change.value) > 100) throw new GroveError("bad_value", "too dear");
      if (change.field === "stock" && (change.counter?.totals ?? []).some(([, , up]) => Number(up) > 10))
        throw new GroveError("bad_value", "too many");
      if (change.field === "tags" && (change.set ?? []).some(([element]) => element === "bad")) return null;
      if (change.tombstone) throw new GroveError("forbidden", "stays");
      return change;
    }
  }
  async function setUp(router: RouterSettings = {}) {
    const rules = new Rules();
    const settings = { ...schema, router: { authenticate: authenticate as never, mayRelay: () => false, ...router } };
    const hub = await openNode("hub", { ...settings, hooks: [rules] });
    const edge = await openNode("edge", { ...schema, clock: hub.clock });
    const syncer = linkAs(who, edge, hub);
    const sync = async () => {
      const [report] = await syncer.sync();
      expect(report?.error).toBeNull();
      return report;
    };
    return { hub, edge, rules, syncer, sync };
  }
  const item = (node: TestNode, id: string, price = 1) =>
    node.sql("INSERT INTO items (id, tenant_id, name, price, stock) VALUES (?, 'a', ?, ?, 5)", id, id, price);
  const items = async (node: TestNode) =>
    (await node.rows("SELECT id, name, note, price, stock, tags FROM items ORDER BY id")) as Record<string, unknown>[];

  describe("are kept", () => {
    test("with code, columns and time, while the rest of the row and of the page flows", async () => {
      const { hub, edge, syncer, sync } = await setUp();
      for (const id of ["1", "2", "3"]) await item(edge, id);
      await sync();
      await edge.sql("UPDATE items SET price = 500, note = 'fine' WHERE id = '2'");
      await edge.sql("UPDATE items SET name = 'three' WHERE id = '3'");
      expect(await sync()).toMatchObject({ pushed: 2, rejected: 1, applied: 1 });
      expect((await items(hub)).map(({ name, note, price }) => [name, note, price])).toEqual([
        ["1", null, 1],
        ["2", "fine", 1],
        ["three", null, 1],
      ]);
      const [kept, ...others] = await edge.node.rejected();
      expect(others).toEqual([]);
      expect(kept).toEqual({
        id: expect.any(Number),
        peer: "hub",
        sent: true,
        table: "items",
        pk: ["2"],
        fields: ["price"],
        code: "bad_value",
        message: "too dear",
        at: hub.clock.now(),
      });
      expect(await syncer.status()).toMatchObject([{ rejected: 1, lastError: null, pending: { rows: 0 } }]);
      // Never again by itself, and over a restart of the syncer.
      expect(await sync()).toMatchObject({ pushed: 0 });
      expect((await linkAs(who, edge, hub).sync())[0]).toMatchObject({ pushed: 0, rejected: 0 });
      expect((await edge.node.rejected()).length).toBe(1);
    });

    test("until the row is written anew and taken", async () => {
      const { hub, edge, sync } = await setUp();
      await item(edge, "1", 500);
      expect(await sync()).toMatchObject({ rejected: 1 });
      await edge.sql("UPDATE items SET price = 50 WHERE id = '1'");
      expect(await sync()).toMatchObject({ applied: 1, rejected: 0 });
      expect(await edge.node.rejected()).toEqual([]);
      await expectEqual(hub, edge);
    });

    test("what a hook skips, too: the peer has not got it", async () => {
      const { edge, sync } = await setUp();
      await item(edge, "1");
      await edge.sql("UPDATE items SET tags = ? WHERE id = '1'", dialect.textsOf("bad"));
      expect(await sync()).toMatchObject({ rejected: 1 });
      expect(await edge.node.rejected()).toMatchObject([{ code: "skipped", pk: ["1"] }]);
    });
  });

  describe("retry", () => {
    test("sends a row again, once the peer may take it", async () => {
      const { hub, edge, rules, sync } = await setUp();
      await item(edge, "1", 500);
      await item(edge, "2", 500);
      await sync();
      const [first, second] = await edge.node.rejected();
      await edge.node.retry(first?.id as number);
      expect(await sync()).toMatchObject({ pushed: 1, rejected: 1 });
      expect((await edge.node.rejected()).length).toBe(2);
      rules.open = true;
      await edge.node.retry(second?.id as number);
      expect(await sync()).toMatchObject({ pushed: 1, applied: 1, rejected: 0 });
      expect(await edge.node.rejected()).toMatchObject([{ pk: ["1"] }]);
      const [rest] = await edge.node.rejected();
      await edge.node.retry(rest?.id as number);
      await sync();
      expect(await edge.node.rejected()).toEqual([]);
      await expectEqual(hub, edge);
    });

    test("merges a peer's change that was rejected here", async () => {
      const { hub, edge } = await setUp();
      let open = false;
      const hook: SyncHook = {
        beforeInboundChange: (change) => {
          if (!open && change.field === "name") throw new Error("not yet");
          return change;
        },
      };
      const strict = await openNode("strict", { ...schema, clock: edge.clock, hooks: [hook], onHookError: () => {} });
      await item(hub, "1");
      const syncer = linkAs({ id: "strict" }, strict, hub);
      expect(await syncer.sync()).toMatchObject([{ rejected: 1, error: null }]);
      expect(await strict.row("SELECT name, price FROM items")).toEqual({ name: "", price: 1 });
      const [kept] = await strict.node.rejected();
      expect(kept).toMatchObject({ sent: false, peer: "hub", code: "hook_failed", fields: ["name"] });
      open = true;
      await strict.node.retry(kept?.id as number);
      expect(await strict.row("SELECT name FROM items")).toEqual({ name: "1" });
      expect(await strict.node.rejected()).toEqual([]);
      await expectEqual(hub, strict);
      expect(await syncer.sync()).toMatchObject([{ pulled: 0, pushed: 0 }]);
    });
  });

  describe("revert", () => {
    const revertAll = async (node: TestNode) => {
      for (const { id } of await node.node.rejected()) await node.node.revert(id);
      expect(await node.node.rejected()).toEqual([]);
    };

    test("takes the peer's value of the columns that it rejected, and leaves what was written since", async () => {
      const { hub, edge, sync } = await setUp();
      await item(edge, "1");
      await sync();
      await edge.sql("UPDATE items SET price = 500, name = 'mine' WHERE id = '1'");
      await sync();
      await edge.sql("UPDATE items SET note = 'unsent' WHERE id = '1'");
      await hub.sql("UPDATE items SET name = 'theirs' WHERE id = '1'");
      await revertAll(edge);
      expect(await items(edge)).toMatchObject([{ price: 1, note: "unsent", name: "theirs" }]);
      expect(await sync()).toMatchObject({ rejected: 0 });
      expect(await items(hub)).toMatchObject([{ price: 1, note: "unsent", name: "theirs" }]);
      await expectEqual(hub, edge);
      // And the next write wins again.
      await edge.sql("UPDATE items SET price = 2 WHERE id = '1'");
      await sync();
      expect(await items(hub)).toMatchObject([{ price: 2 }]);
    });

    test("of a count: what was counted since counts, and no increment is lost or counted twice", async () => {
      const { hub, edge, sync } = await setUp();
      await item(edge, "1");
      await sync();
      await edge.sql("UPDATE items SET stock = stock + 4 WHERE id = '1'");
      await sync();
      await edge.sql("UPDATE items SET stock = stock + 20 WHERE id = '1'");
      expect(await sync()).toMatchObject({ rejected: 1 });
      await edge.sql("UPDATE items SET stock = stock + 3 WHERE id = '1'");
      await hub.sql("UPDATE items SET stock = stock + 100 WHERE id = '1'");
      await revertAll(edge);
      expect(await items(edge)).toMatchObject([{ stock: 112 }]);
      await edge.sql("UPDATE items SET stock = stock + 1 WHERE id = '1'");
      expect(await sync()).toMatchObject({ rejected: 0 });
      for (const node of [hub, edge]) expect(await items(node)).toMatchObject([{ stock: 113 }]);
      await expectEqual(hub, edge);
    });

    test("of a set: elements that were rejected go, those that were taken out come back", async () => {
      const { hub, edge, rules, sync } = await setUp();
      await item(edge, "1");
      await edge.sql("UPDATE items SET tags = ? WHERE id = '1'", dialect.textsOf("a", "b"));
      await sync();
      await edge.sql("UPDATE items SET tags = ? WHERE id = '1'", dialect.textsOf("b", "bad"));
      await sync();
      expect(await edge.node.rejected()).toMatchObject([{ code: "skipped" }]);
      await revertAll(edge);
      expect(await items(edge)).toMatchObject([{ tags: ["a", "b"] }]);
      rules.open = true;
      await edge.sql("UPDATE items SET tags = ? WHERE id = '1'", dialect.textsOf("b", "bad"));
      await sync();
      expect(await items(hub)).toMatchObject([{ tags: ["b", "bad"] }]);
      await expectEqual(hub, edge);
    });

    test("of a deletion: the row is back, with everything, also what another one wrote meanwhile", async () => {
      const { hub, edge, sync } = await setUp();
      await item(edge, "1");
      await edge.sql("UPDATE items SET tags = ? WHERE id = '1'", dialect.textsOf("a"));
      await sync();
      await edge.sql("DELETE FROM items WHERE id = '1'");
      expect(await sync()).toMatchObject({ rejected: 1 });
      await hub.sql("UPDATE items SET note = 'still here', stock = stock + 1 WHERE id = '1'");
      await sync();
      expect(await items(edge)).toEqual([]);
      await revertAll(edge);
      expect(await items(edge)).toMatchObject([{ id: "1", note: "still here", stock: 6, tags: ["a"] }]);
      await expectEqual(hub, edge);
      await edge.sql("UPDATE items SET name = 'alive' WHERE id = '1'");
      await sync();
      expect(await items(hub)).toMatchObject([{ name: "alive" }]);
    });

    test("of a row that the peer does not have: it goes, and its key is free, here and there", async () => {
      const scope = { items: (() => ({ tenantId: "a" })) as never };
      const { hub, edge, sync } = await setUp({ scope });
      await edge.sql("INSERT INTO items (id, tenant_id, name) VALUES ('1', 'b', 'foreign')");
      expect(await sync()).toMatchObject({ rejected: 1 });
      await edge.sql("UPDATE items SET note = 'more' WHERE id = '1'");
      await sync();
      expect(await edge.node.rejected()).toMatchObject([{ code: "forbidden", fields: null }]);
      await revertAll(edge);
      expect(await items(edge)).toEqual([]);
      expect(await edge.node.inspect("items", ["1"])).toBeNull();
      expect(await sync()).toMatchObject({ pushed: 0 });
      await item(hub, "1");
      await sync();
      expect(await items(edge)).toMatchObject([{ id: "1", name: "1" }]);
      await expectEqual(hub, edge);
    });

    test("of a row inserted again after its deletion: it is as dead as the peer says", async () => {
      const { hub, edge, rules, sync } = await setUp();
      await item(edge, "1");
      await sync();
      rules.open = true;
      await hub.sql("DELETE FROM items WHERE id = '1'");
      await sync();
      rules.open = false;
      await edge.sql("INSERT INTO items (id, tenant_id, price) VALUES ('1', 'a', 500)");
      expect(await sync()).toMatchObject({ rejected: 1 });
      // The price alone was rejected: the row lives again at the peer, at its default.
      await revertAll(edge);
      expect(await items(edge)).toMatchObject([{ id: "1", price: 0 }]);
      await expectEqual(hub, edge);
    });

    test("shows and hides rows that refer to it as ever", async () => {
      const { hub, edge, sync } = await setUp();
      await hub.sql("INSERT INTO parents (id, name) VALUES ('p', 'parent')");
      await item(hub, "1");
      await hub.sql("UPDATE items SET parent = 'p' WHERE id = '1'");
      await sync();
      await edge.sql("DELETE FROM parents WHERE id = 'p'");
      await sync();
      expect(await items(edge)).toEqual([]);
      expect((await edge.node.rejected()).map(({ table }) => table).sort()).toEqual(["items", "parents"]);
      await revertAll(edge);
      expect(await items(edge)).toMatchObject([{ id: "1" }]);
      await expectEqual(hub, edge);
    });

    test("of what a third node has heard from here does not reach that one, and a later write settles it", async () => {
      const { hub, edge, sync } = await setUp();
      const third = await openNode("third", { ...schema, clock: hub.clock });
      await item(edge, "1");
      await sync();
      await edge.sql("UPDATE items SET price = 500 WHERE id = '1'");
      await sync();
      await linkAs({ id: "third" }, third, { app: edge.app })
        .sync()
        .catch(() => {});
      await third.node.merge("edge", (await edge.node.pull({ protocol: 1, node: "third", cursor: null })).rows);
      await revertAll(edge);
      expect(await third.row("SELECT price FROM items")).toEqual({ price: 500 });
      await edge.sql("UPDATE items SET price = 3 WHERE id = '1'");
      await sync();
      await third.node.merge("edge", (await edge.node.pull({ protocol: 1, node: "third", cursor: null })).rows);
      for (const node of [hub, edge, third]) expect(await node.row("SELECT price FROM items")).toEqual({ price: 3 });
    });

    test("of a count that a third node has heard of: it comes back from there, and no later count is lost in it", async () => {
      const { hub, edge, sync } = await setUp();
      const third = await openNode("third", { ...schema, clock: hub.clock });
      const exchange = async () => {
        for (const [from, to] of [
          [edge, third],
          [third, edge],
        ] as const) {
          const { rows } = await from.node.pull({ protocol: 1, node: to.id, cursor: null });
          await to.node.merge(from.id, rows);
        }
      };
      await item(edge, "1");
      await sync();
      await edge.sql("UPDATE items SET stock = stock + 20 WHERE id = '1'");
      expect(await sync()).toMatchObject({ rejected: 1 });
      await exchange();
      expect(await third.row("SELECT stock FROM items")).toEqual({ stock: 25 });
      await revertAll(edge);
      expect(await edge.row("SELECT stock FROM items")).toEqual({ stock: 5 });
      await edge.sql("UPDATE items SET stock = stock + 1 WHERE id = '1'");
      await sync();
      expect(await hub.row("SELECT stock FROM items")).toEqual({ stock: 6 });
      await exchange();
      for (const node of [edge, third]) expect(await node.row("SELECT stock FROM items")).toEqual({ stock: 26 });
    });

    test("says what it needs: a peer that was met, a change that is there", async () => {
      const { hub, edge, sync } = await setUp();
      await item(edge, "1", 500);
      await sync();
      const [{ id } = { id: 0 }] = await edge.node.rejected();
      for (const method of ["revert", "retry"] as const)
        await expect(edge.node[method](id + 999)).rejects.toMatchObject({ code: "no_rejection" });
      const alone = await openNode("edge2", { ...schema, clock: hub.clock });
      await item(alone, "2", 500);
      const change = (await alone.node.inspect("items", ["2"])) as RowChange;
      const outcome = { outcome: "rejected", code: "bad_value", message: "no" } as const;
      await alone.node.store.settleRejections("elsewhere", true, [change], [outcome]);
      const [kept] = await alone.node.rejected();
      await expect(alone.node.revert(kept?.id as number)).rejects.toMatchObject({ code: "not_connected" });
      expect((await alone.node.rejected()).length).toBe(1);
    });
  });
});
