// `grove-crdt generate` for Postgres: the files, and that drizzle-kit, Postgres and the compiler take them, with columns of
// every awkward type.

import { generateDrizzleJson, generateMigration } from "drizzle-kit/api";
import { createJiti } from "jiti";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { Registry } from "../packages/core/src/index";
import { Project, repository, runCli } from "./support/project";

const generate = ["generate", "--no-kit"];
const config = `
  import { defineConfig } from "drizzle-kit";
  import { groveCrdt } from "grove-crdt/config";
  export default defineConfig({ dialect: "postgresql", schema: ["./schema.ts"], ...groveCrdt() });
`;
const schema = `
  import * as pg from "drizzle-orm/pg-core";
  import { counter, local, lww, set } from "grove-crdt/schema";
  export const mood = pg.pgEnum("Mood", ["so so", "fine"]);
  export const odd = pg.pgTable("odd", {
    kind: mood("kind"),
    at: pg.timestamp("at", { withTimezone: true }),
    code: pg.varchar("code", { length: 9 }),
    bits: lww(pg.bit("bits", { dimensions: 3 })),
    mood: lww(mood("mood").default("so so")),
    moods: set(mood("moods").array().notNull().default([])),
    letters: lww(pg.char("letters", { length: 3 })),
    price: lww(pg.numeric("price", { precision: 10, scale: 2 })),
    span: lww(pg.interval("span", { fields: "day to second", precision: 3 })),
    when: lww(pg.timestamp("when", { precision: 3, withTimezone: true })),
    bytes: lww(pg.customType<{ data: Uint8Array }>({ dataType: () => "bytea" })("bytes")),
    words: lww(pg.varchar("words", { length: 5 }).array()),
    labels: set(pg.jsonb("labels").$type<string[]>().notNull().default([])),
    count: counter(pg.bigint("count", { mode: "bigint" }).notNull()),
    shelf: local(pg.text("shelf")),
  }, (t) => [pg.primaryKey({ columns: [t.kind, t.at, t.code] })]);
`;

test("the committed files of this repository are fresh", async () => {
  const { code, stdout } = await runCli(repository, [...generate, "--config", "drizzle.postgres.config.ts", "--check"]);
  expect(stdout).toContain("fresh");
  expect(code).toBe(0);
});

describe("generate", () => {
  const { url, prefix } = inject("postgres");
  const database = `${prefix}generate`;
  let project: Project;
  let admin: postgres.Sql;
  let db: postgres.Sql;
  beforeAll(async () => {
    project = new Project({ "drizzle.config.ts": config, "schema.ts": schema });
    expect(await project.generate("--no-kit")).toMatchObject({ code: 0, stderr: "" });
    admin = postgres(url as string, { max: 1, onnotice: () => {} });
    await admin.unsafe(`CREATE DATABASE "${database}"`);
    db = postgres(url as string, { database, max: 1, onnotice: () => {} });
  });
  afterAll(async () => {
    project.remove();
    await db?.end();
    await admin?.unsafe(`DROP DATABASE IF EXISTS "${database}" WITH (FORCE)`);
    await admin?.end();
  });

  test("writes into a folder named for the dialect, and the second run changes nothing", async () => {
    const files = project.readAll("generated/postgres");
    expect(Object.keys(files)).toEqual([
      "capture.ts",
      "index.ts",
      "merge.ts",
      "registry.ts",
      "schemas.ts",
      "shadow.ts",
      "types.ts",
    ]);
    expect(files["registry.ts"]).toContain('dialect: "postgres"');
    await project.generate("--no-kit");
    expect(project.readAll("generated/postgres")).toEqual(files);
  });

  test("makes tables, functions and triggers that Postgres takes, whatever the columns' types", async () => {
    const jiti = createJiti(project.path("x.ts"), {
      alias: { "grove-crdt/schema": `${repository}/packages/grove-crdt/src/schema.ts` },
    });
    const load = async (path: string) => ({ ...(await jiti.import<Record<string, unknown>>(project.path(path))) });
    const tables = { ...(await load("schema.ts")), ...(await load("generated/postgres/shadow.ts")) };
    for (const statement of await generateMigration(generateDrizzleJson({}), generateDrizzleJson(tables))) {
      await db.unsafe(statement);
    }
    const { system, tables: captures } = (await load(
      "generated/postgres/capture.ts",
    )) as unknown as Registry["capture"];
    const [capture] = Object.values(captures);
    const { tables: own = [], functions = {}, triggers = {} } = capture ?? {};
    for (const statement of [...system, ...own, ...Object.values(functions), ...Object.values(triggers)]) {
      await db.unsafe(statement);
    }
    await db.unsafe(`INSERT INTO odd (kind, at, code, bits, count) VALUES ('fine', '2026-01-01Z', 'a', '101', 1)`);
    await db.unsafe(`UPDATE odd SET mood = 'fine', moods = '{fine}', letters = 'a', price = 1, span = '1 day', "when" = now(),
      bytes = '\\x00', words = '{a}', labels = '["a"]', count = 2`);
    await db.unsafe(`UPDATE odd SET code = 'b'`);
    await db.unsafe("DELETE FROM odd");
    const logged = await db.unsafe(`SELECT op, pk_kind, pk_code FROM _odd_log ORDER BY seq`);
    const keys = logged.map((row) => `${row.op} ${row.pk_kind} ${row.pk_code}`);
    expect(new Set(keys)).toEqual(new Set(["I fine a", "U fine a", "D fine a", "I fine b", "D fine b"]));
  });
});
