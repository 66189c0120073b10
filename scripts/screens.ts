// The screens of README.md and docs/commands.md, made by the real commands on the data below. With --check it says which would be
// others now, but for times, ids, versions and the port.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { getRequestListener } from "@hono/node-server";
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { migrate } from "drizzle-orm/better-sqlite3/migrator";
import { GroveError, isGroveError, type Registry } from "../packages/core/src/index";
import { openDatabase } from "../packages/grove-crdt/src/commands/database";
import { generate } from "../packages/grove-crdt/src/commands/generate";
import { syncRouter } from "../packages/server/src/index";
import { createNode, type SyncHook } from "../packages/sync/src/index";

const root = fileURLToPath(new URL("..", import.meta.url));
export const PAGES = ["README.md", "docs/commands.md"] as const;
const PUBLIC_URL = "http://localhost:3000/sync";
const TOKEN = "a-secret-of-the-screens";

const CONFIG = `import { defineConfig } from "drizzle-kit";
import { groveCrdt } from "grove-crdt/config";

export default defineConfig({
  dialect: "sqlite",
  schema: ["./schema.ts", "./generated/sqlite/shadow.ts"],
  dbCredentials: { url: "./app.db" },
  ...groveCrdt(),
});
`;

/** What the hub does not take, so that there is something to list. */
const rules: SyncHook = {
  beforeInboundChange(change) {
    if (change.table === "orders" && change.field === "total" && Number(change.value) > 100_000)
      throw new GroveError("forbidden", "An order above 1,000.00 needs a signature.");
    return change;
  },
};

interface Stage {
  readonly folder: string;
  /** Runs one command line as a shell would, without a terminal. */
  run(line: string): Promise<string>;
  close(): void;
}

async function openStage(): Promise<Stage> {
  mkdirSync(join(root, "tmp"), { recursive: true });
  const folder = mkdtempSync(join(root, "tmp/screens-"));
  writeFileSync(join(folder, "drizzle.config.ts"), CONFIG);
  writeFileSync(join(folder, "schema.ts"), readFileSync(join(root, "schema/sqlite.ts"), "utf8"));
  await generate({}, folder, { print: () => {}, style: (_, text) => text });
  const open = (file: string) => {
    const client = new Database(join(folder, file));
    migrate(drizzle({ client }), { migrationsFolder: join(folder, "drizzle") });
    return client;
  };
  const [hubDb, edgeDb] = [open("hub.db"), open("app.db")];
  const { registry, close } = await openDatabase({}, folder);
  await close();
  const hub = await start(hubDb, registry, "hub", [rules]);
  const authenticate = (c: { req: { header(name: string): string | undefined } }) =>
    c.req.header("authorization") === `Bearer ${TOKEN}` ? "edge" : null;
  const app = syncRouter(hub, { authenticate, onAudit: () => {} });
  const server = createServer(getRequestListener((request) => app.fetch(rebased(request))));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/sync`;
  const run = async (line: string) => {
    const words = line.match(/"[^"]*"|\S+/g) ?? [];
    const args = words.map((word) => word.replaceAll('"', "").replace("$SYNC_TOKEN", TOKEN).replace(PUBLIC_URL, url));
    return (await grove(folder, args)).replaceAll(url, PUBLIC_URL).trimEnd();
  };
  const edge = await start(edgeDb, registry, "edge", []);
  const exchange = `sync ${PUBLIC_URL} --header "authorization: Bearer $SYNC_TOKEN"`;
  hubDb.exec(`INSERT INTO documents (id, title, view_count, tags) VALUES ('welcome', 'Hello', 40, '["new"]')`);
  await run(exchange);
  edgeDb.exec(`UPDATE documents SET view_count = view_count + 1, tags = '["new","read"]' WHERE id = 'welcome'`);
  hubDb.exec(`UPDATE documents SET view_count = view_count + 1, title = 'Hello, all' WHERE id = 'welcome'`);
  edgeDb.exec(
    "INSERT INTO orders (id, total, placed_at) VALUES ('o-1', 250000, 1767225600000), ('o-2', 1200, 1767225600000)",
  );
  await run(exchange);
  edgeDb.exec("INSERT INTO inventory (store, sku, name, quantity) VALUES ('north', 'pen', 'Pen', 12)");
  edgeDb.exec("DELETE FROM orders WHERE id = 'o-2'");
  await edge.fold();
  await Promise.all([edge.close(), hub.fold()]);
  return {
    folder,
    run,
    close: () => {
      server.close();
      for (const db of [hubDb, edgeDb]) db.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function start(client: Database.Database, registry: Registry, nodeId: string, hooks: SyncHook[]) {
  const node = createNode({ db: drizzle({ client }), registry, nodeId, hooks });
  await node.ready();
  return node;
}

/** The router is mounted under /sync. */
const rebased = (request: Request): Request => new Request(request.url.replace("/sync/", "/"), request);

/** What the command says on both streams. */
function grove(cwd: string, args: readonly string[]): Promise<string> {
  const { FORCE_COLOR: _, ...env } = process.env;
  const cli = join(root, "packages/grove-crdt/src/cli.ts");
  const loader = pathToFileURL(join(root, "node_modules/tsx/dist/loader.mjs")).href;
  const child = spawn(process.execPath, ["--import", loader, cli, ...args], { cwd, env });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  return new Promise((resolve) => child.on("close", () => resolve(said)));
}

const BLOCK = /^```console\n\$ npx grove-crdt (.+)\n(?:.*\n)*?```$/gm;

/** The page with each screen as it is now. */
async function draw(page: string, stage: Stage): Promise<string> {
  const screens = new Map<string, string>();
  for (const [, line] of page.matchAll(BLOCK)) screens.set(line as string, await stage.run(line as string));
  return page.replaceAll(
    BLOCK,
    (_, line: string) => `\`\`\`console\n$ npx grove-crdt ${line}\n${screens.get(line)}\n\`\`\``,
  );
}

/** What is another one each time. Columns may be wider by it. */
const steady = (page: string): string =>
  page
    .replaceAll(/\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?: UTC|Z)/g, "TIME")
    .replaceAll(/\b\d+(?:\.\d+)? (?:ms|s|min|h)\b/g, "SPAN")
    .replaceAll(/\b[a-z0-9]{12}\b/g, "ID")
    .replaceAll(/\b\d+\.\d+\.\d+\b/g, "VERSION")
    .replaceAll(/ (?:ahead|behind) \(/g, " apart (")
    .replaceAll(/ +/g, " ");

/** Names of the pages with a screen that is another one now; written anew unless they are only checked. */
export async function drawScreens(isCheck: boolean): Promise<string[]> {
  const stage = await openStage();
  const changed: string[] = [];
  try {
    for (const name of PAGES) {
      const path = join(root, name);
      const before = readFileSync(path, "utf8");
      const after = await draw(before, stage);
      if (steady(after) === steady(before)) continue;
      changed.push(name);
      if (!isCheck) writeFileSync(path, after);
    }
  } finally {
    stage.close();
  }
  return changed;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const isCheck = process.argv.includes("--check");
    const changed = await drawScreens(isCheck);
    console.log(
      changed.length === 0
        ? "all screens are as the commands draw them"
        : `${isCheck ? "stale" : "drawn"}: ${changed.join(", ")}`,
    );
    if (isCheck && changed.length > 0) process.exitCode = 1;
  } catch (error) {
    console.error(isGroveError(error) ? error.message : error);
    process.exitCode = 1;
  }
}
