// The edge's drizzle.config.ts: a dialect has a config of its own.
import type { HistoryBounds } from "@grove-crdt/core";
import { header, property, quote } from "../typescript/text";

export interface EdgeConfig {
  /** The edge's schema file, its shadow tables, its migrations and the folder of generated files, from the config's folder. */
  readonly schema: string;
  readonly shadow: string;
  readonly migrations: string;
  readonly out: string;
  /** Tables of the edge's schema that are all key: there is nothing in them to annotate. */
  readonly tables: readonly string[];
  /** The tables of which history is kept, as in the Postgres config. */
  readonly history: Readonly<Record<string, HistoryBounds>>;
}

export const emitEdgeConfig = ({ schema, shadow, migrations, out, tables, history }: EdgeConfig): string =>
  `${header("The edge's config for drizzle-kit. To keep changes of your own, take these two lines off.")}
import { defineConfig } from "drizzle-kit";
import { groveCrdt } from "grove-crdt/config";

export default defineConfig({
  dialect: "sqlite",
  schema: [${quote(schema)}, ${quote(shadow)}],
  out: ${quote(migrations)},
  ...groveCrdt({ ${[`out: ${quote(out)}`, ...emitTables(tables), ...emitHistory(history)].join(", ")} }),
});
`;

const emitTables = (tables: readonly string[]): string[] =>
  tables.length === 0 ? [] : [`tables: [${tables.map(quote).join(", ")}]`];

function emitHistory(history: EdgeConfig["history"]): string[] {
  const parts = Object.entries(history).map(([table, { days, depth }]) => {
    const bounds = [days && `days: ${days}`, depth && `depth: ${depth}`].filter(Boolean);
    return `${property(table)}: ${bounds.length === 0 ? "true" : `{ ${bounds.join(", ")} }`}`;
  });
  return parts.length === 0 ? [] : [`history: { ${parts.join(", ")} }`];
}

/** Whether a file's text is one that we made. */
export const isGenerated = (text: string): boolean => text.startsWith(`${header("").split("\n")[0]}\n`);
