// Codec: what one dialect holds and the other does not. A well-formed value that a column cannot hold keeps its row out on
// that node, with the reason, and travels on; a malformed one is rejected; what a column alters is kept as it was received.

import * as pg from "drizzle-orm/pg-core";
import * as lite from "drizzle-orm/sqlite-core";
import type { Outcome } from "grove-crdt";
import { lww, set } from "grove-crdt/schema";
import { describe, expect, test } from "vitest";
import { everything, expectEqual } from "./support/comparison";
import { errorOf, pushMessage, request, settle, sync } from "./support/network";
import { openNode, type TestNode } from "./support/node";
import { postgres } from "./support/postgres";
import { makeSchema } from "./support/schemas";
import { sqlite } from "./support/sqlite";

const onPostgres = {
  things: pg.pgTable("things", {
    id: pg.text("id").primaryKey(),
    text: lww(pg.text("text")),
    small: lww(pg.smallint("small")),
    big: lww(pg.bigint("big", { mode: "number" })),
    price: lww(pg.numeric("price")),
    double: lww(pg.doublePrecision("double")),
    at: lww(pg.timestamp("at", { withTimezone: true })),
    json: lww(pg.jsonb("json")),
    uuid: lww(pg.uuid("uuid")),
    list: lww(pg.text("list").array()),
    tags: set(pg.uuid("tags").array().notNull().default([])),
  }),
};
const onSqlite = {
  things: lite.sqliteTable("things", {
    id: lite.text("id").primaryKey(),
    text: lww(lite.text("text")),
    small: lww(lite.integer("small")),
    big: lww(lite.integer("big")),
    price: lww(lite.numeric("price")),
    double: lww(lite.real("double")),
    at: lww(lite.integer("at", { mode: "timestamp_ms" })),
    json: lww(lite.text("json", { mode: "json" })),
    uuid: lww(lite.text("uuid")),
    list: lww(lite.text("list", { mode: "json" })),
    tags: set(lite.text("tags", { mode: "json" }).$type<string[]>().notNull().default([])),
  }),
};

/** SQLite, Postgres, SQLite: the outer two never meet. */
async function chain(): Promise<[TestNode, TestNode, TestNode]> {
  const outer = await makeSchema(onSqlite, sqlite);
  const a = await openNode(sqlite, "a", outer);
  const hub = await openNode(postgres, "hub", { ...(await makeSchema(onPostgres, postgres)), clock: a.clock });
  return [a, hub, await openNode(sqlite, "c", { ...outer, clock: a.clock })];
}

const outcomesOf = async (response: Response): Promise<Outcome[]> =>
  ((await response.json()) as { outcomes: Outcome[] }).outcomes;

describe("what SQLite holds and a column of Postgres does not", () => {
  const values: Record<string, string> = {
    "NUL in text": "text) VALUES ('1', 'a' || char(0) || 'b')",
    "bytes in a text column": "text) VALUES ('1', x'00ff')",
    "a number past 16 bits": "small) VALUES ('1', 40000)",
    "a fraction in an integer column": "big) VALUES ('1', 1.5)",
    "text in an integer column": "big) VALUES ('1', 'many')",
    "text in a numeric column": "price) VALUES ('1', 'dear')",
    "text in a real column": "double) VALUES ('1', 'far')",
    "a year past Postgres's": "at) VALUES ('1', 9300000000000000)",
    "a time that is no whole number": "at) VALUES ('1', 1.5)",
    "NUL in JSON": `json) VALUES ('1', '"\\u0000"')`,
    "text that is no JSON": "json) VALUES ('1', 'no json')",
    "half a surrogate pair in JSON": `json) VALUES ('1', '"\\ud800"')`,
    "text that is no uuid": "uuid) VALUES ('1', 'abc')",
    "JSON that is no array": `list) VALUES ('1', '{"a":1}')`,
    "an array of mixed depth": `list) VALUES ('1', '["a",["b"]]')`,
    "an array of arrays": `list) VALUES ('1', '[["b"]]')`,
    "an array with a number": `list) VALUES ('1', '[1]')`,
    "an element of a set that is no uuid": `tags) VALUES ('1', '["abc"]')`,
    "an element of a set in another spelling": `tags) VALUES ('1', '["3F2504E0-4F89-11D3-9A0C-0305E82C3301"]')`,
  };
  test("keeps its row out there with the reason, passes through, and lets its neighbours in", async () => {
    for (const [name, into] of Object.entries(values)) {
      const [a, hub, c] = await chain();
      await a.sql(`INSERT INTO things (id, ${into}; INSERT INTO things (id, text) VALUES ('2', 'neighbour')`);
      const report = await sync(a, hub);
      expect(report, name).toMatchObject({ parked: 1, rejected: 0, applied: 1 });
      const parked = await hub.node.parked();
      expect(parked, name).toMatchObject([{ table: "things", pk: ["1"] }]);
      expect(["bad_value", "constraint"], name).toContain(parked[0]?.code);
      expect(await hub.rows("SELECT id FROM things"), name).toEqual([{ id: "2" }]);
      await sync(c, hub);
      await expectEqual(a, c);
      const registers = async (node: TestNode) => (await everything(node)).map(({ lww }) => lww);
      expect(await registers(hub), name).toEqual(await registers(a));
      // Mended at home, it is shown.
      const column = into.slice(0, into.indexOf(")"));
      a.clock.advance(1000);
      await a.sql(`UPDATE things SET ${column} = ${column === "tags" ? "'[]'" : "NULL"} WHERE id = '1'`);
      await settle([a, hub], [c, hub]);
      expect(await hub.node.parked(), name).toEqual([]);
      expect(await hub.rows("SELECT id FROM things ORDER BY id"), name).toEqual([{ id: "1" }, { id: "2" }]);
      await expectEqual(a, hub, c);
    }
  });
});

