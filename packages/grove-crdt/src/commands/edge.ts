// The edge beside a Postgres schema: its SQLite schema, config and generated files are made, or what was written by hand is
// held against the Postgres schema.
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, relative, resolve } from "node:path";
import { createRegistry, emitEdgeConfig, emitEdgeSchema, emitFiles, isGenerated } from "@grove-crdt/codegen";
import type { Registry } from "@grove-crdt/core";
import { checkPair, type ReadSchema, readEdge, readSchema, type SchemaModule } from "@grove-crdt/drizzle";
import type { DrizzleConfig } from "./drizzle-config";
import { compareFiles, type GeneratedFile } from "./generated-files";
import { loadModule } from "./load";
import { importSpecifier } from "./schema-files";

export interface Edge {
  readonly files: readonly GeneratedFile[];
  readonly registry: Registry;
  /** The edge's config, from the working directory. */
  readonly config: string;
}

interface Cloud {
  readonly config: DrizzleConfig;
  readonly modules: readonly SchemaModule[];
  readonly read: ReadSchema;
}

const isMade = (path: string): boolean => isGenerated(readFileSync(path, "utf8").replaceAll("\r\n", "\n"));

/**
 * @param out the folder of generated files, absolute
 * @returns null where there is no edge, and where its schema is written by hand and has a config of its own
 * @throws GroveError `schema_invalid` for a column that SQLite cannot hold alike, and for two schemas that disagree
 */
export async function readEdgeOf(cloud: Cloud, out: string, cwd: string): Promise<Edge | null> {
  const { edge } = cloud.config;
  if (edge === undefined) return null;
  const path = resolve(cwd, edge.schema);
  if (existsSync(path) && !isMade(path)) {
    await checkByHand(cloud, path, cwd);
    return null;
  }
  return emitEdge(cloud, { ...edge, path }, out, cwd);
}

async function checkByHand({ config, read }: Cloud, path: string, cwd: string): Promise<void> {
  const shown = (file: string) => relative(cwd, file).replaceAll("\\", "/");
  const { casing, unmarked, tables: named } = config;
  const exports = await loadModule(path, shown(path));
  const { tables } = readSchema([{ path, exports }], {
    dialect: "sqlite",
    ...(casing && { casing }),
    ...(unmarked && { unmarked }),
    ...(named && { tables: named }),
  });
  const [first = ""] = read.files.values();
  checkPair(
    { tables: read.tables, fileOf: (table) => shown(read.files.get(table) ?? first) },
    { tables, fileOf: () => shown(path) },
  );
}

function emitEdge(
  { config, modules, read }: Cloud,
  edge: NonNullable<DrizzleConfig["edge"]> & { readonly path: string },
  out: string,
  cwd: string,
): Edge {
  const { casing, unmarked } = config;
  const tables = readEdge(modules, { casing, ...(unmarked && { unmarked }) }, read.tables);
  const schema = emitEdgeSchema(
    tables,
    new Map([...read.files].map(([table, file]) => [table, importSpecifier(dirname(edge.path), file)])),
  );
  const models = tables.map(({ model }) => model);
  const folder = resolve(out, "sqlite");
  const specifier = importSpecifier(folder, edge.path);
  const files = emitFiles({
    dialect: "sqlite",
    tables: models,
    sources: new Map(models.map(({ name }) => [name, specifier])),
  });
  const path = resolve(cwd, edge.config);
  const fromConfig = (file: string) => {
    const way = relative(cwd, file).replaceAll("\\", "/");
    return way.startsWith(".") ? way : `./${way}`;
  };
  const text = emitEdgeConfig({
    schema: fromConfig(edge.path),
    shadow: fromConfig(resolve(folder, "shadow.ts")),
    migrations: edge.migrations,
    out: fromConfig(out),
    tables: models.filter(({ fields, local }) => fields.length + local.length === 0).map(({ name }) => name),
    history: config.history ?? {},
  });
  const keeps = existsSync(path) && !isMade(path);
  return {
    files: [
      ...compareFiles(dirname(edge.path), { [basename(edge.path)]: schema }),
      ...compareFiles(folder, files),
      ...(keeps ? [] : compareFiles(dirname(path), { [basename(path)]: text })),
    ],
    registry: createRegistry("sqlite", models),
    config: edge.config,
  };
}
