// README.md, executed: its code becomes a project, its commands run, and what it says of two offline edges happens.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const readme = readFileSync(join(root, "README.md"), "utf8");

/** Each block opens with its file's name. */
const samples = new Map(
  [...readme.matchAll(/^```ts\n\/\/ (\S+)\n(.*?)^```$/gms)].map(([, name, text]) => [name as string, text as string]),
);
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
function start(file: string, name: string): ChildProcess {
  const env = { ...process.env, APP_DB: join(project, `${name}.db`), SYNC_TOKEN: "secret" };
  const child = spawn(process.execPath, argv(file), { cwd: project, env, stdio: ["ignore", "inherit", "inherit"] });
  running.add(child);
  return child;
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
  expect([...samples.keys()]).toEqual(files);
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
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const { stdout, status } = spawnSync(process.execPath, [tsc, "--project", project], { encoding: "utf8" });
  expect(stdout).toBe("");
  expect(status).toBe(0);
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

test("npm run knows the commands, and every link leads to a file", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(["demo", "test"]));
  const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path]) => path as string);
  expect(links.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});
