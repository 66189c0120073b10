// `grove-crdt generate` from end to end: which files it reads, what it writes, and that both fit the user's compiler.

import { applyPatch, parsePatch } from "diff";
import ts from "typescript";
import { afterEach, describe, expect, test } from "vitest";
import { configText, Project, repository, runCli, tableText } from "./support/project";

const projects: Project[] = [];
afterEach(() => {
  for (const project of projects.splice(0)) project.remove();
});
function open(files: Record<string, string>): Project {
  const project = new Project(files);
  projects.push(project);
  return project;
}
const names = ["capture.ts", "index.ts", "merge.ts", "registry.ts", "schemas.ts", "shadow.ts", "types.ts"];
const tablesOf = (registry: string) => [...registry.matchAll(/^export const (\w+)Model/gm)].map(([, name]) => name);

test("the committed files of this repository are fresh", async () => {
  const { code, stdout } = await runCli(repository, ["generate", "--check"]);
  expect(stdout).toContain("fresh");
  expect(code).toBe(0);
});

describe("generate", () => {
  test("writes the files, and the second run leaves them as they are, byte for byte", async () => {
    const project = open({
      "drizzle.config.ts": configText(`["./schema.ts", "./generated/sqlite/shadow.ts"]`),
      "schema.ts": tableText("notes"),
    });
    // The first time, shadow.ts is not there yet.
    const first = await project.generate();
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(first.stdout.match(/new$/gm)).toHaveLength(names.length);
    const files = project.readAll("generated/sqlite");
    expect(Object.keys(files)).toEqual(names);
    // The second time it is, and its tables are not taken for the user's.
    const second = await project.generate();
    expect(second.stdout.match(/unchanged$/gm)).toHaveLength(names.length);
    expect(project.readAll("generated/sqlite")).toEqual(files);
  });

  test("--check prints a patch that would mend the files, writes nothing and exits with 1", async () => {
    const project = open({ "drizzle.config.ts": configText(`"./schema.ts"`), "schema.ts": tableText("notes") });
    const missing = await project.generate("--check");
    expect(missing.code).toBe(1);
    expect(missing.stdout).toContain("--- /dev/null");
    await project.generate();
    project.write("generated/sqlite/types.ts", project.read("generated/sqlite/types.ts").replaceAll("\n", "\r\n"));
    expect(await project.generate("--check")).toMatchObject({ code: 0 });

    project.write(
      "schema.ts",
      tableText("notes", `title: lww(text("title")), stars: counter(integer("stars").notNull())`),
    );
    const before = project.readAll("generated/sqlite");
    const stale = await project.generate("--check");
    expect(stale.code).toBe(1);
    expect(stale.stdout).toContain("stale");
    expect(project.readAll("generated/sqlite")).toEqual(before);

    const patches = parsePatch(stale.stdout.slice(0, stale.stdout.lastIndexOf("stale ")));
    await project.generate();
    const registry = patches.find(({ newFileName }) => newFileName === "b/generated/sqlite/registry.ts");
    expect(applyPatch(before["registry.ts"] as string, registry as never)).toBe(
      project.read("generated/sqlite/registry.ts"),
    );
  });

  test("--out and groveCrdt({ out }) say where to", async () => {
    const project = open({
      "drizzle.config.ts": configText(`"./schema.ts"`, `{ out: "./made" }`),
      "schema.ts": tableText("t"),
    });
    await project.generate();
    expect(Object.keys(project.readAll("made/sqlite"))).toEqual(names);
    await project.generate("--out", "./elsewhere/deep");
    expect(project.read("elsewhere/deep/sqlite/types.ts")).toContain('from "../../../schema.js"');
  });

  test("takes casing and unmarked from the config", async () => {
    const project = open({
      "db.config.ts": configText(`"./schema.ts"`, `{ unmarked: "lww" }`, `casing: "snake_case",`),
      "schema.ts": tableText("t", `viewCount: counter(integer().notNull()), lastWord: text()`),
    });
    await project.generate("--config", "db.config.ts");
    const registry = project.read("generated/sqlite/registry.ts");
    expect(registry).toContain('name: "view_count"');
    expect(registry).toContain('name: "last_word"');
  });
});

