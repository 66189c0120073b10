// Columns that never change: the database refuses to change them, and a deleted row keeps them on every node, and nothing
// else of the row, so that it can be decided who may hear of the deletion.
import { describe, expect, test } from "vitest";
import { dump, expectEqual } from "./support/comparison";
import { describeOnEach } from "./support/dialects";
import { insert, kept, notesOn } from "./support/fixed";
import { settle, sync } from "./support/network";

describeOnEach("fixed columns", (suite) => {
  const { dialect, openNode } = suite;
  const { open, schema } = notesOn(suite);

  describe("a change", () => {
    test("is refused by the database, which says what to do; the same value may be written", async () => {
      const [a] = await open("a");
      await insert(a, "1", "t");
      const told = /grove-crdt: notes\.(tenant|owner) is fixed: .* Delete the row and insert it anew\./;
      await expect(a.sql("UPDATE notes SET tenant = 'u'")).rejects.toThrow(told);
      await expect(a.sql("UPDATE notes SET title = 'x', owner = 'o'")).rejects.toThrow(told);
      const upsert =
        "INSERT INTO notes (id, tenant) VALUES ('1', ?) ON CONFLICT (id) DO UPDATE SET tenant = excluded.tenant";
      await expect(a.sql(upsert, "u")).rejects.toThrow(told);
      await a.sql(`${upsert}, title = 'second'`, "t");
      await a.sql("UPDATE notes SET tenant = tenant, title = 'third'");
      expect(await a.row("SELECT tenant, owner, title FROM notes")).toEqual({
        tenant: "t",
        owner: null,
        title: "third",
      });
    });

    test("is merged where two nodes inserted one row at once, as in any register", async () => {
      const [a, b] = await open("a", "b");
      await insert(a, "1", "t");
      b.clock.advance(1);
      await insert(b, "1", "u");
      await settle([a, b]);
      expect(await a.rows("SELECT tenant FROM notes")).toEqual([{ tenant: "u" }]);
      await expectEqual(a, b);
    });

    test("comes with a new life, of one key or of another", async () => {
      const [a, b] = await open("a", "b");
      await insert(a, "1", "t");
      await insert(a, "2", "t");
      await settle([a, b]);
      a.clock.advance(1);
      await a.sql("DELETE FROM notes WHERE id = '1'");
      await insert(a, "1", "u");
      await a.sql("UPDATE notes SET id = '3', tenant = 'u' WHERE id = '2'");
      await settle([a, b]);
      const rows = [
        { id: "1", tenant: "u" },
        { id: "3", tenant: "u" },
      ];
      expect(await b.rows("SELECT id, tenant FROM notes ORDER BY id")).toEqual(rows);
      expect(await kept(b, "2")).toEqual({ tenant: "t", owner: null });
      await expectEqual(a, b);
    });
  });

  describe("a deleted row", () => {
    test("keeps them, and nothing else, where it was deleted and where the deletion was merged", async () => {
      const [a, b, c] = await open("a", "b", "c");
      const long = "a long text ".repeat(1_000);
      await a.sql("INSERT INTO notes (id, tenant, owner, title) VALUES ('1', 't', 'o', ?)", long);
      await settle([a, b]);
      a.clock.advance(1);
      await a.sql(`UPDATE notes SET hits = hits + 1, tags = '${dialect.textsOf("x")}'`);
      await settle([a, b]);
      await b.sql("UPDATE notes SET title = title || 'more'");
      await a.sql("DELETE FROM notes");
      await settle([a, b], [b, c]);
      for (const node of [a, b, c]) {
        expect(await kept(node, "1")).toEqual({ tenant: "t", owner: "o" });
        expect(await node.rows("SELECT field FROM _notes_crdt_cells ORDER BY field")).toEqual([
          { field: "owner" },
          { field: "tenant" },
        ]);
        expect(await dump(node)).not.toContain("a long text");
        expect(await node.node.verify()).toEqual([]);
      }
      await expectEqual(a, b, c);
    });

    test("keeps them where it was inserted, deleted and inserted again between two folds", async () => {
      const [a, b] = await open("a", "b");
      await insert(a, "1", "t");
      await settle([a, b]);
      a.clock.advance(1);
      await a.sql("DELETE FROM notes");
      await insert(a, "1", "u");
      await a.sql("DELETE FROM notes");
      await insert(a, "2", "u");
      await a.sql("DELETE FROM notes");
      await settle([a, b]);
      // The life that others know has ended; nobody ever heard of the other one.
      expect(await kept(b, "1")).toEqual({ tenant: "t", owner: null });
      expect(await b.node.inspect("notes", ["2"])).toBeNull();
      await expectEqual(a, b);
    });

    test("keeps them where it was there before capture", async () => {
      const a = await openNode("a", {
        ...schema(),
        before: ["INSERT INTO notes (id, tenant) VALUES ('1', 't'), ('2', 't')"],
      });
      const b = await openNode("b", { ...schema(), clock: a.clock });
      await a.sql("DELETE FROM notes WHERE id = '1'");
      await settle([b, a]);
      await b.sql("DELETE FROM notes WHERE id = '2'");
      await settle([b, a]);
      for (const node of [a, b])
        for (const id of ["1", "2"]) expect(await kept(node, id)).toEqual({ tenant: "t", owner: null });
      await expectEqual(a, b);
    });

    test("keeps them where a unique key had kept it out of the table", async () => {
      const [a, b, c] = await open("a", "b", "c");
      await a.sql("INSERT INTO notes (id, tenant, slug) VALUES ('1', 't', 's')");
      a.clock.advance(1);
      await b.sql("INSERT INTO notes (id, tenant, slug, title, hits) VALUES ('2', 'u', 's', 'hidden', 3)");
      await sync(c, b);
      await settle([b, a]);
      expect(await b.node.parked()).toMatchObject([{ pk: ["2"] }]);
      a.clock.advance(1);
      await c.sql("DELETE FROM notes WHERE id = '2'");
      await settle([c, b], [b, a]);
      for (const node of [a, b, c]) expect(await kept(node, "2")).toEqual({ tenant: "u", owner: null });
      for (const node of [a, b]) expect(await node.node.parked()).toEqual([]);
      await expectEqual(a, b, c);
    });

    test("keeps them where it went along with another row, and its parent as well", async () => {
      const [a, b] = await open("a", "b");
      await insert(a, "1", "t");
      await a.sql("INSERT INTO lines (id, tenant, note) VALUES ('l', 't', '1')");
      await settle([a, b]);
      a.clock.advance(1);
      await b.sql("DELETE FROM notes");
      await settle([a, b]);
      for (const node of [a, b]) {
        expect(await kept(node, "1")).toEqual({ tenant: "t", owner: null });
        expect(await node.rows("SELECT * FROM lines")).toEqual([]);
      }
      expect(await kept(b, "l", "lines")).toEqual({ tenant: "t" });
      await expectEqual(a, b);
    });

    test("that shows for the sake of another one keeps all of its values, as before", async () => {
      const [a, b] = await open("a", "b");
      await a.sql("INSERT INTO boxes (id, tenant, name) VALUES ('1', 't', 'box')");
      await settle([a, b]);
      a.clock.advance(1);
      await a.sql("DELETE FROM boxes");
      await b.sql("INSERT INTO items (id, box) VALUES ('i', '1')");
      await settle([a, b]);
      for (const node of [a, b])
        expect(await node.rows("SELECT * FROM boxes")).toEqual([{ id: "1", tenant: "t", name: "box" }]);
      await expect(a.sql("UPDATE boxes SET tenant = 'u'")).rejects.toThrow("boxes.tenant is fixed");
      await a.sql("DELETE FROM items");
      await settle([a, b]);
      expect(await kept(b, "1", "boxes")).toEqual({ tenant: "t", name: "box" });
      await expectEqual(a, b);
    });
  });
});
