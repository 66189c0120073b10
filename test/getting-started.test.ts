// docs/getting-started.md keeps what it promises; `npm run stranger` follows it. And a change set becomes a version.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { effortOf, readPage } from "../scripts/stranger-page";

const root = fileURLToPath(new URL("..", import.meta.url));
const page = readFileSync(join(root, "docs/getting-started.md"), "utf8");

describe("docs/getting-started.md", () => {
  test("takes six commands and at most forty lines for either database", () => {
    const ways = readPage(page);
    expect(ways.map(({ dialect }) => dialect)).toEqual(["sqlite", "postgres"]);
    for (const way of ways) {
      const { commands, lines } = effortOf(way);
      expect(commands).toBe(6);
      expect(lines).toBeLessThanOrEqual(40);
    }
  });

  test("starts the programs last, and writes every file before", () => {
    for (const { steps } of readPage(page)) {
      const files = steps.flatMap((step) => ("file" in step ? [step.file] : []));
      expect(files.sort()).toEqual(["app.ts", "db.ts", "edge.ts", "hub.ts", "schema.ts"]);
      expect(steps.at(-1)).toMatchObject({
        commands: [expect.stringContaining("hub.ts"), expect.stringContaining("edge.ts")],
      });
    }
  });

  test("a sample without its file's name is noticed", () => {
    expect(() => readPage(page.replace("// app.ts\n", ""))).toThrow("does not begin with its file's name");
    expect(() => readPage(page.replace("## With Postgres", "## Postgres"))).toThrow('no part "With Postgres"');
  });

  test("every link leads to a file", () => {
    const links = [...page.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path]) => path as string);
    expect(links.filter((path) => !existsSync(join(root, "docs", path)))).toEqual([]);
  });
});

test("a change set counts the version up and stands in the change log, above the older ones", {
  timeout: 120_000,
}, () => {
  const copy = mkdtempSync(join(tmpdir(), "grove-crdt-changeset-"));
  try {
    const { workspaces, ...manifest } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const folder = "packages/grove-crdt";
    for (const path of [".changeset", `${folder}/package.json`, `${folder}/CHANGELOG.md`]) {
      mkdirSync(dirname(join(copy, path)), { recursive: true });
      cpSync(join(root, path), join(copy, path), { recursive: true });
    }
    writeFileSync(join(copy, "package.json"), JSON.stringify({ ...manifest, workspaces: [folder] }));
    writeFileSync(join(copy, "package-lock.json"), "{}");
    writeFileSync(
      join(copy, ".changeset/a-change.md"),
      `---\n"grove-crdt": minor\n---\n\nGenerate again: something is new.\n`,
    );
    const before = JSON.parse(readFileSync(join(copy, folder, "package.json"), "utf8")).version as string;
    const cli = join(root, "node_modules/@changesets/cli/bin.js");
    const { status, stderr, stdout } = spawnSync(process.execPath, [cli, "version"], { cwd: copy, encoding: "utf8" });
    expect([status, status === 0 ? "" : `${stdout}${stderr}`]).toEqual([0, ""]);
    const after = JSON.parse(readFileSync(join(copy, folder, "package.json"), "utf8")).version as string;
    expect(Number(after.split(".")[1])).toBe(Number(before.split(".")[1]) + 1);
    const log = readFileSync(join(copy, folder, "CHANGELOG.md"), "utf8");
    expect(log.indexOf(`## ${after}`)).toBeGreaterThan(0);
    expect(log.indexOf(`## ${after}`)).toBeLessThan(log.indexOf(`## ${before}`));
    expect(log).toContain("Generate again: something is new.");
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
});
