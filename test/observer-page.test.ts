// docs/observability.md, executed: its samples are the node of a small program, which exchanges with another one and says what the
// page says that it says.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { complaintsOf } from "./support/compiler";
import { Project, repository } from "./support/project";

const page = readFileSync(join(repository, "docs/observability.md"), "utf8");
const samples = [...page.matchAll(/^```ts\n\/\/ (\S+)\n(.*?)^```$/gms)].map(
  ([, name, code]) => [name as string, code as string] as const,
);

const PROGRAM = `import "./meter";
import { metrics } from "@opentelemetry/api";
import { createNode, createSyncer, httpTransport, syncRouter } from "grove-crdt";
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { createTables, db } from "./db";
import { registry } from "./generated/sqlite";
import { node } from "./node";

const other = new Database(":memory:");
createTables(other);
const hub = createNode({ db: drizzle({ client: other }), registry, nodeId: "hub" });
await hub.ensureShadowTables();
await node.ensureShadowTables();
const app = syncRouter(hub, { authenticate: () => "till" });
const peer = httpTransport("http://hub.test", { fetch: async (url, init) => app.request(url.slice("http://hub.test".length), init) });
db.$client.exec("INSERT INTO documents (id, title) VALUES ('1', 'a secret')");
await createSyncer(node, { peers: [peer] }).sync();
for (const path of ["/healthz", "/readyz"]) console.log(path, await (await app.request(path)).text());
await (metrics.getMeterProvider() as unknown as { forceFlush(): Promise<void> }).forceFlush();
process.exit(0);
`;
const DATABASE = `import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { sqlite } from "../../test/support/sqlite";

export const createTables = (client: Database.Database) => client.exec(sqlite.referenceTables.join(";"));
const client = new Database(":memory:");
createTables(client);
export const db = drizzle({ client });
`;

let project: Project;
beforeAll(() => {
  project = new Project({
    ...Object.fromEntries(samples),
    "db.ts": DATABASE,
    "generated/sqlite.ts": `export * from "../../../generated/sqlite";\n`,
    "main.ts": PROGRAM,
    "tsconfig.json": JSON.stringify({ extends: "../../tsconfig.json", include: ["."] }),
  });
});
afterAll(() => project.remove());

test("the samples run, and say what the page says", () => {
  const child = spawnSync(process.execPath, ["--import", "tsx", "main.ts"], { cwd: project.folder, encoding: "utf8" });
  expect([child.stderr, child.status]).toEqual(["", 0]);
  const lines = child.stdout
    .split("\n")
    .filter((line) => line.startsWith('{"level"'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.map(({ msg }) => msg)).toEqual([
    "grove-crdt: the node is open",
    "grove-crdt: first exchange with the peer",
  ]);
  const shown = JSON.parse(/^```json\n(.*?)\n```$/ms.exec(page)?.[1] as string) as object;
  expect(Object.keys(lines.at(-1) as object)).toEqual(expect.arrayContaining(Object.keys(shown)));
  expect(child.stdout).not.toContain("a secret");
  for (const name of ["grove.rows", "grove.outcomes", "grove.exchange.duration", "grove.log.rows", "grove.lag.seconds"])
    expect(child.stdout).toContain(`name: '${name}'`);
  expect(child.stdout).toContain('/healthz {"status":"up"}');
  expect(child.stdout).toContain('/readyz {"status":"ready"}');
});

test("every block of code is run", () => {
  expect(page.match(/^```ts$/gm)).toHaveLength(samples.length);
});

test.runIf(process.env.CI || process.env.EXAMPLES)("the samples type-check", () => {
  expect(complaintsOf(project.folder)).toEqual([]);
});
