// The database that a command works on: the one that drizzle.config names, through the user's own driver.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { createRegistry } from "@grove-crdt/codegen";
import { GroveError, type Registry } from "@grove-crdt/core";
import { readSchema } from "@grove-crdt/drizzle";
import type { DatabaseClient } from "@grove-crdt/store";
import { Command } from "commander";
import * as z from "zod";
import { type DrizzleConfig, loadConfig } from "./drizzle-config";
import { loadDefault } from "./load";
import { loadSchema } from "./schema-files";

export interface DatabaseOptions {
  readonly config?: string;
  readonly url?: string;
  readonly nodeId?: string;
}

/** A command that works on a database. */
export const databaseCommand = (name: string): Command =>
  new Command(name)
    .option("-c, --config <file>", "the Drizzle config (default: drizzle.config.ts, .js or .json)")
    .option("--url <url>", "the database (default: dbCredentials of the Drizzle config)")
    .helpOption("-h, --help", "print this help");

export interface OpenDatabase extends OpenClient {
  readonly registry: Registry;
}

/**
 * @param cwd what relative paths count from
 * @throws GroveError `schema_load_failed`, `schema_invalid`
 */
export async function openDatabase({ config: file, url }: DatabaseOptions, cwd: string): Promise<OpenDatabase> {
  const config = await loadConfig(file, cwd);
  const { dialect, casing, unmarked, tables: named, history } = config;
  const modules = await loadSchema(config, resolve(cwd, config.out, dialect), cwd);
  const { tables } = readSchema(modules, {
    dialect,
    ...(casing && { casing }),
    ...(unmarked && { unmarked }),
    ...(named && { tables: named }),
    ...(history && { history }),
  });
  const registry = createRegistry(dialect, tables);
  return { ...(await connect(config, url, cwd)), registry };
}

interface OpenClient {
  readonly client: DatabaseClient;
  close(): unknown;
}

const credentials = z.object({
  url: z.string().min(1).optional(),
  host: z.string().min(1).optional(),
  port: z.number().optional(),
  user: z.string().optional(),
  password: z.string().optional(),
  database: z.string().optional(),
  ssl: z.unknown().optional(),
});
type Credentials = z.infer<typeof credentials>;

/** The database of `--url` or of `dbCredentials`, as drizzle-kit reads them. */
async function connect(config: DrizzleConfig, url: string | undefined, cwd: string): Promise<OpenClient> {
  const shown = relative(cwd, config.path);
  const loaded = (await loadDefault(config.path, shown)) as { dbCredentials?: unknown } | undefined;
  const parsed = credentials.safeParse(url === undefined ? (loaded?.dbCredentials ?? {}) : { url });
  const found: Credentials = parsed.success ? parsed.data : {};
  if (found.url === undefined && (config.dialect === "sqlite" || found.host === undefined)) {
    throw new GroveError(
      "schema_load_failed",
      `${shown} does not say which database: add dbCredentials as drizzle-kit reads them, or pass --url.`,
    );
  }
  const load = (name: string) => loadDriver(name, config.path, cwd);
  return config.dialect === "sqlite" ? openSqlite(found.url as string, cwd, load) : openPostgres(found, load);
}

type Load = (name: string) => Promise<unknown>;

/** The user's own driver: found from the config's folder, as their program finds it. */
async function loadDriver(name: string, configPath: string, cwd: string): Promise<unknown> {
  for (const from of [configPath, resolve(cwd, "package.json")]) {
    try {
      const path = createRequire(from).resolve(name);
      const loaded = (await import(pathToFileURL(path).href)) as { default?: unknown };
      return loaded.default ?? loaded;
    } catch (error) {
      if ((error as { code?: unknown }).code !== "MODULE_NOT_FOUND") throw error;
    }
  }
  return null;
}

async function openSqlite(url: string, cwd: string, load: Load): Promise<OpenClient> {
  type Database = DatabaseClient & { close(): void };
  const Driver = (await load("better-sqlite3")) as
    | (new (
        file: string,
        options: { fileMustExist: boolean },
      ) => Database)
    | null;
  if (!Driver) throw missing("better-sqlite3");
  const file = resolve(cwd, url.replace(/^file:(\/\/)?/, ""));
  try {
    const client = new Driver(file, { fileMustExist: true });
    return { client, close: () => client.close() };
  } catch (cause) {
    const cure = existsSync(file)
      ? "Name a SQLite database that this user may write to"
      : `There is no file ${relative(cwd, file)}: run your migrations, which make it, or name another one`;
    const message = `The database ${url} could not be opened: ${(cause as Error).message}. ${cure}, by --url or dbCredentials of the Drizzle config.`;
    throw new GroveError("schema_load_failed", message, { cause });
  }
}

async function openPostgres({ url, ssl, ...parts }: Credentials, load: Load): Promise<OpenClient> {
  const { user, ...others } = parts;
  const secured = ssl === undefined ? {} : { ssl };
  const postgres = (await load("postgres")) as ((...args: unknown[]) => DatabaseClient & { end(): unknown }) | null;
  if (postgres) {
    const options = { max: 2, onnotice: () => {}, ...secured };
    const client = url === undefined ? postgres({ ...others, username: user, ...options }) : postgres(url, options);
    return { client, close: () => client.end() };
  }
  const pg = (await load("pg")) as { Pool: new (options: object) => DatabaseClient & { end(): unknown } } | null;
  if (!pg) throw missing("postgres or pg");
  const client = new pg.Pool({ ...(url === undefined ? parts : { connectionString: url }), max: 2, ...secured });
  return { client, close: () => client.end() };
}

const missing = (name: string) =>
  new GroveError("schema_load_failed", `The driver ${name} is not installed in this project.`);
