// What a schema costs whoever type-checks it: 200 annotated tables with their generated files, against the same tables
// without annotations. Both are checked by a `tsc` of their own, against the declarations that users install.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { emitFiles } from "@grove-crdt/codegen";
import { readSchema } from "@grove-crdt/drizzle";
import { tsImport } from "tsx/esm/api";
import type { Bench, Case, Round } from "../harness";

type Dialect = "sqlite" | "postgres";
/** Around a column's text: the annotation, or nothing. `shape` is what `document` is told besides. */
type Mark = (word: string, column: string, shape?: string) => string;

const marked: Mark = (word, column, shape) => `${word}(${column}${shape === undefined ? "" : `, ${shape}`})`;
const plain: Mark = (_word, column) => column;
const root = fileURLToPath(new URL("../..", import.meta.url));
const bin = createRequire(import.meta.url).resolve;

/** The words that the dialects have for one table. */
const dialects = {
  sqlite: {
    imports: `import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";`,
    table: "sqliteTable",
    json: (name: string, type: string) => `text("${name}", { mode: "json" }).$type<${type}>().notNull()`,
    whole: `integer("views")`,
    instant: `integer("at", { mode: "timestamp_ms" })`,
    open: `import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
const db = drizzle({ client: new Database("app.db") });`,
  },
  postgres: {
    imports: `import { bigint, integer, jsonb, pgTable, text, timestamp } from "drizzle-orm/pg-core";`,
    table: "pgTable",
    json: (name: string, type: string) => `jsonb("${name}").$type<${type}>().notNull()`,
    whole: `bigint("views", { mode: "number" })`,
    instant: `timestamp("at", { withTimezone: true })`,
    open: `import { drizzle } from "drizzle-orm/node-postgres";
import { Pool } from "pg";
const db = drizzle({ client: new Pool() });`,
  },
} as const satisfies Record<Dialect, object>;

function schemaText(dialect: Dialect, count: number, mark: Mark): string {
  const { imports, table, json, whole, instant } = dialects[dialect];
  const words = `import { counter, document, list, lww, set } from "grove-crdt/schema";`;
  const one = (n: number) => `
export const table${n} = ${table}("table_${n}", {
  id: text("id").primaryKey(),
  title: ${mark("lww", `text("title").notNull()`)},
  body: ${mark("lww", `text("body").notNull().default("")`)},
  state: ${mark("lww", `text("state", { enum: ["open", "done"] }).notNull().default("open")`)},
  total: ${mark("lww", `integer("total")`)},
  at: ${mark("lww", instant)},
  views: ${mark("counter", `${whole}.notNull().default(0)`)},
  tags: ${mark("set", `${json("tags", "string[]")}.default([])`)},
  steps: ${mark("list", `${json("steps", "string[]")}.default([])`)},
  data: ${mark("document", `${json("data", "{ n?: number; s?: string[] }")}.default({})`, "{ n: counter(), s: set() }")},
});
`;
  return `${imports}\n${mark === marked ? `${words}\n` : ""}${Array.from({ length: count }, (_, n) => one(n)).join("")}`;
}

/** Reads each table once, as an app would. */
const queriesText = (dialect: Dialect, count: number) => `import { eq } from "drizzle-orm";
import * as tables from "./schema.js";
${dialects[dialect].open}
${Array.from(
  { length: count },
  (_, n) =>
    `export const read${n} = (id: string) => db.select().from(tables.table${n}).where(eq(tables.table${n}.id, id));\n`,
).join("")}`;

/** A strict project as most are; it takes grove-crdt's declarations from `dist`. */
const configText = JSON.stringify({
  compilerOptions: {
    target: "ES2022",
    module: "ESNext",
    moduleResolution: "Bundler",
    types: ["node"],
    strict: true,
    skipLibCheck: true,
    noEmit: true,
    paths: { "grove-crdt": ["../dist/index.d.ts"], "grove-crdt/*": ["../dist/*.d.ts"] },
  },
  include: ["**/*.ts"],
});

/** Says how much processor time it took, which other programs on the machine disturb less than the time on the clock. */
const script = `process.on("exit", () => process.stderr.write(String(process.cpuUsage().user)));require(process.argv[1])`;

/** Milliseconds of processor time that checking the folder takes. */
function check(folder: string): number {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["-e", script, bin("typescript/lib/tsc.js"), "-p", folder],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`${folder} does not type-check:\n${stdout}${stderr}`);
  return Number(stderr) / 1000;
}

/** The declarations as they are published. */
function build(out: string): void {
  const tsdown = join(dirname(bin("tsdown/package.json")), "dist/run.mjs");
  const cwd = join(root, "packages/grove-crdt");
  const { status, stderr } = spawnSync(process.execPath, [tsdown, "--out-dir", out], { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`The package does not build:\n${stderr}`);
}

async function run(bench: Bench, dialect: Dialect): Promise<Round[]> {
  const count = bench.size(200, 20);
  // Inside the workspace, so that the files find drizzle-orm; git and tsconfig.json leave the folder out.
  mkdirSync(join(root, "tmp"), { recursive: true });
  const folder = mkdtempSync(join(root, "tmp/types-"));
  try {
    build(join(folder, "dist"));
    for (const [side, mark] of Object.entries({ marked, plain })) {
      mkdirSync(join(folder, side, "generated"), { recursive: true });
      writeFileSync(join(folder, side, "tsconfig.json"), configText);
      writeFileSync(join(folder, side, "schema.ts"), schemaText(dialect, count, mark));
      writeFileSync(join(folder, side, "queries.ts"), queriesText(dialect, count));
    }
    const exports = await tsImport(pathToFileURL(join(folder, "marked/schema.ts")).href, import.meta.url);
    const { tables } = readSchema([{ path: "schema.ts", exports }], { dialect });
    const sources = new Map(tables.map(({ name }) => [name, "../schema.js"]));
    for (const [name, text] of Object.entries(emitFiles({ dialect, tables, sources })))
      writeFileSync(join(folder, "marked/generated", name), text);
    const side = (name: string) => async () => check(join(folder, name));
    return await bench.interleave(side("marked"), side("plain"), Math.min(bench.options.rounds, 5));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const typesCases: readonly Case[] = (["sqlite", "postgres"] as const).map((dialect) => ({
  id: `types.${dialect}`,
  goal: 1.5,
  better: "lower",
  unit: "ms",
  about: "type-check 200 annotated tables with generated/ and a query each / the same tables unmarked",
  run: (bench) => run(bench, dialect),
}));
