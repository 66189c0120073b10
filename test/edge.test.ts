// The edge's SQLite schema made from the Postgres one: the app's types are equal, drizzle-kit and SQLite take it, rows go
// both ways between the two, and a pair written by hand is held against each other.

import { readdirSync } from "node:fs";
import {
  generateDrizzleJson,
  generateMigration,
  generateSQLiteDrizzleJson,
  generateSQLiteMigration,
} from "drizzle-kit/api";
import { eq } from "drizzle-orm";
import { drizzle as onSqlite } from "drizzle-orm/better-sqlite3";
import { drizzle as onPostgres } from "drizzle-orm/postgres-js";
import type { Registry, TableModel } from "grove-crdt";
import { createJiti } from "jiti";
import type { Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readSchema } from "../packages/drizzle/src/index";
import { expectEqual } from "./support/comparison";
import { complaintsOf } from "./support/compiler";
import { settle } from "./support/network";
import { openNode, type TestNode } from "./support/node";
import { postgres } from "./support/postgres";
import { Project, type Run, repository, runCli } from "./support/project";
import { type SqliteTestDatabase, sqlite } from "./support/sqlite";

const cloudConfig = (edge = `edge: { schema: "./generated/sqlite/schema.ts" }`) => `
  import { defineConfig } from "drizzle-kit";
  import { groveCrdt } from "grove-crdt/config";
  export default defineConfig({
    dialect: "postgresql", schema: ["./schema.ts", "./generated/postgres/shadow.ts"], ...groveCrdt({ ${edge} }),
  });
`;
const schema = `
  import { sql } from "drizzle-orm";
  import * as pg from "drizzle-orm/pg-core";
  import { counter, fixed, local, lww, set } from "grove-crdt/schema";
  export const mood = pg.pgEnum("mood", ["so so", "fine"]);
  type Branded = string & { readonly brand: "email" };
  const bytea = pg.customType<{ data: Uint8Array; driverData: Buffer }>({
    dataType: () => "bytea", toDriver: (value) => Buffer.from(value), fromDriver: (value) => new Uint8Array(value),
  });
  export const places = pg.pgTable("places", {
    number: pg.integer("number").primaryKey(),
    name: lww(pg.text("name").notNull().unique()),
  });
  export const things = pg.pgTable("things", {
    id: pg.uuid("id").primaryKey().$defaultFn(() => "3f2504e0-4f89-11d3-9a0c-0305e82c3301"),
    text: lww(pg.text("text").notNull().default("it's")),
    choice: lww(pg.text("choice", { enum: ["a", "b"] }).notNull().default("a")),
    email: lww(pg.varchar("email", { length: 40 }).$type<Branded>()),
    mood: lww(mood("mood").default("so so")),
    letters: lww(pg.char("letters", { length: 3 })),
    small: lww(pg.smallint("small")),
    integer: lww(pg.integer("integer").notNull().default(-7)),
    big: lww(pg.bigint("big", { mode: "number" })),
    huge: lww(pg.bigint("huge", { mode: "bigint" }).default(sql\`9007199254740993\`)),
    price: lww(pg.numeric("price", { precision: 10, scale: 2 }).default("1.50")),
    weight: lww(pg.numeric("weight", { mode: "number" })),
    digits: lww(pg.numeric("digits", { mode: "bigint", precision: 30 })),
    real: lww(pg.real("real")),
    double: lww(pg.doublePrecision("double").default(0.1)),
    flag: lww(pg.boolean("flag").notNull().default(true)),
    at: lww(pg.timestamp("at", { withTimezone: true }).notNull().default(new Date("2026-01-02T03:04:05.678Z"))),
    spelled: lww(pg.timestamp("spelled", { mode: "string" })),
    day: lww(pg.date("day")),
    date: lww(pg.date("date", { mode: "date" })),
    time: lww(pg.time("time")),
    span: lww(pg.interval("span")),
    json: lww(pg.json("json").$type<{ a: number[] } | null>()),
    jsonb: lww(pg.jsonb("jsonb").$type<{ a: number[] }>().notNull().default({ a: [1] })),
    anything: lww(pg.jsonb("anything")),
    words: lww(pg.text("words").array()),
    grid: lww(pg.integer("grid").array().array()),
    prices: lww(pg.numeric("prices").array()),
    labels: set(pg.jsonb("labels").$type<{ n: number }[]>().notNull().default([])),
    tags: set(pg.text("tags").array().notNull().default(["new"])),
    hits: counter(pg.bigint("hits", { mode: "number" }).notNull().default(0)),
    uuid: lww(pg.uuid("uuid")),
    inet: lww(pg.inet("inet")),
    cidr: lww(pg.cidr("cidr")),
    mac: lww(pg.macaddr("mac")),
    point: lww(pg.point("point")),
    spot: lww(pg.point("spot", { mode: "xy" })),
    line: lww(pg.line("line", { mode: "abc" })),
    bits: lww(pg.bit("bits", { dimensions: 3 })),
    bytes: lww(bytea("bytes")),
    place: lww(pg.integer("place").references(() => places.number, { onDelete: "cascade" })),
    parent: lww(pg.uuid("parent").references((): pg.AnyPgColumn => things.id, { onDelete: "set null" })),
    changed: lww(pg.timestamp("changed").$onUpdate(() => new Date(0))),
    "odd name": lww(pg.text("odd name")),
    seen: local(pg.timestamp("seen").notNull().defaultNow()),
    token: local(pg.uuid("token").notNull().defaultRandom()),
    touched: local(pg.timestamp("touched").defaultNow()),
    draft: local(pg.text("draft")),
  }, (t) => [pg.uniqueIndex("things_email_day").on(t.email, t.day), pg.index("things_text").on(t.text)]);
  export const pairs = pg.pgTable("pairs", {
    left: pg.text().notNull(), right: pg.bigint({ mode: "bigint" }).notNull(), note: lww(pg.text()),
    owner: fixed(pg.text().notNull().default("all")),
  }, (t) => [pg.primaryKey({ columns: [t.right, t.left] })]);
`;
/** Compiles only if the rows of both schemas have the same types. */
const use = `
  import type * as cloud from "./schema";
  import type * as edge from "./generated/sqlite/schema";
  type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
  type Flat<T> = { [K in keyof T]: T[K] };
  type Same<A extends { $inferSelect: object; $inferInsert: object }, B extends { $inferSelect: object; $inferInsert: object }> = [
    Equal<Flat<A["$inferSelect"]>, Flat<B["$inferSelect"]>>, Equal<Flat<A["$inferInsert"]>, Flat<B["$inferInsert"]>>,
  ];
  export const same: [
    Same<typeof cloud.things, typeof edge.things>, Same<typeof cloud.places, typeof edge.places>, Same<typeof cloud.pairs, typeof edge.pairs>,
  ] = [[true, true], [true, true], [true, true]];
`;

