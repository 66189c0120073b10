// A fold reads the cells of the columns that were written, and those alone: what it does not read must stay as it is.
import { counter, document, list, lww, set } from "grove-crdt/schema";
import { expect, test } from "vitest";
import { expectEqual } from "./support/comparison";
import { describeOnEach } from "./support/dialects";
import { settle } from "./support/network";
import type { TestNode } from "./support/node";

describeOnEach("a fold of one column", ({ dialect, openNodes, makeSchema }) => {
  const { integer, json, table, text, texts, textsOf } = dialect;
  const notes = table("notes", {
    id: text("id").primaryKey(),
    title: lww(text("title").notNull()),
    likes: counter(integer("likes").notNull().default(0)),
    labels: set(texts("labels").notNull().default([])),
    steps: list(texts("steps").notNull().default([])),
    data: document(json("data").$type<{ a?: number; b?: number }>().notNull().default({})),
  });
  async function nodes() {
    const [a, b] = (await openNodes(["a", "b"], await makeSchema({ notes }))) as [TestNode, TestNode];
    await a.sql(
      `INSERT INTO notes VALUES ('1', 'one', 1, '${textsOf("x")}', '${textsOf("s", "t")}', '{"a":1}'), ('2', 'two', 2, '${textsOf("y")}', '${textsOf("u")}', '{"b":1}')`,
    );
    await settle([a, b]);
    return [a, b] as const;
  }
  const all = (node: TestNode) => node.rows("SELECT * FROM notes ORDER BY id");

  test("leaves the others, which go on from what they were", async () => {
    const [a, b] = await nodes();
    await a.sql("UPDATE notes SET title = 'first' WHERE id = '1'");
    await b.sql(`UPDATE notes SET steps = '${textsOf("s", "t", "v")}', likes = likes + 10 WHERE id = '1'`);
    await settle([a, b]);
    await a.sql(`UPDATE notes SET steps = '${textsOf("t", "v", "s")}', data = '{"a":1,"b":2}' WHERE id = '1'`);
    await a.sql("UPDATE notes SET title = 'again'");
    await a.node.fold();
    await b.sql(`UPDATE notes SET labels = '${textsOf("x", "z")}' WHERE id = '1'`);
    await settle([a, b]);
    await expectEqual(a, b);
    expect(await all(b)).toEqual([
      { id: "1", title: "again", likes: 11, labels: ["x", "z"], steps: ["t", "v", "s"], data: { a: 1, b: 2 } },
      { id: "2", title: "again", likes: 2, labels: ["y"], steps: ["u"], data: { b: 1 } },
    ]);
    for (const node of [a, b]) expect(await node.node.verify()).toEqual([]);
  });

  test("in one pass with rows that come, go, and come again", async () => {
    const [a, b] = await nodes();
    await a.sql("UPDATE notes SET title = 'first' WHERE id = '1'");
    await a.sql("DELETE FROM notes WHERE id = '2'");
    await a.sql(
      `INSERT INTO notes (id, title, steps) VALUES ('2', 'new', '${textsOf("w")}'), ('3', 'three', '${textsOf()}')`,
    );
    await a.sql("UPDATE notes SET title = 'changed' WHERE id = '3'");
    await a.node.fold();
    await a.sql(`UPDATE notes SET steps = '${textsOf("q", "w")}' WHERE id IN ('2', '3')`);
    await b.sql("UPDATE notes SET likes = likes + 5");
    await settle([a, b]);
    await expectEqual(a, b);
    expect(await all(b)).toEqual([
      { id: "1", title: "first", likes: 6, labels: ["x"], steps: ["s", "t"], data: { a: 1 } },
      { id: "2", title: "new", likes: 0, labels: [], steps: ["q", "w"], data: {} },
      { id: "3", title: "changed", likes: 0, labels: [], steps: ["q", "w"], data: {} },
    ]);
  });

  test("then a delete and a new life know all that was there", async () => {
    const [a, b] = await nodes();
    await a.sql("UPDATE notes SET title = 'first' WHERE id = '1'");
    await a.node.fold();
    a.clock.advance(5);
    await b.sql(`UPDATE notes SET steps = '${textsOf()}' WHERE id = '1'`);
    await settle([a, b]);
    await a.sql("UPDATE notes SET title = 'last' WHERE id = '1'");
    await a.sql("DELETE FROM notes WHERE id = '1'");
    await a.node.fold();
    expect(await a.rows("SELECT field FROM _notes_crdt_cells WHERE row = 1 OR row = 0")).toEqual([]);
    await a.sql(`INSERT INTO notes (id, title, steps) VALUES ('1', 'back', '${textsOf("s")}')`);
    await settle([a, b]);
    await expectEqual(a, b);
    expect((await all(b))[0]).toMatchObject({ title: "back", likes: 0, steps: ["s"] });
  });
});
