// docs/history.md, executed: its config makes a schema's files, and every other block runs on a hub and two edges that keep history, on
// either dialect, and prints what stands behind its arrows. With EXAMPLES=1 the blocks are type-checked too, as files of a project.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Syncer } from "grove-crdt";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { historyBytes, historyBytesPostgres } from "../bench/cases/history";
import { complaintsOf } from "./support/compiler";
import { describeOnEach } from "./support/dialects";
import { openArchive } from "./support/history";
import { link } from "./support/network";
import type { TestNode } from "./support/node";
import { Project, repository } from "./support/project";

const docs = join(repository, "docs");
const page = readFileSync(join(docs, "history.md"), "utf8");
// Each block opens with its file's name.
const blocks = [...page.matchAll(/^```ts\n\/\/ (\S+)\n(.*?)^```$/gms)].map(([, name, code]) => ({
  name: name as string,
  code: code as string,
}));
const [config, ...samples] = blocks as [(typeof blocks)[number], ...typeof blocks];

/** What the samples import as ./nodes; whoever runs them puts it there. */
const nodes = `import type { BetterSQLite3Database } from "drizzle-orm/better-sqlite3";
import type { GroveNode } from "grove-crdt";
interface Given { readonly node: GroveNode; readonly db: BetterSQLite3Database }
const given = globalThis as unknown as Record<string, { hub: Given; laptop: Given; phone: Given; exchange(...edges: Given[]): Promise<void>; pause(): Promise<Date> }>;
export const { hub, laptop, phone, exchange, pause } = given["docs/history"]!;
`;

mkdirSync(join(repository, "tmp"), { recursive: true });
const folder = mkdtempSync(join(repository, "tmp/history-page-"));
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
  [...code.matchAll(/^\/\/ → (.+)$/gm)].map(([, values]) => new Function(`return [${values}]`)() as unknown);

describe("docs/history.md", () => {
  test("has code of which every block is run, and leads to files that are there", () => {
    expect(blocks.map(({ name }) => name)).toEqual(["drizzle.config.ts", "state-at.ts", "field-history.ts"]);
    expect(page.match(/^```ts$/gm)).toHaveLength(blocks.length);
    for (const [, path] of page.matchAll(/\]\((?!https?:)([^)#]+)/g))
      expect(existsSync(join(docs, path as string)), path).toBe(true);
    // The figures are those of cases that there are.
    for (const { id } of [historyBytes, historyBytesPostgres]) expect(id).toMatch(/^history-/);
  });

  test("shows a config that generates", async () => {
    const project = new Project({
      [config.name]: config.code,
      "schema.ts": readFileSync(join(repository, "schema/sqlite.ts"), "utf8"),
    });
    try {
      expect(await project.generate()).toMatchObject({ code: 0, stderr: "" });
      const registry = project.read("generated/sqlite/registry.ts").replaceAll(/\s+/g, " ");
      expect(registry.match(/history: \{[^}]*\}/g)).toEqual(["history: {}", "history: { days: 90, depth: 500 }"]);
    } finally {
      project.remove();
    }
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

describeOnEach("the samples of docs/history.md", ({ dialect }) => {
  const project = writeProject(dialect.name);
  afterEach(() => vi.restoreAllMocks());

  test.each(samples)("$name", async ({ name, code }) => {
    const open = (id: string) => openArchive(dialect, id, { now: () => Date.now() * 1000 });
    const [hub, laptop, phone] = [await open("hub"), await open("laptop"), await open("phone")];
    const given = ({ node, database }: TestNode, syncer: Syncer | null) => ({ node, db: database.db, syncer });
    const exchange = async (...some: readonly { readonly syncer: Syncer }[]) => {
      // Twice, so that what the second one brought reaches the first.
      for (const { syncer } of [...some, ...some]) expect(await syncer.sync()).toMatchObject([{ error: null }]);
    };
    const rest = () => new Promise((resolve) => setTimeout(resolve, 20));
    (globalThis as Record<string, unknown>)["docs/history"] = {
      hub: given(hub, null),
      laptop: given(laptop, link(laptop, hub)),
      phone: given(phone, link(phone, hub)),
      exchange,
      pause: async () => {
        await rest();
        const now = new Date();
        await rest();
        return now;
      },
    };
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    await import(join(project, name.replace(".ts", ""), name));
    const said = log.mock.calls.map((values) => values as unknown);
    log.mockRestore();
    expect(said).toEqual(promised(code));
  });
});
