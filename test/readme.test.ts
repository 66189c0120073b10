// README.md and docs/live.md, executed: their code becomes a project, its commands run, and what they say happens.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { complaintsOf } from "./support/compiler";

const root = fileURLToPath(new URL("..", import.meta.url));
const readme = readFileSync(join(root, "README.md"), "utf8");

/** Each block opens with its file's name. */
const samplesOf = (page: string) =>
  [...page.matchAll(/^```ts\n\/\/ (\S+)\n(.*?)^```$/gms)].map(
    ([, name, text]) => [name as string, text as string] as const,
  );
const livePage = readFileSync(join(root, "docs/live.md"), "utf8");
const samples = new Map([...samplesOf(readme), ...samplesOf(livePage)]);
const CREATE = `CREATE TABLE documents (id text PRIMARY KEY NOT NULL, title text NOT NULL, body text NOT NULL DEFAULT '',
  view_count integer NOT NULL DEFAULT 0, tags text NOT NULL DEFAULT '[]')`;

let project: string;
let port: number;
const running = new Set<ChildProcess>();

/** Runs a TypeScript file in the project, on the sources of this workspace. */
const argv = (...args: string[]) => ["--import", "tsx", ...args];
const cli = (...args: string[]) =>
  spawnSync(process.execPath, argv(join(root, "packages/grove-crdt/src/cli.ts"), ...args), {
    cwd: project,
    encoding: "utf8",
  });

/** Starts hub.ts or edge.ts with a database of its own. */
function start(file: string, name: string): ChildProcess & { output: string } {
  const env = { ...process.env, APP_DB: join(project, `${name}.db`), SYNC_TOKEN: "a-secret-of-the-tests" };
  const child = spawn(process.execPath, argv(file), { cwd: project, env, stdio: ["ignore", "pipe", "inherit"] });
  running.add(child);
  const talking = Object.assign(child, { output: "" });
  child.stdout.on("data", (text) => {
    talking.output += text;
  });
  return talking;
}

async function stop(...children: ChildProcess[]): Promise<void> {
  for (const child of children) {
    running.delete(child);
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill();
    await once(child, "exit");
  }
}

function query<Result>(name: string, run: (database: Database.Database) => Result): Result {
  const database = new Database(join(project, `${name}.db`));
  try {
    return run(database);
  } finally {
    database.close();
  }
}

const views = (...names: string[]) =>
  names.map((name) =>
    query(name, (db) => db.prepare("SELECT view_count FROM documents WHERE id = 'welcome'").pluck().get()),
  );

/** Waits until a node has adopted its database. */
async function ready(name: string): Promise<void> {
  const named = "SELECT count(*) FROM sqlite_master WHERE name = '_grove_node'";
  const adopted = "SELECT node IS NOT NULL FROM _grove_node";
  for (let look = 0; look < 400; look++) {
    const is = query(name, (db) => db.prepare(named).pluck().get() && db.prepare(adopted).pluck().get());
    if (is) return;
    await sleep(100);
  }
}

/** Looks until the nodes count `expected`, then says what they count. */
async function settled(names: string[], expected: number, seconds = 40): Promise<unknown[]> {
  for (let look = 0; look < seconds * 10 && views(...names).some((count) => count !== expected); look++)
    await sleep(100);
  return views(...names);
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

beforeAll(async () => {
  port = await findFreePort();
  mkdirSync(join(root, "tmp"), { recursive: true });
  project = mkdtempSync(join(root, "tmp/readme-"));
  for (const [name, text] of samples) {
    const here = text
      .replace("port: 3000", `port: ${port}`)
      .replace("port: 3001", "port: 0")
      .replace("localhost:3000", `localhost:${port}`)
      .replace(`"app.db"`, "process.env.APP_DB");
    writeFileSync(join(project, name), here);
  }
  const tsconfig = { extends: "../../tsconfig.json", include: ["."] };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify(tsconfig));
  writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module" }));
});

afterAll(async () => {
  await stop(...running);
  rmSync(project, { recursive: true, force: true });
});

test("it shows the files of a whole project", () => {
  const files = ["schema.ts", "hub.ts", "edge.ts", "drizzle.config.ts", "db.ts", "auth.ts"];
  expect(samplesOf(readme).map(([name]) => name)).toEqual(files);
  expect(livePage.match(/^```ts$/gm)).toHaveLength(samplesOf(livePage).length);
  expect(readme.match(/^```ts$/gm)).toHaveLength(files.length);
});

