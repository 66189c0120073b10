// TableModel to text: every generated file by name. No file system here; the CLI compares and writes.
import type { Dialect, Registry, TableModel } from "@grove-crdt/core";
import { type Names, nameTables, sorted } from "./names";
import { emitCapture, emitSystem } from "./sqlite/capture";
import { emitShadowFile } from "./sqlite/shadow-file";
import { emitCaptureFile, hashCapture } from "./typescript/capture-file";
import { emitMergeFile } from "./typescript/merge-file";
import { emitRegistryFile } from "./typescript/registry-file";
import { header } from "./typescript/text";
import { emitTypesFile, type Sources } from "./typescript/types-file";

export interface EmitOptions {
  readonly dialect: Dialect;
  readonly tables: readonly TableModel[];
  /** The module with each table's Drizzle table, as the generated files import it: by table name. */
  readonly sources: Sources;
}

/** The text of each generated file, by file name. The same schema gives the same bytes. */
export function emitFiles(options: EmitOptions): Record<string, string> {
  const tables = sorted(options.tables);
  const names = nameTables(tables);
  const capture = emitRegistryCapture(tables, names);
  return {
    "capture.ts": emitCaptureFile(capture),
    "index.ts": emitIndexFile(),
    "merge.ts": emitMergeFile(tables, names),
    "registry.ts": emitRegistryFile(options.dialect, tables, names),
    "shadow.ts": emitShadowFile(tables, names),
    "types.ts": emitTypesFile(tables, names, options.sources),
  };
}

/** The registry as the generated files hold it, for use without files. */
export function createRegistry(dialect: Dialect, tables: readonly TableModel[]): Registry {
  const ordered = sorted(tables);
  return { dialect, tables: ordered, capture: emitRegistryCapture(ordered, nameTables(ordered)) };
}

function emitRegistryCapture(tables: readonly TableModel[], names: ReadonlyMap<string, Names>): Registry["capture"] {
  const system = emitSystem();
  const captures = Object.fromEntries(
    tables.map((table) => [table.name, emitCapture(table, names.get(table.name) as Names)]),
  );
  return { hash: hashCapture(system, captures), system, tables: captures };
}

const emitIndexFile = (): string => `${header("Everything generated but shadow.ts, which drizzle-kit reads by itself.")}
export * from "./merge.js";
export * from "./registry.js";
export * from "./types.js";
`;
