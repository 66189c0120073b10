// Values that hooks change. Inbound they count as written here, just after the original, so that all nodes end with them;
// outbound they are worth less than the original, wherever the two meet.

import type { SyncHook } from "grove-crdt";
import { fixed, lww } from "grove-crdt/schema";
import { beforeAll, describe, expect, test } from "vitest";
import { linkAs, pullAs, pushAs } from "./support/callers";
import { expectEqual } from "./support/comparison";
import { describeOnEach } from "./support/dialects";
import { documentOf, type Hooked, openHooked, withValue, x } from "./support/hooks";
import type { TestNode } from "./support/node";
import type { TestSchema } from "./support/schemas";

describeOnEach("a value that a hook changes", (suite) => {
  const open = (id: string, settings?: Hooked) => openHooked(suite, id, settings);
  const insert = (node: TestNode, id: string, title: string) =>
    node.sql("INSERT INTO documents (id, title, body) VALUES (?, ?, 'body')", id, title);
  const titles = async (...nodes: TestNode[]) =>
    Promise.all(nodes.map(async (node) => (await node.row<{ title: string }>("SELECT title FROM documents"))?.title));
  const on = (field: string, value: (old: unknown) => unknown) => (change: never) =>
    (change as { field: string }).field === field ? (withValue(change, value as never) as never) : change;
  const trims: SyncHook = { beforeInboundChange: on("title", (old) => String(old).trim()) };
  const masks: SyncHook = { beforeOutboundChange: on("title", () => "***") };
  const who = (id: string) => ({ id });

  describe("inbound", () => {
    test("is what hub, sender and a third node end with, in the tables as in the metadata", async () => {
      const hub = await open("hub", { hooks: [trims] });
      const [edge, third] = [await open("edge", { clock: hub.clock }), await open("third", { clock: hub.clock })];
      await insert(edge, "1", " title ");
      await linkAs(who("edge"), edge, hub).sync();
      expect(await titles(hub, edge)).toEqual(["title", " title "]);
      await linkAs(who("third"), third, hub).sync();
      const [back] = await linkAs(who("edge"), edge, hub).sync();
      expect(back).toMatchObject({ pulled: 1, pushed: 0, error: null });
      expect(await titles(hub, edge, third)).toEqual(["title", "title", "title"]);
      await expectEqual(hub, edge, third);
      expect([...(await edge.node.rejected()), ...(await hub.node.rejected())]).toEqual([]);
      // And then there is rest.
      for (const node of [edge, third])
        expect((await linkAs(who(node.id), node, hub).sync())[0]).toMatchObject({ pulled: 0, pushed: 0 });
      await edge.sql("UPDATE documents SET title = ' later '");
      await linkAs(who("edge"), edge, hub).sync();
      await linkAs(who("edge"), edge, hub).sync();
      await linkAs(who("third"), third, hub).sync();
      expect(await titles(hub, edge, third)).toEqual(["later", "later", "later"]);
      await expectEqual(hub, edge, third);
    });

    test("comes again after a lost answer and overwrites nothing that was written since", async () => {
      const hub = await open("hub", { hooks: [trims] });
      const row = documentOf("1", hub.clock.now(), { title: " title " });
      expect((await pushAs(x, hub, [row])).outcomes).toEqual([{ outcome: "applied" }]);
      const state = await hub.node.inspect("documents", ["1"]);
      expect((await pushAs(x, hub, [row])).outcomes).toEqual([{ outcome: "superseded" }]);
      expect(await hub.node.inspect("documents", ["1"])).toEqual(state);
      hub.clock.advance(1);
      await hub.sql("UPDATE documents SET title = 'written here'");
      await pushAs(x, hub, [row]);
      expect(await titles(hub)).toEqual(["written here"]);
      hub.clock.advance(1);
      await pushAs(x, hub, [{ ...row, lww: { title: [" newer ", hub.clock.now(), "n-x"] } }]);
      expect(await titles(hub)).toEqual(["newer"]);
    });

    test("while pulling, is this node's, and the peer hears of it", async () => {
      const hub = await open("hub");
      const edge = await open("edge", { clock: hub.clock, hooks: [trims] });
      await insert(hub, "1", " pulled ");
      for (let n = 0; n < 3; n++) await linkAs(who("edge"), edge, hub).sync();
      expect(await titles(edge, hub)).toEqual(["pulled", "pulled"]);
      await expectEqual(edge, hub);
      expect((await hub.node.inspect("documents", ["1"]))?.lww?.title?.[2]).toBe("edge");
    });

    test("that the column cannot hold is rejected, the rest of the row and after-hooks' news are right", async () => {
      const seen: string[] = [];
      const hub = await open("hub", {
        hooks: [
          { beforeInboundChange: on("title", () => 5) },
          { beforeInboundChange: on("body", (old) => `${old}!`) },
          { afterInboundChange: ({ field, value, nodeId }) => void seen.push(`${field}=${value} by ${nodeId}`) },
        ],
      });
      const now = hub.clock.now();
      const { outcomes } = await pushAs(x, hub, [documentOf("1", now, { body: "b" })]);
      expect(outcomes).toMatchObject([{ outcome: "rejected", code: "hook_failed" }]);
      expect(outcomes[0]?.fields).toContain("title");
      expect(seen.some((line) => line.startsWith("title"))).toBe(false);
    });

    test("is what after-hooks are told, as written by this node", async () => {
      const seen: unknown[] = [];
      const hub = await open("hub", {
        hooks: [
          trims,
          { afterInboundChange: ({ field, value, nodeId, hlc }) => void seen.push([field, value, nodeId, hlc]) },
        ],
      });
      const now = hub.clock.now();
      await pushAs(x, hub, [{ ...documentOf("1", now, { title: " t " }), counter: {}, set: {} }]);
      expect(seen).toEqual([
        ["title", "t", "hub", now + 1],
        ["body", "", "n-x", now],
      ]);
    });
  });

  describe("inbound, in a row that the sender may not write", () => {
    let schema: TestSchema;
    beforeAll(async () => {
      const { table, text } = suite.dialect;
      schema = await suite.makeSchema({
        notes: table("notes", {
          id: text("id").primaryKey(),
          tenantId: fixed(text("tenant_id").notNull()),
          title: lww(text("title").notNull().default("")),
          grade: lww(text("grade")),
        }),
      });
    });
    const loud: SyncHook = {
      beforeInboundChange: (change) =>
        ["title", "grade"].includes(change.field) ? withValue(change, (old) => `${old}!`) : change,
    };
    const note = (hlc: number, lww: object, node = "n-x") => ({
      table: "notes",
      pk: ["1"],
      cl: 1,
      life: [hlc, node],
      lww,
    });
    const restricted = (rules: object) => open("hub", { ...schema, hooks: [loud], router: rules as never });

    test("is not merged either: of another tenant", async () => {
      const hub = await restricted({ scope: { notes: ({ id }: { id: string }) => ({ tenantId: id }) } });
      const now = hub.clock.now();
      await hub.sql("INSERT INTO notes (id, tenant_id, title, grade) VALUES ('1', 'other', 'theirs', 'A')");
      const before = await hub.node.inspect("notes", ["1"]);
      const life = before?.life as [number, string];
      for (const row of [
        { ...note(now + 9, { title: ["mine", now + 9, "n-x"] }), life },
        note(now + 9, { tenant_id: ["x"], title: ["mine"], grade: ["Z"] }),
      ])
        expect((await pushAs(x, hub, [row])).outcomes).toMatchObject([{ outcome: "rejected", code: "forbidden" }]);
      expect(await hub.node.inspect("notes", ["1"])).toEqual(before);
    });

    test("is not merged either: a column that it may not write, a change that another node made", async () => {
      const hub = await restricted({ fields: { notes: () => ["tenantId", "title"] } });
      const now = hub.clock.now();
      const row = note(now, { tenant_id: ["x"], title: ["t"], grade: ["Z"] });
      expect((await pushAs(x, hub, [row])).outcomes).toMatchObject([
        { outcome: "rejected", code: "forbidden", fields: ["grade"] },
      ]);
      expect(await hub.rows("SELECT title, grade FROM notes")).toEqual([{ title: "t!", grade: null }]);
    });

    test("is not merged when anything else of the row is no good", async () => {
      const hub = await restricted({});
      const row = note(hub.clock.now(), { tenant_id: [5], title: ["t"] });
      expect((await pushAs(x, hub, [row])).outcomes).toMatchObject([{ outcome: "rejected", code: "bad_value" }]);
      expect(await hub.node.inspect("notes", ["1"])).toBeNull();
    });
  });

  describe("outbound", () => {
    test("is what the reader sees; the original stays here, also after the reader has sent all that it has", async () => {
      const hub = await open("hub", { routerHooks: [masks] });
      const reader = await open("reader", { clock: hub.clock });
      await insert(hub, "1", "secret");
      await linkAs(who("reader"), reader, hub).sync();
      expect(await titles(hub, reader)).toEqual(["secret", "***"]);
      const { rows } = await reader.node.pull({ protocol: 1, node: "stranger", cursor: null });
      await pushAs(who("reader"), hub, rows, { node: "reader" });
      expect(await titles(hub)).toEqual(["secret"]);
      // A full exchange through another node that got it from the reader.
      const beyond = await open("beyond", { clock: hub.clock });
      await linkAs(who("beyond"), beyond, reader).sync();
      await hub.node.merge("beyond", (await beyond.node.pull({ protocol: 1, node: "stranger", cursor: null })).rows);
      expect(await titles(hub, reader, beyond)).toEqual(["secret", "***", "***"]);
    });

    test("gives way to the original once the reader may see it", async () => {
      let masked = true;
      const hub = await open("hub", {
        routerHooks: [
          { beforeOutboundChange: (change) => (masked ? on("title", () => "***")(change as never) : change) },
        ],
      });
      const reader = await open("reader", { clock: hub.clock });
      await insert(hub, "1", "secret");
      await linkAs(who("reader"), reader, hub).sync();
      masked = false;
      // From the start, as after a reset.
      const { rows } = await pullAs(who("reader"), hub, { node: "reader-2" });
      await reader.node.merge("hub", rows);
      expect(await titles(reader)).toEqual(["secret"]);
      await expectEqual(hub, reader);
    });

    test("goes on to what is written later, and what the reader writes wins as ever", async () => {
      const hub = await open("hub", { routerHooks: [masks] });
      const reader = await open("reader", { clock: hub.clock });
      await insert(hub, "1", "secret");
      await linkAs(who("reader"), reader, hub).sync();
      hub.clock.advance(1);
      await reader.sql("UPDATE documents SET title = 'by the reader'");
      await linkAs(who("reader"), reader, hub).sync();
      expect(await titles(hub, reader)).toEqual(["by the reader", "by the reader"]);
      hub.clock.advance(1);
      await hub.sql("UPDATE documents SET title = 'new secret'");
      await linkAs(who("reader"), reader, hub).sync();
      expect(await titles(hub, reader)).toEqual(["new secret", "***"]);
    });

    test("is not possible for what was there before capture: that field fails, the rest goes", async () => {
      const hub = await open("hub", {
        before: ["INSERT INTO documents (id, title, body) VALUES ('1', 'old', 'body')"],
        routerHooks: [masks],
      });
      const { rows } = await pullAs(x, hub);
      expect(rows.map(({ lww }) => lww)).toEqual([{ body: ["body"] }]);
      expect(await hub.node.rejected()).toMatchObject([
        { sent: true, pk: ["1"], fields: ["title"], code: "hook_failed" },
      ]);
      await hub.sql("UPDATE documents SET title = 'new'");
      const [row] = (await pullAs(x, hub)).rows;
      expect(row?.lww?.title?.[0]).toBe("***");
    });

    test("with the syncer's push, by the node's own hooks", async () => {
      const edge = await open("edge", { hooks: [masks] });
      const hub = await open("hub", { clock: edge.clock });
      await insert(edge, "1", "secret");
      for (let n = 0; n < 3; n++) await linkAs(who("edge"), edge, hub).sync();
      expect(await titles(edge, hub)).toEqual(["secret", "***"]);
      expect(await edge.node.rejected()).toEqual([]);
    });
  });
});