describe("the schema", () => {
  test("may be spread over files, folders read flat, and globs, whatever their module format", async () => {
    const project = open({
      "drizzle.config.ts": configText(`["./one.ts", "./folder", "./deep/**/*.table.ts", "./common.cjs"]`),
      "one.ts": tableText("one"),
      "folder/two.ts": `import "./z-again";${tableText("two")}`,
      "folder/z-again.ts": `export { two as alias } from "./two"; export * from "../one";`,
      "folder/README.md": "no module",
      "folder/types.d.ts": "no module either",
      "folder/inner/not-read.ts": tableText("inner"),
      "deep/a/b/three.table.ts": `${tableText("three")} await Promise.resolve();`,
      "deep/a/not-matched.ts": tableText("unmatched"),
      "common.cjs": `const { sqliteTable, text } = require("drizzle-orm/sqlite-core");
        const { lww } = require("grove-crdt/schema");
        module.exports = { four: sqliteTable("four", { id: text("id").primaryKey(), x: lww(text("x")) }) };`,
    });
    expect(await project.generate()).toMatchObject({ code: 0, stderr: "" });
    expect(tablesOf(project.read("generated/sqlite/registry.ts"))).toEqual(["four", "one", "three", "two"]);
    const types = project.read("generated/sqlite/types.ts");
    expect(types).toContain('from "../../one.js"');
    expect(types).toContain('from "../../deep/a/b/three.table.js"');
    expect(types).toContain('from "../../common.cjs"');
  });

  test("may use the path aliases of its own tsconfig.json", async () => {
    const project = open({
      "drizzle.config.ts": configText(`"./schema.ts"`),
      "tsconfig.json": JSON.stringify({
        extends: "../../tsconfig.json",
        compilerOptions: { paths: { "#x/*": ["./x/*"], "grove-crdt/*": ["../../packages/grove-crdt/src/*.ts"] } },
      }),
      "x/columns.ts": `import { text } from "drizzle-orm/sqlite-core"; export const key = () => text("id").primaryKey();`,
      "schema.ts": `import { key } from "#x/columns";${tableText("t").replace(`text("id").primaryKey()`, "key()")}`,
    });
    expect(await project.generate()).toMatchObject({ code: 0, stderr: "" });
  });
});

describe("the generated files", () => {
  const columns = `title: lww(text("title")), stars: counter(integer("stars").notNull()), shelf: local(text("shelf")),
    data: lww(text("data", { mode: "json" }).$type<{ a: 1 }>()),
    tags: set(text("tags", { mode: "json" }).$type<{ id: number }[]>().notNull())`;
  const use = `
    import { mergeNotes, materializeNotes, registry, type NotesChange, type NotesRow, type NotesState } from "./generated/sqlite/index.js";
    declare const state: NotesState, change: NotesChange, row: NotesRow;
    export const merged: NotesState = mergeNotes(state, state);
    export const value = materializeNotes(merged)?.title;
    export const stars: number = row.stars;
    export const element: number | undefined = merged.set?.tags?.[0]?.[0].id;
    export const a: 1 | undefined = merged.lww?.data?.[0]?.a;
    if (change.field === "title") change.value satisfies string | null;
    if (change.type === "counter") change.field satisfies "stars";
    export const dialect: "sqlite" = registry.dialect;
    // @ts-expect-error there is no such column
    merged.lww?.shelf;
  `;

  test("compile, typed by column, under both ways of resolving modules", async () => {
    const project = open({
      "drizzle.config.ts": configText(`"./schema.ts"`),
      "schema.ts": tableText("notes", columns),
      "use.ts": use,
    });
    await project.generate();
    const complaints = (options: ts.CompilerOptions) => {
      const paths = {
        "grove-crdt": ["packages/grove-crdt/src/index.ts"],
        "grove-crdt/*": ["packages/grove-crdt/src/*.ts"],
      };
      const all = { ...options, strict: true, noEmit: true, skipLibCheck: true, baseUrl: repository, paths };
      const program = ts.createProgram([project.path("use.ts")], { ...all, target: ts.ScriptTarget.ES2022 });
      const found = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(project.folder));
      return found.flatMap((file) => [
        ...program.getSyntacticDiagnostics(file),
        ...program.getSemanticDiagnostics(file),
      ]);
    };
    const { Bundler, NodeNext } = ts.ModuleResolutionKind;
    const bundler = complaints({ module: ts.ModuleKind.ESNext, moduleResolution: Bundler });
    expect(bundler.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))).toEqual([]);
    // Our own sources are written for Bundler, so here only what is wrong with imports counts.
    const nodeNext = complaints({ module: ts.ModuleKind.NodeNext, moduleResolution: NodeNext });
    expect(nodeNext.filter(({ code }) => [2307, 2834, 2835].includes(code))).toEqual([]);
  });
});
