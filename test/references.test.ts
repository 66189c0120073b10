// References between annotated tables: whatever was deleted on one node while another one referred to it, all nodes show
// the same rows, whatever the order in which they heard of it, and SQLite's own actions destroy nothing (faults 14, 15,
// 49, 50).
import { foreignKey, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { counter, local, lww, set } from "grove-crdt/schema";
import { beforeAll, describe, expect, test } from "vitest";
import { Clock, expectEqual, openNode, settle, sync, type TestNode } from "./support/nodes";
import { makeSchema, type TestSchema } from "./support/schemas";

let schema: TestSchema;
beforeAll(async () => {
  const projects = sqliteTable("projects", {
    id: text("id").primaryKey(),
    name: lww(text("name").notNull()),
    slug: lww(text("slug").unique()),
    visits: counter(integer("visits").notNull().default(0)),
    tags: set(text("tags", { mode: "json" }).$type<string[]>().notNull().default([])),
    note: local(text("note")),
  });
  const child = (name: string, on: "cascade" | "set null" | "set default" | "no action" | "restrict") =>
    sqliteTable(name, {
      id: text("id").primaryKey(),
      project: lww(
        text("project")
          .default("inbox")
          .references(() => projects.id, { onDelete: on }),
      ),
      title: lww(text("title")),
      note: local(text("note")),
    });
  const folders = sqliteTable(
    "folders",
    { id: text("id").primaryKey(), up: lww(text("up")), title: lww(text("title")) },
    (table) => [foreignKey({ columns: [table.up], foreignColumns: [table.id] })],
  );
  const links = sqliteTable("links", {
    id: text("id").primaryKey(),
    slug: lww(text("slug").references(() => projects.slug, { onDelete: "cascade", onUpdate: "cascade" })),
  });
  const children = {
    cascading: child("cascading", "cascade"),
    emptied: child("emptied", "set null"),
    defaulted: child("defaulted", "set default"),
    kept: child("kept", "no action"),
    restricted: child("restricted", "restrict"),
  };
  schema = await makeSchema({ projects, folders, links, ...children });
});

const ENFORCED = [
  ["enforced by SQLite", 1],
  ["not enforced by SQLite", 0],
] as const;

describe.each(ENFORCED)("foreign keys %s", (_, enforced) => {
  const open = async (id: string, clock: Clock): Promise<TestNode> => {
    const node = await openNode(id, { clock, ...schema });
    node.db.pragma(`foreign_keys = ${enforced}`);
    return node;
  };
  const trio = async () => {
    const clock = new Clock();
    return { clock, a: await open("a", clock), b: await open("b", clock), c: await open("c", clock) };
  };
  const ids = (node: TestNode, table: string) =>
    node
      .rows<{ id: string }>(`SELECT id FROM ${table} ORDER BY id`)
      .map(({ id }) => id)
      .join(" ");

  describe("faults 50: a project is deleted while another node adds a row to it", () => {
    test.each([
      ["cascading", "", undefined],
      ["emptied", "", { id: "t", project: null, title: "new", note: null }],
      ["defaulted", "inbox", { id: "t", project: "inbox", title: "new", note: null }],
      ["kept", "p", { id: "t", project: "p", title: "new", note: null }],
      ["restricted", "p", { id: "t", project: "p", title: "new", note: null }],
    ])("%s: the project and the row as the action says, on every node", async (table, projects, row) => {
      const { clock, a, b, c } = await trio();
      a.sql("INSERT INTO projects (id, name, visits, tags) VALUES ('p', 'one', 2, '[\"x\"]')");
      if (table === "defaulted") a.sql("INSERT INTO projects (id, name) VALUES ('inbox', 'inbox')");
      await settle([b, a]);
      clock.advance(1);
      b.sql(`INSERT INTO ${table} (id, project, title) VALUES ('t', 'p', 'new')`);
      b.sql("UPDATE projects SET visits = visits + 1, name = 'two' WHERE id = 'p'");
      clock.advance(1);
      a.sql("DELETE FROM projects WHERE id = 'p'");
      // One hears of the delete first, another one of the row first, the third of both at once.
      await sync(c, b);
      await settle([b, a], [c, a]);
      const late = await open("late", clock);
      await settle([late, c]);
      for (const node of [a, b, c, late]) {
        expect(ids(node, "projects"), node.id).toBe(projects);
        expect(node.row(`SELECT * FROM ${table}`), node.id).toEqual(row);
        if (projects === "p")
          expect(node.row("SELECT name, visits, tags FROM projects"), node.id).toEqual({
            name: "two",
            visits: 3,
            tags: '["x"]',
          });
      }
      await expectEqual(a, b, c, late);
      expect(await settle([b, a], [c, a], [late, c])).toBe(1);
    });

    test.each(["cascading", "emptied", "kept"])(
      "%s: the row shows whole once the project lives again",
      async (table) => {
        const { clock, a, b, c } = await trio();
        a.sql("INSERT INTO projects (id, name) VALUES ('p', 'one')");
        await settle([b, a], [c, a]);
        b.sql(`INSERT INTO ${table} (id, project, title, note) VALUES ('t', 'p', 'new', 'mine')`);
        clock.advance(1);
        a.sql("DELETE FROM projects");
        await settle([b, a], [c, a]);
        clock.advance(1);
        a.sql("INSERT OR REPLACE INTO projects (id, name) VALUES ('p', 'again')");
        await settle([b, a], [c, a]);
        for (const node of [a, b, c]) {
          expect(node.row(`SELECT project, title FROM ${table}`)).toEqual({ project: "p", title: "new" });
          expect(node.row("SELECT name FROM projects")).toEqual({ name: "again" });
          expect(await node.node.parked()).toEqual([]);
        }
        expect(b.row(`SELECT note FROM ${table}`)).toEqual({ note: "mine" });
        await expectEqual(a, b, c);
      },
    );

    test("a project that shows although it is deleted shows what was written to it last, also in the page of its end", async () => {
      const { clock, a, b } = await trio();
      a.sql("INSERT INTO projects (id, name) VALUES ('p', 'one')");
      await settle([b, a]);
      b.sql("INSERT INTO kept (id, project) VALUES ('t', 'p')");
      clock.advance(1);
      a.sql("UPDATE projects SET name = 'two'");
      a.sql("DELETE FROM projects");
      await settle([b, a]);
      for (const node of [a, b]) expect(node.row("SELECT name FROM projects"), node.id).toEqual({ name: "two" });
      await expectEqual(a, b);
    });

    test("a value that waits in the shadow is what is served, also once it is numbered anew", async () => {
      const { clock, b } = await trio();
      const [early, middle, late] = [1, 2, 3].map((n) => clock.now() + n) as [number, number, number];
      const change = (project: string, hlc: number) => ({
        table: "emptied",
        pk: ["t"],
        cl: 1,
        life: [early, "a"],
        lww: { project: [project, hlc, "a"], title: ["x"] },
      });
      await b.node.merge("a", [change("p", late)]);
      expect(b.row("SELECT project FROM emptied")).toEqual({ project: null });
      const { cursor } = await b.node.pull({ protocol: 1, node: "reader", cursor: null });
      // The peer is behind what it sent: it has to hear of it again.
      await b.node.merge("a", [change("older", middle)]);
      const { rows } = await b.node.pull({ protocol: 1, node: "reader", cursor });
      expect(rows).toMatchObject([{ pk: ["t"], lww: { project: ["p", late, "a"] } }]);
    });

    test("a project that is kept goes on every node with its last row", async () => {
      const { clock, a, b, c } = await trio();
      a.sql("INSERT INTO projects (id, name) VALUES ('p', 'one')");
      await settle([b, a]);
      b.sql("INSERT INTO kept (id, project) VALUES ('t', 'p'), ('u', 'p')");
      clock.advance(1);
      a.sql("DELETE FROM projects");
      await settle([b, a], [c, a]);
      clock.advance(1);
      c.sql("DELETE FROM kept WHERE id = 't'");
      await settle([c, a], [b, a]);
      for (const node of [a, b, c]) expect(ids(node, "projects")).toBe("p");
      clock.advance(1);
      b.sql("UPDATE kept SET project = NULL");
      await settle([b, a], [c, a]);
      for (const node of [a, b, c]) {
        expect(ids(node, "projects")).toBe("");
        expect(ids(node, "kept")).toBe("u");
      }
      await expectEqual(a, b, c);
    });

    test("a project that shows although it is deleted can be written to, and be deleted again with its rows", async () => {
      const { clock, a, b, c } = await trio();
      a.sql("INSERT INTO projects (id, name, note) VALUES ('p', 'one', 'mine')");
      await settle([b, a]);
      b.sql("INSERT INTO kept (id, project) VALUES ('t', 'p')");
      a.sql("DELETE FROM projects");
      await settle([b, a], [c, a]);
      clock.advance(1);
      c.sql("UPDATE projects SET name = 'two', visits = visits + 5");
      await settle([c, a], [b, a]);
      for (const node of [a, b, c])
        expect(node.row("SELECT name, visits FROM projects"), node.id).toEqual({ name: "two", visits: 5 });
      await expectEqual(a, b, c);
      clock.advance(1);
      b.sql("DELETE FROM kept; DELETE FROM projects");
      a.sql("INSERT INTO kept (id, project) VALUES ('u', 'p')");
      await settle([b, a], [c, a]);
      for (const node of [a, b, c]) {
        expect(node.row("SELECT name, visits FROM projects"), node.id).toEqual({ name: "two", visits: 5 });
        expect(ids(node, "kept"), node.id).toBe("u");
      }
      await expectEqual(a, b, c);
    });

    test("folders: a chain that was deleted from above stays as far as a folder in it lives", async () => {
      const { clock, a, b, c } = await trio();
      a.sql("INSERT INTO folders (id, up) VALUES ('1', '1'), ('2', '1'), ('3', '2')");
      await settle([b, a]);
      b.sql("INSERT INTO folders (id, up) VALUES ('4', '2')");
      clock.advance(1);
      a.sql("DELETE FROM folders WHERE id = '3'; DELETE FROM folders WHERE id = '2'; DELETE FROM folders");
      await sync(c, b);
      await settle([b, a], [c, a]);
      for (const node of [a, b, c]) expect(ids(node, "folders"), node.id).toBe("1 2 4");
      await expectEqual(a, b, c);
      c.sql("DELETE FROM folders WHERE id = '4'");
      await settle([c, a], [b, a]);
      for (const node of [a, b, c]) expect(ids(node, "folders"), node.id).toBe("");
      await expectEqual(a, b, c);
    });
  });

  test.each([1, 2, 3, 4, 5, 6, 7])(
    "faults 49: a row moved to another project stays while its old project is deleted, in pages of %i",
    async (pageRows) => {
      const clock = new Clock();
      const [a, b] = [await open("a", clock), await open("b", clock)];
      a.sql("INSERT INTO projects (id, name) VALUES ('old', 'old'), ('new', 'new')");
      for (const table of ["cascading", "emptied", "kept"])
        a.sql(`INSERT INTO ${table} (id, project, note) VALUES ('t', 'old', 'mine')`);
      await settle([b, a]);
      b.sql("UPDATE cascading SET note = 'of b'");
      clock.advance(1);
      for (const table of ["cascading", "emptied", "kept"]) {
        a.sql(`UPDATE ${table} SET project = 'new'`);
        await a.node.fold();
      }
      a.sql("DELETE FROM projects WHERE id = 'old'");
      await a.node.fold();
      // Numbered anew after the delete, so that a page may hold the delete and not the move.
      for (const table of ["cascading", "emptied", "kept"]) a.sql(`UPDATE ${table} SET title = 'moved'`);
      await a.node.fold();

      // Cut after each page; the rest comes from another peer.
      const other = await open("other", clock);
      await settle([other, a]);
      const page = { protocol: 1, node: "b", tables: undefined, rows: pageRows };
      const { pullCursor } = (await b.node.store.peer("a"))!;
      let cursor = pullCursor;
      for (let more = true; more; ) {
        const answer = await a.node.pull({ ...page, cursor });
        await b.node.merge("a", JSON.parse(JSON.stringify(answer.rows)));
        // A stale node that drains elsewhere in between.
        const stale = await openNode("stale", {
          clock,
          ...schema,
          before: (db) => db.pragma(`foreign_keys = ${enforced}`),
        });
        await stale.node.merge("a", JSON.parse(JSON.stringify(answer.rows)));
        await settle([stale, other]);
        expect(ids(stale, "cascading")).toBe("t");
        await expectEqual(stale, other);
        ({ cursor, more } = answer);
      }
      await settle([b, other], [other, a]);
      for (const node of [a, b, other]) {
        for (const table of ["cascading", "emptied", "kept"])
          expect(node.row(`SELECT project, title FROM ${table}`), table).toEqual({ project: "new", title: "moved" });
        expect(ids(node, "projects")).toBe("new");
      }
      expect(b.row("SELECT note FROM cascading")).toEqual({ note: "of b" });
      await expectEqual(a, b, other);
    },
  );

  test("faults 15: rows that arrive before their project wait with a code, and show when it comes", async () => {
    const clock = new Clock();
    const [a, b] = [await open("a", clock), await open("b", clock)];
    a.sql("INSERT INTO projects (id, name) VALUES ('p', 'one')");
    a.sql("INSERT INTO cascading (id, project) VALUES ('t', 'p')");
    a.sql("INSERT INTO kept (id, project) VALUES ('t', 'p')");
    a.sql("INSERT INTO folders (id, up) VALUES ('1', '1'), ('2', '1'), ('3', '2')");
    const { rows } = await a.node.pull({ protocol: 1, node: "b", cursor: null });
    const children = rows.filter(({ table, pk }) => table !== "projects" && pk[0] !== "1");
    const { outcomes } = await b.node.merge("a", children);
    expect(new Set(outcomes.map(({ outcome, code }) => `${outcome} ${code}`))).toEqual(new Set(["parked reference"]));
    expect(await b.node.parked()).toHaveLength(4);
    expect(ids(b, "cascading") + ids(b, "kept") + ids(b, "folders")).toBe("");
    await b.node.merge("a", rows);
    expect(await b.node.parked()).toEqual([]);
    await settle([b, a]);
    await expectEqual(a, b);
    expect(b.row("SELECT count(*) AS n FROM _grove_hidden_keys")).toEqual({ n: 0 });
  });

  test("two rows that refer to each other show on a node that had neither", async () => {
    const clock = new Clock();
    const [a, b] = [await open("a", clock), await open("b", clock)];
    a.sql("INSERT INTO folders (id) VALUES ('1'); INSERT INTO folders (id, up) VALUES ('2', '1')");
    a.sql("UPDATE folders SET up = '2' WHERE id = '1'");
    await settle([b, a]);
    expect(b.rows("SELECT id, up FROM folders ORDER BY id")).toEqual([
      { id: "1", up: "2" },
      { id: "2", up: "1" },
    ]);
    a.sql("UPDATE folders SET up = NULL; DELETE FROM folders");
    await settle([b, a]);
    expect(ids(b, "folders")).toBe("");
    await expectEqual(a, b);
  });

  test("a project changes the key that others refer to: rows that still refer to the old one wait", async () => {
    const { clock, a, b, c } = await trio();
    a.sql("INSERT INTO projects (id, name, slug) VALUES ('p', 'one', 'x')");
    a.sql("INSERT INTO links VALUES ('l', 'x')");
    await settle([b, a], [c, a]);
    b.sql("INSERT INTO links VALUES ('m', 'x')");
    clock.advance(1);
    // What SQLite does not do by itself, the application does.
    if (enforced === 1) a.sql("UPDATE projects SET slug = 'y'");
    else a.sql("UPDATE projects SET slug = 'y'; UPDATE links SET slug = 'y'");
    await settle([b, a], [c, a]);
    for (const node of [a, b, c]) expect(node.rows("SELECT * FROM links"), node.id).toEqual([{ id: "l", slug: "y" }]);
    expect((await c.node.parked()).map(({ pk, code }) => [pk, code])).toEqual([[["m"], "reference"]]);
    clock.advance(1);
    c.sql("INSERT INTO projects (id, name, slug) VALUES ('q', 'two', 'x')");
    await settle([c, a], [b, a]);
    for (const node of [a, b, c]) expect(ids(node, "links"), node.id).toBe("l m");
    await expectEqual(a, b, c);
  });

  test("a local delete with its cascades is captured, and goes the same way on every node", async () => {
    const { a, b, c } = await trio();
    a.sql("INSERT INTO projects (id, name) VALUES ('p', 'one')");
    a.sql("INSERT INTO cascading (id, project) VALUES ('t', 'p'); INSERT INTO emptied (id, project) VALUES ('u', 'p')");
    await settle([b, a], [c, a]);
    b.sql("DELETE FROM projects");
    await b.node.fold();
    expect(ids(b, "cascading")).toBe("");
    await settle([b, a], [c, a]);
    for (const node of [a, b, c]) {
      expect(ids(node, "cascading"), node.id).toBe("");
      expect(node.row("SELECT * FROM emptied"), node.id).toEqual({ id: "u", project: null, title: null, note: null });
    }
    await expectEqual(a, b, c);
  });
});

test("what refers to a key that is gone hides also where SQLite let it be, and shows when the key is there again", async () => {
  const clock = new Clock();
  const [a, b] = [await openNode("a", { clock, ...schema }), await openNode("b", { clock, ...schema })];
  a.db.pragma("foreign_keys = 0");
  a.sql("INSERT INTO projects (id, name, slug) VALUES ('p', 'one', 'x'); INSERT INTO links VALUES ('l', 'x')");
  a.sql("INSERT INTO cascading (id, project) VALUES ('t', 'p')");
  await settle([b, a]);
  const shown = (node: TestNode) => [node.rows("SELECT id FROM links"), node.rows("SELECT id FROM cascading")].flat();
  a.sql("UPDATE projects SET slug = 'y'");
  await settle([b, a]);
  for (const node of [a, b]) expect(shown(node), node.id).toEqual([{ id: "t" }]);
  clock.advance(1);
  a.sql("DELETE FROM projects");
  await settle([b, a]);
  for (const node of [a, b]) expect(shown(node), node.id).toEqual([]);
  clock.advance(1);
  a.sql("INSERT INTO projects (id, name, slug) VALUES ('p', 'again', 'x')");
  await settle([b, a]);
  for (const node of [a, b]) expect(shown(node), node.id).toEqual([{ id: "l" }, { id: "t" }]);
  await expectEqual(a, b);
});

test("rows that are written with their parents are never taken out on the way, however many they are", async () => {
  const boxes = sqliteTable("boxes", { id: text("id").primaryKey(), name: lww(text("name")) });
  const items = sqliteTable("items", {
    id: text("id").primaryKey(),
    box: lww(text("box").references(() => boxes.id, { onDelete: "cascade" })),
  });
  const a = await openNode("a", await makeSchema({ boxes, items }));
  a.sql(
    "CREATE TABLE gone (id text); CREATE TRIGGER go AFTER DELETE ON items BEGIN INSERT INTO gone VALUES (OLD.id); END",
  );
  const write = a.db.transaction(() => {
    const insert = a.db.prepare("INSERT INTO boxes (id) VALUES (?)");
    for (let n = 0; n < 5_100; n++) insert.run(`b${n}`);
  });
  write();
  await a.node.fold();
  a.sql("DELETE FROM boxes");
  await a.node.fold();
  // More than one pass of the fold: the items come before their boxes, which count as deleted until then.
  write();
  a.sql("INSERT INTO items VALUES ('first', 'b0'), ('last', 'b5099')");
  await a.node.fold();
  expect(a.rows("SELECT id FROM items")).toEqual([{ id: "first" }, { id: "last" }]);
  expect(a.rows("SELECT id FROM gone")).toEqual([]);
});

test("a row that no trigger saw is not taken out, since nothing would be left of it; verify finds it", async () => {
  const clock = new Clock();
  const [a, b] = [await openNode("a", { clock, ...schema }), await openNode("b", { clock, ...schema })];
  b.db.pragma("foreign_keys = 0");
  a.sql("INSERT INTO projects (id, name) VALUES ('p', 'one')");
  await settle([b, a]);
  b.sql("UPDATE _grove_node SET capture = 0; INSERT INTO cascading (id, project, title) VALUES ('u', 'p', 'unseen')");
  b.sql("UPDATE _grove_node SET capture = 1");
  a.sql("DELETE FROM projects");
  await settle([b, a]);
  expect(b.row("SELECT title FROM cascading")).toEqual({ title: "unseen" });
  expect(await b.node.verify()).toEqual([{ table: "cascading", pk: ["u"], problem: "unknown_row", action: "insert" }]);
  expect((await b.node.parked()).map(({ pk, code }) => [pk, code])).toEqual([[["u"], "reference"]]);
  a.sql("INSERT INTO projects (id, name) VALUES ('p', 'again')");
  await settle([b, a]);
  for (const node of [a, b]) expect(node.row("SELECT title FROM cascading")).toEqual({ title: "unseen" });
  await expectEqual(a, b);
});

describe("what the database itself refuses", () => {
  test("faults 14: a row without its parent in a table that is not replicated waits, and shows when that has it", async () => {
    const places = sqliteTable("places", { id: text("id").primaryKey() });
    const visits = sqliteTable("visits", {
      id: text("id").primaryKey(),
      place: lww(text("place").references(() => places.id)),
      up: lww(text("up")),
    });
    const parts = sqliteTable("parts", {
      id: text("id").primaryKey(),
      visit: lww(text("visit").references(() => visits.id, { onDelete: "cascade" })),
    });
    const own = await makeSchema({ places, visits, parts });
    const clock = new Clock();
    const [a, b] = [await openNode("a", { clock, ...own }), await openNode("b", { clock, ...own })];
    a.sql("INSERT INTO places VALUES ('here')");
    a.sql("INSERT INTO visits (id, place) VALUES ('v', 'here'), ('w', NULL)");
    a.sql("INSERT INTO parts VALUES ('1', 'v'), ('2', 'w')");
    await settle([b, a]);
    expect(b.rows("SELECT id FROM visits")).toEqual([{ id: "w" }]);
    expect(b.rows("SELECT id FROM parts")).toEqual([{ id: "2" }]);
    expect((await b.node.parked()).map(({ table, code }) => `${table} ${code}`).sort()).toEqual([
      "parts reference",
      "visits constraint",
    ]);
    // Moved where it may not be, the row goes with what refers to it, and comes back.
    a.sql("UPDATE visits SET place = 'here' WHERE id = 'w'");
    await settle([b, a]);
    expect(b.rows("SELECT id FROM parts")).toEqual([]);
    b.sql("INSERT INTO places VALUES ('here')");
    a.sql("UPDATE parts SET visit = 'v' WHERE id = '2'");
    await settle([b, a]);
    expect(await b.node.parked()).toEqual([]);
    await expectEqual(a, b);
  });
});
