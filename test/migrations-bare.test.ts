// drizzle-kit used without us: `drizzle-kit generate`, `migrate` and `push` by themselves, and migrations from before
// capture. A node works or refuses and says what mends it, and no migration becomes a delete on another node.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MigratedNode, MigrationProject } from "./support/migrations";

const users = (name: string) =>
  `export const users = sqliteTable("users", { id: text("id").primaryKey(), name: text("name")${name} });`;
const notes = (columns: string) =>
  `export const notes = sqliteTable("notes", { id: text("id").primaryKey(), ${columns},
     owner: lww(text("owner").references(() => users.id, { onDelete: "cascade" })) });`;
const title = `title: lww(text("title"))`;
const extra = `extra: lww(text("extra"))`;

let project: MigrationProject;
let hub: MigratedNode;
let edge: MigratedNode;
beforeAll(async () => {
  project = new MigrationProject();
  project.schema(users("") + notes(`${title}, ${extra}`));
  await project.grove();
  hub = new MigratedNode(project, "hub");
  edge = new MigratedNode(project, "edge", project.path("kit.db"));
  hub.migrate();
});
afterAll(() => project.remove());

/** What `drizzle-kit generate` does by itself. */
async function bare(schema: string): Promise<void> {
  project.schema(schema);
  await project.grove({ kit: false });
  const { stdout } = await project.kit(["generate"]);
  expect(stdout).toContain("Your SQL migration file");
}
const ids = (node: MigratedNode) => node.db.prepare("SELECT id FROM notes ORDER BY id").pluck().all();

test("`drizzle-kit migrate` installs the capture like any migrator", async () => {
  expect((await project.kit(["migrate"])).code).toBe(0);
  await hub.start();
  await edge.start();
  for (const node of [hub, edge]) node.sql("INSERT INTO users VALUES ('u', 'U')");
  hub.sql("INSERT INTO notes (id, title, owner) VALUES ('1', 'one', 'u'), ('2', 'two', 'u')");
  await edge.sync(hub);
  expect(ids(edge)).toEqual(["1", "2"]);
});

describe("a migration that drizzle-kit wrote by itself", () => {
  test("and that would take referring rows along is stopped by the triggers, with nothing lost", async () => {
    await bare(users(".notNull()") + notes(`${title}, ${extra}`));
    const before = hub.rows("SELECT * FROM notes");
    expect(() => hub.migrate()).toThrow(
      expect.objectContaining({ cause: expect.objectContaining({ code: "SQLITE_CONSTRAINT_TRIGGER" }) }),
    );
    // It says nothing but ends with 1.
    expect(await project.kit(["migrate"])).toMatchObject({ code: 1 });
    await hub.start();
    expect(hub.rows("SELECT * FROM notes")).toEqual(before);
    expect(hub.rows("SELECT * FROM _notes_log")).toEqual([]);
  });

  test("is made safe by the next `grove-crdt generate`", async () => {
    expect(await project.grove({ check: true })).toMatchObject({ isFresh: false });
    expect((await project.grove()).output).toMatch(/shielded\n.*grove_capture\.sql +new/);
    expect(await project.grove({ check: true })).toMatchObject({ isFresh: true });
    hub.migrate();
    expect(await project.kit(["migrate"])).toMatchObject({ code: 0 });
    await hub.start();
    await edge.start();
    await edge.sync(hub);
    for (const node of [hub, edge]) expect(ids(node)).toEqual(["1", "2"]);
  });

  test("and that drops a column fails while the triggers name it, and goes through once it is made safe", async () => {
    await bare(users(".notNull()") + notes(title));
    const before = hub.rows("SELECT * FROM notes");
    expect(() => hub.migrate()).toThrow();
    expect(hub.rows("SELECT * FROM notes")).toEqual(before);
    await project.grove();
    hub.migrate();
    edge.migrate();
    await hub.start();
    await edge.start();
  });

  test("and that rebuilds the table itself takes the capture away: the node refuses until it is mended", async () => {
    await bare(users(".notNull()") + notes(`title: lww(text("title").notNull().default("none"))`));
    hub.migrate();
    await expect(hub.start()).rejects.toMatchObject({
      code: "capture_missing",
      message: expect.stringContaining("node.ensureShadowTables()"),
      details: { names: expect.arrayContaining(["_notes_insert", "_notes_delete"]) },
    });
    // Nobody captures this; the row is adopted, as one from before capture.
    hub.sql("INSERT INTO notes (id, title) VALUES ('3', 'three')");
    await hub.mend();
    hub.sql("UPDATE notes SET title = 'uno' WHERE id = '1'");
    await project.grove();
    edge.migrate();
    await edge.start();
    await edge.sync(hub);
    expect(edge.rows("SELECT id, title FROM notes ORDER BY id")).toEqual([
      { id: "1", title: "uno" },
      { id: "2", title: "two" },
      { id: "3", title: "three" },
    ]);
    // The migration that came too late for the hub finds nothing to do there.
    hub.migrate();
    await hub.start();
  });
});

