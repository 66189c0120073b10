// Builds what users install: four entries, with our internal packages bundled into the code and into the types.
// Dependencies and peers stay imports; anything else from node_modules that would slip in fails the build.

import { defineConfig, type UserConfig } from "tsdown";

const shared: UserConfig = {
  platform: "node",
  target: "node20",
  tsconfig: "tsconfig.build.json",
  // Without `eager` the declarations of our other packages are not emitted.
  dts: { eager: true },
  fixedExtension: false,
  failOnWarn: true,
  checks: { pluginTimings: false },
};

const library = { index: "src/index.ts", schema: "src/schema.ts", config: "src/config.ts" };

/** Dependencies without a CommonJS build, and what they need: they travel inside ours, since Node reads no ESM by `require` before 20.19. */
const modulesOnly = ["jose", "p-retry", "is-network-error"];

export default defineConfig([
  {
    ...shared,
    entry: { ...library, cli: "src/cli.ts" },
    format: "esm",
    deps: { alwaysBundle: /^@grove-crdt\//, onlyBundle: [] },
  },
  {
    ...shared,
    entry: library,
    format: "cjs",
    clean: false,
    deps: { alwaysBundle: [/^@grove-crdt\//, ...modulesOnly], onlyBundle: modulesOnly },
  },
]);
