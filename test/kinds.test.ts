// Kinds: keys and values of every kind that SQLite stores arrive with the same storage class and the same bytes.

import Database from "better-sqlite3";
import { generateSQLiteDrizzleJson, generateSQLiteMigration } from "drizzle-kit/api";
import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/better-sqlite3";
import {
  blob,
  index,
  integer,
  numeric,
  primaryKey,
  real,
  sqliteTable,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";
import { counter, local, lww, set } from "grove-crdt/schema";
import { describe, expect, test } from "vitest";
import * as reference from "../schema/sqlite";
import { contents, expectEqual, openNodes, referenceTables, settle, sync, type TestNode } from "./support/nodes";
import { makeSchema } from "./support/schemas";

const note = () => lww(text("note"));
const hits = () => counter(integer("hits").notNull().default(0));

const byText = sqliteTable("by_text", { id: text("id").primaryKey(), note: note(), hits: hits() });
const byInteger = sqliteTable("by_integer", { id: integer("id").primaryKey(), note: note(), hits: hits() });
const byBlob = sqliteTable("by_blob", { id: blob("id", { mode: "buffer" }).primaryKey(), note: note(), hits: hits() });
const byTime = sqliteTable("by_time", {
  id: integer("id", { mode: "timestamp_ms" }).primaryKey(),
  note: note(),
  hits: hits(),
});
const byAll = sqliteTable(
  "by_all",
  {
    place: text("place").notNull(),
    number: integer("number").notNull(),
    bytes: blob("bytes", { mode: "buffer" }).notNull(),
    flag: integer("flag", { mode: "boolean" }).notNull(),
    note: note(),
    hits: hits(),
    tags: set(text("tags", { mode: "json" }).$type<string[]>().notNull().default([])),
  },
  (t) => [primaryKey({ columns: [t.number, t.place, t.bytes, t.flag] })],
);
const keyed = { byText, byInteger, byBlob, byTime, byAll };

const things = sqliteTable("things", {
  id: text("id").primaryKey(),
  text: lww(text("text")),
  choice: lww(text("choice", { enum: ["a", "b"] })),
  json: lww(text("json", { mode: "json" })),
  integer: lww(integer("integer")),
  boolean: lww(integer("boolean", { mode: "boolean" })),
  seconds: lww(integer("seconds", { mode: "timestamp" })),
  milliseconds: lww(integer("milliseconds", { mode: "timestamp_ms" })),
  real: lww(real("real")),
  numeric: lww(numeric("numeric")),
  bytes: lww(blob("bytes", { mode: "buffer" })),
  bigint: lww(blob("bigint", { mode: "bigint" })),
  jsonBlob: lww(blob("json_blob", { mode: "json" })),
  numbers: set(text("numbers", { mode: "json" }).$type<unknown[]>().notNull().default([])),
});

/** What an application, or a careless one, may have stored in a column of this name; as SQL. */
const stored: Record<string, readonly string[]> = {
  text: [
    "NULL",
    "''",
    "'plain'",
    "'it''s'",
    "'größe 北京 😀 e\u0301'",
    "'line\nbreak\ttab'",
    "'a' || char(0) || 'b'",
    "'{\"a\":1}'",
    "'007'",
    "'1e5'",
    "' '",
    "char(0x10ffff)",
    "x'00ff'",
    "x''",
  ],
  choice: ["'a'", "'never declared'"],
  json: [
    "NULL",
    "'null'",
    "'1'",
    "'\"123\"'",
    "'\"\"'",
    "'{}'",
    "'[]'",
    '\'{"b":1,"a":[true,null,{"c":"ü"}]}\'',
    "'{ \"spaced\" : 1 }'",
    "'1.0'",
    "'1e400'",
    "'-0'",
    "'12345678901234567890'",
    '\'{"a":1,"a":2}\'',
    '\'{"__proto__":{"x":1}}\'',
    '\'{"10":1,"9":2}\'',
    "'no json'",
    "''",
    '\'{"$grove":"text","value":"x"}\'',
    "'\"\\u00e9\"'",
    "x'7b7d'",
    "42",
    "4.5",
  ],
  integer: [
    "NULL",
    "0",
    "-1",
    "42",
    "9007199254740991",
    "9007199254740992",
    "9007199254740993",
    "-9007199254740993",
    "9223372036854775807",
    "-9223372036854775808",
    "1.5",
    "1e300",
    "9e18",
    "-0.0",
    "9e999",
    "-9e999",
    "'text'",
    "'12'",
    "x'0102'",
  ],
  boolean: ["NULL", "0", "1", "2", "-1", "'true'", "0.5", "9223372036854775807"],
  seconds: [
    "NULL",
    "0",
    "1700000000",
    "-1",
    "-62135596800",
    "253402300800",
    "8640000000000",
    "8640000000001",
    "9223372036854775807",
    "1.5",
    "'2024-01-01'",
  ],
  milliseconds: [
    "NULL",
    "0",
    "1700000000123",
    "-1",
    "253402300800000",
    "8640000000000000",
    "8640000000000001",
    "9223372036854775807",
    "1.5",
    "'now'",
  ],
  real: [
    "NULL",
    "0.0",
    "-0.0",
    "1",
    "1.5",
    "0.1",
    "1e300",
    "5e-324",
    "1.7976931348623157e308",
    "123456789.123456789",
    "9007199254740993",
    "9e999",
    "-9e999",
    "'text'",
    "x'01'",
  ],
  numeric: [
    "NULL",
    "0",
    "1",
    "'1.10'",
    "1.1",
    "'123456789012345678901234567890'",
    "9223372036854775807",
    "'0.1'",
    "1e21",
    "1e-7",
    "-5",
    "9e999",
    "-9e999",
    "1e19",
    "'text'",
    "x'31'",
    "'1e3'",
  ],
  bytes: ["NULL", "x''", "x'00'", "x'00ff10'", "randomblob(1000)", "'text in a blob'", "5", "1.5"],
  bigint: [
    "NULL",
    "CAST('0' AS BLOB)",
    "CAST('123456789012345678901234567890' AS BLOB)",
    "CAST('-5' AS BLOB)",
    "CAST('007' AS BLOB)",
    "CAST('no number' AS BLOB)",
    "x'ff00'",
    "'5'",
    "5",
  ],
  json_blob: [
    "NULL",
    "CAST('{\"a\":1}' AS BLOB)",
    "CAST('[1,2]' AS BLOB)",
    "CAST('{ \"spaced\": 1 }' AS BLOB)",
    "CAST('1.0' AS BLOB)",
    "x'ff00'",
    "'{\"a\":1}'",
    "5",
  ],
  numbers: [
    "'[]'",
    "'[1,\"1\",1.0,true,null]'",
    '\'[{"b":1,"a":2}]\'',
    "'[[],[[]],{}]'",
    "'[0.1,1e21,-5]'",
    '\'["😀","\\u0000"]\'',
  ],
};

describe("keys", () => {
  const rows: Record<string, readonly string[]> = {
    by_text: [
      "''",
      "'a'",
      "'A'",
      "'a '",
      "'it''s'",
      "'__proto__'",
      "'constructor'",
      "'5'",
      "'[\"x\"]'",
      "'😀'",
      "'e\u0301'",
      "'\u00e9'",
      "'a' || char(0)",
      "x'61'",
    ],
    by_integer: [
      "0",
      "1",
      "-1",
      "9007199254740991",
      "9007199254740992",
      "9007199254740993",
      "-9007199254740993",
      "9223372036854775807",
      "-9223372036854775808",
    ],
    by_blob: ["x''", "x'00'", "x'61'", "x'ff00ff'", "x'0000'", "'a'"],
    by_time: ["0", "-1", "1700000000123", "9007199254740993"],
    by_all: [
      "1, 'a', x'00', 0",
      "1, 'a', x'00', 1",
      "9007199254740993, '', x'', 1",
      "-1, '\",\"', x'ff', 0",
      "9007199254740992, '', x'', 1",
    ],
  };
  const into = (table: string) =>
    table === "by_all" ? "by_all (number, place, bytes, flag, note)" : `${table} (id, note)`;
  const where = (table: string, key: string) =>
    table === "by_all" ? `(number, place, bytes, flag) = (${key})` : `id = ${key}`;

  test("rows with text, integer, blob, time and composite keys are inserted, changed, deleted and inserted again on another node", async () => {
    const schema = await makeSchema(keyed);
    const [a, b, c] = (await openNodes(["a", "b", "c"], schema)) as [TestNode, TestNode, TestNode];
    const each = (node: TestNode, sql: (table: string, key: string, n: number) => string) => {
      for (const [table, keys] of Object.entries(rows))
        for (const [n, key] of keys.entries()) node.sql(sql(table, key, n));
    };
    const count = Object.values(rows).flat().length;
    each(a, (table, key, n) => `INSERT INTO ${into(table)} VALUES (${key}, 'note ${n}')`);
    const written = contents(a);
    expect(await sync(a, b)).toMatchObject({ pushed: count, applied: count });
    expect(contents(b)).toEqual(written);

    each(b, (table, key) => `UPDATE ${table} SET hits = hits + 2, note = note || '!' WHERE ${where(table, key)}`);
    each(a, (table, key) => `UPDATE ${table} SET hits = hits + 1 WHERE ${where(table, key)}`);
    await settle([a, b], [b, c]);
    expect(a.row("SELECT sum(hits) AS hits FROM by_integer")).toEqual({ hits: 3 * rows.by_integer!.length });
    await expectEqual(a, b, c);

    each(c, (table, key) => `DELETE FROM ${table} WHERE ${where(table, key)}`);
    await settle([b, c], [a, b]);
    expect(Object.values(contents(a)).flat()).toEqual([]);
    each(a, (table, key, n) => `INSERT INTO ${into(table)} VALUES (${key}, 'again ${n}')`);
    await settle([a, b], [b, c]);
    expect(Object.values(contents(c)).flat().length).toBe(count);
    await expectEqual(a, b, c);
  });

  test("a key whose spelling is another row's key is another row", async () => {
    const schema = await makeSchema({ byText, byBlob });
    const [a, b] = (await openNodes(["a", "b"], schema)) as [TestNode, TestNode];
    a.sql("INSERT INTO by_text (id, note) VALUES ('a', 'text'), (x'61', 'bytes')");
    a.sql("INSERT INTO by_blob (id, note) VALUES ('a', 'text'), (x'61', 'bytes')");
    await sync(a, b);
    b.sql("DELETE FROM by_text WHERE id = 'a'");
    b.sql("DELETE FROM by_blob WHERE id = 'a'");
    await settle([a, b]);
    expect(a.rows("SELECT note FROM by_text UNION ALL SELECT note FROM by_blob")).toEqual([
      { note: "bytes" },
      { note: "bytes" },
    ]);
    await expectEqual(a, b);
  });
});

describe("values", () => {
  for (const [column, values] of Object.entries(stored)) {
    test(`${column}: what is stored on one node is stored on the others, inserted or updated, pushed or pulled`, async () => {
      const schema = await makeSchema({ things });
      const [a, b, c] = (await openNodes(["a", "b", "c"], schema)) as [TestNode, TestNode, TestNode];
      values.forEach((value, n) => {
        a.sql(`INSERT INTO things (id, "${column}") VALUES ('inserted ${n}', ${value})`);
        a.sql(`INSERT INTO things (id) VALUES ('updated ${n}')`);
      });
      const report = await sync(a, b);
      expect(report).toMatchObject({ rejected: 0, parked: 0, pushed: 2 * values.length });
      expect(contents(b)).toEqual(contents(a));
      values.forEach(
        (value, n) =>
          void a.sql(
            `UPDATE things SET "${column}" = ${column === "bytes" && value.includes("random") ? "randomblob(10)" : value} WHERE id = 'updated ${n}'`,
          ),
      );
      const written = contents(a);
      expect(await sync(a, b)).toMatchObject({ rejected: 0, parked: 0 });
      expect(await sync(c, b)).toMatchObject({ rejected: 0, parked: 0 });
      // A set is written in the order and spelling that all nodes agree on; other values stay as they were written.
      if (column !== "numbers") expect(contents(a)).toEqual(written);
      expect(contents(b)).toEqual(contents(a));
      expect(contents(c)).toEqual(contents(a));
      await expectEqual(a, b, c);
      expect(await settle([a, b], [c, b])).toBe(1);
    });
  }

  test("what Drizzle writes on one node it reads on the other", async () => {
    const schema = await makeSchema({ things });
    const [a, b] = (await openNodes(["a", "b"], schema)) as [TestNode, TestNode];
    const row: typeof things.$inferInsert = {
      id: "1",
      text: "größe",
      choice: "b",
      json: { deep: [1, "2", null, { x: true }], text: "123" },
      integer: 42,
      boolean: true,
      seconds: new Date("2024-05-06T07:08:09Z"),
      milliseconds: new Date("2024-05-06T07:08:09.123Z"),
      real: 0.1 + 0.2,
      numeric: "12.5",
      bytes: Buffer.from([0, 255, 7]),
      bigint: 2n ** 100n,
      jsonBlob: { a: [1, 2] },
      numbers: [3, "three", { n: 3 }],
    };
    drizzle({ client: a.db })
      .insert(things)
      .values([row, { id: "2" }])
      .run();
    await sync(a, b);
    const read = drizzle({ client: b.db }).select().from(things).where(eq(things.id, "1")).all();
    expect(read).toEqual(drizzle({ client: a.db }).select().from(things).where(eq(things.id, "1")).all());
    expect(read[0]).toEqual(row);
    drizzle({ client: b.db })
      .update(things)
      .set({ boolean: false, json: "123", bigint: -1n, numeric: null })
      .where(eq(things.id, "1"))
      .run();
    await settle([a, b]);
    expect(drizzle({ client: a.db }).select().from(things).where(eq(things.id, "1")).get()).toMatchObject({
      boolean: false,
      json: "123",
      bigint: -1n,
      numeric: null,
      text: "größe",
    });
    await expectEqual(a, b);
  });
});

describe("names", () => {
  const hostile = [
    'say "hi"',
    "it's",
    "select",
    "semi;colon--",
    "größe 😀",
    "back`tick",
    "[bracket]",
    "new\nline",
    "constructor",
    "toString",
    "hasOwnProperty",
    "a.b",
    "%s ? :x $1 @y",
    "rowid2",
    "x".repeat(100),
  ];

  test("tables and columns with names that need quoting, or that mean something in JavaScript, sync like others", async () => {
    const tables = Object.fromEntries(
      hostile.map((name, n) => [
        `t${n}`,
        sqliteTable(name, {
          key: text(`key ${name}`).primaryKey(),
          value: lww(text(name).notNull().default("")),
          other: lww(integer(`${name}'s other`)),
          count: counter(integer(`count ${name}`).notNull().default(0)),
          tags: set(text(`tags ${name}`, { mode: "json" }).$type<string[]>().notNull().default([])),
          mine: local(text(`local ${name}`)),
        }),
      ]),
    );
    const schema = await makeSchema(tables);
    const [a, b] = (await openNodes(["a", "b"], { ...schema, ddl: hostile.map(create) })) as [TestNode, TestNode];
    const quote = (name: string) => `"${name.replaceAll('"', '""')}"`;
    const insert = (name: string) =>
      `INSERT INTO ${quote(name)} (${quote(`key ${name}`)}, ${quote(name)}, ${quote(`local ${name}`)}) VALUES ('k', 'v', 'mine')`;
    for (const name of hostile) a.db.prepare(insert(name)).run();
    expect(await sync(a, b)).toMatchObject({ rejected: 0, parked: 0, pushed: hostile.length });
    expect(contents(b)).toEqual(contents(a));
    for (const [node, text] of [
      [a, "a"],
      [b, "b"],
    ] as const) {
      for (const name of hostile) {
        node.db
          .prepare(
            `UPDATE ${quote(name)} SET ${quote(`${name}'s other`)} = 5, ${quote(`count ${name}`)} = ${quote(`count ${name}`)} + 2, ${quote(`tags ${name}`)} = json_array('${text}')`,
          )
          .run();
      }
    }
    await settle([a, b]);
    for (const name of hostile) {
      expect(
        b.db
          .prepare(`SELECT ${quote(`count ${name}`)} AS n, ${quote(`local ${name}`)} AS mine FROM ${quote(name)}`)
          .get(),
      ).toEqual({ n: 4, mine: null });
    }
    await expectEqual(a, b);
    for (const name of hostile) a.db.prepare(`DELETE FROM ${quote(name)}`).run();
    await settle([a, b]);
    expect(Object.values(contents(b)).flat()).toEqual([]);
    for (const name of hostile) b.db.prepare(insert(name)).run();
    await settle([a, b]);
    expect(Object.values(contents(a)).flat().length).toBe(hostile.length);
    await expectEqual(a, b);
  });

  /** drizzle-kit does not double backticks in names, so these tables are made by hand. */
  function create(name: string): string {
    const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
    return `CREATE TABLE ${quote(name)} (${quote(`key ${name}`)} text PRIMARY KEY NOT NULL, ${quote(name)} text DEFAULT '' NOT NULL, ${quote(`${name}'s other`)} integer,
      ${quote(`count ${name}`)} integer DEFAULT 0 NOT NULL, ${quote(`tags ${name}`)} text DEFAULT '[]' NOT NULL, ${quote(`local ${name}`)} text)`;
  }

  test("a table of 120 columns syncs each of them", async () => {
    const columns = Object.fromEntries(
      Array.from({ length: 120 }, (_, n) => [
        `c${n}`,
        n % 3 === 0 ? counter(integer(`c${n}`).notNull().default(0)) : lww(text(`c${n}`)),
      ]),
    );
    const wide = sqliteTable("wide", { id: text("id").primaryKey(), ...columns });
    const [a, b] = (await openNodes(["a", "b"], await makeSchema({ wide }))) as [TestNode, TestNode];
    a.sql("INSERT INTO wide (id) VALUES ('1')");
    await sync(a, b);
    for (let n = 0; n < 120; n++) {
      const [node, other] = n % 2 === 0 ? [a, b] : [b, a];
      node.sql(n % 3 === 0 ? `UPDATE wide SET c${n} = c${n} + 1` : `UPDATE wide SET c${n} = 'n${n}'`);
      if (n % 3 === 0) other.sql(`UPDATE wide SET c${n} = c${n} + 10`);
    }
    await settle([a, b]);
    const row = b.row<Record<string, unknown>>("SELECT * FROM wide")!;
    for (let n = 0; n < 120; n++) expect(row[`c${n}`]).toBe(n % 3 === 0 ? 11 : `n${n}`);
    await expectEqual(a, b);
  });
});

test("indexes and local columns of the user stay as they are", async () => {
  const shop = sqliteTable(
    "shop",
    {
      id: text("id").primaryKey(),
      name: lww(text("name").notNull()),
      code: lww(text("code")),
      shelf: local(text("shelf").notNull().default("none")),
    },
    (t) => [index("shop_name").on(t.name), uniqueIndex("shop_code").on(t.code)],
  );
  const [a, b] = (await openNodes(["a", "b"], await makeSchema({ shop }))) as [TestNode, TestNode];
  a.sql("INSERT INTO shop VALUES ('1', 'one', 'c1', 'left')");
  await sync(a, b);
  expect(b.row("SELECT * FROM shop")).toEqual({ id: "1", name: "one", code: "c1", shelf: "none" });
  b.sql("UPDATE shop SET shelf = 'right'");
  expect(await sync(b, a)).toMatchObject({ pushed: 0 });
  b.sql("UPDATE shop SET name = 'two', code = NULL");
  await sync(b, a);
  expect(a.row("SELECT * FROM shop")).toEqual({ id: "1", name: "two", code: null, shelf: "left" });
});

test("the tables that these tests make are those of the reference schema", async () => {
  const kit = await generateSQLiteMigration(
    await generateSQLiteDrizzleJson({}),
    await generateSQLiteDrizzleJson(reference),
  );
  const [made, expected] = [referenceTables, kit].map((statements) => {
    const db = new Database(":memory:");
    for (const sql of statements) db.exec(sql);
    return ["documents", "inventory", "orders"].map((table) =>
      db.prepare('SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info(?)').all(table),
    );
  });
  expect(made).toEqual(expected);
});