test("an integer past 64 bits waits on a node whose column has 64, and passes through it", async () => {
  const digits = {
    big: lite.sqliteTable("big", { id: lite.text("id").primaryKey(), x: lww(lite.blob("x", { mode: "bigint" })) }),
  };
  const plain = { big: lite.sqliteTable("big", { id: lite.text("id").primaryKey(), x: lww(lite.integer("x")) }) };
  const wide = await makeSchema(digits, sqlite);
  const a = await openNode(sqlite, "a", wide);
  const b = await openNode(sqlite, "b", { ...(await makeSchema(plain, sqlite)), clock: a.clock });
  const c = await openNode(sqlite, "c", { ...wide, clock: a.clock });
  await a.sql("INSERT INTO big VALUES ('1', CAST('9223372036854775808' AS BLOB)), ('2', CAST('5' AS BLOB))");
  expect(await sync(a, b)).toMatchObject({ parked: 1, applied: 1, rejected: 0 });
  await sync(c, b);
  await expectEqual(a, c);
  expect(await b.rows("SELECT x FROM big")).toEqual([{ x: 5 }]);
});

describe("what a column alters", () => {
  test("is served as it was received, until this side writes the field anew", async () => {
    const [edge, hub, other] = await chain();
    await hub.sql(`INSERT INTO things (id, text, price, double, at) VALUES
      ('1', 'a', 1.10, 'NaN', '2026-01-02 03:04:05.678901Z'), ('2', 'b', 2.20, 1, '2026-01-02 03:04:05.678901Z')`);
    await settle([edge, hub]);
    const row = "SELECT price::text, at::text FROM things WHERE id = '1'";
    // Another field, and the same time written back as the app reads it: the microseconds stay.
    edge.clock.advance(1000);
    await edge.sql("UPDATE things SET text = 'changed', at = at, price = price");
    await settle([edge, hub], [other, hub]);
    expect(await hub.row(row)).toEqual({ price: "1.10", at: "2026-01-02 03:04:05.678901+00" });
    // A new value takes their place everywhere.
    edge.clock.advance(1000);
    await edge.sql("UPDATE things SET at = at + 1, price = 3 WHERE id = '1'");
    await settle([edge, hub], [other, hub]);
    expect(await hub.row(row)).toEqual({ price: "3", at: "2026-01-02 03:04:05.679+00" });
    await expectEqual(edge, other);
    expect(await everything(hub)).toEqual(await everything(edge));
  });
});

