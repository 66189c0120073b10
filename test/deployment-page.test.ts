// docs/deployment.md, executed: its hub and its edge are processes that sync and stop at a signal, and its backup is a node.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { complaintsOf } from "./support/compiler";
import { Project, repository } from "./support/project";
import { freePort } from "./support/sockets";
import { until } from "./support/streams";

const page = readFileSync(join(repository, "docs/deployment.md"), "utf8");
const samples = [...page.matchAll(/^```ts\n\/\/ (\S+)\n(.*?)^```$/gms)].map(
  ([, name, code]) => [name as string, code as string] as const,
);
const DATABASE = `import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { sqlite } from "../../test/support/sqlite";

export const client = new Database(process.env.APP_DB ?? "app.db");
if (!client.prepare("SELECT 1 FROM sqlite_master WHERE name = 'documents'").get()) client.exec(sqlite.referenceTables.join(";"));
export const db = drizzle({ client });
`;
const AUTH = `import { bearerTokens } from "grove-crdt";
export const headers = () => ({ authorization: "Bearer a-secret-of-the-tests" });
export const authenticate = bearerTokens({ "a-secret-of-the-tests": "edge" });
`;
const MIGRATE = `import { createNode } from "grove-crdt";
import { client, db } from "./db";
import { registry } from "./generated/sqlite";
await createNode({ db, registry }).ensureShadowTables();
client.close();
`;

let project: Project;
const running: ChildProcess[] = [];
beforeAll(() => {
  project = new Project({
    ...Object.fromEntries(samples),
    "db.ts": DATABASE,
    "auth.ts": AUTH,
    "migrate.ts": MIGRATE,
    "generated/sqlite.ts": `export * from "../../../generated/sqlite";\n`,
    "tsconfig.json": JSON.stringify({ extends: "../../tsconfig.json", include: ["."] }),
  });
});
afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
  project.remove();
});

const options = (name: string, env: NodeJS.ProcessEnv = {}) => ({
  cwd: project.folder,
  env: { ...process.env, APP_DB: `${name}.db`, ...env },
});
const run = (file: string, name: string) =>
  spawnSync(process.execPath, ["--import", "tsx", file], { ...options(name), encoding: "utf8" });
function start(file: string, name: string, env: NodeJS.ProcessEnv): ChildProcess {
  const child = spawn(process.execPath, ["--import", "tsx", file], { ...options(name, env), stdio: "ignore" });
  running.push(child);
  return child;
}
const rows = (name: string) => {
  const database = new Database(project.path(`${name}.db`));
  try {
    return database.prepare("SELECT id FROM documents ORDER BY id").pluck().all();
  } catch {
    return [];
  } finally {
    database.close();
  }
};
const write = (name: string, id: string) => {
  const database = new Database(project.path(`${name}.db`));
  database.prepare("INSERT INTO documents (id, title) VALUES (?, 't')").run(id);
  database.close();
};

test("a hub that was not migrated does not start; then hub and edge sync, and both stop at a signal", async () => {
  expect(run("hub.ts", "hub").stderr).toContain("capture_missing");
  expect(run("migrate.ts", "hub").stderr).toBe("");
  const port = await freePort();
  const hub = start("hub.ts", "hub", { PORT: String(port) });
  const edge = start("edge.ts", "edge", { HUB: `http://127.0.0.1:${port}/sync` });
  const isReady = () =>
    fetch(`http://127.0.0.1:${port}/sync/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  await until(isReady);
  const database = () => new Database(project.path("edge.db"), { fileMustExist: true });
  await until(() => {
    try {
      return database().prepare("SELECT node FROM _grove_node").pluck().get() !== null;
    } catch {
      return false;
    }
  });
  write("edge", "below");
  write("hub", "above");
  await until(() => rows("hub").length === 2 && rows("edge").length === 2);
  for (const child of [edge, hub]) {
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
  }
});

test("a backup is the node as it was", () => {
  expect(run("migrate.ts", "kept").stderr).toBe("");
  write("kept", "1");
  expect(run("backup.ts", "kept")).toMatchObject({ stderr: "", status: 0 });
  const ids = ["kept", "backup"].map((name) => {
    const database = new Database(project.path(`${name}.db`));
    const log = database.prepare("SELECT count(*) FROM _documents_log").pluck().get();
    return [database.prepare("SELECT node FROM _grove_node").pluck().get(), log];
  });
  expect(ids[1]).toEqual(ids[0]);
  expect([rows("backup"), ids[1]?.[1]]).toEqual([["1"], 0]);
});

test("every block of code is run", () => {
  expect(page.match(/^```ts$/gm)).toHaveLength(samples.length);
});

test.runIf(process.env.CI || process.env.EXAMPLES)("the samples type-check", () => {
  expect(complaintsOf(project.folder)).toEqual([]);
});
