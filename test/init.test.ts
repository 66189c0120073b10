// `grove-crdt init` in projects as people have them: what it finds, what it writes, what it leaves to them.
import { existsSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { init as initProject } from "../packages/grove-crdt/src/commands/init";
import { Project, runCli } from "./support/project";

const open: Project[] = [];
const projectOf = (files: Record<string, string>, ...packages: string[]): Project => {
  const dependencies = Object.fromEntries(packages.map((name) => [name, "*"]));
  const project = new Project({ "package.json": JSON.stringify({ type: "module", dependencies }), ...files });
  open.push(project);
  return project;
};
const init = (project: Project, ...args: string[]) => runCli(project.folder, ["init", ...args]);
const json = async (project: Project, ...args: string[]) => JSON.parse((await init(project, "--json", ...args)).stdout);

afterAll(() => {
  for (const project of open) project.remove();
});

const SQLITE = `import { sqliteTable, text } from "drizzle-orm/sqlite-core";
import { lww } from "grove-crdt/schema";
export const t = sqliteTable("t", { id: text("id").primaryKey(), x: lww(text("x")) });
`;
const POSTGRES = SQLITE.replaceAll("sqliteTable", "pgTable").replace("sqlite-core", "pg-core");

const configOf = (inner: string) => `import { defineConfig } from "drizzle-kit";

export default defineConfig({
${inner}
});
`;

describe("a project without a config", () => {
  test.each([
    { dialect: "sqlite", schema: SQLITE, driver: "better-sqlite3", kit: "sqlite" },
    { dialect: "postgres", schema: POSTGRES, driver: "postgres", kit: "postgresql" },
    { dialect: "postgres", schema: POSTGRES, driver: "pg", kit: "postgresql" },
  ])("$driver: gets one, which `generate` takes as it is", async ({ dialect, schema, driver, kit }) => {
    const project = projectOf({ "schema.ts": schema }, driver);
    expect(await init(project, "--yes")).toMatchObject({ code: 0, stderr: "" });
    expect(project.read("drizzle.config.ts")).toContain(`dialect: "${kit}"`);
    expect(await project.generate()).toMatchObject({ code: 0, stderr: "" });
    expect(existsSync(project.path(`generated/${dialect}/shadow.ts`))).toBe(true);
    expect(await json(project, "--yes")).toMatchObject({ config: { state: "unchanged" }, written: false, patch: "" });
  });

  test("a schema below src generates below src, and --unmarked goes into the config", async () => {
    const project = projectOf({ "src/db/schema.ts": SQLITE }, "better-sqlite3");
    expect((await init(project, "--yes", "--unmarked", "lww")).code).toBe(0);
    const config = project.read("drizzle.config.ts");
    expect(config).toContain('schema: ["./src/db/schema.ts", "./src/generated/sqlite/shadow.ts"]');
    expect(config).toContain('...groveCrdt({ out: "./src/generated", unmarked: "lww" })');
  });

  test("where both drivers are installed, the schema says which database it is", async () => {
    const project = projectOf({ "src/schema/one.ts": POSTGRES }, "better-sqlite3", "postgres");
    expect(await json(project, "--dry-run")).toMatchObject({ dialect: "postgres", schema: ["./src/schema"] });
  });

  test("what is not installed yet is named", async () => {
    const project = projectOf({ "schema.ts": SQLITE }, "grove-crdt", "drizzle-orm", "zod");
    const { next } = await json(project, "--dry-run");
    expect(next).toEqual([
      "npm install hono @hono/node-server better-sqlite3",
      "npm install --save-dev drizzle-kit",
      "npx grove-crdt generate",
    ]);
  });
});

describe("a config that is there", () => {
  const cases = {
    "one file": { before: `schema: "./schema.ts",`, after: `schema: ["./schema.ts", "./generated/sqlite/shadow.ts"],` },
    "a list": { before: `schema: ["./schema.ts"],`, after: `schema: ["./schema.ts", "./generated/sqlite/shadow.ts"],` },
    "a list over lines": {
      before: `schema: [\n    "./schema.ts", // ours ] }\n  ],`,
      after: `schema: [\n    "./schema.ts", // ours ] }\n  ],`,
      refused: true,
    },
    "a list over clean lines": {
      before: `schema: [\n    './schema.ts',\n  ],`,
      after: `schema: [\n    './schema.ts',\n    "./generated/sqlite/shadow.ts",\n  ],`,
    },
  };
  test.each(Object.entries(cases))("schema as %s", async (_, { before, after, ...rest }) => {
    const text = configOf(`  // the schema: "./old.ts" {\n  dialect: "sqlite",\n  ${before}\n  out: "./migrations"`);
    const project = projectOf({ "schema.ts": SQLITE, "drizzle.config.ts": text });
    const { code, stderr } = await init(project, "--yes");
    const written = project.read("drizzle.config.ts");
    if ("refused" in rest) {
      expect([code, written]).toEqual([1, text]);
      expect(stderr).toContain("Add by hand");
      return;
    }
    expect([stderr, code]).toEqual(["", 0]);
    expect(written).toContain(after);
    expect(written).toContain(`out: "./migrations",\n  ...groveCrdt({ out: "./generated" }),\n});`);
    expect(written).toContain(`from "drizzle-kit";\nimport { groveCrdt } from "grove-crdt/config";\n\nexport`);
    expect((await project.generate()).code).toBe(0);
  });

  test("JSON, and CommonJS", async () => {
    const project = projectOf({
      "schema.ts": SQLITE,
      "drizzle.config.json": JSON.stringify({ dialect: "sqlite", schema: "./schema.ts" }, null, 2),
      "common.cjs": `module.exports = { dialect: "sqlite", schema: "./schema.ts" };\n`,
    });
    expect((await init(project, "--yes")).code).toBe(0);
    const { schema, groveCrdt } = JSON.parse(project.read("drizzle.config.json"));
    expect([schema, groveCrdt]).toEqual([["./schema.ts", "./generated/sqlite/shadow.ts"], { out: "./generated" }]);
    expect((await init(project, "--yes", "--config", "common.cjs")).code).toBe(0);
    expect(project.read("common.cjs")).toMatch(/^const \{ groveCrdt \} = require\("grove-crdt\/config"\);/);
    expect((await project.generate("--config", "common.cjs")).code).toBe(0);
  });

  test("one that is put together elsewhere stays as it is, and its author is told the lines", async () => {
    const text = `const config = { dialect: "sqlite", schema: "./schema.ts" };\nexport default config;\n`;
    const project = projectOf({ "schema.ts": SQLITE, "drizzle.config.ts": text });
    const { code, stderr } = await init(project, "--yes");
    expect(code).toBe(1);
    expect(stderr).toContain(`...groveCrdt({ out: "./generated" }) to the object`);
    expect(project.read("drizzle.config.ts")).toBe(text);
  });

  test("a change that would not say what it shall is never written", async () => {
    // The property that the object really has comes after the one that is found.
    const text = configOf(`  dialect: "sqlite",\n  schema: "./schema.ts",\n  ...{ schema: "./schema.ts" }`);
    const project = projectOf({ "schema.ts": SQLITE, "drizzle.config.ts": text });
    expect((await init(project, "--yes")).code).toBe(1);
    expect(project.read("drizzle.config.ts")).toBe(text);
  });
});

describe("nothing is written", () => {
  test("by --dry-run, which shows the patch and ends with 0", async () => {
    const project = projectOf({ "schema.ts": SQLITE }, "better-sqlite3");
    const { code, stdout } = await init(project, "--dry-run");
    expect(code).toBe(0);
    expect(stdout).toContain("+++ b/drizzle.config.ts");
    expect(stdout).toContain('+  dialect: "sqlite",');
    expect(existsSync(project.path("drizzle.config.ts"))).toBe(false);
  });

  test("without a terminal and without --yes, which ends with 1 and says so", async () => {
    const project = projectOf({ "schema.ts": SQLITE }, "better-sqlite3");
    const { code, stderr } = await init(project);
    expect(code).toBe(1);
    expect(stderr).toContain("--yes");
    expect(await json(project)).toMatchObject({ written: false, config: { state: "new" } });
    expect(existsSync(project.path("drizzle.config.ts"))).toBe(false);
  });

  test("when whoever is asked says no; and when the answer is yes, it is", async () => {
    const project = projectOf({ "schema.ts": SQLITE }, "better-sqlite3");
    const printed: string[] = [];
    const terminal = { print: (text: string) => printed.push(text), style: (_: string, text: string) => text };
    const asked = (answer: boolean) => initProject({}, project.folder, terminal, async () => answer);
    expect(await asked(false)).toBe(false);
    expect(existsSync(project.path("drizzle.config.ts"))).toBe(false);
    expect(printed.join("\n")).toContain('+  dialect: "sqlite",');
    expect(await asked(true)).toBe(true);
    expect(existsSync(project.path("drizzle.config.ts"))).toBe(true);
  });

  const refusals: Record<
    string,
    { files: Record<string, string>; packages?: string[]; args?: string[]; says: string }
  > = {
    "no schema": { files: {}, packages: ["better-sqlite3"], says: "--schema" },
    "a schema of the other database": {
      files: { "schema.ts": POSTGRES },
      packages: ["better-sqlite3"],
      says: "postgres or pg",
    },
    "two schemas": {
      files: { "schema.ts": SQLITE, "src/schema.ts": SQLITE },
      packages: ["better-sqlite3"],
      says: "./schema.ts (sqlite), ./src/schema.ts (sqlite)",
    },
    "a config of another database": {
      files: { "drizzle.config.ts": configOf(`  dialect: "mysql", schema: "./schema.ts"`), "schema.ts": SQLITE },
      says: `"mysql" is not supported`,
    },
    "--dialect against the config": {
      files: { "drizzle.config.ts": configOf(`  dialect: "sqlite", schema: "./schema.ts"`), "schema.ts": SQLITE },
      args: ["--dialect", "postgres"],
      says: "says otherwise than --dialect postgres",
    },
    "a package.json that is none": { files: { "package.json": "{" }, says: "package.json could not be read" },
  };
  test.each(Object.entries(refusals))(
    "%s: refused, with the cure",
    async (_, { files, packages = [], args = [], says }) => {
      const project = projectOf(files, ...packages);
      const { code, stderr } = await init(project, "--yes", ...args);
      expect(code).toBe(1);
      expect(stderr).toContain(says);
      expect(stderr).toContain("schema_load_failed");
    },
  );
});
