// Tests run on the sources: `grove-crdt` and its entries are aliased as in tsconfig.json, @grove-crdt/* resolve
// through the workspace links. Type tests (*.test-d.ts) are checked by `npm run typecheck`, not run.

import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const sources = fileURLToPath(new URL("./packages/grove-crdt/src", import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^grove-crdt$/, replacement: `${sources}/index.ts` },
      { find: /^grove-crdt\/([\w-]+)$/, replacement: `${sources}/$1.ts` },
    ],
  },
  test: {
    include: ["test/**/*.test.ts", "packages/*/test/**/*.test.ts"],
    globalSetup: "test/support/postgres-server.ts",
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
