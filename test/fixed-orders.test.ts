// Deleted rows that keep their fixed columns, whatever else is done to them at once and in whatever order it arrives; and what
// only SQLite can do to a row.
import type { RowChange } from "@grove-crdt/core";
import { expect, test } from "vitest";
import { everything, expectEqual } from "./support/comparison";
import { describeOn, describeOnEach } from "./support/dialects";
import { insert, kept, notesOn } from "./support/fixed";
import { settle } from "./support/network";

describeOnEach("fixed columns", (suite) => {
  const { dialect } = suite;
  const { open } = notesOn(suite);

  const ORDERS = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ] as const;
  test.each([
    ["a deletion, an update and another deletion", false],
    ["a deletion, an update and a new life", true],
  ])("%s arrive in every order and end in one state", async (_, again) => {
    const [a, b, c, d, e] = await open("a", "b", "c", "d", "e");
    const writers = [a, b, c];
    for (const n of ORDERS.keys()) await insert(a, `${n}`, "t");
    await settle([a, b], [a, c]);
    a.clock.advance(1);
    await a.sql("DELETE FROM notes");
    await b.sql(`UPDATE notes SET title = 'changed', hits = hits + 1, tags = '${dialect.textsOf("x")}'`);
    a.clock.advance(1);
    await c.sql("DELETE FROM notes");
    await c.node.fold();
    if (again) for (const n of ORDERS.keys()) await insert(c, `${n}`, "u", "second");
    const states = await Promise.all(
      writers.map(async (node) => {
        await node.node.fold();
        return JSON.parse(JSON.stringify(await everything(node))) as RowChange[];
      }),
    );
    for (const [n, order] of ORDERS.entries()) {
      for (const place of order) {
        const rows = states[place]!.filter(({ pk }) => pk[0] === `${n}`);
        await d.node.merge(writers[place]!.id, rows);
      }
    }
    for (const [place, rows] of states.entries()) await e.node.merge(writers[place]!.id, rows);
    await expectEqual(d, e);
    const end = await d.node.inspect("notes", ["0"]);
    expect([end?.cl, end?.lww?.tenant?.[0]]).toEqual(again ? [3, "u"] : [2, "t"]);
    if (!again) expect(await kept(d, "0")).toEqual({ tenant: "t", owner: null });
    await settle([a, b], [b, c], [c, d]);
    await expectEqual(a, b, c, d);
    const { length } = await d.rows("SELECT 1 FROM notes WHERE tenant = 'u' AND title = 'second'");
    expect(length).toBe(again ? ORDERS.length : 0);
  });
});

describeOn("sqlite", "fixed columns", (suite) => {
  const { open } = notesOn(suite);

  test("a replaced row is a new life with the values of the new row; the rows that it pushed out keep theirs", async () => {
    const [a, b] = await open("a", "b");
    await a.sql("INSERT INTO notes (id, tenant, slug) VALUES ('1', 't', 's'), ('2', 't', 'r')");
    await settle([a, b]);
    a.clock.advance(1);
    await a.sql("INSERT OR REPLACE INTO notes (id, tenant, slug) VALUES ('1', 'u', 'r')");
    await settle([a, b]);
    expect(await b.rows("SELECT id, tenant FROM notes")).toEqual([{ id: "1", tenant: "u" }]);
    expect(await b.node.inspect("notes", ["1"])).toMatchObject({ cl: 3 });
    for (const node of [a, b]) expect(await kept(node, "2")).toEqual({ tenant: "t", owner: null });
    await expectEqual(a, b);
  });

  test("a row that was replaced and deleted between two folds keeps one of its values, the same everywhere", async () => {
    const [a, b, c] = await open("a", "b", "c");
    await insert(a, "1", "t");
    await settle([a, b], [a, c]);
    a.clock.advance(1);
    await a.sql("INSERT OR REPLACE INTO notes (id, tenant) VALUES ('1', 'u')");
    await a.sql("DELETE FROM notes");
    await settle([c, b], [b, a], [c, a]);
    expect(await kept(c, "1")).toEqual(await kept(a, "1"));
    await expectEqual(a, b, c);
  });

  test("a row that went unseen has no values left, and takes what another node has kept", async () => {
    const [a, b] = await open("a", "b");
    await insert(a, "1", "t");
    await insert(a, "2", "t");
    await settle([a, b]);
    a.clock.advance(1);
    await a.sql("UPDATE _grove_node SET capture = 0");
    await a.sql("DELETE FROM notes");
    await a.sql("UPDATE _grove_node SET capture = 1");
    expect(await a.node.verify()).toMatchObject([{ action: "delete" }, { action: "delete" }]);
    await b.sql("DELETE FROM notes WHERE id = '1'");
    await settle([a, b]);
    for (const id of ["1", "2"]) {
      expect(await kept(a, id)).toEqual({});
      expect(await kept(b, id)).toEqual({ tenant: "t", owner: null });
    }
    await a.node.merge("b", await everything(b));
    await expectEqual(a, b);
  });
});
