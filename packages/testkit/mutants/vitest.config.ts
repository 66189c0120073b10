// The tests as `npm test` runs them, on SQLite alone: what a mutant needs starts no Postgres and builds no command line.
import { defineConfig } from "vitest/config";
import base from "../../../vitest.config";

export default defineConfig({ ...base, test: { ...base.test, globalSetup: [], env: { TEST_DIALECTS: "sqlite" } } });
