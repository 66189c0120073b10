// docs/security.md, executed: its files become a project, and what the page says of them holds.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { GroveNode, Syncer } from "grove-crdt";
import type { Hono } from "hono";
import { SignJWT } from "jose";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { complaintsOf } from "./support/compiler";

const root = fileURLToPath(new URL("..", import.meta.url));
const page = readFileSync(join(root, "docs/security.md"), "utf8");
const samples = [...page.matchAll(/^```ts\n\/\/ (\S+)\n(.*?)^```$/gms)] as unknown as [string, string, string][];

const SECRET = "a secret of thirty-two characters or more";
const CREATE = `CREATE TABLE documents (id text PRIMARY KEY NOT NULL, tenant_id text NOT NULL, title text NOT NULL, internal_note text NOT NULL DEFAULT '');
CREATE TABLE prices (id text PRIMARY KEY NOT NULL, amount text NOT NULL);`;

/** What the page takes for granted: a database, and an edge that syncs as a principal. */
const REST: Readonly<Record<string, string>> = {
  "db.ts": `import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
export const client = new Database(":memory:");
client.exec(${JSON.stringify(CREATE)});
export const db = drizzle({ client });
export const edgeClient = new Database(":memory:");
edgeClient.exec(${JSON.stringify(CREATE)});
`,
  "edge.ts": `import { createNode, createSyncer, httpTransport } from "grove-crdt";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { edgeClient } from "./db";
import { registry } from "./generated/sqlite";
import { app } from "./hub";
export const node = createNode({ db: drizzle({ client: edgeClient }), registry, nodeId: "edge" });
await node.ensureShadowTables();
export const session = { token: "" };
export const syncer = createSyncer(node, {
  peers: [httpTransport("http://hub/sync", {
    headers: () => ({ authorization: "Bearer " + session.token }),
    fetch: async (url, init) => app.request(url, init),
  })],
});
`,
  "drizzle.config.ts": `import { defineConfig } from "drizzle-kit";
import { groveCrdt } from "grove-crdt/config";
export default defineConfig({ dialect: "sqlite", schema: ["./schema.ts"], ...groveCrdt({ out: "./generated" }) });
`,
};

let project: string;
beforeAll(() => {
  mkdirSync(join(root, "tmp"), { recursive: true });
  project = mkdtempSync(join(root, "tmp/security-"));
  for (const [name, text] of [...samples.map(([, name, text]) => [name, text] as const), ...Object.entries(REST)])
    writeFileSync(join(project, name), text);
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ extends: "../../tsconfig.json", include: ["."] }));
  writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module" }));
  const cli = join(root, "packages/grove-crdt/src/cli.ts");
  const made = spawnSync(process.execPath, ["--import", "tsx", cli, "generate", "--no-kit"], {
    cwd: project,
    encoding: "utf8",
  });
  expect(made.stderr).toBe("");
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

test("the samples are those of the page, and type-check", { timeout: 60_000 }, () => {
  expect(samples.map(([, name]) => name)).toEqual(["schema.ts", "hub.ts", "refused.ts"]);
  expect(page.match(/^```ts$/gm)).toHaveLength(samples.length);
  expect(complaintsOf(project)).toEqual([]);
});

test("tenants, roles, refusals and the audit are as it says", async () => {
  process.env.JWT_SECRET = SECRET;
  const load = (name: string) => import(/* @vite-ignore */ pathToFileURL(join(project, name)).href);
  const { app, node: hub } = (await load("hub.ts")) as { app: Hono; node: GroveNode };
  const { client, edgeClient } = (await load("db.ts")) as Record<
    string,
    { exec(sql: string): void; prepare(sql: string): { all(): object[] } }
  >;
  const edge = (await load("edge.ts")) as { node: GroveNode; syncer: Syncer; session: { token: string } };
  const sign = (claims: Record<string, unknown>, audience = "shop-sync") =>
    new SignJWT({ tenant: "acme", ...claims })
      .setProtectedHeader({ alg: "HS256" })
      .setSubject(String(claims.sub ?? "till"))
      .setAudience(audience)
      .setExpirationTime("5m")
      .sign(new TextEncoder().encode(SECRET));
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  try {
    client?.exec(`INSERT INTO documents VALUES ('1', 'acme', 'ours', 'secret note'), ('2', 'other', 'theirs', '');
      INSERT INTO prices VALUES ('p', '10')`);
    for (const token of ["", "x", await sign({}, "elsewhere")]) {
      edge.session.token = token;
      expect(await edge.syncer.sync()).toMatchObject([{ error: { code: "unauthenticated" } }]);
    }
    edge.session.token = await sign({});
    expect(await edge.syncer.sync()).toMatchObject([{ error: null, pulled: 1 }]);
    expect(edgeClient?.prepare("SELECT * FROM documents").all()).toEqual([
      { id: "1", tenant_id: "acme", title: "ours", internal_note: "" },
    ]);
    expect(edgeClient?.prepare("SELECT * FROM prices").all()).toEqual([]);

    edgeClient?.exec(`UPDATE documents SET title = 'changed', internal_note = 'mine' WHERE id = '1';
      INSERT INTO documents VALUES ('3', 'other', 'intruder', '')`);
    expect(await edge.syncer.sync()).toMatchObject([{ error: null, rejected: 2 }]);
    expect(client?.prepare("SELECT title, internal_note FROM documents").all()).toEqual([
      { title: "changed", internal_note: "secret note" },
      { title: "theirs", internal_note: "" },
    ]);
    expect(JSON.parse(String(warn.mock.calls.at(-1)?.[0]))).toMatchObject({
      event: "push_refused",
      principal: "till",
      count: 2,
    });
    expect(await edge.syncer.status()).toMatchObject([{ rejected: 2 }]);
    await load("refused.ts");
    expect(log.mock.calls.map(([line]) => String(line))).toEqual([
      expect.stringMatching(/^documents 1 internal_note: forbidden: /),
      expect.stringMatching(/^documents 3 {2}: forbidden: |^documents 3 : forbidden: /),
    ]);
    expect(edgeClient?.prepare("SELECT id, internal_note FROM documents").all()).toEqual([
      { id: "1", internal_note: "" },
    ]);

    // Somebody else may not use the till's name; the same person with another role sees more.
    edge.session.token = await sign({ sub: "boss", role: "staff" });
    expect(await edge.syncer.sync()).toMatchObject([{ error: { code: "node_id_taken" } }]);
    edge.session.token = await sign({ role: "staff" });
    expect(await edge.syncer.sync()).toMatchObject([{ error: null }]);
    expect(edgeClient?.prepare("SELECT internal_note FROM documents").all()).toEqual([
      { internal_note: "secret note" },
    ]);
    expect(edgeClient?.prepare("SELECT id FROM prices").all()).toEqual([{ id: "p" }]);
    const bare = await app.request("/sync/pull", { method: "POST", body: "{}" });
    expect(bare.status).toBe(401);
    expect(await hub.parked()).toEqual([]);
  } finally {
    warn.mockRestore();
    log.mockRestore();
  }
});