const load = (project: Project, path: string): Promise<Record<string, unknown>> =>
  createJiti(project.path("x.ts"), {
    alias: {
      "grove-crdt/schema": `${repository}/packages/grove-crdt/src/schema.ts`,
      "grove-crdt": `${repository}/packages/grove-crdt/src/index.ts`,
    },
  }).import(project.path(path));

const projects: Project[] = [];
afterAll(() => {
  for (const project of projects) project.remove();
});
function open(files: Record<string, string>): Project {
  const project = new Project(files);
  projects.push(project);
  return project;
}
const withKit = (project: Project, ...args: string[]): Promise<Run> => runCli(project.folder, ["generate", ...args]);

describe("generate with an edge", () => {
  let project: Project;
  beforeAll(async () => {
    project = open({ "drizzle.config.ts": cloudConfig(), "schema.ts": schema, "use.ts": use });
    expect(await project.generate()).toMatchObject({ code: 0, stderr: "" });
  }, 120_000);

  test("writes the edge's schema, config and generated files, and the second run leaves all as they are", async () => {
    const files = (): Record<string, string> => ({
      ...project.readAll("generated/sqlite"),
      config: project.read("drizzle.edge.config.ts"),
    });
    const before = files();
    expect(Object.keys(before).sort()).toEqual(
      [
        "capture.ts",
        "config",
        "index.ts",
        "merge.ts",
        "registry.ts",
        "schema.ts",
        "schemas.ts",
        "shadow.ts",
        "types.ts",
      ].sort(),
    );
    const { code, stdout } = await project.generate();
    expect(code).toBe(0);
    expect(stdout).not.toMatch(/ (new|changed)$/m);
    expect(files()).toEqual(before);
    expect(await project.generate("--check")).toMatchObject({ code: 0 });
    project.write("generated/sqlite/schema.ts", `${before["schema.ts"]}// touched\n`);
    expect(await project.generate("--check")).toMatchObject({ code: 1 });
    await project.generate();
    expect(files()).toEqual(before);
  });

  test("its rows have the types of the Postgres tables, to read and to insert", () => {
    expect(complaintsOf(project.path("use.ts"))).toEqual([]);
  });

  test("a reader finds in the emitted schema what its registry says", async () => {
    const exports = await load(project, "generated/sqlite/schema.ts");
    const { registry } = (await load(project, "generated/sqlite/registry.ts")) as { registry: Registry };
    const { tables } = readSchema([{ path: "schema.ts", exports }], { dialect: "sqlite" });
    const sorted = (list: readonly TableModel[]) => [...list].sort((a, b) => (a.name < b.name ? -1 : 1));
    expect(JSON.parse(JSON.stringify(sorted(registry.tables)))).toEqual(JSON.parse(JSON.stringify(sorted(tables))));
  });

  test("rows go both ways with every column, through Drizzle on either side", async () => {
    const [cloud, edge] = [await load(project, "schema.ts"), await load(project, "generated/sqlite/schema.ts")];
    const registryOf = async (dialect: string) =>
      ((await load(project, `generated/${dialect}/registry.ts`)) as { registry: Registry }).registry;
    const a: TestNode = await openNode(postgres, "cloud", {
      registry: await registryOf("postgres"),
      ddl: await generateMigration(generateDrizzleJson({}), generateDrizzleJson(cloud)),
    });
    const b = await openNode(sqlite, "edge", {
      registry: await registryOf("sqlite"),
      ddl: await generateSQLiteMigration(await generateSQLiteDrizzleJson({}), await generateSQLiteDrizzleJson(edge)),
      clock: a.clock,
    });
    // biome-ignore lint/suspicious/noExplicitAny: the schema was written by this test, its types are checked above
    const [c, e] = [cloud as any, edge as any];
    const dbA = onPostgres({ client: a.database.db.$client as unknown as Sql });
    const dbB = onSqlite({ client: (b.database as SqliteTestDatabase).raw });
    const row = {
      id: "11111111-1111-4111-8111-111111111111",
      email: "a@b",
      mood: "fine",
      letters: "abc",
      small: 1,
      big: 2 ** 53 - 1,
      huge: 2n ** 62n,
      price: "12.30",
      weight: 1.25,
      digits: 123456789012345678901234567890n,
      real: 1.5,
      at: new Date("2026-05-06T07:08:09.123Z"),
      spelled: "2026-05-06 07:08:09",
      day: "2026-05-06",
      date: new Date("2026-05-06T00:00:00.000Z"),
      time: "07:08:09",
      span: "1 day",
      json: { a: [1, 2] },
      anything: ["x", { y: null }],
      words: ["a b", 'c"d', ""],
      grid: [
        [1, 2],
        [3, 4],
      ],
      prices: ["1.10", "2"],
      labels: [{ n: 1 }],
      tags: ["x", "y"],
      hits: 5,
      uuid: "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
      inet: "10.0.0.1/32",
      cidr: "10.0.0.0/8",
      mac: "08:00:2b:01:02:03",
      point: [1.5, -2],
      spot: { x: 1, y: 2 },
      line: { a: 1, b: 2, c: 3 },
      bits: "101",
      bytes: new Uint8Array([0, 255, 7]),
      place: 1,
      "odd name": "odd",
      draft: "mine",
    };
    await dbA.insert(c.places).values({ number: 1, name: "here" });
    await dbA.insert(c.things).values([row, { parent: row.id }]);
    await dbA.insert(c.pairs).values({ left: "l", right: 2n ** 60n, note: "n" });
    await settle([b, a]);
    expect(await b.node.parked()).toEqual([]);
    const strip = ({ seen: _, draft: __, token: ___, touched: ____, ...rest }: Record<string, unknown>) => rest;
    const read = async () => [
      (await dbA.select().from(c.things).orderBy(c.things.id)).map((found) => strip(found as never)),
      (await dbB.select().from(e.things).orderBy(e.things.id)).map((found) => strip(found as never)),
    ];
    const [left, right] = await read();
    expect(right).toEqual(
      left?.map((found) => ({ ...found, inet: found.inet === "10.0.0.1" ? "10.0.0.1/32" : found.inet })),
    );
    const other = { ...row, id: "22222222-2222-4222-8222-222222222222", email: "c@d", hits: 1 };
    a.clock.advance(1000);
    await dbB.insert(e.things).values(other);
    await dbB
      .update(e.things)
      .set({ price: "0.10", huge: -5n, point: [0, 0], bytes: new Uint8Array([9]), at: new Date(0) })
      .where(eq(e.things.id, row.id));
    await dbB.insert(e.pairs).values({ left: "m", right: 7n });
    await settle([b, a]);
    expect(await a.node.parked()).toEqual([]);
    const [after, mirrored] = await read();
    expect(after).toHaveLength(3);
    expect(mirrored).toEqual(
      after?.map((found) => ({ ...found, inet: found.inet === "10.0.0.1" ? "10.0.0.1/32" : found.inet })),
    );
    expect(await a.rows('SELECT left_ FROM (SELECT "left" AS left_ FROM pairs) p ORDER BY 1')).toEqual([
      { left_: "l" },
      { left_: "m" },
    ]);
    // A parent that goes takes its children along on both sides.
    a.clock.advance(1000);
    await b.sql("DELETE FROM places");
    await settle([b, a]);
    expect(await a.rows("SELECT 1 FROM things WHERE place IS NOT NULL")).toEqual([]);
    await expectEqual(a, b);
  });

  test("drizzle-kit makes the edge's migrations, with capture in them, and finds nothing more to do", async () => {
    const first = await withKit(project);
    expect(first).toMatchObject({ code: 0 });
    const all = () =>
      readdirSync(project.path("drizzle-edge"))
        .filter((name) => name.endsWith(".sql"))
        .map((name) => project.read(`drizzle-edge/${name}`))
        .join("\n");
    const migrations = all();
    expect(migrations).toContain("CREATE TABLE `things`");
    expect(migrations).toContain("CREATE TRIGGER");
    const again = await withKit(project);
    expect(again).toMatchObject({ code: 0 });
    expect(all()).toBe(migrations);
    expect(await withKit(project, "--check")).toMatchObject({ code: 0 });
  }, 120_000);
});

