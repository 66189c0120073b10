// The example tenants in this process: what the page of the manual calls TenantIsolation and AuditLogger. As a process of its own
// it runs in examples/topologies.test.ts.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { getTableName } from "drizzle-orm";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { migrate } from "drizzle-orm/better-sqlite3/migrator";
import { getTableConfig } from "drizzle-orm/sqlite-core";
import type { ChangeRecord, HookContext } from "grove-crdt";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openCluster } from "../examples/tenants/cluster";
import { TenantIsolation } from "../examples/tenants/isolation";
import * as schema from "../examples/tenants/schema";
import { tell } from "../examples/tenants/story";
import { repository, runCli } from "./support/project";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "grove-crdt-tenants-test-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function play(isolated: boolean): Promise<[acts: string[], problems: string[]]> {
  const cluster = await openCluster(folder, "a-token-of-the-test", isolated);
  const [acts, problems]: [string[], string[]] = [[], []];
  try {
    for await (const act of tell(cluster, problems)) acts.push(act);
  } finally {
    await cluster.stop();
  }
  return [acts, problems];
}

test("two tenants share a hub, and neither sees anything of the other", async () => {
  const [acts, problems] = await play(true);
  expect(problems).toEqual([]);
  expect(acts).toHaveLength(5);
});

test("the example finds that the hub has no hook", async () => {
  const [, problems] = await play(false);
  expect(problems.join("\n")).toMatch(/globex has .*Planted by acme/);
  expect(problems.join("\n")).toMatch(/the audit log has/);
});

test("a tenant whose name begins like another's sees nothing of it", () => {
  const hook = new TenantIsolation("acme");
  const context = {} as HookContext;
  const change: ChangeRecord = {
    table: "",
    pk: ["1"],
    cl: 1,
    field: "title",
    type: "lww",
    hlc: 1,
    nodeId: "n",
    value: "t",
  };
  const kept = (table: string) => hook.beforeInboundChange({ ...change, table }, context);
  for (const table of ["tenant_acme2_documents", "tenant_acm_documents", "documents", "x_tenant_acme_documents"]) {
    expect(kept(table), table).toBeNull();
    expect(hook.beforeOutboundRead([{ ...change, table }], context), table).toEqual([]);
  }
  expect(kept("tenant_acme_documents")).not.toBeNull();
  // Nobody in particular is no tenant.
  const byPrincipal = new TenantIsolation<{ tenant: string }>(({ tenant }) => tenant);
  expect(byPrincipal.beforeInboundChange({ ...change, table: "tenant_acme_documents" }, {} as never)).toBeNull();
});

test("what is generated for it is current, and its migrations make its tables", async () => {
  const config = ["--config", "examples/tenants/drizzle.config.ts"];
  expect(await runCli(repository, ["generate", "--no-kit", "--check", ...config])).toMatchObject({
    code: 0,
    stderr: "",
  });
  const client = new Database(":memory:");
  migrate(drizzle({ client }), { migrationsFolder: join(repository, "examples/tenants/migrations") });
  for (const table of Object.values(schema)) {
    const made = client.prepare("SELECT name, lower(type) type FROM pragma_table_info(?)").all(getTableName(table));
    const { columns } = getTableConfig(table);
    expect(made).toEqual(columns.map((column) => ({ name: column.name, type: column.getSQLType() })));
  }
});

test("docs/hooks.md shows the classes as they are in the example", () => {
  const page = readFileSync(join(repository, "docs/hooks.md"), "utf8");
  for (const name of ["isolation.ts", "audit.ts"]) {
    const file = readFileSync(fileURLToPath(new URL(`../examples/tenants/${name}`, import.meta.url)), "utf8");
    // All but the first line, which says what the file is.
    expect(page).toContain(`\`\`\`ts\n// ${name}\n${file.slice(file.indexOf("\n") + 1)}\`\`\`\n`);
  }
});
