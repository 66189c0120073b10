// Builds what users install: four entries, with our internal packages bundled into the code and into the types.
// Dependencies and peers stay imports; anything else from node_modules that would slip in fails the build.

import { defineConfig } from "tsdown";

export default defineConfig({
  entry: {
    index: "src/index.ts",
    schema: "src/schema.ts",
    config: "src/config.ts",
    cli: "src/cli.ts",
  },
  format: "esm",
  platform: "node",
  target: "node20",
  tsconfig: "tsconfig.build.json",
  // Without `eager` the declarations of our other packages are not emitted.
  dts: { eager: true },
  fixedExtension: false,
  deps: { alwaysBundle: /^@grove-crdt\//, onlyBundle: [] },
  failOnWarn: true,
  checks: { pluginTimings: false },
});