test("a config of the edge that was written by hand stays as it is", async () => {
  const mine = `import { defineConfig } from "drizzle-kit";\nexport default defineConfig({ dialect: "sqlite", schema: ["./generated/sqlite/schema.ts"] });\n`;
  const project = open({
    "drizzle.config.ts": cloudConfig(),
    "schema.ts": `import * as pg from "drizzle-orm/pg-core"; import { lww } from "grove-crdt/schema";
      export const t = pg.pgTable("t", { id: pg.text("id").primaryKey(), x: lww(pg.text("x")) });`,
    "drizzle.edge.config.ts": mine,
  });
  expect(await project.generate()).toMatchObject({ code: 0 });
  expect(project.read("drizzle.edge.config.ts")).toBe(mine);
});

const cloudTable = (columns: string, extra = "") => `
  import { sql } from "drizzle-orm";
  import * as pg from "drizzle-orm/pg-core"; import { counter, local, lww, set } from "grove-crdt/schema";
  export const t = pg.pgTable("t", { id: pg.text("id").primaryKey(), ${columns} }${extra});`;
const edgeTable = (columns: string, extra = "", key = `id: lite.text("id").primaryKey()`) => `
  import * as lite from "drizzle-orm/sqlite-core"; import { counter, local, lww, set } from "grove-crdt/schema";
  export const t = lite.sqliteTable("t", { ${key}, ${columns} }${extra});`;

