// docs/types, executed: every block of code runs on two nodes, on either dialect, and prints what stands behind its arrows.
// With EXAMPLES=1 the blocks are type-checked too, as files of a project.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { getTableName } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { expectEqual } from "./support/comparison";
import { complaintsOf } from "./support/compiler";
import type { Exports } from "./support/dialect";
import { describeOnEach } from "./support/dialects";
import { settle } from "./support/network";
import type { TestNode } from "./support/node";
import { repository } from "./support/project";

const docs = join(repository, "docs/types");
const pages = readdirSync(docs).map((file) => {
  const text = readFileSync(join(docs, file), "utf8");
  // Each block opens with its file's name; a page's first is its schema.
  const blocks = [...text.matchAll(/^```ts\n\/\/ (\S+)\n(.*?)^```$/gms)];
  const [, ...samples] = blocks.map(([, name, code]) => ({ name: name as string, code: code as string }));
  return { name: file.replace(".md", ""), file, text, schema: blocks[0]?.[2] as string, samples };
});

/** As docs/types/README.md says it. */
const onPostgres = (schema: string) =>
  schema
    .replaceAll(/text\((".*?"), \{ mode: "json" \}\)/g, "jsonb($1)")
    .replaceAll(/counter\(integer\((".*?")\)/g, 'counter(bigint($1, { mode: "number" })')
    .replaceAll("sqliteTable", "pgTable")
    .replace(
      /import \{.*\} from "drizzle-orm\/sqlite-core"/,
      'import { bigint, jsonb, pgTable, text } from "drizzle-orm/pg-core"',
    );

/** What the samples import as ./nodes; whoever runs them puts it there. */
const nodes = `import type { BetterSQLite3Database } from "drizzle-orm/better-sqlite3";
const given = globalThis as unknown as Record<string, { laptop: BetterSQLite3Database; phone: BetterSQLite3Database; sync(): Promise<void> }>;
export const { laptop, phone, sync } = given["docs/types"]!;
`;

mkdirSync(join(repository, "tmp"), { recursive: true });
const folder = mkdtempSync(join(repository, "tmp/types-pages-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function writeProject(name: string, translate: (schema: string) => string): string {
  const project = join(folder, name);
  for (const page of pages) {
    const own = join(project, page.name);
    mkdirSync(own, { recursive: true });
    writeFileSync(join(own, "nodes.ts"), nodes);
    writeFileSync(join(own, "schema.ts"), translate(page.schema));
    for (const { name, code } of page.samples) writeFileSync(join(own, name), code);
  }
  return project;
}

/** What a sample says that it prints, line by line. */
const promised = (code: string): unknown[] =>
  [...code.matchAll(/^\/\/ → (.+)$/gm)].map(([, value]) => new Function(`return (${value})`)() as unknown);

/** A Drizzle database that does something after each write. */
function observed<T extends object>(target: T, afterwards: () => Promise<unknown>, writes = false): T {
  return new Proxy(target, {
    get(_, name) {
      const member = Reflect.get(target, name, target) as unknown;
      if (typeof member !== "function") return member;
      if (writes && name === "then")
        return (...then: Parameters<Promise<unknown>["then"]>) =>
          Promise.resolve(target)
            .then(async (result) => {
              await afterwards();
              return result;
            })
            .then(...then);
      return (...args: unknown[]) => {
        const made = member.apply(target, args) as unknown;
        const isWrite = writes || name === "insert" || name === "update" || name === "delete";
        return isWrite && typeof made === "object" && made !== null ? observed(made, afterwards, true) : made;
      };
    },
  });
}

describe("the pages of docs/types", () => {
  test("are one for each type and one that helps to choose, and every block of code is run", () => {
    expect(pages.map(({ name }) => name).sort()).toEqual(["README", "counter", "document", "list", "lww", "set"]);
    for (const { name, text, samples } of pages) {
      expect(text.match(/^```(?!text$)\S+$/gm), name).toHaveLength(1 + samples.length);
      expect(samples.map(({ code }) => promised(code).length)).not.toContain(0);
    }
  });

  test("lead to files that are there", () => {
    for (const { text } of pages)
      for (const [, path] of text.matchAll(/\]\((?!https?:)([^)#]+)/g))
        expect(existsSync(join(docs, path as string)), path).toBe(true);
  });

  test.runIf(process.env.EXAMPLES)("type-check", () => {
    const project = writeProject("checked", (schema) => schema);
    writeFileSync(
      join(project, "tsconfig.json"),
      JSON.stringify({ extends: "../../../tsconfig.json", include: ["."] }),
    );
    expect(complaintsOf(project)).toEqual([]);
  });
});

describeOnEach("the samples of docs/types", ({ dialect, openNodes, makeSchema }) => {
  let project: string;
  let both: TestNode[];
  const tables: Record<string, unknown> = {};
  const sync = async () => {
    await settle(both as [TestNode, TestNode]);
    await expectEqual(...both);
  };
  const clear = async () => {
    const names = Object.keys(tables);
    await both[0]?.sql(names.map((name) => `DELETE FROM ${name}`).join("; "));
    await settle(both as [TestNode, TestNode]);
  };

  beforeAll(async () => {
    project = writeProject(dialect.name, dialect.name === "sqlite" ? (schema) => schema : onPostgres);
    for (const { name } of pages) {
      const exported = (await import(join(project, name, "schema.ts"))) as Exports;
      for (const table of Object.values(exported)) tables[getTableName(table as never)] = table;
    }
    // Real time: of two writes, the one further down is the later one.
    both = await openNodes(["laptop", "phone"], { ...(await makeSchema(tables)), now: () => Date.now() * 1000 });
    const [laptop, phone] = both.map(({ database, node }) =>
      observed(database.db as object, async () => {
        await node.fold();
        await sleep(2);
      }),
    );
    (globalThis as Record<string, unknown>)["docs/types"] = { laptop, phone, sync };
  });
  afterEach(() => vi.restoreAllMocks());

  // An exchange on Postgres costs ten times as much: there the other samples run with the examples.
  const isRun = dialect.thorough || process.env.EXAMPLES;
  for (const { name: page, file, samples } of pages) {
    test.each(isRun ? samples : samples.slice(0, 1))(`${file}: $name`, async ({ name, code }) => {
      await clear();
      const log = vi.spyOn(console, "log").mockImplementation(() => {});
      await import(join(project, page, name));
      const said = log.mock.calls.map(([value]) => value as unknown);
      log.mockRestore();
      expect(said).toEqual(promised(code));
      // Names of an object come sorted.
      if (dialect.name === "sqlite") expect(JSON.stringify(said)).toBe(JSON.stringify(promised(code)));
    });
  }
});
