// `grove-crdt generate` with the real drizzle-kit: two nodes go from migration to migration by drizzle-orm's own migrator,
// and nothing that they wrote is lost, nothing that a migration does is taken for a write.

import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MigratedNode, MigrationProject, terminal } from "./support/migrations";
import { runCli } from "./support/project";

/** `users` is everybody's own; notes are replicated and go with their owner. */
const users = (name = "") =>
  `export const users = sqliteTable("users", { id: text("id").primaryKey(), name: text("name")${name} });`;
const notes = (columns: string, { table = "notes", owner = "lww" } = {}) =>
  `export const ${table} = sqliteTable("${table}", { id: text("id").primaryKey(), ${columns},
     stars: counter(integer("stars").notNull().default(0)),
     owner: ${owner}(text("owner").references(() => users.id, { onDelete: "cascade" })) });`;
const title = `title: lww(text("title"))`;
const firm = `title: lww(text("title").notNull().default(""))`;
const body = `body: lww(text("body").notNull().default("-"))`;
const tags = `tags: set(text("tags", { mode: "json" }).$type<string[]>().notNull().default([]))`;

let project: MigrationProject;
let hub: MigratedNode;
let edge: MigratedNode;
beforeAll(() => {
  project = new MigrationProject();
  hub = new MigratedNode(project, "hub");
  edge = new MigratedNode(project, "edge");
});
afterAll(() => project.remove());

/** Both nodes at the newest migration, as processes that start now. */
async function upgrade(...nodes: readonly MigratedNode[]): Promise<void> {
  for (const node of nodes) {
    node.migrate();
    await node.start();
  }
}
const log = (node: MigratedNode, table = "notes") => node.rows(`SELECT op FROM _${table}_log`);

describe("the first migration", () => {
  test("is drizzle-kit's, with the capture at its end", async () => {
    project.schema(users() + notes(title));
    const { output, isFresh } = await project.grove();
    expect(isFresh).toBe(true);
    expect(output).toContain("Your SQL migration file");
    expect(output).toMatch(/drizzle\/0000_\w+\.sql {2}completed/);
    expect(project.migrations()).toHaveLength(1);
    expect(project.newest().match(/^CREATE TRIGGER/gm)?.length).toBeGreaterThan(4);
  });

  test("is all that a new database needs", async () => {
    await upgrade(hub, edge);
    for (const node of [hub, edge]) node.sql("INSERT INTO users VALUES ('u', 'U')");
    hub.sql("INSERT INTO notes (id, title, owner) VALUES ('1', 'one', 'u'), ('2', 'two', 'u')");
    await edge.sync(hub);
    expect(edge.rows("SELECT id, title, stars FROM notes")).toEqual([
      { id: "1", title: "one", stars: 0 },
      { id: "2", title: "two", stars: 0 },
    ]);
  });

  test("is the last while nothing changes: neither we nor drizzle-kit write another", async () => {
    const before = project.readAll("drizzle/meta");
    expect((await project.grove()).output).toContain("No schema changes");
    expect((await project.kit(["generate"])).stdout).toContain("No schema changes");
    expect(project.migrations()).toHaveLength(1);
    expect(project.readAll("drizzle/meta")).toEqual(before);
    expect(await project.grove({ check: true })).toMatchObject({ isFresh: true });
  });
});

