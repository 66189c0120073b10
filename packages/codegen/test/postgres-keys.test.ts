// Keys of every sort on Postgres, rows that go by cascade, and rows whose values are kept when they go.
import { describe, expect, test } from "vitest";
import { Captured, captureStatements, openDatabase, usePostgres } from "./postgres-database";
import { model } from "./postgres-model";

usePostgres();

describe("keys are logged as they are stored", () => {
  test("composite", async () => {
    const t = await Captured.create(
      `CREATE TABLE t (a text, b integer, x text, PRIMARY KEY (a, b))`,
      model("t", ["a", "b: integer"], ["x"]),
    );
    expect(await t.ops(`INSERT INTO t VALUES ('p', 1), ('p', 2)`)).toEqual(["I p/1", "I p/2"]);
    expect(await t.ops(`UPDATE t SET x = '1' WHERE b = 2`)).toEqual(["U p/2"]);
    expect(await t.ops(`UPDATE t SET b = 3, x = '2' WHERE b = 2`)).toEqual(["D p/2", "I p/3"]);
    expect(await t.ops(`DELETE FROM t`)).toEqual(["D p/1", "D p/3"]);
  });
  test.each([
    ["bigint", "9007199254740993", "9007199254740992"],
    ["uuid", "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"],
    ["varchar(9)", "a", "A"],
    ["bytea", "\\x00ff", "\\x00"],
    ["timestamp with time zone", "2026-01-01 00:00:00.000001+00", "2026-01-01 00:00:00+00"],
    ["boolean", "true", "false"],
    ['"mood"', "sad", "glad"],
    ['"other"."mood 2"', "sad", "glad"],
    ["numeric(10, 2)", "1.50", "2.00"],
  ])("%s", async (type, from, to) => {
    const t = await Captured.create(
      `SET timezone = 'UTC'; CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE SCHEMA other;
       CREATE TYPE other."mood 2" AS ENUM ('sad', 'glad'); CREATE TABLE t (id ${type} PRIMARY KEY, x text)`,
      model("t", [`id: ${type}`], ["x"]),
    );
    await t.run(
      `INSERT INTO t VALUES ('${from}')`,
      `UPDATE t SET x = '1'`,
      `UPDATE t SET id = '${to}'`,
      `UPDATE t SET id = id`,
      `DELETE FROM t`,
    );
    const log = await t.column(`SELECT op || ' ' || pk_id::text FROM _t_log ORDER BY seq`);
    expect([...log.slice(0, 2), ...log.slice(2, 4).sort(), ...log.slice(4)]).toEqual([
      `I ${from}`,
      `U ${from}`,
      `D ${from}`,
      `I ${to}`,
      `D ${to}`,
    ]);
    for (const table of ["_t_log", "_t_crdt"]) {
      const declared = (of: string) =>
        t.column(`SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = '${of}'::regclass
          AND attname IN ('id', 'pk_id') ORDER BY attname DESC LIMIT 1`);
      expect(await declared(table)).toEqual(await declared("t"));
    }
  });
  test("apart where the column's collation calls them equal", async () => {
    const t = await Captured.create(
      `CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
       CREATE TABLE t (id text COLLATE loose PRIMARY KEY, x text)`,
      model("t", ["id"], ["x"]),
    );
    expect(await t.ops(`INSERT INTO t VALUES ('a')`, `UPDATE t SET id = 'A'`)).toEqual(["D a", "I A", "I a"]);
  });
});

test("rows that go or change by a foreign key are logged", async () => {
  const parent = model("parent", ["id"], ["x"]);
  const child = { ...model("child", ["id"], ["parent", "other"]), exportName: "c" };
  const sql = await openDatabase();
  await sql.unsafe(`
    CREATE TABLE parent (id text PRIMARY KEY, x text);
    CREATE TABLE child (id text PRIMARY KEY, parent text REFERENCES parent ON DELETE CASCADE ON UPDATE CASCADE,
      other text REFERENCES parent ON DELETE SET NULL)`);
  for (const statement of captureStatements(parent, child)) await sql.unsafe(statement);
  await sql.unsafe(`
    INSERT INTO parent VALUES ('p'), ('q'), ('r'); INSERT INTO child VALUES ('1', 'p', 'q'), ('2', 'r', 'q');
    DELETE FROM _child_log; UPDATE parent SET id = 's' WHERE id = 'r'; DELETE FROM parent WHERE id IN ('p', 'q')`);
  const log = (
    await sql.unsafe(`SELECT op || pk_id || coalesce(mask::text, '') AS row FROM _child_log ORDER BY seq`)
  ).map(({ row }) => row);
  expect(log[0]).toBe("U21");
  expect(log).toEqual(expect.arrayContaining(["D1", "U22"]));
});

describe("a table that keeps its deleted rows", () => {
  const create = `CREATE TABLE t (id text PRIMARY KEY, x text, n bigint NOT NULL DEFAULT 0, s jsonb NOT NULL DEFAULT '[]')`;
  const fields = ["x", "counter n", "set s"];
  test("logs the whole old row on a delete and for an old key", async () => {
    const t = await Captured.create(create, model("t", ["id"], fields, { keepsDeleted: true }));
    await t.run(`INSERT INTO t VALUES ('a', NULL, 5, '["q"]')`, `INSERT INTO t VALUES ('b', 'x')`);
    expect(await t.log(`DELETE FROM t WHERE id = 'a'`)).toEqual([
      { op: "D", key: ["a"], mask: null, before: { x: null, n: "5", s: '["q"]' } },
    ]);
    const log = await t.log(`UPDATE t SET id = 'c', n = 9`);
    expect(log.sort((x, y) => (x.op < y.op ? -1 : 1))).toEqual([
      { op: "D", key: ["b"], mask: null, before: { x: "x", n: "0", s: "[]" } },
      { op: "I", key: ["c"], mask: null, before: null },
    ]);
    expect((await t.log(`UPDATE t SET n = 1`))[0]?.before).toEqual({ n: "9" });
    expect((await t.log(`UPDATE t SET x = 'y'`))[0]?.before).toBe(null);
  });
  test("also one of registers alone; any other keeps nothing", async () => {
    const registers = await Captured.create(create, model("t", ["id"], ["x"], { keepsDeleted: true }));
    await registers.run(`INSERT INTO t VALUES ('a', 'x')`);
    expect((await registers.log(`UPDATE t SET x = 'y'`))[0]?.before).toBe(null);
    expect((await registers.log(`DELETE FROM t`))[0]?.before).toEqual({ x: "y" });
    const plain = await Captured.create(create, model("t", ["id"], fields));
    expect((await plain.log(`INSERT INTO t VALUES ('a')`, `DELETE FROM t`)).map(({ before }) => before)).toEqual([
      null,
      null,
    ]);
  });
});
