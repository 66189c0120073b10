// Schemas made in a test: the registry that `generate` would emit, and the statements with which drizzle-kit would make
// the tables.
import { createRegistry } from "@grove-crdt/codegen";
import { readSchema } from "@grove-crdt/drizzle";
import { generateSQLiteDrizzleJson, generateSQLiteMigration } from "drizzle-kit/api";
import type { Registry } from "grove-crdt";

export interface TestSchema {
  readonly registry: Registry;
  readonly ddl: readonly string[];
}

/** @param exports what a schema file exports: Drizzle tables by name */
export async function makeSchema(exports: Readonly<Record<string, unknown>>): Promise<TestSchema> {
  const { tables } = readSchema([{ path: "schema.ts", exports }], { dialect: "sqlite" });
  const empty = await generateSQLiteDrizzleJson({});
  const ddl = await generateSQLiteMigration(empty, await generateSQLiteDrizzleJson(exports as Record<string, unknown>));
  return { registry: createRegistry("sqlite", tables), ddl };
}
