// The reference schema's config for Postgres, beside drizzle.config.ts: one config per dialect. The two schemas are written
// by hand, and `generate` holds them against each other.
import { defineConfig } from "drizzle-kit";
import { groveCrdt } from "grove-crdt/config";

export default defineConfig({
  dialect: "postgresql",
  schema: ["./schema/postgres.ts", "./generated/postgres/shadow.ts"],
  ...groveCrdt({ out: "./generated", edge: { schema: "./schema/sqlite.ts" } }),
});