test("the table is annotated in ten lines", () => {
  expect(samples.get("schema.ts")?.trimEnd().split("\n").filter(Boolean).length).toBeLessThanOrEqual(10);
});

test("the generate command writes what the samples import, and --check agrees", () => {
  const generated = cli("generate");
  expect(generated.stderr).toBe("");
  expect(generated.status).toBe(0);
  expect(existsSync(join(project, "generated/sqlite/index.ts"))).toBe(true);
  expect(cli("generate", "--check").status).toBe(0);
});

test("the samples type-check", () => {
  expect(complaintsOf(project)).toEqual([]);
});

test("two offline edges add one each to 40: both say 41, and in the end all say 42", { timeout: 120_000 }, async () => {
  const nodes = ["hub", "edge-1", "edge-2"];
  for (const name of nodes) query(name, (db) => db.exec(CREATE));
  query("hub", (db) => db.exec("INSERT INTO documents (id, title, view_count) VALUES ('welcome', 'Welcome', 40)"));

  const met = [start("hub.ts", "hub"), start("edge.ts", "edge-1"), start("edge.ts", "edge-2")];
  expect(await settled(nodes, 40)).toEqual([40, 40, 40]);
  await stop(...met);

  start("edge.ts", "edge-1");
  start("edge.ts", "edge-2");
  expect(await settled(["edge-1", "edge-2"], 41)).toEqual([41, 41]);
  query("edge-1", (db) => db.exec("UPDATE documents SET title = 'Earlier'"));
  await sleep(5);
  query("edge-2", (db) => db.exec("UPDATE documents SET title = 'Later'"));
  expect(views(...nodes)).toEqual([40, 41, 41]);

  start("hub.ts", "hub");
  expect(await settled(nodes, 42)).toEqual([42, 42, 42]);
  const titles = nodes.map((name) => query(name, (db) => db.prepare("SELECT title FROM documents").pluck().get()));
  expect(titles).toEqual(["Later", "Later", "Later"]);
});

test("the hub answers 401 to a call without the token", async () => {
  const answer = await fetch(`http://localhost:${port}/sync/pull`, { method: "POST", body: "{}" });
  expect(answer.status).toBe(401);
});

test("docs/live.md: a till flushes before it goes, a page is told what changed, a server stops cleanly", {
  timeout: 120_000,
}, async () => {
  await stop(...running);
  const nodes = ["hub-2", "till", "server"];
  for (const name of nodes) query(name, (db) => db.exec(CREATE));
  start("hub.ts", "hub-2");
  const [till, page, server] = [start("till.ts", "till"), start("redraw.ts", "till"), start("server.ts", "server")];
  for (const name of nodes) await ready(name);
  await sleep(1_000);
  query("till", (db) => db.exec("INSERT INTO documents (id, title, view_count) VALUES ('welcome', 'Welcome', 7)"));
  expect(await settled(nodes, 7)).toEqual([7, 7, 7]);
  query("hub-2", (db) => db.exec("UPDATE documents SET view_count = 8"));
  expect(await settled(nodes, 8)).toEqual([8, 8, 8]);
  for (let look = 0; look < 100 && !/: view_count by/.test(page.output); look++) await sleep(100);
  expect(page.output).toMatch(
    /^documents welcome: title, body, view_count, tags by \S+\ndocuments welcome: view_count by \S+\n/,
  );
  query("till", (db) => db.exec("UPDATE documents SET view_count = 9"));
  await stop(till, server);
  expect(till.output).toBe(`http://localhost:${port}/sync: 0 rows wait, no error\n`);
  expect(server.output).toBe("stopped\n");
  expect([till.exitCode, server.exitCode]).toEqual([0, 0]);
  expect(await settled(["hub-2"], 9)).toEqual([9]);
  const verify = start("verify.ts", "till");
  await once(verify, "exit");
  expect([verify.output, verify.exitCode]).toEqual(["1 rows compared, 0 differ\n", 0]);
});

test("npm run knows the commands, and every link leads to a file", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(["demo", "test"]));
  const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path]) => path as string);
  expect(links.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});
