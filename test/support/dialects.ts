// The dialects that the behaviour tests run over. A dialect of core that is not listed here does not compile; one that a
// run leaves out (TEST_DIALECTS=sqlite) is listed as skipped, under its name.
import type { Dialect } from "@grove-crdt/core";
import { describe } from "vitest";
import type { TestDialect } from "./dialect";
import { type NodeSettings, openNode, type TestNode } from "./node";
import { postgres } from "./postgres";
import { makeSchema, type TestSchema } from "./schemas";
import { sqlite } from "./sqlite";

export const dialects: Readonly<Record<Dialect, TestDialect>> = { sqlite, postgres };

const wanted = process.env.TEST_DIALECTS?.split(",");

/** What a suite gets: the dialect, and nodes and schemas on it. */
export interface Suite {
  readonly dialect: TestDialect;
  openNode(id: string, settings?: NodeSettings): Promise<TestNode>;
  /** Several nodes on one clock. */
  openNodes(ids: readonly string[], settings?: NodeSettings): Promise<TestNode[]>;
  makeSchema(exports: Readonly<Record<string, unknown>>): Promise<TestSchema>;
}

/** Tests of one dialect, on real databases. */
export function describeOn(name: Dialect, title: string, tests: (suite: Suite) => void): void {
  const run = wanted === undefined || wanted.includes(name);
  (run ? describe : describe.skip)(`${title}, on ${name}`, () => tests(suite(dialects[name])));
}

/** The same tests on each dialect. */
export function describeOnEach(title: string, tests: (suite: Suite) => void): void {
  for (const { name } of Object.values(dialects)) describeOn(name, title, tests);
}

/** Tests in which nodes of all dialects sync with each other. */
export function describeAcross(title: string, tests: (suites: Readonly<Record<Dialect, Suite>>) => void): void {
  const run = Object.values(dialects).every(({ name }) => wanted === undefined || wanted.includes(name));
  const suites = { sqlite: suite(dialects.sqlite), postgres: suite(dialects.postgres) };
  (run ? describe : describe.skip)(`${title}, across dialects`, () => tests(suites));
}

const suite = (dialect: TestDialect): Suite => ({
  dialect,
  openNode: (id, settings) => openNode(dialect, id, settings),
  openNodes: async (ids, settings = {}) => {
    const [first, ...others] = ids as [string, ...string[]];
    const node = await openNode(dialect, first, settings);
    return [
      node,
      ...(await Promise.all(others.map((id) => openNode(dialect, id, { ...settings, clock: node.clock })))),
    ];
  },
  makeSchema: (exports) => makeSchema(exports, dialect),
});
