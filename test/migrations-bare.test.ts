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

  test("and that rebuilds the table itself takes the capture away: the node refuses until it is mended (fault 18)", async () => {
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
    await expect(late.start()).rejects.toMatchObject({ code: "not_adopted", details: { names: ["notes"] } });
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
  const people = (more: string) => `
    export const users = sqliteTable("users", { id: text("id").primaryKey(), name: text("name")${more},
      boss: text("boss").references(() => users.id, { onDelete: "cascade" }) });`;
  const schema = (more: string) => `
    export const notes = sqliteTable("notes", { id: text("id").primaryKey(), title: lww(text("title")${more}),
      owner: lww(text("owner").references(() => users.id, { onDelete: "cascade" })) });
    export const lines = sqliteTable("lines", { id: text("id").primaryKey(),
      note: text("note").references(() => notes.id, { onDelete: "set null" }),
      user: text("user").references(() => users.id) });
    export const words = sqliteTable("words", { id: text("id").primaryKey(),
      line: text("line").references(() => lines.id, { onDelete: "restrict" }),
      size: integer("size").generatedAlwaysAs(sql\`length(id)\`) });
  `;
  project.schema(`import { sql } from "drizzle-orm"; ${people("")} ${schema("")}`);
  await project.grove();
  const all = ["users", "notes", "lines", "words"].map((table) => `SELECT * FROM ${table} ORDER BY id`);
  const nodes = [true, false].map((on) => {
    const node = new MigratedNode(project, on ? "on" : "off");
    node.db.pragma(`foreign_keys = ${on ? "ON" : "OFF"}`);
    node.migrate();
    node.sql(`INSERT INTO users VALUES ('a', 'A', NULL), ('b', 'B', 'a'), ('c', 'C', 'b');
      INSERT INTO notes (id, title, owner) VALUES ('1', 'one', 'a'), ('2', 'two', 'c'), ('3', 'three', NULL);
      INSERT INTO lines (id, note, user) VALUES ('x', '1', 'b'), ('y', '2', NULL), ('z', NULL, 'c');
      INSERT INTO words (id, line) VALUES ('w', 'x'), ('v', 'z')`);
    return node;
  });
  const before = nodes.map((node) => all.map((sql) => node.rows(sql)));
  project.schema(`import { sql } from "drizzle-orm"; ${people(".notNull()")} ${schema(".notNull()")}`);
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
  // And when that table goes altogether.
  project.schema(
    `import { sql } from "drizzle-orm"; ${schema(".notNull()").replaceAll(/\.references\(\(\) => users\.id[^)]*\)/g, "")}`,
  );
  await project.grove();
  for (const node of nodes) {
    node.migrate();
    expect(all.slice(1).map((sql) => node.rows(sql))).toEqual(before[0]?.slice(1));
    expect(node.rows("SELECT op FROM _notes_log WHERE op <> 'I'")).toEqual([]);
    await node.start();
  }
  project.remove();
});

describe("what generate refuses", () => {
  let project: MigrationProject;
  const table = (columns: string) => `export const notes = sqliteTable("notes", { ${columns} });`;
  beforeAll(async () => {
    project = new MigrationProject();
    project.schema(table(`id: text("id").primaryKey(), ${title}`));
    await project.grove();
  });
  afterAll(() => project.remove());

  test("a question of drizzle-kit's that nobody can answer: the files are written, no migration is", async () => {
    project.schema(table(`id: text("id").primaryKey(), heading: lww(text("heading"))`));
    await expect(project.grove()).rejects.toMatchObject({
      code: "kit_failed",
      message: expect.stringContaining("in a terminal"),
    });
    expect(project.read("generated/sqlite/registry.ts")).toContain('"heading"');
    expect(project.migrations()).toHaveLength(1);
  });

  test("answers that do not go together: our tables are renamed where the user's is not", async () => {
    project.schema(`${table(`id: text("id").primaryKey(), ${title}`).replaceAll("notes", "memos")}`);
    await project.grove({ kit: false });
    await project.kit(["generate"], ["_memos_log=_notes_log"]);
    await expect(project.grove()).rejects.toMatchObject({ code: "migrations_invalid" });
  });

  test("shadow tables that drizzle-kit does not know, and migrations without marks", async () => {
    const config = project.read("drizzle.config.ts");
    project.write(
      "blind.config.ts",
      config.replace(`, "./generated/sqlite/shadow.ts"`, "").replace("...grove", `out: "./blind", ...grove`),
    );
    project.write("marks.config.ts", config.replace("...grove", "breakpoints: false, ...grove"));
    for (const [file, text] of [
      ["blind.config.ts", "shadow.ts"],
      ["marks.config.ts", "breakpoints"],
    ] as const)
      await expect(project.grove({ config: file })).rejects.toMatchObject({
        code: "migrations_invalid",
        message: expect.stringContaining(text),
      });
  });
});

test("a new name of a key is a new name in the tables beside, which keep their rows", async () => {
  const project = new MigrationProject();
  project.schema(`export const notes = sqliteTable("notes", { id: text("id").primaryKey(), ${title} });`);
  await project.grove();
  const node = new MigratedNode(project, "one");
  node.migrate();
  await node.start();
  node.sql("INSERT INTO notes VALUES ('1', 'one'), ('2', 'two')");
  await node.node.fold();
  node.sql("DELETE FROM notes WHERE id = '2'");
  await node.node.fold();
  node.sql("UPDATE notes SET title = 'uno'");
  project.schema(`export const notes = sqliteTable("notes", { uid: text("uid").primaryKey(), ${title} });`);
  await project.grove({ kit: false });
  expect((await project.kit(["generate"], ["uid=id"])).stdout).toContain("Your SQL migration file");
  await project.grove();
  node.migrate();
  await node.start();
  expect(await node.node.fold()).toBe(1);
  expect(await node.node.inspect("notes", ["1"])).toMatchObject({
    cl: 1,
    lww: { title: ["uno", expect.any(Number), "one"] },
  });
  expect(await node.node.inspect("notes", ["2"])).toMatchObject({ cl: 2 });
  project.remove();
});

test("a column that a migration fills is recorded to be adopted; one that holds its default is not", async () => {
  const project = new MigrationProject();
  const table = (more: string) =>
    `export const notes = sqliteTable("notes", { id: text("id").primaryKey(), ${title}${more} });`;
  project.schema(table(""));
  await project.grove();
  const node = new MigratedNode(project, "one");
  node.migrate();
  await node.start();
  node.sql("INSERT INTO notes VALUES ('1', 'one')");
  await node.node.fold();
  project.schema(
    table(
      `, plain: lww(text("plain").notNull().default("it's")), filled: counter(integer("filled").notNull().default(3))`,
    ),
  );
  await project.grove();
  const file = `drizzle/${project.migrations().at(-1)}`;
  const mark = "--> statement-breakpoint\n-- grove-crdt: captured writes";
  expect(project.newest()).toContain(mark);
  const filled = project.newest().replace(mark, `--> statement-breakpoint\nUPDATE notes SET filled = 4;\n${mark}`);
  // As a checkout on Windows has it.
  project.write(file, filled.replaceAll("\n", "\r\n"));
  node.migrate();
  expect(node.rows("SELECT tbl, adopted, added FROM _grove_capture")).toEqual([
    { tbl: "notes", adopted: 1, added: '["filled"]' },
  ]);
  await expect(node.start()).rejects.toMatchObject({ code: "not_adopted" });
  await node.mend();
  expect((await node.node.inspect("notes", ["1"]))?.counter).toEqual({ filled: { birth: ["4", 0, ""] } });
  project.remove();
});
