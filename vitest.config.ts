// Tests run on the sources: `grove-crdt` and its entries are aliased as in tsconfig.json, @grove-crdt/* resolve
// through the workspace links. Type tests (*.test-d.ts) are checked by `npm run typecheck`, not run. DRIZZLE=next runs them
// on the release candidate of drizzle-orm 1.0, as tsconfig.next.json checks the types.

import { existsSync, statfsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { configDefaults, defineConfig } from "vitest/config";

const sources = fileURLToPath(new URL("./packages/grove-crdt/src", import.meta.url));

/** Linux keeps these files in memory: databases that nobody needs tomorrow are made and dropped a tenth sooner there. */
const MEMORY = "/dev/shm";
if (existsSync(MEMORY) && !process.env.TMPDIR) {
  const { bavail, bsize } = statfsSync(MEMORY);
  if (bavail * bsize > 4 * 1024 ** 3) process.env.TMPDIR = MEMORY;
}

const next = process.env.DRIZZLE === "next";
const nextAliases = [
  { find: /^drizzle-orm$/, replacement: "drizzle-orm-next" },
  { find: /^drizzle-orm\/(.+)$/, replacement: "drizzle-orm-next/$1" },
];
/** Tests of migrations in the folders of drizzle-kit 0.31, which the migrators of 1.0 refuse. */
const withOldMigrations = [
  "test/migrations*.test.ts",
  "test/demo.test.ts",
  "test/tenants.test.ts",
  "test/products.test.ts",
];

/** Tests that start examples, or the projects that README.md and pages of docs/ show: each is worth many others in time. */
const examples = ["demo", "cloud-edge", "readme", "security-page", "hooks-page", "migrations-page"].map(
  (name) => `test/${name}.test.ts`,
);
/** Tests that are left to .ci/run, which sets CI: the longest ones, so that a run at a desk ends within minutes. */
const long = [
  "adoption",
  "edge",
  "lives",
  "migrations-bare",
  "postgres/schedules",
  "postgres/writers",
  "mutants",
  "cursors",
  "fork",
  "live",
  "migrations",
  "stream",
].map((name) => `test/${name}.test.ts`);
/** Those that are left to `npm run soak -- --only tests`, which sets GROVE_WHOLE. */
const longest = [
  "collection-command",
  "collection-years",
  "command-status",
  "commands-page",
  "crowd",
  "digest-trees",
  "history-generate",
  "init",
  "package",
  "products",
].map((name) => `test/${name}.test.ts`);
/** Pages whose samples run with the others, and are type-checked with the examples. */
const pages = ["types-pages", "collections-page", "history-page", "observer-page", "deployment-page"].map(
  (name) => `test/${name}.test.ts`,
);

export default defineConfig({
  resolve: {
    alias: [
      { find: /^grove-crdt$/, replacement: `${sources}/index.ts` },
      { find: /^grove-crdt\/([\w-]+)$/, replacement: `${sources}/$1.ts` },
      ...(next ? nextAliases : []),
    ],
  },
  test: {
    exclude: [
      ...configDefaults.exclude,
      ...(next ? withOldMigrations : []),
      ...(process.env.EXAMPLES ? [] : examples),
      ...(process.env.CI || process.env.GROVE_WHOLE ? [] : long),
      ...(process.env.GROVE_WHOLE ? [] : longest),
      // With EXAMPLES they run in the step after these.
      ...(process.env.CI && !process.env.EXAMPLES ? pages : []),
    ],
    // EXAMPLES=1: the examples as real processes instead, which are as many at a time as there are nodes.
    include: process.env.EXAMPLES
      ? ["examples/*.test.ts", ...examples, ...pages]
      : ["test/**/*.test.ts", "packages/*/test/**/*.test.ts"],
    globalSetup: ["test/support/postgres-server.ts", "test/support/cli-build.ts"],
    // postgres.js asks for array types by itself on each new connection, and nobody can wait for that or catch it: a pool that
    // is ended in that very moment makes a rejection that no test caused.
    onUnhandledError: (error) => {
      const { code, query } = error as { code?: unknown; query?: unknown };
      return !(code === "CONNECTION_DESTROYED" && typeof query === "string" && query.includes("b.typarray"));
    },
    pool: "forks",
    // Files of one worker share what they import, and no test leaves anything behind there.
    isolate: false,
    setupFiles: ["test/support/each-file.ts"],
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