test("a column that SQLite cannot hold alike is refused with the reason and the cure, all of them at once", async () => {
  const project = open({
    "drizzle.config.ts": cloudConfig(),
    "schema.ts": cloudTable(`
      fine: lww(pg.text("fine")),
      hits: counter(pg.bigint("hits", { mode: "bigint" }).notNull()),
      moments: lww(pg.timestamp("moments").array()),
      bigs: lww(pg.bigint("bigs", { mode: "bigint" }).array()),
      where: lww(pg.geometry("where", { type: "point" })),
      odd: lww(pg.customType<{ data: number }>({ dataType: () => "int8" })("odd")),
      micro: lww(pg.timestamp("micro").default(sql\`'2026-01-01 00:00:00.000001'\`)),
      made: local(pg.text("made").generatedAlwaysAs(sql\`'x'\`)),
      drawn: local(pg.serial("drawn")),
    `),
  });
  const { code, stderr } = await project.generate();
  expect(code).toBe(1);
  const refused = [...stderr.matchAll(/t\.(\w+): .*\(edge_type\)/g)].map(([, column]) => column);
  expect(refused).toEqual(["hits", "moments", "bigs", "where", "odd", "micro", "made", "drawn"]);
  expect(stderr.match(/written by hand|schema by hand/g)).toHaveLength(refused.length);
});

