// What `npm run pack-check` notices: a small package that is in order, and the same with one fault each.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { checkPackage, install } from "../scripts/package-checks";

const temporary = realpathSync(mkdtempSync(join(tmpdir(), "grove-crdt-package-")));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

const target = (name: string) => ({
  import: { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` },
  require: { types: `./dist/${name}.d.cts`, default: `./dist/${name}.cjs` },
});
const manifest = {
  name: "grove-crdt",
  version: "1.0.0",
  license: "MIT",
  type: "module",
  main: "./dist/index.cjs",
  types: "./dist/index.d.cts",
  typesVersions: { "*": { schema: ["./dist/schema.d.cts"] } },
  exports: { ".": target("index"), "./schema": target("schema"), "./package.json": "./package.json" },
  bin: { "grove-crdt": "./dist/cli.js" },
  files: ["dist"],
  dependencies: { canonicalize: "*" },
  peerDependencies: { "drizzle-orm": "*", hono: "*" },
  scripts: {},
};
const files: Record<string, string> = {
  "README.md": "Read me.\n",
  LICENSE: "MIT\n",
  "CHANGELOG.md": "# Change log\n",
  "dist/index.js": 'import text from "canonicalize";\nexport const one = () => text(1);\n',
  "dist/index.d.ts": "export declare const one: () => string;\n",
  "dist/index.cjs": 'const text = require("canonicalize");\nexports.one = () => text(1);\n',
  "dist/index.d.cts": "export declare const one: () => string;\n",
  "dist/schema.js": 'import "drizzle-orm";\nexport const mark = 1;\n',
  "dist/schema.d.ts": "export declare const mark: number;\n",
  "dist/schema.cjs": 'require("drizzle-orm");\nexports.mark = 1;\n',
  "dist/schema.d.cts": "export declare const mark: number;\n",
  "dist/cli.js": '#!/usr/bin/env node\nconsole.log("generate");\n',
};

/** Packs the package with a change, and says what the check says. */
async function check(changed: Record<string, string | null> = {}, part: object = {}): Promise<string[]> {
  const folder = mkdtempSync(join(temporary, "case-"));
  const all = { ...files, "package.json": JSON.stringify({ ...manifest, ...part }), ...changed };
  for (const [name, text] of Object.entries(all)) {
    if (text === null) continue;
    mkdirSync(dirname(join(folder, "package", name)), { recursive: true });
    writeFileSync(join(folder, "package", name), text);
  }
  const tarball = join(folder, "grove-crdt-1.0.0.tgz");
  execFileSync("tar", ["-czf", tarball, "-C", folder, "package"]);
  const said: string[] = [];
  for await (const line of checkPackage(install(tarball, join(folder, "project")))) said.push(line);
  return said;
}

test("a package that is in order passes every step", async () => {
  expect(await check()).toHaveLength(9);
});

describe("is refused", () => {
  const entry = (name: keyof typeof manifest.exports, part: object) => ({
    exports: { ...manifest.exports, [name]: { ...target(name === "." ? "index" : "schema"), ...part } },
  });
  const faults: Record<string, [RegExp, Record<string, string | null>, object?]> = {
    "a file that `exports` names and the tarball lacks": [/dist\/schema\.cjs is not in/, { "dist/schema.cjs": null }],
    "a path to types that leads nowhere": [
      /dist\/index\.d\.mts is not in/,
      {},
      entry(".", { import: { types: "./dist/index.d.mts", default: "./dist/index.js" } }),
    ],
    "types of an ES module for `require`": [
      /arethetypeswrong|publint/,
      {},
      entry(".", { require: { types: "./dist/index.d.ts", default: "./dist/index.cjs" } }),
    ],
    "old resolution that finds no types": [/arethetypeswrong/, {}, { typesVersions: {} }],
    "a source file that slipped in": [/src\/index\.ts is in the tarball/, { "src/index.ts": "export {};\n" }],
    "no change log": [/CHANGELOG\.md is not in/, { "CHANGELOG.md": null }],
    "an import that package.json does not declare": [
      /imports zod, which package\.json does not declare/,
      { "dist/index.js": 'import "zod";\nimport "canonicalize";\nexport const one = 1;\n' },
    ],
    "the same in CommonJS": [
      /index\.cjs imports zod, which/,
      { "dist/index.cjs": 'require("zod");\nrequire("canonicalize");\nexports.one = 1;\n' },
    ],
    "a dependency that nothing imports": [/dependency diff/, {}, { dependencies: { canonicalize: "*", diff: "*" } }],
    "an ES module behind `require`": [
      /package\.json|ESM|require/,
      { "dist/index.cjs": 'require("canonicalize");\nexports.one = require("p-retry");\n' },
      { dependencies: { canonicalize: "*", "p-retry": "*" } },
    ],
    "types that do not hold": [
      /Cannot find name 'Nowhere'/,
      { "dist/index.d.ts": "export declare const one: Nowhere;\n" },
    ],
    "a schema entry that loads more than Drizzle": [
      /schema loads hono/,
      { "dist/schema.js": 'import "hono";\nexport const mark = 1;\n' },
    ],
    "an entry that gives less to `require`": [/require gives/, { "dist/schema.cjs": 'require("drizzle-orm");\n' }],
    "a script that runs on install": [/script postinstall/, {}, { scripts: { postinstall: "node dist/cli.js" } }],
    "a command without its first line": [/shebang/, { "dist/cli.js": 'console.log("generate");\n' }],
  };
  test.each(Object.entries(faults))("%s", async (_, [says, changed, part]) => {
    await expect(check(changed, part)).rejects.toThrow(says);
  });
});
