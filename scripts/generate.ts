// `npm run generate`: the generated files of the reference schema, in both dialects, and of the examples with a schema of their own.
// Arguments go to all runs. No database is migrated from here, so drizzle-kit is left alone.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const cli = fileURLToPath(new URL("../packages/grove-crdt/src/cli.ts", import.meta.url));
const examples = ["audit", "tenants", "till"].map((name) => `examples/${name}/drizzle.config.ts`);
const configs = ["drizzle.config.ts", "drizzle.postgres.config.ts", ...examples];

for (const config of configs) {
  // This process's own loader of TypeScript, and its colours.
  const args = [...process.execArgv, cli, "generate", "--no-kit", "--config", config, ...process.argv.slice(2)];
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
  if (status !== 0) process.exitCode = 1;
}