describe("a pair written by hand", () => {
  const edge = `edge: { schema: "./edge.ts" }`;
  const pair = (cloud: string, other: string) =>
    open({ "drizzle.config.ts": cloudConfig(edge), "schema.ts": cloud, "edge.ts": other });

  test("that agrees is left alone", async () => {
    const project = pair(
      cloudTable(
        `price: lww(pg.numeric("price").default("1.5")), at: lww(pg.timestamp("at")), tags: set(pg.text("tags").array().notNull().default([])), mine: local(pg.text("mine"))`,
      ),
      edgeTable(
        `price: lww(lite.text("price").default("1.5")), at: lww(lite.integer("at", { mode: "timestamp_ms" })), tags: set(lite.text("tags", { mode: "json" }).$type<string[]>().notNull().default([]))`,
      ),
    );
    const before = project.read("edge.ts");
    expect(await project.generate()).toMatchObject({ code: 0, stderr: "" });
    expect(project.read("edge.ts")).toBe(before);
    expect(() => project.read("drizzle.edge.config.ts")).toThrow();
  });

  const x = (column: string) => cloudTable(`x: ${column}`);
  const y = (column: string) => edgeTable(`x: ${column}`);
  const disagreements: Record<string, [string, string, string]> = {
    pair_table: [
      x(`lww(pg.text("x"))`),
      `${y(`lww(lite.text("x"))`)} export const u = lite.sqliteTable("u", { id: lite.text("id").primaryKey(), x: lww(lite.text("x")) });`,
      "u",
    ],
    pair_column: [x(`lww(pg.text("x"))`), edgeTable(`y: lww(lite.text("x")), z: lww(lite.text("z"))`), "t.z"],
    pair_key: [
      x(`lww(pg.text("x"))`),
      edgeTable(`x: lww(lite.text("x"))`, "", `id: lite.text("key").primaryKey()`),
      "t",
    ],
    pair_type: [
      x(`lww(pg.bigint("x", { mode: "number" }).notNull())`),
      y(`counter(lite.integer("x").notNull())`),
      "t.x",
    ],
    pair_kind: [x(`lww(pg.boolean("x"))`), y(`lww(lite.integer("x"))`), "t.x"],
    pair_null: [x(`lww(pg.text("x").notNull())`), y(`lww(lite.text("x"))`), "t.x"],
    pair_default: [x(`lww(pg.text("x").default("a"))`), y(`lww(lite.text("x").default("b"))`), "t.x"],
    pair_unique: [x(`lww(pg.text("x").unique())`), y(`lww(lite.text("x"))`), "t"],
    pair_reference: [
      x(`lww(pg.text("x").references((): pg.AnyPgColumn => t.id, { onDelete: "cascade" }))`),
      y(`lww(lite.text("x").references((): lite.AnySQLiteColumn => t.id))`),
      "t",
    ],
  };
  test.each(Object.entries(disagreements))(
    "that disagrees is refused with %s and both places",
    async (code, [cloud, other, place]) => {
      const run = await pair(cloud, other).generate();
      expect(run.code).toBe(1);
      const [line] = run.stderr.split("\n").filter((text) => text.includes(`(${code})`));
      expect(line).toContain(`${place}: `);
      expect(line).toMatch(/schema\.ts.*edge\.ts|edge\.ts.*schema\.ts/);
    },
  );
});
