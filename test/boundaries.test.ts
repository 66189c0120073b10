// The import boundaries: each rule catches an import planted against it, and the working tree breaks none.

import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { findViolations, type RuleName, readImports, readSources, rules } from "../scripts/boundaries";

/** Rule to files that break it in their last line, as [path, import statement]. */
const planted: Record<RuleName, [path: string, text: string][]> = {
  arrow: [
    ["packages/core/src/merge.ts", `import { createNode } from "@grove-crdt/sync";`],
    ["packages/core/src/merge.ts", `export * from "grove-crdt";`],
    ["packages/store/src/port.ts", `import type { Node } from "@grove-crdt/sync";`],
    ["packages/sync/src/node.ts", `await import("@grove-crdt/server");`],
    ["packages/server/src/router.ts", `import { emit } from "@grove-crdt/codegen";`],
    ["packages/codegen/src/emit.ts", `export { read } from "@grove-crdt/drizzle";`],
    ["packages/drizzle/src/read.ts", `import store = require("@grove-crdt/store");`],
    ["packages/grove-crdt/src/index.ts", `export * from "@grove-crdt/testkit";`],
  ],
  relative: [
    ["packages/sync/src/node.ts", `import { merge } from "../../core/src/merge";`],
    ["packages/codegen/src/emit.ts", `import registry from "../../../generated/sqlite/registry.json";`],
  ],
  dialect: [
    ["packages/store/src/sqlite/read.ts", `import { read } from "../postgres/read";`],
    ["packages/codegen/src/postgres/counter.ts", `export { emitCounter } from "../sqlite/counter.ts";`],
    ["packages/codegen/src/sqlite/triggers/lww.ts", `import type { Trigger } from "../../postgres";`],
  ],
  hono: [
    ["packages/sync/src/transport.ts", `import { Hono } from "hono";`],
    ["packages/core/src/wire.ts", `import type { Context } from "hono/types";`],
    ["packages/store/src/port.ts", `import { serve } from "@hono/node-server";`],
  ],
  driver: [
    ["packages/store/src/sqlite/open.ts", `import type { Database } from "better-sqlite3";`],
    ["packages/store/src/postgres/open.ts", `import postgres from "postgres";`],
    ["packages/sync/src/node.ts", `type Pool = import("pg").Pool;`],
    ["packages/grove-crdt/src/cli.ts", `const open = () => import("better-sqlite3");`],
    ["packages/store/src/sqlite/open.ts", `import { drizzle } from "drizzle-orm/better-sqlite3";`],
    ["packages/store/src/sqlite/open.ts", `/// <reference types="better-sqlite3" />`],
  ],
  schema: [["packages/grove-crdt/src/schema.ts", `import { readFileSync } from "node:fs";`]],
};

describe("a planted import is caught", () => {
  for (const rule of Object.keys(rules) as RuleName[]) {
    test.each(planted[rule])(`${rule}: %s: %s`, (path, text) => {
      const violations = findViolations([{ path, text: `// imported below\n${text}` }]);
      expect(violations.filter((found) => found.rule === rule)).toMatchObject([{ path, line: 2 }]);
    });
  }

  test("schema: in a file that the entry reaches through other packages", () => {
    const files = [
      { path: "packages/grove-crdt/src/schema.ts", text: `export { lww } from "@grove-crdt/drizzle/annotations";` },
      { path: "packages/drizzle/src/annotations.ts", text: `import { mark } from "./mark";\nimport "drizzle-orm";` },
      { path: "packages/drizzle/src/mark.ts", text: `import type { A } from "zod";\nimport { z } from "zod";` },
      { path: "packages/drizzle/src/read.ts", text: `import { z } from "zod";` },
    ];
    expect(findViolations(files)).toMatchObject([{ path: "packages/drizzle/src/mark.ts", line: 2, rule: "schema" }]);
  });
});

describe("an import within the rules is left alone", () => {
  test.each([
    ["packages/server/src/router.ts", `import { merge } from "@grove-crdt/core";`],
    ["packages/server/src/router.ts", `import { Hono } from "hono";`],
    ["packages/grove-crdt/src/cli.ts", `import pkg from "../package.json";`],
    ["packages/store/src/index.ts", `export * from "./postgres/store"; export * from "./sqlite/store";`],
    ["packages/store/src/sqlite/open.ts", `import type { DrizzleD1Database } from "drizzle-orm/d1";`],
    ["packages/codegen/src/sqlite/table.ts", "const text = 'import pg from \"pg\"'; // import pg from 'pg'"],
    ["packages/testkit/src/databases.ts", `import postgres from "postgres"; import "hono"; import "grove-crdt";`],
    ["packages/grove-crdt/src/schema.ts", `import type { Column } from "drizzle-orm/pg-core";`],
  ])("%s: %s", (path, text) => {
    expect(findViolations([{ path, text }])).toEqual([]);
  });
});

test("every form of import is read, and whether it survives the types", () => {
  const text = [
    `import "a"; import type b from "b"; import { type c } from "c";`,
    `export * from "d"; export type { e } from "e"; const f = import("f"); const g = require("g");`,
    "type H = typeof import('h'); const i = import(`i`); import j = require('j');",
  ].join("\n");
  expect(readImports("all.ts", text).map((found) => [found.specifier, found.line, found.runtime])).toEqual([
    ["a", 1, true],
    ["b", 1, false],
    ["c", 1, true],
    ["d", 2, true],
    ["e", 2, false],
    ["f", 2, true],
    ["g", 2, true],
    ["h", 3, false],
    ["i", 3, true],
    ["j", 3, true],
  ]);
});

test("the working tree breaks no rule", () => {
  const files = readSources(fileURLToPath(new URL("..", import.meta.url)));
  expect(files.length).toBeGreaterThan(0);
  expect(findViolations(files).map(({ path, line, reason }) => `${path}:${line} ${reason}`)).toEqual([]);
});
