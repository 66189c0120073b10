// docs/hooks.md, executed: its code joins the project of the README, type-checks, and does what the page says.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { GroveNode, RowChange, SyncHook } from "grove-crdt";
import type { Hono } from "hono";
import { afterAll, beforeAll, expect, test } from "vitest";
import { complaintsOf } from "./support/compiler";
import { documentOf } from "./support/hooks";
import { repository, runCli } from "./support/project";

/** Each block opens with its file's name. */
const samplesOf = (page: string) =>
  [...readFileSync(join(repository, page), "utf8").matchAll(/^```ts\n\/\/ (\S+)\n(.*?)^```$/gms)].map(
    ([, name, text]) => [name as string, text as string] as const,
  );
const page = samplesOf("docs/hooks.md");
let project: string;

beforeAll(async () => {
  mkdirSync(join(repository, "tmp"), { recursive: true });
  project = mkdtempSync(join(repository, "tmp/hooks-page-"));
  const files = new Map<string, string>([
    ...samplesOf("README.md").filter(([name]) => !["hub.ts", "edge.ts"].includes(name)),
    ...samplesOf("docs/security.md").filter(([name]) => name === "auth.ts"),
    ...page,
  ]);
  for (const [name, text] of files) writeFileSync(join(project, name), text.replace(`"app.db"`, `"${project}/app.db"`));
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ extends: "../../tsconfig.json", include: ["."] }));
  writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module" }));
  expect(await runCli(project, ["generate", "--no-kit"])).toMatchObject({ code: 0 });
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

test("every block of code is a file of the project", () => {
  const blocks = readFileSync(join(repository, "docs/hooks.md"), "utf8").match(/^```ts$/gm);
  expect(blocks).toHaveLength(page.length);
  expect(page.map(([name]) => name)).toEqual(["rules.ts", "isolation.ts", "audit.ts"]);
});

test("the samples type-check", () => {
  expect(complaintsOf(project)).toEqual([]);
});

test("rules.ts: titles are trimmed, long ones refused by code, and a kiosk gets no bodies", async () => {
  process.env.SYNC_TOKEN = "a-token-for-the-page";
  const { db } = (await import(join(project, "db.ts"))) as { db: { $client: { exec(sql: string): void } } };
  db.$client.exec(`CREATE TABLE documents (id text PRIMARY KEY NOT NULL, title text NOT NULL, body text NOT NULL DEFAULT '',
    view_count integer NOT NULL DEFAULT 0, tags text NOT NULL DEFAULT '[]')`);
  const { app, node } = (await import(join(project, "rules.ts"))) as { app: Hono; node: GroveNode };
  const { headers } = (await import(join(project, "auth.ts"))) as { headers: () => Record<string, string> };
  const send = async (path: string, body: object) => {
    const init = {
      method: "POST",
      headers: { "content-type": "application/json", ...headers() },
      body: JSON.stringify(body),
    };
    const answer = await app.request(`/sync/${path}`, init);
    expect(answer.status).toBe(200);
    return answer.json() as Promise<{ rows: RowChange[]; outcomes: unknown[] }>;
  };
  const now = Date.now() * 1000;
  const { outcomes } = await send("push", {
    protocol: 1,
    node: "n-x",
    at: { incarnation: "abc", seq: 2 },
    seen: null,
    rows: [documentOf("1", now, { title: " spaced ", body: "b" }), documentOf("2", now, { title: "x".repeat(201) })],
  });
  expect(outcomes).toMatchObject([
    { outcome: "applied" },
    { outcome: "rejected", code: "forbidden", fields: ["title"] },
  ]);
  expect((await node.inspect("documents", ["1"]))?.lww?.title).toEqual(["spaced", now + 1, node.id]);
  const pull = async (name: string) =>
    (await send("pull", { protocol: 1, node: name, cursor: null })).rows.find(({ pk }) => pk[0] === "1")?.lww ?? {};
  expect(Object.keys(await pull("kiosk-1"))).toEqual(["title"]);
  expect(Object.keys(await pull("till"))).toEqual(["title", "body"]);
  await node.close();
});

test("isolation.ts and audit.ts: the classes do what their names say", async () => {
  const { TenantIsolation } = (await import(join(project, "isolation.ts"))) as {
    TenantIsolation: new (of: string) => SyncHook;
  };
  const { AuditLogger } = (await import(join(project, "audit.ts"))) as {
    AuditLogger: new (log: (line: object) => void) => SyncHook;
  };
  const lines: object[] = [];
  const [hook, audit] = [new TenantIsolation("acme"), new AuditLogger((line) => lines.push(line))];
  const context = { principal: undefined, peer: "till", request: undefined, decode: () => ({}) };
  const change = {
    table: "tenant_acme_documents",
    pk: ["1"],
    cl: 1,
    field: "title",
    type: "lww",
    hlc: 1,
    nodeId: "n",
    value: "t",
  } as const;
  expect(hook.beforeInboundChange?.(change, context)).toBe(change);
  expect(hook.beforeInboundChange?.({ ...change, table: "tenant_globex_documents" }, context)).toBeNull();
  audit.afterInboundChange?.(change, context);
  expect(audit.beforeOutboundChange?.(change, context)).toBe(change);
  expect(lines).toMatchObject([
    {
      what: "inbound change merged",
      table: "tenant_acme_documents",
      pk: ["1"],
      field: "title",
      type: "lww",
      nodeId: "n",
      peer: "till",
    },
    { what: "outbound change" },
  ]);
});
