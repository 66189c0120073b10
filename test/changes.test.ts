// node.changes(): what is written in a node's tables, by whomever, as it becomes known; for a page that redraws.
import type { TableEvent } from "grove-crdt";
import { afterEach, expect, test } from "vitest";
import { describeOnEach } from "./support/dialects";
import { sync } from "./support/network";
import type { TestNode } from "./support/node";
import { pause, until } from "./support/streams";

const open: AbortController[] = [];
afterEach(() => {
  for (const controller of open.splice(0)) controller.abort();
});

/** Gathers what a loop over the changes is given. */
function listen(node: TestNode, tables?: readonly string[]) {
  const controller = new AbortController();
  open.push(controller);
  const events: TableEvent[] = [];
  const changes = node.node.changes({ tables, signal: controller.signal });
  const done = (async () => {
    for await (const event of changes) events.push(event);
  })();
  // A test that fails closes its database under the loop.
  done.catch(() => {});
  return { events, done, stop: () => controller.abort() };
}

const insert = (node: TestNode, id: string) => node.sql("INSERT INTO documents (id, title) VALUES (?, 't')", id);

describeOnEach("changes", ({ dialect, openNode, openNodes }) => {
  test("tell of a local insert, update and delete: which row, which columns, by this node", async () => {
    const node = await openNode("a");
    const { events } = listen(node);
    const event = { table: "documents", pk: ["1"], origin: "a", deleted: false };
    await insert(node, "1");
    await until(() => events.length > 0);
    expect(events).toEqual([{ ...event, fields: ["title", "body", "view_count", "tags"] }]);
    await node.sql("UPDATE documents SET body = 'b', view_count = view_count + 1");
    await until(() => events.length > 1);
    expect(events[1]).toEqual({ ...event, fields: ["body", "view_count"] });
    await node.sql(`UPDATE documents SET tags = ${dialect.append("tags", "?")}`, "x");
    await until(() => events.length > 2);
    expect(events[2]).toEqual({ ...event, fields: ["tags"] });
    await node.sql("DELETE FROM documents");
    await until(() => events.length > 3);
    expect(events[3]).toEqual({ ...event, fields: [], deleted: true });
  });

  test("tell of what a merge brought, by the node that wrote it", async () => {
    const [a, b] = (await openNodes(["a", "b"])) as [TestNode, TestNode];
    await insert(a, "1");
    await sync(a, b);
    const { events } = listen(b);
    await pause(50);
    await a.sql("UPDATE documents SET title = 'of a'");
    await sync(a, b);
    await until(() => events.length > 0);
    expect(events).toEqual([{ table: "documents", pk: ["1"], fields: ["title"], origin: "a", deleted: false }]);
  });

  test("keep apart who wrote what in one row", async () => {
    const [a, b] = (await openNodes(["a", "b"])) as [TestNode, TestNode];
    await insert(a, "1");
    await sync(a, b);
    const { events } = listen(b);
    await a.sql("UPDATE documents SET title = 'of a'");
    await b.sql(`UPDATE documents SET body = 'of b', tags = ${dialect.append("tags", "?")}`, "of b");
    await sync(a, b);
    await until(() => events.length >= 2);
    expect(events.map(({ origin, fields }) => [origin, ...fields]).sort()).toEqual([
      ["a", "title"],
      ["b", "body", "tags"],
    ]);
  });

  test("of a counter that others count in, tell of those who counted, and of nobody who wrote its default", async () => {
    const [a, b] = (await openNodes(["a", "b"])) as [TestNode, TestNode];
    await insert(a, "1");
    await sync(a, b);
    const { events } = listen(a);
    await pause(50);
    await b.sql("UPDATE documents SET view_count = view_count + 1");
    await sync(a, b);
    await until(() => events.length > 0);
    await pause(50);
    const event = { table: "documents", pk: ["1"], origin: "b", deleted: false };
    expect(events.filter(({ fields }) => fields.length < 4)).toEqual([{ ...event, fields: ["view_count"] }]);
  });

  test("begin when they are asked for, and leave out what was there before", async () => {
    const node = await openNode("a");
    await insert(node, "before");
    await node.node.fold();
    const changes = node.node.changes();
    await pause(50);
    await insert(node, "between");
    // Numbered as well: it is older than whatever begins now.
    await node.node.fold();
    const iterator = changes[Symbol.asyncIterator]();
    expect(await iterator.next()).toMatchObject({ value: { pk: ["between"] } });
    await iterator.return?.();
  });

  test("of the tables that were asked for; unknown ones are refused", async () => {
    const node = await openNode("a");
    const { events } = listen(node, ["inventory"]);
    await insert(node, "1");
    await node.sql("INSERT INTO inventory (store, sku, name) VALUES ('s', 'tea', 'Tea')");
    await until(() => events.length > 0);
    expect(events).toMatchObject([{ table: "inventory", pk: ["s", "tea"] }]);
    expect(() => node.node.changes({ tables: ["nope"] })).toThrow(expect.objectContaining({ code: "unknown_table" }));
  });

  test("end with the signal, also while nothing is written", async () => {
    const node = await openNode("a");
    const { done, stop } = listen(node);
    await pause(20);
    stop();
    await done;
    // Nor do they begin with one that has aborted before.
    for await (const _ of node.node.changes({ signal: AbortSignal.abort() }));
  });

  test("lose nothing when the loop is slow: the writes to a row come together", async () => {
    const node = await openNode("a");
    const seen: TableEvent[] = [];
    const controller = new AbortController();
    open.push(controller);
    const loop = (async () => {
      for await (const event of node.node.changes({ signal: controller.signal })) {
        seen.push(event);
        await pause(60);
      }
    })();
    await pause(20);
    for (let n = 0; n < 10; n++) {
      await insert(node, `d${n}`);
      await node.sql("UPDATE documents SET body = ? WHERE id = ?", `b${n}`, `d${n}`);
      await pause(5);
    }
    await until(() => new Set(seen.map(({ pk }) => pk[0])).size === 10);
    expect(seen.length).toBeLessThanOrEqual(20);
    controller.abort();
    await loop;
  });
});
