// `npm run knip`: files that nobody imports, dependencies that nobody needs, and exports that nobody reads.

import type { KnipConfig } from "knip";

export default {
  workspaces: {
    ".": {
      // Programs that are started by name or by path, schemas that `generate` reads, a page's script: no import shows them.
      entry: [
        "scripts/*.ts",
        "bench/main.ts",
        "bench/cases/*.ts",
        "examples/**/*.ts",
        "examples/*/page/*.js",
        "test/**/*.test-d.ts",
        "test/fixtures/**/*.{ts,cjs}",
        "test/products/**/*.ts",
        "drizzle.*.config.ts",
        "docs/.vitepress/config.ts",
      ],
      typedoc: ["docs/.vitepress/typedoc.json"],
    },
    "packages/testkit": { entry: ["mutants/*.ts"] },
    "packages/grove-crdt": {
      entry: ["src/{index,schema,config,cli}.ts"],
      // They are needed by our packages that go into the bundle; scripts/pack-check.ts holds them against its imports.
      ignoreDependencies: ["@noble/hashes", "canonicalize", "eventsource-parser", "jose", "p-retry"],
    },
  },
  // Written by our own generator, for users: what they read of it is theirs.
  ignore: ["**/generated/**"],
  // Imported as a whole, one namespace for each dialect, and called through a variable.
  ignoreIssues: { "packages/codegen/src/*/{capture,shadow-file}.ts": ["exports"] },
  ignoreDependencies: [
    // Under this name the release candidate is installed; vitest.config.ts and tsconfig.next.json put it in drizzle-orm's place.
    "drizzle-orm-next",
    // scripts/package-checks.ts starts it by its path.
    "@arethetypeswrong/cli",
  ],
  // An export that its own file reads is a name to import one day, not dead code.
  ignoreExportsUsedInFile: true,
  // Our packages are private and take what the workspace has. scripts/boundaries.ts says which may import which.
  exclude: ["unlisted", "unresolved"],
} satisfies KnipConfig;
