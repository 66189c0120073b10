// `grove-crdt adopt`: adopts the rows of the database that drizzle.config names, with progress. Interrupted, it is taken up
// by the next run.
import { createRequire } from "node:module";
import { relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { createRegistry } from "@grove-crdt/codegen";
import { GroveError, isGroveError } from "@grove-crdt/core";
import { readSchema } from "@grove-crdt/drizzle";
import type { AdoptProgress, DatabaseClient } from "@grove-crdt/store";
import { createNode } from "@grove-crdt/sync";
import { Command } from "commander";
import * as z from "zod";
import { type DrizzleConfig, loadConfig } from "./drizzle-config";
import { loadDefault } from "./load";
import { loadSchema } from "./schema-files";
import { type Terminal, terminalFor } from "./terminal";

export interface AdoptCommandOptions {
  readonly config?: string;
  readonly url?: string;
  readonly nodeId?: string;
}

/** What a shell reports of a command that Ctrl+C has ended. */
const INTERRUPTED = 130;

export const adoptCommand = (): Command =>
  new Command("adopt")
    .description(
      "Adopt the rows that were in the database before capture, and values of columns that were added since: they count as the oldest possible writes. Can be interrupted and run again; ends with 0 once nothing is left, with 130 when interrupted.",
    )
    .option("-c, --config <file>", "the Drizzle config (default: drizzle.config.ts, .js or .json)")
    .option("--url <url>", "the database (default: dbCredentials of the Drizzle config)")
    .option("--node-id <id>", "as createNode({ nodeId }) has it; needed only while the node was never started")
    .helpOption("-h, --help", "print this help")
    .action(async (options: AdoptCommandOptions) => {
      const stop = new AbortController();
      const interrupt = () => stop.abort();
      process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
      const terminal = terminalFor(process.stdout);
      try {
        await adopt(options, process.cwd(), terminal, { signal: stop.signal, live: process.stdout.isTTY === true });
      } catch (error) {
        if (!isGroveError(error) || (error as GroveError).code !== "aborted") throw error;
        terminal.print(`${terminal.style("yellow", "interrupted")} ${error.message}`);
        process.exitCode = INTERRUPTED;
      } finally {
        process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
      }
    });

interface Manner {
  readonly signal?: AbortSignal;
  /** Show every transaction, not only each table's end. */
  readonly live?: boolean;
}

/**
 * @param cwd what relative paths count from
 * @throws GroveError `schema_load_failed`, `schema_invalid`, `capture_missing`, `capture_stale`, `node_id_invalid`,
 *   `node_id_mismatch`, `aborted`, `bad_value`
 */
export async function adopt(
  options: AdoptCommandOptions,
  cwd: string,
  terminal: Terminal,
  { signal, live = false }: Manner = {},
): Promise<void> {
  const config = await loadConfig(options.config, cwd);
  const { dialect, casing, unmarked } = config;
  const modules = await loadSchema(config, resolve(cwd, config.out, dialect), cwd);
  const { tables } = readSchema(modules, { dialect, ...(casing && { casing }), ...(unmarked && { unmarked }) });
  const connection = await connect(config, options.url, cwd);
  let last: AdoptProgress | null = null;
  const tell = (done: boolean) => {
    if (last && (done || live)) terminal.print(describe(terminal, last, done));
  };
  try {
    const { nodeId } = options;
    const registry = createRegistry(dialect, tables);
    const node = createNode({ db: { $client: connection.client }, registry, nodeId });
    const problem = await node.store.verify();
    // One that is drawn here would not be the one that the program is configured with.
    if (problem?.code === "not_adopted" && nodeId === undefined && (await node.store.identity()) === null) {
      throw new GroveError(
        "node_id_invalid",
        "The database has no node id yet. Name it with --node-id, as createNode({ nodeId }) does in your program, or start that program once.",
      );
    }
    await node.adopt({
      signal,
      onProgress: (progress) => {
        if (last && last.table !== progress.table) tell(true);
        last = progress;
        tell(false);
      },
    });
    tell(true);
    if (!last) terminal.print(`${terminal.style("green", "adopted")} already; nothing was left to do`);
  } finally {
    await connection.close();
  }
}

function describe(terminal: Terminal, { table, rows, total }: AdoptProgress, done: boolean): string {
  const of = done || total === null ? "" : ` of ${total}`;
  return `${done ? terminal.style("green", "adopted") : terminal.style("dim", "adopting")} ${table}: ${rows}${of} rows`;
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
    const message = `The database ${url} could not be opened: ${(cause as Error).message}.`;
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
