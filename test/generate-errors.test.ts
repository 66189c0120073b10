// The command line when something is wrong with what it was given: what it says, where, and the exit code.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { generate } from "../packages/grove-crdt/src/commands/generate";
import { configText, Project, runCli, tableText } from "./support/project";

const silent = { print: () => {}, style: (_: unknown, text: string) => text };
let project: Project;
beforeAll(() => {
  project = new Project({ "drizzle.config.ts": configText(`"./schema.ts"`), "schema.ts": tableText("notes") });
});
afterAll(() => project.remove());

describe("the command line", () => {
  test("prints its help on --help, and on nothing, which is an error", async () => {
    const help = await runCli(project.folder, ["--help"]);
    expect(help).toMatchObject({ code: 0, stderr: "" });
    expect(help.stdout).toContain("generate");
    const nothing = await runCli(project.folder, []);
    expect(nothing).toMatchObject({ code: 1, stdout: "" });
    expect(nothing.stderr).toBe(help.stdout);
    expect((await project.generate("--help")).stdout).toContain("--check");
  });
  test("prints its version", async () => {
    expect((await runCli(project.folder, ["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
  test.each([
    [["genrate"], "Did you mean generate?"],
    [["generate", "--chekc"], "Did you mean --check?"],
    [["generate", "--config"], "argument missing"],
    [["generate", "more"], "too many arguments"],
  ])("refuses %j with a hint", async (args, hint) => {
    const { code, stdout, stderr } = await runCli(project.folder, args);
    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toContain(hint);
  });
  test("colours only where asked to, or on a terminal", async () => {
    const plain = await runCli(project.folder, ["generate", "--check"]);
    const coloured = await runCli(project.folder, ["generate", "--check"], { FORCE_COLOR: "1" });
    expect(plain.stdout).not.toContain("\u001b[");
    expect(coloured.stdout).toContain("\u001b[");
  });
});

describe("the schema", () => {
  test("is judged as a whole: every problem is told before it fails, and nothing is written", async () => {
    const columns = `a: text("a"), b: counter(integer("b")), c: set(text("c", { mode: "json" }).$type<string[]>().notNull())`;
    project.write("wrong.ts", tableText("wrong", columns));
    project.write("wrong.config.ts", configText(`["./wrong.ts"]`, `{ out: "./wrong" }`));
    const { code, stdout, stderr } = await project.generate("-c", "wrong.config.ts");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("schema_invalid: The schema has 2 problems");
    expect(stderr).toContain("wrong.a: it is neither annotated nor local");
    expect(stderr).toContain("wrong.b: it is a counter and may be NULL");
    expect(() => project.read("wrong/sqlite/registry.ts")).toThrow();
  });
});

describe("a config or schema that cannot be used is named, with the reason", () => {
  const cases: Record<string, [config: string | null, message: RegExp]> = {
    "a config that is not there": [null, /There is no config missing\.config\.ts/],
    "no dialect": [`export default { schema: "./schema.ts" }`, /dialect: must name the database/],
    "no schema": [`export default { dialect: "sqlite" }`, /schema: must be the schema's file/],
    "another dialect": [
      `export default { dialect: "mysql", schema: "./schema.ts" }`,
      /"mysql" is not supported; this version replicates "sqlite" and "postgresql"/,
    ],
    "no default export": [`export const dialect = "sqlite"`, /is not a Drizzle config/],
    "an unknown option of ours": [
      `export default { dialect: "sqlite", schema: "./schema.ts", groveCrdt: { output: "x" } }`,
      /groveCrdt: Unrecognized key: "output"/,
    ],
    "a schema file that is not there": [
      configText(`["./schema.ts", "./typo.ts"]`),
      /names \.\/typo\.ts, where there is no source/,
    ],
    "a glob without a match": [configText(`"./none/*.ts"`), /names \.\/none\/\*\.ts/],
    "nothing but generated files": [
      configText(`"./generated/sqlite/shadow.ts"`),
      /no schema file besides the generated ones/,
    ],
    "a syntax error in the schema": [configText(`"./syntax.ts"`), /syntax\.ts could not be loaded: .*syntax\.ts:2/s],
    "an import that is not there": [configText(`"./import.ts"`), /import\.ts could not be loaded: .*nowhere/],
    "an error thrown while loading": [configText(`"./throws.ts"`), /throws\.ts could not be loaded: on purpose/],
    "a syntax error in the config": ["export default {", /missing\.config\.ts could not be loaded/],
  };
  beforeAll(() => {
    project.write("syntax.ts", "export const a = 1;\nexport const = 2;\n");
    project.write("import.ts", `import "./nowhere"; export {};`);
    project.write("throws.ts", `throw new Error("on purpose");`);
  });
  test.each(Object.entries(cases))("%s", async (name, [config, message]) => {
    const inConfig = config === null || name.endsWith("the config");
    const file = inConfig ? "missing.config.ts" : `${name.replace(/\W/g, "-")}.config.ts`;
    if (config !== null) project.write(file, config);
    const error = await generate({ config: file }, project.folder, silent).catch((error: unknown) => error);
    expect(error).toMatchObject({ name: "GroveError", code: "schema_load_failed" });
    expect((error as Error).message).toMatch(message);
  });
  test("no config at all, on the command line without a stack", async () => {
    const empty = new Project({});
    const { code, stdout, stderr } = await empty.generate();
    empty.remove();
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(
      /^error schema_load_failed: There is no drizzle\.config\.ts in .*--config, or .* write one\.\n$/,
    );
  });
});
