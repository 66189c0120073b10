// The reference schema's config for SQLite: read by `npm run generate` and by drizzle-kit.
import { defineConfig } from "drizzle-kit";
import { groveCrdt } from "grove-crdt/config";

export default defineConfig({
  dialect: "sqlite",
  schema: ["./schema/sqlite.ts", "./generated/sqlite/shadow.ts"],
  ...groveCrdt({ out: "./generated" }),
});
