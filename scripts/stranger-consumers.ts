// Other people's projects with what the page has made: type-checked and run as NodeNext, by a bundler, and as CommonJS.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import type { Project } from "./stranger-project";

const root = join(import.meta.dirname, "..");
const tsc = join(root, "node_modules/typescript/bin/tsc");

/** Two nodes in one process, without `await` outside of functions, so that it compiles to both kinds of modules. */
const CONSUMER = `import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { migrate } from "drizzle-orm/better-sqlite3/migrator";
import { createNode, createSyncer, GroveError, httpTransport, increment, isGroveError, syncRouter } from "grove-crdt";
import { Hono } from "hono";
import { registry, type DocumentsRow } from "./generated/sqlite/index.js";
import { documents } from "./schema.js";

function open() {
  const db = drizzle({ client: new Database(":memory:") });
  migrate(db, { migrationsFolder: "./drizzle" });
  return { db, node: createNode({ db, registry }) };
}

async function main() {
  const [hub, edge] = [open(), open()];
  for (const { db, node } of [hub, edge]) {
    await node.ready();
    await db.insert(documents).values({ id: "welcome", title: "Welcome" });
    await db.update(documents).set({ views: increment(documents.views) });
  }
  const app = new Hono().route("/sync", syncRouter(hub.node, { authenticate: () => ({ id: "edge" }) }));
  const transport = httpTransport("http://hub/sync", { fetch: async (url, init) => app.request(url as string, init) });
  await createSyncer(edge.node, { peers: [transport] }).sync();
  const rows: DocumentsRow[][] = [await hub.db.select().from(documents), await edge.db.select().from(documents)];
  const views: number[] = rows.map(([row]) => (row ? row.views : 0));
  const isOurs = isGroveError(new GroveError("busy", "ours"));
  const how = process.argv[2] ?? (typeof require === "function" ? "commonjs" : "module");
  console.log(JSON.stringify([views, isOurs, how]));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
`;

const options = {
  strict: true,
  target: "ES2022",
  esModuleInterop: true,
  // Of drizzle-orm's own declarations, which name drivers that are not installed.
  skipLibCheck: true,
  types: ["node"],
  outDir: "out",
};

interface Kind {
  readonly name: string;
  readonly type: "module" | "commonjs";
  readonly compilerOptions: object;
  /** Node's own arguments for what was compiled. */
  readonly run?: readonly string[];
  readonly forBoth?: boolean;
}

/** Node before 20.19 reads no ES module by `require`. */
const OLD_NODE = ["--no-experimental-require-module"].filter((flag) =>
  process.allowedNodeEnvironmentFlags.has(flag.replace("--no-", "--")),
);

const kinds: readonly Kind[] = [
  { name: "NodeNext", type: "module", compilerOptions: { module: "NodeNext" }, run: OLD_NODE, forBoth: true },
  { name: "Bundler", type: "module", compilerOptions: { module: "ESNext", moduleResolution: "Bundler", noEmit: true } },
  {
    name: "CommonJS under NodeNext",
    type: "commonjs",
    compilerOptions: { module: "NodeNext" },
    run: OLD_NODE,
    forBoth: true,
  },
  {
    name: "CommonJS with TypeScript's old resolution",
    type: "commonjs",
    compilerOptions: { module: "CommonJS", moduleResolution: "Node10", ignoreDeprecations: "5.0" },
    run: OLD_NODE,
  },
];

/** @returns a line for each kind of project. How imports are resolved is the same for both databases, so Postgres takes two. */
export async function* checkConsumers(project: Project, dialect: "sqlite" | "postgres"): AsyncGenerator<string> {
  await project.type("npm install typescript @types/node @types/better-sqlite3");
  for (const kind of kinds) if (dialect === "sqlite" || kind.forBoth) yield await checkKind(project, dialect, kind);
}

async function checkKind(project: Project, dialect: "sqlite" | "postgres", kind: Kind): Promise<string> {
  const { name, type, compilerOptions, run } = kind;
  project.set({ type });
  // What the page's programs await at the top has no CommonJS.
  const include = ["schema.ts", "generated", "drizzle.config.ts", ...(type === "module" ? ["*.ts"] : ["consumer.ts"])];
  if (dialect === "sqlite") project.write("consumer.ts", CONSUMER);
  rmSync(join(project.folder, "out"), { recursive: true, force: true });
  project.write("tsconfig.json", JSON.stringify({ compilerOptions: { ...options, ...compilerOptions }, include }));
  await project.run(process.execPath, [tsc, "--project", "."]);
  if (type === "commonjs") await project.run("npx", ["grove-crdt", "generate", "--check"]);
  if (dialect === "postgres") return `${name}: types`;
  const said = run ? await runCompiled(project, run) : await runBundled(project);
  if (said.trim() !== JSON.stringify([[2, 2], true, !run ? "bundled" : type]))
    throw new Error(`${name}: two nodes should say 2 each, and said ${said}`);
  return `${name}: types, and two nodes agree`;
}

const runCompiled = (project: Project, flags: readonly string[]) =>
  project.run(process.execPath, [...flags, "out/consumer.js"]);

async function runBundled(project: Project): Promise<string> {
  const outfile = join(project.folder, "out/consumer.mjs");
  await build({
    absWorkingDir: project.folder,
    entryPoints: ["consumer.ts"],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    // Its native part is found from its own folder.
    external: ["better-sqlite3", "@hono/node-server"],
    preserveSymlinks: true,
    nodePaths: [join(root, "node_modules")],
    logLevel: "error",
  });
  return project.run(process.execPath, ["out/consumer.mjs", "bundled"]);
}