describe("a change of the schema", () => {
  test("a column more: writes from before it are not lost, and it counts and merges", async () => {
    project.schema(users() + notes(`${tags}, ${title}`));
    expect(await project.grove({ check: true })).toMatchObject({ isFresh: false });
    await project.grove();
    // Not folded yet when the migration runs: its mask counts columns as they were.
    hub.sql("UPDATE notes SET title = 'first' WHERE id = '1'");
    edge.sql("UPDATE notes SET stars = stars + 1 WHERE id = '1'");
    await upgrade(hub, edge);
    hub.sql(`UPDATE notes SET tags = '["a"]', stars = stars + 1 WHERE id = '1'`);
    edge.sql(`UPDATE notes SET tags = '["b"]' WHERE id = '1'`);
    await edge.sync(hub);
    const expected = [{ title: "first", stars: 2, tags: "a b" }];
    const read = `SELECT title, stars, (SELECT group_concat(value, ' ' ORDER BY value) FROM json_each(tags)) AS tags
      FROM notes WHERE id = '1'`;
    for (const node of [hub, edge]) expect(node.rows(read)).toEqual(expected);
  });

  test("a table that drizzle-kit rebuilds takes no row along and tells nobody that rows went", async () => {
    project.schema(users(".notNull()") + notes(`${tags}, ${title}, ${body}`));
    await project.grove();
    expect(project.newest()).toContain("__new_users");
    edge.sql("UPDATE notes SET title = 'waits' WHERE id = '2'");
    await upgrade(hub, edge);
    expect(hub.rows("SELECT count(*) AS n FROM notes")).toEqual([{ n: 2 }]);
    expect(hub.rows("SELECT name FROM sqlite_schema WHERE name GLOB '__*'")).toEqual([
      { name: "__drizzle_migrations" },
    ]);
    expect([log(hub), log(edge)]).toEqual([[], [{ op: "U" }]]);
    hub.sql("UPDATE notes SET body = 'new' WHERE id = '2'");
    await edge.sync(hub);
    for (const node of [hub, edge])
      expect(node.rows("SELECT id, title, body, owner FROM notes")).toEqual([
        { id: "1", title: "first", body: "-", owner: "u" },
        { id: "2", title: "waits", body: "new", owner: "u" },
      ]);
  });

  test("a table that is rebuilt itself is captured as before", async () => {
    project.schema(users(".notNull()") + notes(`${tags}, ${firm}, ${body}`));
    await project.grove();
    expect(project.newest()).toContain("__new_notes");
    hub.sql("UPDATE notes SET title = 'hub', stars = stars + 1 WHERE id = '1'");
    await upgrade(hub, edge);
    hub.sql("DELETE FROM notes WHERE id = '2'");
    await edge.sync(hub);
    for (const node of [hub, edge])
      expect(node.rows("SELECT id, title, stars FROM notes")).toEqual([{ id: "1", title: "hub", stars: 3 }]);
  });

  test("a column less: its triggers do not stand in the way, and the others' writes that wait are kept", async () => {
    project.schema(users(".notNull()") + notes(`${firm}, ${body}`));
    await project.grove();
    edge.sql(`UPDATE notes SET body = 'last', tags = '["c"]' WHERE id = '1'`);
    hub.sql("UPDATE notes SET stars = stars + 1 WHERE id = '1'");
    await upgrade(hub, edge);
    await edge.sync(hub);
    for (const node of [hub, edge]) {
      expect(node.rows("SELECT * FROM notes")).toEqual([{ id: "1", title: "hub", body: "last", stars: 4, owner: "u" }]);
      expect(node.rows("SELECT * FROM _notes_crdt_cells WHERE field = 'tags'")).toEqual([]);
    }
  });
});

