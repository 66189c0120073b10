// Run from the root of the repository:
//   npx grove-crdt generate --no-kit --config examples/tenants/drizzle.config.ts
//   npx drizzle-kit generate --config examples/tenants/drizzle.config.ts
import { defineConfig } from "drizzle-kit";
import { groveCrdt } from "grove-crdt/config";

export default defineConfig({
  dialect: "sqlite",
  schema: "./examples/tenants/schema.ts",
  out: "./examples/tenants/migrations",
  ...groveCrdt({ out: "./examples/tenants/generated" }),
});
