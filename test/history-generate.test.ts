// groveCrdt({ history }): what `generate` makes of it, and what it refuses.
import { afterEach, expect, test } from "vitest";
import { MigratedNode, MigrationProject } from "./support/migrations";
import { configText, Project, runCli, tableText } from "./support/project";

const projects: Project[] = [];
afterEach(() => {
  for (const project of projects.splice(0)) project.remove();
});
const generate = async (options: string, ...args: string[]) => {
  const project = new Project({
    "drizzle.config.ts": configText(`["./schema.ts", "./generated/sqlite/shadow.ts"]`, options),
    "schema.ts": tableText("notes"),
  });
  projects.push(project);
  return { project, run: await project.generate(...args) };
};

test("history that is asked for stands in the registry, and its table among ours; without, neither does", async () => {
  const plain = await generate("{}");
  expect(JSON.stringify(plain.project.readAll("generated/sqlite"))).not.toMatch(/_grove_history|history:/);
  for (const [asked, printed] of [
    ["true", "history: {}"],
    ["{ days: 30 }", "history: { days: 30 }"],
    ["{ days: 0.5, depth: 100 }", "history: { days: 0.5, depth: 100 }"],
  ]) {
    const { project, run } = await generate(`{ history: { notes: ${asked} } }`);
    expect(run).toMatchObject({ code: 0, stderr: "" });
    expect(project.read("generated/sqlite/registry.ts").replaceAll(/\s+/g, " ")).toContain(printed);
    expect(project.read("generated/sqlite/shadow.ts")).toContain('sqliteTable("_grove_history"');
    expect(project.read("generated/sqlite/capture.ts")).toContain("_grove_history");
    // The table of ours, once it is there, is not taken for the user's.
    expect(await project.generate("--check")).toMatchObject({ code: 0 });
  }
});

test("bounds that are none, and tables that are not annotated, are refused with the reason", async () => {
  for (const asked of ["false", "{ days: 0 }", "{ depth: 1.5 }", "{ weeks: 1 }"]) {
    const { run } = await generate(`{ history: { notes: ${asked} } }`);
    expect(run.code, asked).not.toBe(0);
    expect(run.stderr).toContain("history.notes");
  }
  const { run } = await generate("{ history: { nodes: true } }");
  expect(run.code).not.toBe(0);
  expect(run.stderr).toContain("history_table");
});

test("a migration brings it to a database with rows, and another one takes it away", async () => {
  const project = new MigrationProject();
  projects.push(project);
  const plain = project.read("drizzle.config.ts");
  project.schema(
    `export const notes = sqliteTable("notes", { id: text("id").primaryKey(), title: lww(text("title")) });`,
  );
  const generate = async (config: string) => {
    project.write("drizzle.config.ts", config);
    expect((await runCli(project.folder, ["generate"])).code).toBe(0);
    return project.newest();
  };
  await generate(plain);
  const edge = new MigratedNode(project, "edge");
  edge.migrate();
  await edge.start();
  edge.sql("INSERT INTO notes VALUES ('1', 'one')");
  await edge.node.fold();
  expect(await generate(plain.replace("groveCrdt()", "groveCrdt({ history: { notes: true } })"))).toMatch(
    /CREATE TABLE IF NOT EXISTS `_grove_history`/,
  );
  edge.migrate();
  await edge.start();
  // As `npx grove-crdt adopt` does.
  await edge.node.adopt();
  const begun = Date.now();
  await new Promise((resolve) => setTimeout(resolve, 20));
  edge.sql("UPDATE notes SET title = 'two'");
  expect((await edge.node.stateAt("notes", ["1"], new Date(begun)))?.values).toEqual({ id: "1", title: "one" });
  expect((await edge.node.stateAt("notes", ["1"], new Date()))?.values).toEqual({ id: "1", title: "two" });
  expect(await generate(plain)).toMatch(/DROP TABLE (IF EXISTS )?`_grove_history`/);
  edge.migrate();
  await edge.start();
  edge.sql("UPDATE notes SET title = 'three'");
  await edge.node.fold();
  await expect(edge.node.stateAt("notes", ["1"], new Date())).rejects.toMatchObject({ code: "no_history" });
});