describe("keys", () => {
  const pgKeys = {
    uuids: pg.pgTable("uuids", { id: pg.uuid("id").primaryKey(), note: lww(pg.text("note")) }),
    dates: pg.pgTable("dates", { id: pg.date("id").primaryKey(), note: lww(pg.text("note")) }),
    inets: pg.pgTable("inets", { id: pg.inet("id").primaryKey(), note: lww(pg.text("note")) }),
    moments: pg.pgTable("moments", { id: pg.timestamp("id").primaryKey(), note: lww(pg.text("note")) }),
  };
  const liteKey = (name: string) =>
    lite.sqliteTable(name, { id: lite.text("id").primaryKey(), note: lww(lite.text("note")) });
  const liteKeys = {
    uuids: liteKey("uuids"),
    dates: liteKey("dates"),
    inets: liteKey("inets"),
    moments: lite.sqliteTable("moments", {
      id: lite.integer("id", { mode: "timestamp_ms" }).primaryKey(),
      note: lww(lite.text("note")),
    }),
  };
  async function pair(): Promise<[TestNode, TestNode]> {
    const edge = await openNode(sqlite, "edge", await makeSchema(liteKeys, sqlite));
    return [edge, await openNode(postgres, "hub", { ...(await makeSchema(pgKeys, postgres)), clock: edge.clock })];
  }

  test("in Postgres's own spelling are one row on both sides, inserted on either, changed and deleted on the other", async () => {
    const keys = {
      uuids: "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
      dates: "0044-03-15 BC",
      inets: "::ffff:1.2.3.4/128",
    };
    const [edge, hub] = await pair();
    for (const [table, key] of Object.entries(keys)) {
      await edge.sql(`INSERT INTO ${table} VALUES ('${key}', 'edge')`);
      await hub.sql(`INSERT INTO ${table} VALUES ('${key}', 'hub')`);
    }
    await hub.sql("INSERT INTO moments VALUES ('2026-01-02 03:04:05.678', 'hub')");
    expect(await sync(edge, hub)).toMatchObject({ rejected: 0, parked: 0 });
    await expectEqual(edge, hub);
    for (const table of Object.keys(keys)) expect(await hub.rows(`SELECT 1 FROM ${table}`)).toHaveLength(1);
    edge.clock.advance(1000);
    for (const table of Object.keys(liteKeys)) await edge.sql(`UPDATE ${table} SET note = 'changed'`);
    await settle([edge, hub]);
    for (const table of Object.keys(liteKeys)) {
      expect(await hub.rows(`SELECT note FROM ${table}`)).toEqual([{ note: "changed" }]);
      await hub.sql(`DELETE FROM ${table}`);
    }
    await settle([edge, hub]);
    for (const table of Object.keys(liteKeys)) expect(await edge.rows(`SELECT 1 FROM ${table}`)).toEqual([]);
    await expectEqual(edge, hub);
  });

  test("in another spelling are rejected with the cure, and so are those that SQLite's column would alter", async () => {
    const [edge, hub] = await pair();
    const spelled = {
      uuids: ["3F2504E0-4F89-11D3-9A0C-0305E82C3301", "{3f2504e0-4f89-11d3-9a0c-0305e82c3301}", "nonsense"],
      dates: ["20260101", "2026-1-1", "Jan 1 2026"],
      inets: ["10.0.0.1", "10.0.0.01/32", "::FFFF/128", "0:0:0:0:0:0:0:1/128", "::ffff:102:304/128"],
    };
    for (const [table, keys] of Object.entries(spelled))
      for (const key of keys) await edge.sql(`INSERT INTO ${table} VALUES (?, 'edge')`, key);
    const count = Object.values(spelled).flat().length;
    expect(await sync(edge, hub)).toMatchObject({ pushed: count, rejected: count, applied: 0 });
    for (const table of Object.keys(spelled)) expect(await hub.rows(`SELECT 1 FROM ${table}`)).toEqual([]);
    const upper = { table: "uuids", pk: [spelled.uuids[0]], cl: 1, life: [1, "a"], lww: { note: ["x"] } };
    const answer = await outcomesOf(await request(hub, "/push", JSON.stringify(pushMessage([upper]))));
    expect(answer).toMatchObject([{ outcome: "rejected", code: "bad_value" }]);
    expect(answer[0]?.message).toMatch(/lower case/);
    await hub.sql("INSERT INTO moments VALUES ('2026-01-02 03:04:05.678901', 'hub')");
    expect(await sync(edge, hub)).toMatchObject({ pulled: 1, rejected: 1 });
    expect(await edge.rows("SELECT 1 FROM moments")).toEqual([]);
  });
});

describe("malformed values", () => {
  const malformed: Record<string, readonly unknown[]> = {
    text: [
      1,
      true,
      {},
      "\ud800",
      { $grove: "text", value: "a" },
      { $grove: "text", value: 1 },
      { $grove: "odd", value: "a" },
    ],
    big: [1.5, 1e300, "5", "007", "9007199254740993.0", " 9007199254740993", true, "NaN"],
    price: [1, "", "abc", "1,5", "0x10", "1e", "nan", "Infinityy", true],
    double: ["1.5", "nan", "inf", true, {}],
    at: [
      0,
      "yesterday",
      "2026-01-01",
      "2026-01-01T00:00:00Z",
      "2026-02-30T00:00:00.000000Z",
      "2026-01-01T24:00:00.000000Z",
      "+002026-01-01T00:00:00.000000Z",
      "-000000-01-01T00:00:00.000000Z",
    ],
    json: ["\ud800", { "\udc00": 1 }, ["1e400"]],
    uuid: [1, ["a"]],
  };
  for (const [dialect, tables] of [
    [sqlite, onSqlite],
    [postgres, onPostgres],
  ] as const) {
    test(`are rejected, and 1e400 is no number, on ${dialect.name}`, async () => {
      const node = await openNode(dialect, "node", await makeSchema(tables, dialect));
      const rows = Object.entries(malformed).flatMap(([field, values]) =>
        values.map((value, n) => ({
          table: "things",
          pk: [`${field} ${n}`],
          cl: 1,
          life: [1, "a"],
          lww: { [field]: [value] },
        })),
      );
      // JSON.stringify would make null of it.
      const body = JSON.stringify(pushMessage(rows)).replace('"1e400"', "1e400");
      const answer = await outcomesOf(await request(node, "/push", body));
      // What is no number is no change either, whatever the column.
      const codes = ["bad_value", "bad_change"];
      const accepted = rows.filter(
        (_, n) => answer[n]?.outcome !== "rejected" || !codes.includes(answer[n]?.code as string),
      );
      expect(accepted.map(({ lww }) => lww)).toEqual([]);
      expect(await node.rows("SELECT 1 FROM things")).toEqual([]);
    });
  }
  test("a body with half a surrogate pair, escaped, is no other text", async () => {
    const node = await openNode(postgres, "node", await makeSchema(onPostgres, postgres));
    expect((await errorOf(await request(node, "/push", '{"protocol":1,"node":"\\ud800"}')))[0]).toBe(400);
  });
});