describe("a new name", () => {
  test("of a column takes along what is known of it: the later write wins, whatever it was called", async () => {
    project.schema(users(".notNull()") + notes(`heading: lww(text("heading").notNull().default("")), ${body}`));
    hub.sql(`UPDATE notes SET title = 'earlier', stars = stars + 1 WHERE id = '1';
      INSERT INTO notes (id, title) VALUES ('4', 'four')`);
    await hub.node.fold();
    await pause(20);
    edge.sql("UPDATE notes SET title = 'later', stars = stars + 1 WHERE id = '1'; INSERT INTO notes (id) VALUES ('3')");
    const environment = { NODE_OPTIONS: `--require ${terminal}`, KIT_ANSWERS: "heading=title" };
    const { stdout, code } = await runCli(project.folder, ["generate"], environment);
    expect(stdout).toContain("completed");
    expect(code).toBe(0);
    await upgrade(hub, edge);
    await edge.sync(hub);
    for (const node of [hub, edge])
      expect(node.rows("SELECT id, heading, stars FROM notes ORDER BY id")).toEqual([
        { id: "1", heading: "later", stars: 6 },
        { id: "3", heading: "", stars: 0 },
        { id: "4", heading: "four", stars: 0 },
      ]);
    // Written with its row, and so it stays.
    for (const { node } of [hub, edge]) expect((await node.inspect("notes", ["4"]))?.lww?.heading).toEqual(["four"]);
    edge.sql("DELETE FROM notes WHERE id = '4'");
    expect((await hub.node.inspect("notes", ["1"]))?.lww).toEqual((await edge.node.inspect("notes", ["1"]))?.lww);
  });

  test.each([
    ["whatever drizzle-kit was told about the tables beside it", "memos", ["memos=notes"]],
    [
      "and theirs",
      "papers",
      ["papers=memos", "_papers_log=_memos_log", "_papers_crdt=_memos_crdt", "_papers_crdt_cells=_memos_crdt_cells"],
    ],
  ])("of a table takes along what is known of its rows, %s", async (_, table, answers) => {
    const before = table === "memos" ? "notes" : "memos";
    project.schema(
      users(".notNull()") + notes(`heading: lww(text("heading").notNull().default("")), ${body}`, { table }),
    );
    hub.sql(`UPDATE ${before} SET heading = 'earlier' WHERE id = '1'`);
    await hub.node.fold();
    await pause(20);
    edge.sql(
      `UPDATE ${before} SET heading = '${table}', stars = stars + 1 WHERE id = '1'; DELETE FROM ${before} WHERE id = '3'`,
    );
    await project.grove({ kit: false });
    const told = await project.kit(["generate"], answers);
    expect(told.code, told.stdout).toBe(0);
    // As it stands it would lose the triggers, or what they wrote.
    expect(await project.grove({ check: true })).toMatchObject({ isFresh: false });
    expect((await project.grove()).output).toMatch(/shielded\n.*grove_capture\.sql +new/);
    await upgrade(hub, edge);
    await edge.sync(hub);
    const stars = table === "memos" ? 7 : 8;
    for (const node of [hub, edge])
      expect(node.rows(`SELECT id, heading, stars FROM ${table}`)).toEqual([{ id: "1", heading: table, stars }]);
    expect(hub.rows(`SELECT name FROM sqlite_schema WHERE name LIKE '%${before}%'`)).toEqual([]);
    expect(await project.grove({ check: true })).toMatchObject({ isFresh: true });
  });
});

describe("without a change of the tables", () => {
  test("other triggers come in a migration of their own, and --check asks for it", async () => {
    project.schema(
      users(".notNull()") +
        notes(`heading: lww(text("heading").notNull().default("")), ${body}`, { table: "papers", owner: "local" }),
    );
    await project.grove({ kit: false });
    const stale = await project.grove({ check: true });
    expect(stale.isFresh).toBe(false);
    expect(stale.output).toContain("_papers_update");
    await expect(hub.start()).rejects.toMatchObject({ code: "capture_stale" });
    const count = project.migrations().length;
    expect((await project.grove()).output).toMatch(/grove_capture\.sql {2}new/);
    expect(project.migrations()).toHaveLength(count + 1);
    expect((await project.kit(["generate"])).stdout).toContain("No schema changes");
    expect(await project.grove({ check: true })).toMatchObject({ isFresh: true });
    await upgrade(hub, edge);
    hub.sql("UPDATE papers SET owner = NULL");
    expect(log(hub, "papers")).toEqual([]);
  });

  test("a table that goes takes its shadow along and tells nobody", async () => {
    project.schema(users(".notNull()") + notes(title, { table: "drafts" }));
    await project.grove({ kit: false });
    expect((await project.kit(["generate"], [])).stderr).toBe("");
    await project.grove();
    hub.migrate();
    await hub.start();
    expect(hub.rows("SELECT name FROM sqlite_schema WHERE name LIKE '%papers%'")).toEqual([]);
    expect(hub.rows("SELECT tbl FROM _grove_capture")).toEqual([{ tbl: "drafts" }]);
    await edge.start().catch(() => {});
    expect(edge.rows("SELECT count(*) AS n FROM papers")).toEqual([{ n: 1 }]);
  });

  test("all migrations at once make the same database as one by one", async () => {
    const fresh = await new MigratedNode(project, "fresh").mend
      .call(new MigratedNode(project, "fresh"))
      .catch(() => null);
    expect(fresh).toBeNull();
    const late = new MigratedNode(project, "late");
    late.migrate();
    await late.start();
    const objects = "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name";
    expect(late.rows(objects)).toEqual(hub.rows(objects));
  });
});
