// Nodes that keep history: of the table with all five types, or of the reference schema.
import { createRegistry } from "@grove-crdt/codegen";
import type { HistoryBounds, Registry } from "@grove-crdt/core";
import type { TestDialect } from "./dialect";
import { tables } from "./nested-tables";
import { type NodeSettings, openNode, type TestNode } from "./node";
import { makeSchema } from "./schemas";

/** The registry as `generate` would emit it once history is asked for of these tables. */
export const withHistory = ({ dialect, tables: models }: Registry, history: Readonly<Record<string, HistoryBounds>>) =>
  createRegistry(
    dialect,
    models.map((model) => {
      const bounds = history[model.name];
      return bounds ? { ...model, history: bounds } : model;
    }),
  );

/** A node over the table of all five types, with its history. */
export async function openHistorian(
  dialect: TestDialect,
  id: string,
  settings: NodeSettings = {},
  bounds: HistoryBounds = {},
): Promise<TestNode> {
  const { registry, ddl } = await makeSchema(tables[dialect.name], dialect);
  return openNode(dialect, id, { ...settings, ddl, registry: withHistory(registry, { plans: bounds }) });
}

/** A node over the reference schema, with the history of its documents. */
export const openArchive = (
  dialect: TestDialect,
  id: string,
  settings: NodeSettings = {},
  bounds: HistoryBounds = {},
): Promise<TestNode> =>
  openNode(dialect, id, { ...settings, registry: withHistory(dialect.registry, { documents: bounds }) });
