// TableModel to text: every generated file by name. No file system here; the CLI compares and writes.
import type { Dialect, Registry, TableModel } from "@grove-crdt/core";
import { type Names, nameTables, sorted } from "./names";
import * as postgresCapture from "./postgres/capture";
import * as postgresShadow from "./postgres/shadow-file";
import * as sqliteCapture from "./sqlite/capture";
import * as sqliteShadow from "./sqlite/shadow-file";
import { emitCaptureFile, hashCapture } from "./typescript/capture-file";
import { emitMergeFile } from "./typescript/merge-file";
import { emitRegistryFile } from "./typescript/registry-file";
import { emitSchemasFile } from "./typescript/schemas-file";
import { header } from "./typescript/text";
import { emitTypesFile, type Sources } from "./typescript/types-file";

const dialects = {
  postgres: { ...postgresCapture, ...postgresShadow },
  sqlite: { ...sqliteCapture, ...sqliteShadow },
} as const satisfies Record<Dialect, object>;

export interface EmitOptions {
  readonly dialect: Dialect;
  readonly tables: readonly TableModel[];
  /** The module with each table's Drizzle table, as the generated files import it: by table name. */
  readonly sources: Sources;
}

/** What {@link emitFiles} writes into a dialect's folder. A schema made for the edge may stand beside it. */
export const fileNames = [
  "capture.ts",
  "index.ts",
  "merge.ts",
  "registry.ts",
  "schemas.ts",
  "shadow.ts",
  "types.ts",
] as const;

/** The text of each generated file, by file name. The same schema gives the same bytes. */
export function emitFiles(options: EmitOptions): Record<string, string> {
  const tables = sorted(options.tables);
  const names = nameTables(tables);
  const capture = emitRegistryCapture(options.dialect, tables, names);
  return {
    "capture.ts": emitCaptureFile(capture),
    "index.ts": emitIndexFile(),
    "merge.ts": emitMergeFile(tables, names),
    "registry.ts": emitRegistryFile(options.dialect, tables, names),
    "schemas.ts": emitSchemasFile(tables, names),
    "shadow.ts": dialects[options.dialect].emitShadowFile(tables, names),
    "types.ts": emitTypesFile(tables, names, options.sources),
  } satisfies Record<(typeof fileNames)[number], string>;
}

/** The registry as the generated files hold it, for use without files. */
export function createRegistry(dialect: Dialect, tables: readonly TableModel[]): Registry {
  const ordered = sorted(tables);
  return { dialect, tables: ordered, capture: emitRegistryCapture(dialect, ordered, nameTables(ordered)) };
}

function emitRegistryCapture(
  dialect: Dialect,
  tables: readonly TableModel[],
  names: ReadonlyMap<string, Names>,
): Registry["capture"] {
  const { emitCapture, emitSystem } = dialects[dialect];
  const system = emitSystem(tables);
  const captures = Object.fromEntries(
    tables.map((table) => [table.name, emitCapture(table, names.get(table.name) as Names)]),
  );
  return { hash: hashCapture(system, captures), system, tables: captures };
}

const emitIndexFile =
  (): string => `${header("Everything generated but shadow.ts, which drizzle-kit reads by itself, and schemas.ts.")}
export * from "./merge.js";
export * from "./registry.js";
export * from "./types.js";
`;
