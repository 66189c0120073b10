// A row as people are told of it: who wrote what and when, column by column, and what a merged value is made of.
import { createNode } from "grove-crdt";
import { expect, test } from "vitest";
import { describeOnEach } from "./support/dialects";
import { sync } from "./support/network";
import type { TestNode } from "./support/node";

describeOnEach("node.explain()", ({ dialect, openNode, openNodes }) => {
  const field = async (node: TestNode, table: string, pk: readonly string[], name: string) =>
    (await node.node.explain(table, pk))?.fields.find((one) => one.field === name);

  test("says who wrote each column and when, in the order of the schema", async () => {
    const [hub, edge] = (await openNodes(["hub", "edge"])) as [TestNode, TestNode];
    await hub.sql("INSERT INTO documents (id, title) VALUES ('a', 'first')");
    await hub.node.fold();
    const inserted = hub.clock.now();
    await sync(edge, hub);
    edge.clock.advance(60_000);
    await edge.sql("UPDATE documents SET title = 'second', view_count = view_count + 3 WHERE id = 'a'");
    await edge.node.fold();
    const row = await edge.node.explain("documents", ["a"]);
    expect(row).toMatchObject({ table: "documents", pk: ["a"], lives: true, life: 1, unfolded: 0, parked: null });
    expect(row?.fields.map(({ field, type }) => `${field} ${type}`)).toEqual([
      "title lww",
      "body lww",
      "view_count counter",
      "tags set",
    ]);
    expect(row?.written.node).toBe("hub");
    const [title, body] = row?.fields ?? [];
    expect(title).toMatchObject({ value: "second", known: true, written: { node: "edge" } });
    expect(title?.written.at).toBeGreaterThanOrEqual(inserted + 60_000_000);
    expect(body).toMatchObject({ value: "", written: row?.written });
  });

  test("a counter's totals are told by node, whatever their incarnations", async () => {
    const [hub, edge] = (await openNodes(["hub", "edge"], { durable: true })) as [TestNode, TestNode];
    await hub.sql("INSERT INTO documents (id, title, view_count) VALUES ('a', '', 40)");
    await sync(edge, hub);
    await edge.sql("UPDATE documents SET view_count = view_count + 3 WHERE id = 'a'");
    await hub.sql("UPDATE documents SET view_count = view_count - 2 WHERE id = 'a'");
    await sync(edge, hub);
    expect(await field(edge, "documents", ["a"], "view_count")).toMatchObject({
      value: "41",
      birth: { value: "40", node: "hub" },
      totals: [
        { node: "edge", up: "3", down: "0", incarnations: 1 },
        { node: "hub", up: "0", down: "2", incarnations: 1 },
      ],
    });
  });

  test("a set names everybody who added an element that stays, a list who moved and edited an item", async () => {
    const [hub, edge] = (await openNodes(["hub", "edge"])) as [TestNode, TestNode];
    const { textsOf } = dialect;
    await hub.sql("INSERT INTO documents (id, title) VALUES ('a', '')");
    await hub.sql(`INSERT INTO plans (id, cards) VALUES ('p', '[{"id":1,"text":"one"},{"id":2}]')`);
    await sync(edge, hub);
    await edge.sql("UPDATE documents SET tags = ?  WHERE id = 'a'", textsOf("x", "gone"));
    await hub.sql("UPDATE documents SET tags = ? WHERE id = 'a'", textsOf("x"));
    for (const node of [hub, edge]) await node.node.fold();
    await edge.sql("UPDATE documents SET tags = ? WHERE id = 'a'", textsOf("x"));
    await edge.sql(`UPDATE plans SET cards = '[{"id":2},{"id":1,"text":"uno"}]' WHERE id = 'p'`);
    await sync(edge, hub);
    const tags = await field(hub, "documents", ["a"], "tags");
    expect(tags?.value).toEqual(["x"]);
    expect(tags?.elements).toHaveLength(1);
    expect(tags?.elements?.[0]?.added.map(({ node }) => node).sort()).toEqual(["edge", "hub"]);
    const cards = await field(hub, "plans", ["p"], "cards");
    expect(cards?.value).toEqual([{ id: 2 }, { id: 1, text: "uno" }]);
    const items = new Map(cards?.items?.map((one) => [(one.item as { id: number }).id, one]));
    expect(items.get(1)).toMatchObject({ added: { node: "hub" }, edited: { node: "edge" } });
    expect(items.get(2)).toMatchObject({ added: { node: "hub" }, edited: null });
    expect([...items.values()].filter(({ moved }) => moved?.node === "edge")).toHaveLength(1);
  });

  test("who added an element that was taken out and added again by another is not named", async () => {
    const [hub, edge] = (await openNodes(["hub", "edge"])) as [TestNode, TestNode];
    await hub.sql("INSERT INTO documents (id, title, tags) VALUES ('a', '', ?)", dialect.textsOf("x"));
    await sync(edge, hub);
    for (const tags of [dialect.textsOf(), dialect.textsOf("x")]) {
      await edge.sql("UPDATE documents SET tags = ? WHERE id = 'a'", tags);
      await edge.node.fold();
    }
    const tags = await field(edge, "documents", ["a"], "tags");
    expect(tags?.elements).toMatchObject([{ element: "x", added: [{ node: "edge" }] }]);
  });

  test("a document is told path by path, each by its own type, without what is hidden or deleted", async () => {
    const [hub, edge] = (await openNodes(["hub", "edge"])) as [TestNode, TestNode];
    await hub.sql(
      `INSERT INTO plans (id, data) VALUES ('p', '{"stats":{"views":2,"owner":"ada"},"labels":["new"],"old":1}')`,
    );
    await sync(edge, hub);
    await edge.sql(
      `UPDATE plans SET data = '{"stats":{"views":5,"owner":"bob"},"labels":["new"],"stops":["s"]}' WHERE id = 'p'`,
    );
    await sync(edge, hub);
    const data = await field(hub, "plans", ["p"], "data");
    expect(data?.paths?.map(({ path, type, written }) => [path.join("."), type, written.node])).toEqual([
      ["labels", "set", "hub"],
      ["stats.owner", "lww", "edge"],
      ["stats.views", "counter", "edge"],
      ["stops", "list", "edge"],
    ]);
    expect(data?.paths?.[2]).toMatchObject({
      value: "5",
      birth: { value: "2", node: "hub" },
      totals: [{ node: "edge", up: "3" }],
    });
  });

  test("a deleted row says by whom and when, one from before capture that nobody wrote it, an unknown one is null", async () => {
    const edge = await openNode("edge", { before: ["INSERT INTO documents (id, title) VALUES ('old', 'kept')"] });
    expect(await edge.node.explain("documents", ["old"])).toMatchObject({
      written: { node: null, at: null },
      fields: [{ value: "kept", written: { node: null, at: null } }, {}, { value: "0" }, {}],
    });
    await edge.sql("DELETE FROM documents WHERE id = 'old'");
    await edge.node.fold();
    expect(await edge.node.explain("documents", ["old"])).toMatchObject({
      lives: false,
      life: 1,
      written: { node: "edge", at: expect.any(Number) },
      fields: [],
    });
    expect(await edge.node.explain("documents", ["never"])).toBeNull();
  });

  test("finds a row by a key of two columns, and refuses a key that is too short and a table that is not there", async () => {
    const edge = await openNode("edge");
    await edge.sql("INSERT INTO inventory (store, sku, name) VALUES ('s', 'k', 'pen')");
    await edge.node.fold();
    expect(await field(edge, "inventory", ["s", "k"], "name")).toMatchObject({ value: "pen" });
    await expect(edge.node.explain("inventory", ["s"])).rejects.toMatchObject({ code: "bad_value" });
    await expect(edge.node.explain("nothing", ["s"])).rejects.toMatchObject({ code: "unknown_table" });
  });

  test("writes nothing: what waits to be folded is counted", async () => {
    const edge = await openNode("edge");
    await edge.sql("INSERT INTO documents (id, title) VALUES ('a', 'first')");
    await edge.node.fold();
    await edge.sql("UPDATE documents SET title = 'second' WHERE id = 'a'");
    const before = await edge.database.dump();
    const { db, registry } = { db: edge.database.db, registry: edge.registry };
    expect(await createNode({ db, registry }).explain("documents", ["a"])).toMatchObject({ unfolded: 1 });
    expect(await edge.database.dump()).toBe(before);
  });
});
