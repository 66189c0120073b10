// Run from the root of the repository:
//   npx grove-crdt generate --no-kit --config examples/till/drizzle.config.ts
//   npx drizzle-kit generate --config examples/till/drizzle.config.ts
import { defineConfig } from "drizzle-kit";
import { groveCrdt } from "grove-crdt/config";

export default defineConfig({
  dialect: "sqlite",
  schema: "./examples/till/schema.ts",
  out: "./examples/till/migrations",
  ...groveCrdt({ out: "./examples/till/generated" }),
});
