// Schemas made in a test: the registry that `generate` would emit, and the statements with which drizzle-kit would make
// the tables.
import { createRegistry } from "@grove-crdt/codegen";
import { readSchema } from "@grove-crdt/drizzle";
import type { Registry } from "grove-crdt";
import type { TestDialect } from "./dialect";
import { sqlite } from "./sqlite";

export interface TestSchema {
  readonly registry: Registry;
  readonly ddl: readonly string[];
}

/** @param exports what a schema file exports: Drizzle tables by name */
export async function makeSchema(
  exports: Readonly<Record<string, unknown>>,
  dialect: TestDialect = sqlite,
): Promise<TestSchema> {
  const { tables } = readSchema([{ path: "schema.ts", exports }], { dialect: dialect.name });
  return { registry: createRegistry(dialect.name, tables), ddl: await dialect.emitTables(exports) };
}
