// docs/collections.md, executed: every block of code runs on a hub and two edges, on either dialect, and prints what stands behind its
// arrows. With EXAMPLES=1 the blocks are type-checked too, as files of a project.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Syncer } from "grove-crdt";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { complaintsOf } from "./support/compiler";
import { describeOnEach } from "./support/dialects";
import { link } from "./support/network";
import type { TestNode } from "./support/node";
import { repository, runCli } from "./support/project";

const docs = join(repository, "docs");
const page = readFileSync(join(docs, "collections.md"), "utf8");
// Each block opens with its file's name.
const samples = [...page.matchAll(/^```ts\n\/\/ (\S+)\n(.*?)^```$/gms)].map(([, name, code]) => ({
  name: name as string,
  code: code as string,
}));

/** What the samples import as ./nodes; whoever runs them puts it there. */
const nodes = `import type { BetterSQLite3Database } from "drizzle-orm/better-sqlite3";
import type { GroveNode, Syncer } from "grove-crdt";
interface Given { readonly node: GroveNode; readonly db: BetterSQLite3Database; readonly syncer: Syncer }
const given = globalThis as unknown as Record<string, { hub: Given; laptop: Given; phone: Given; exchange(...edges: Given[]): Promise<void> }>;
export const { hub, laptop, phone, exchange } = given["docs/collections"]!;
`;

mkdirSync(join(repository, "tmp"), { recursive: true });
const folder = mkdtempSync(join(repository, "tmp/collections-page-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A folder for each sample: a module is loaded once. */
function writeProject(dialect: string): string {
  const project = join(folder, dialect);
  for (const { name, code } of samples) {
    const own = join(project, name.replace(".ts", ""));
    mkdirSync(own, { recursive: true });
    writeFileSync(join(own, "nodes.ts"), nodes);
    writeFileSync(join(own, "schema.ts"), `export * from "../../../../schema/${dialect}";\n`);
    writeFileSync(join(own, name), code);
  }
  return project;
}

/** What a sample says that it prints, line by line. */
const promised = (code: string): unknown[] =>
  [...code.matchAll(/^\/\/ → (.+)$/gm)].map(([, value]) => new Function(`return (${value})`)() as unknown);

describe("docs/collections.md", () => {
  test("has code of which every block is run, and leads to files that are there", () => {
    expect(samples.map(({ name }) => name)).toEqual(["collect.ts", "strike.ts"]);
    expect(page.match(/^```ts$/gm)).toHaveLength(samples.length);
    for (const [, path] of page.matchAll(/\]\((?!https?:)([^)#]+)/g))
      expect(existsSync(join(docs, path as string)), path).toBe(true);
  });

  test("names options that the command has", async () => {
    const { stdout } = await runCli(folder, ["gc", "--help"]);
    const named = new Set(page.match(/(?<=[\s`])--[a-z][a-z-]*/g));
    named.delete("--only");
    expect([...named].sort()).toEqual(["--before", "--cancel", "--json", "--older-than", "--status", "--strike"]);
    for (const option of named) expect(stdout).toContain(`  ${option}`);
  });

  test.runIf(process.env.EXAMPLES)("type-checks", () => {
    const project = writeProject("sqlite");
    writeFileSync(
      join(project, "tsconfig.json"),
      JSON.stringify({ extends: "../../../tsconfig.json", include: ["."] }),
    );
    expect(complaintsOf(project)).toEqual([]);
  });
});

describeOnEach("the samples of docs/collections.md", ({ dialect, openNodes }) => {
  const project = writeProject(dialect.name);
  afterEach(() => vi.restoreAllMocks());

  test.each(samples)("$name", async ({ name, code }) => {
    const [hub, laptop, phone] = (await openNodes(["hub", "laptop", "phone"], {
      now: () => Date.now() * 1000,
    })) as [TestNode, TestNode, TestNode];
    const given = ({ node, database }: TestNode, syncer: Syncer | null) => ({ node, db: database.db, syncer });
    const edges = [laptop, phone].map((edge) => given(edge, link(edge, hub)));
    const exchange = async (...some: readonly { readonly syncer: Syncer }[]) => {
      // Twice, so that what the second one brought reaches the first.
      for (const { syncer } of [...some, ...some]) expect(await syncer.sync()).toMatchObject([{ error: null }]);
    };
    const [one, other] = edges;
    (globalThis as Record<string, unknown>)["docs/collections"] = {
      hub: given(hub, null),
      laptop: one,
      phone: other,
      exchange,
    };
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    await import(join(project, name.replace(".ts", ""), name));
    const said = log.mock.calls.map(([value]) => value as unknown);
    log.mockRestore();
    expect(said).toEqual(promised(code));
  });
});
