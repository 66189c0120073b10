// Run from the root of the repository:
//   npx grove-crdt generate --no-kit --config examples/audit/drizzle.config.ts
//   npx drizzle-kit generate --config examples/audit/drizzle.config.ts
// The triggers of the trail are a migration of their own: npx drizzle-kit generate --custom.
import { defineConfig } from "drizzle-kit";
import { groveCrdt } from "grove-crdt/config";

export default defineConfig({
  dialect: "sqlite",
  schema: "./examples/audit/schema.ts",
  out: "./examples/audit/migrations",
  ...groveCrdt({ out: "./examples/audit/generated" }),
});
