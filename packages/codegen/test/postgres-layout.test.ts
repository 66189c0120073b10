// shadow.ts and capture.ts make the same tables on Postgres, by drizzle-kit's migration, by its push, or by
// `ensureShadowTables()`; and shadow.ts, pushed again, changes nothing.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { generateDrizzleJson, generateMigration } from "drizzle-kit/api";
import type postgres from "postgres";
import { afterAll, expect, test } from "vitest";
import { withKit } from "../../drizzle/test/versions";
import { createRegistry, emitFiles } from "../src/index";
import { openDatabase, urlOf, usePostgres } from "./postgres-database";
import { model } from "./postgres-model";

usePostgres();

const many = Array.from({ length: 60 }, (_, n) => `f${n}`);
const tables = [
  { ...model("docs", ["id"], ["title", "counter views", "set tags"]), exportName: "docs" },
  { ...model("pairs", ["k k", "n: bigint"], many), exportName: "pairs" },
  {
    ...model(
      "typed",
      [
        'mood: "mood of day"',
        'other: "elsewhere"."mood"',
        "small: smallint",
        "code: varchar(10)",
        "fixed: char(3)",
        "at: timestamp (3) with time zone",
        "day: date",
        "raw: bytea",
        "exact: numeric(10, 2)",
        "yes: boolean",
        "u: uuid",
        "v: varchar",
      ],
      ["x"],
    ),
    exportName: "typed",
  },
];
const enums = `
  CREATE TYPE "mood of day" AS ENUM ('sad', 'glad');
  CREATE SCHEMA elsewhere; CREATE TYPE elsewhere.mood AS ENUM ('sad');`;
const files = emitFiles({ dialect: "postgres", tables, sources: new Map() });

// Beside the workspace's packages, so that the files find drizzle-orm.
const folder = mkdtempSync(join(dirname(fileURLToPath(import.meta.url)), "shadow-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const [shadowFile, userFile] = [join(folder, "shadow.ts"), join(folder, "user.ts")];
writeFileSync(shadowFile, files["shadow.ts"] as string);
writeFileSync(
  userFile,
  `import { pgEnum, pgSchema } from "drizzle-orm/pg-core";
export const mood = pgEnum("mood of day", ["sad", "glad"]);
export const elsewhere = pgSchema("elsewhere");
export const other = elsewhere.enum("mood", ["sad"]);
`,
);

/** Everything that the catalogs know of our tables but their oids. */
async function describeTables(sql: postgres.Sql): Promise<unknown> {
  const columns = await sql`
    SELECT c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull, a.attidentity,
      a.attcollation::regcollation::text AS collation, pg_get_expr(d.adbin, d.adrelid) AS fallback,
      c.relpersistence, c.reloptions
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
      LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' ORDER BY c.relname, a.attnum`;
  const constraints = await sql`
    SELECT conrelid::regclass::text AS of, conname, pg_get_constraintdef(oid) AS text FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2`;
  const indexes = await sql`SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname`;
  const sequences = await sql`
    SELECT sequencename, data_type::text, start_value, min_value, max_value, increment_by, cycle, cache_size
    FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1`;
  return { columns, constraints, indexes, sequences };
}

/** `drizzle-kit push`, as a user runs it; returns what it says. */
async function push(sql: postgres.Sql): Promise<string> {
  const config = { dialect: "postgresql", schema: [userFile, shadowFile], schemaFilter: ["public", "elsewhere"] };
  const file = join(folder, "drizzle.config.json");
  writeFileSync(file, JSON.stringify({ ...config, dbCredentials: { url: urlOf(sql) } }));
  const kit = join(dirname(createRequire(import.meta.url).resolve("drizzle-kit")), "bin.cjs");
  const { stdout } = await promisify(execFile)(process.execPath, [
    kit,
    "push",
    "--verbose",
    "--force",
    `--config=${file}`,
  ]);
  return stdout;
}

const ensure = async (sql: postgres.Sql): Promise<void> => {
  const { system, tables: own } = createRegistry("postgres", tables).capture;
  for (const statement of [...system, ...Object.values(own).flatMap((of) => of.tables)]) await sql.unsafe(statement);
};

test("drizzle-kit's migration, its push and our own statements make the same tables", async () => {
  const shadow = { ...(await import(pathToFileURL(shadowFile).href)), ...(await import(pathToFileURL(userFile).href)) };
  const [migrated, pushed, ensured] = [await openDatabase(), await openDatabase(), await openDatabase()];
  await ensured.unsafe(enums);

  const json = await withKit(shadow, () => generateDrizzleJson(shadow));
  const statements = await generateMigration(generateDrizzleJson({}), json);
  for (const statement of statements) await migrated.unsafe(statement);
  expect(await push(pushed)).toContain("Changes applied");
  await ensure(ensured);

  const made = await describeTables(ensured);
  expect(await describeTables(migrated)).toEqual(made);
  expect(await describeTables(pushed)).toEqual(made);
  // And once more changes nothing, over what drizzle-kit made too.
  await ensure(migrated);
  await ensure(ensured);
  expect(await describeTables(migrated)).toEqual(made);
  expect(await describeTables(ensured)).toEqual(made);
});

test("a push over our own statements finds nothing to do", async () => {
  const sql = await openDatabase();
  await sql.unsafe(enums);
  await ensure(sql);
  const before = await describeTables(sql);
  // Of several key columns drizzle-kit 0.31 reads no order back, so that it makes such a key anew: anybody's, not only ours.
  const statements = (await push(sql)).match(/^(ALTER|CREATE|DROP) .*$/gm) ?? [];
  expect(statements.filter((text) => !/(ADD|DROP) CONSTRAINT "_(pairs|typed)_crdt_pkey"/.test(text))).toEqual([]);
  expect(await describeTables(sql)).toEqual(before);
});

test("shadow.ts imports drizzle and nothing else", () => {
  expect(files["shadow.ts"]?.match(/from "[^"]*"/g)).toEqual(['from "drizzle-orm/pg-core"']);
});