test("`drizzle-kit push` keeps our tables; what it takes of the capture is refused and mended", async () => {
  project.schema(users("") + notes(`title: lww(text("title").notNull().default(""))`));
  await project.grove({ kit: false });
  const { stdout, stderr } = await project.kit(["push", "--force"]);
  expect(stdout + stderr).toContain("Changes applied");
  await expect(edge.start()).rejects.toMatchObject({ code: expect.stringMatching(/^capture_/) });
  await edge.mend();
  expect(ids(edge)).toEqual(["1", "2", "3"]);
  expect(edge.rows("SELECT * FROM _notes_log")).toEqual([]);
  expect(edge.rows("SELECT count(*) AS n FROM _notes_crdt WHERE cl = 1")).toEqual([{ n: 3 }]);
});

describe("a database from before capture", () => {
  let project: MigrationProject;
  beforeAll(async () => {
    project = new MigrationProject();
    project.schema(`export const notes = sqliteTable("notes", { id: text("id").primaryKey(), title: text("title") });`);
    expect((await project.kit(["generate"])).stdout).toContain("Your SQL migration file");
  });
  afterAll(() => project.remove());

  test("goes on with the migration that brings it, whether or not ensureShadowTables() came first", async () => {
    const [early, late, fresh] = ["early", "late", "fresh"].map((id) => new MigratedNode(project, id)) as [
      MigratedNode,
      MigratedNode,
      MigratedNode,
    ];
    for (const node of [early, late]) {
      node.migrate();
      node.sql("INSERT INTO notes VALUES ('1', 'one'), ('2', 'two')");
    }
    project.schema(`export const notes = sqliteTable("notes", { id: text("id").primaryKey(), ${title} });`);
    await project.grove();
    await early.mend();
    early.sql("UPDATE notes SET title = 'uno' WHERE id = '1'");
    for (const node of [early, late, fresh]) node.migrate();
    await early.start();
    await fresh.start();
    // Its rows are to be adopted, by one explicit step.
    await expect(late.start()).rejects.toMatchObject({ code: "capture_missing" });
    await late.mend();
    await late.start();
    await fresh.sync(early);
    await late.sync(early);
    for (const node of [early, late, fresh])
      expect(node.rows("SELECT * FROM notes ORDER BY id")).toEqual([
        { id: "1", title: "uno" },
        { id: "2", title: "two" },
      ]);
  });
});

test("rows that refer to a rebuilt table, to themselves, in chains and by every action, are all there afterwards", async () => {
  const project = new MigrationProject();
  const schema = (more: string) => `
    export const users = sqliteTable("users", { id: text("id").primaryKey(), name: text("name")${more},
      boss: text("boss").references(() => users.id, { onDelete: "cascade" }) });
    export const notes = sqliteTable("notes", { id: text("id").primaryKey(), title: lww(text("title")${more}),
      owner: lww(text("owner").references(() => users.id, { onDelete: "cascade" })) });
    export const lines = sqliteTable("lines", { id: text("id").primaryKey(),
      note: text("note").references(() => notes.id, { onDelete: "set null" }),
      user: text("user").references(() => users.id), size: integer("size").generatedAlwaysAs(sql\`length(id)\`) });
    export const words = sqliteTable("words", { id: text("id").primaryKey(),
      line: text("line").references(() => lines.id, { onDelete: "restrict" }) });
  `;
  project.schema(`import { sql } from "drizzle-orm"; ${schema("")}`);
  await project.grove();
  const all = ["users", "notes", "lines", "words"].map((table) => `SELECT * FROM ${table} ORDER BY id`);
  const nodes = [true, false].map((on) => {
    const node = new MigratedNode(project, on ? "on" : "off");
    node.db.pragma(`foreign_keys = ${on ? "ON" : "OFF"}`);
    node.migrate();
    node.sql(`INSERT INTO users VALUES ('a', 'A', NULL), ('b', 'B', 'a'), ('c', 'C', 'b');
      INSERT INTO notes (id, title, owner) VALUES ('1', 'one', 'a'), ('2', 'two', 'c'), ('3', 'three', NULL);
      INSERT INTO lines (id, note, user) VALUES ('x', '1', 'b'), ('y', '2', NULL), ('z', NULL, 'c');
      INSERT INTO words VALUES ('w', 'x'), ('v', 'z')`);
    return node;
  });
  const before = nodes.map((node) => all.map((sql) => node.rows(sql)));
  project.schema(`import { sql } from "drizzle-orm"; ${schema(".notNull()")}`);
  await project.grove();
  for (const node of nodes) {
    await node.start().catch(() => {});
    node.migrate();
  }
  expect(nodes.map((node) => all.map((sql) => node.rows(sql)))).toEqual(before);
  for (const node of nodes) {
    expect(node.db.pragma("foreign_key_check")).toEqual([]);
    expect(node.rows("SELECT op FROM _notes_log WHERE op <> 'I'")).toEqual([]);
    await node.start();
  }
  project.remove();
});
