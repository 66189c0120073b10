// What counts as a change of a Postgres column: whatever a peer could tell apart, and nothing else; the same in every
// session.
import { beforeAll, describe, expect, test } from "vitest";
import { Captured, openDatabase, usePostgres } from "./postgres-database";
import { model } from "./postgres-model";

usePostgres();

/** Type, a value, one that the database calls equal or nearly so and that is another to peers. */
const pairs: readonly (readonly [type: string, from: string, to: string])[] = [
  ["text", "'a'", "'a '"],
  ["varchar(10)", "'a'", "'A'"],
  ["char(4)", "'a'", "'b'"],
  ["citext", "'a'", "'A'"],
  ["citext[]", "'{a}'", "'{A}'"],
  ["smallint", "1", "2"],
  ["integer", "1", "2"],
  ["bigint", "9007199254740992", "9007199254740993"],
  ["boolean", "false", "true"],
  ["numeric", "1.0", "1.00"],
  ["numeric(30, 20)", "1.00000000000000000001", "1.00000000000000000002"],
  ["numeric[]", "'{1.0}'", "'{1.00}'"],
  ["real", "0.1", "0.10000001"],
  ["double precision", "0.3", "0.1::float8 + 0.2"],
  ["double precision", "'NaN'", "'Infinity'"],
  ["date", "'2026-01-01'", "'infinity'"],
  ["time", "'12:00:00'", "'12:00:00.000001'"],
  ["time with time zone", "'12:00+00'", "'13:00+01'"],
  ["timestamp", "'2026-01-01'", "'2026-01-01 00:00:00.000001'"],
  ["timestamp (3) with time zone", "'2026-01-01 00:00Z'", "'2026-01-01 00:00:00.001Z'"],
  ["interval", "'1 month'", "'30 days'"],
  ["json", `'{"a": 1}'`, `'{"a":1}'`],
  ["json", `'null'`, `'"null"'`],
  ["jsonb", `'"1"'`, `'1'`],
  ["uuid", "'00000000-0000-0000-0000-000000000000'", "'00000000-0000-0000-0000-000000000001'"],
  ["bytea", "decode('00', 'hex')", "decode('0000', 'hex')"],
  ["point", "'(0.1,0)'", "'(0.10000000000000002,0)'"],
  ["text[]", "'{a,NULL}'", `'{a,"NULL"}'`],
  ["integer[]", "'{1,2}'", "'[2:3]={1,2}'"],
  ["integer[][]", "'{{1,2}}'", "'{{1},{2}}'"],
  ["bit varying", "'01'", "'010'"],
  ["inet", "'10.0.0.1'", "'10.0.0.1/31'"],
  ['"mood of day"', "'sad'", "'glad'"],
  ["hidden", "'a'", "'A'"],
  ["text COLLATE loose", "'a'", "'A'"],
];

/** A session that prints and finds everything another way. */
const hostile = `
  SET search_path = trap, public, pg_catalog;
  SET timezone = 'Asia/Kathmandu'; SET intervalstyle = 'sql_standard'; SET bytea_output = 'escape';
  SET extra_float_digits = -15; SET datestyle = 'German, DMY'; SET standard_conforming_strings = off;
  SET enable_hashjoin = off; SET enable_mergejoin = off`;

/** What would be found in the place of the database's own, if a schema came before its. */
const trapIn = (schema: string) => `
  CREATE FUNCTION ${schema}.same(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
  CREATE OPERATOR ${schema}.= (LEFTARG = text, RIGHTARG = text, FUNCTION = ${schema}.same);
  CREATE FUNCTION ${schema}.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$ SELECT 'epoch'::timestamptz $$;`;

const prepare = `
  CREATE EXTENSION citext;
  CREATE TYPE "mood of day" AS ENUM ('sad', 'glad');
  CREATE DOMAIN hidden AS citext;
  CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
  CREATE SCHEMA trap;
  ${["trap", "public"].map(trapIn).join("")}
  CREATE TABLE trap._t_log (seq bigint, at bigint, op text, pk_id text, mask bigint, before text);`;

describe.each(["plain", "hostile"])("in a %s session", (session) => {
  let t: Captured;
  beforeAll(async () => {
    const columns = pairs.map(([type], n) => `c${n} ${type}`);
    const fields = pairs.map(([type], n) => `c${n}: ${type.replace(/ COLLATE .*/, "")}`);
    t = await Captured.create(
      `${prepare} CREATE TABLE t (id text PRIMARY KEY, ${columns.join(", ")})`,
      model("t", ["id"], fields),
    );
    await t.run(`INSERT INTO t VALUES ('a')`, ...(session === "hostile" ? [hostile] : []));
  });
  test.each(pairs.map((pair, n) => [...pair, n] as const))("%s from %s to %s is a change", async (_, from, to, n) => {
    const masks = async (value: string) => {
      await t.run(`DELETE FROM public._t_log`, `UPDATE public.t SET c${n} = ${value}`);
      return (await t.column(`SELECT mask FROM public._t_log`)).map(Number);
    };
    const bit = 2 ** n;
    expect(await masks(from)).toEqual([bit]);
    expect(await masks(from)).toEqual([]);
    expect(await masks(to)).toEqual([bit]);
    expect(await masks(`c${n}`)).toEqual([]);
    expect(await masks("NULL")).toEqual([bit]);
    expect(await masks("NULL")).toEqual([]);
    expect(await t.column(`SELECT FROM public._t_log WHERE at < 1e15`)).toEqual([]);
  });
  test("old values are printed one way", async () => {
    const types = {
      at: "timestamp with time zone",
      day: "date",
      long: "interval",
      raw: "bytea",
      real: "double precision",
      exact: "numeric",
      "back\\slash": "text",
      gone: "text",
    };
    const columns = Object.entries(types).map(([name, type]) => `"${name}" ${type}`);
    const fields = Object.entries(types).map(([name, type]) => `${name}: ${type}`);
    const t = await Captured.create(
      `${prepare} CREATE TABLE t (id text PRIMARY KEY, ${columns.join(", ")}, n bigint, s timestamptz[])`,
      model("t", ["id"], [...fields, "counter n", "set s: timestamp with time zone[]"], { keepsDeleted: true }),
    );
    await t.run(
      `INSERT INTO t VALUES ('a', '2026-02-01 12:00:00.000001Z', '2026-02-01', '1 year 2 days', '\\x00ff', 0.1::float8 + 0.2,
        1.500, '"\\ ''', NULL, -5, '{2026-02-01 12:00Z,NULL}')`,
      ...(session === "hostile" ? [hostile] : []),
      `UPDATE public.t SET s = '{}'`,
      `DELETE FROM public.t`,
    );
    const old = (await t.column(`SELECT before FROM public._t_log WHERE before IS NOT NULL ORDER BY seq`)) as string[];
    expect(old.map((text) => JSON.parse(text))).toEqual([
      { s: '{"2026-02-01 12:00:00+00",NULL}' },
      {
        at: "2026-02-01 12:00:00.000001+00",
        day: "2026-02-01",
        long: "1 year 2 days",
        raw: "\\x00ff",
        real: "0.30000000000000004",
        exact: "1.500",
        "back\\slash": "\"\\ '",
        gone: null,
        n: "-5",
        s: "{}",
      },
    ]);
  });
});

test("jsonb keeps every digit of a set's old value", async () => {
  const t = await Captured.create(
    `CREATE TABLE t (id text PRIMARY KEY, s jsonb NOT NULL)`,
    model("t", ["id"], ["set s"]),
  );
  await t.run(`INSERT INTO t VALUES ('a', '[1.10, 12345678901234567890.5, "\\u2028\\"\\\\"]')`);
  const [row] = await t.log(`UPDATE t SET s = '[]'`);
  expect(row?.before).toEqual({ s: '[1.10, 12345678901234567890.5, "\u2028\\"\\\\"]' });
});

describe("the mask", () => {
  test("goes on in a second column after 52 columns, and stays exact", async () => {
    const names = Array.from({ length: 60 }, (_, n) => `f${n}`);
    const t = await Captured.create(
      `CREATE TABLE t (id text PRIMARY KEY, ${names.map((name) => `${name} bigint NOT NULL DEFAULT 0`).join(", ")})`,
      model(
        "t",
        ["id"],
        names.map((name) => `counter ${name}`),
      ),
    );
    await t.run(
      `INSERT INTO t (id) VALUES ('a'), ('b')`,
      `UPDATE t SET f0 = 1, f31 = 1, f51 = 1, f53 = 1 WHERE id = 'a'`,
    );
    await t.run(`UPDATE t SET f59 = 7 WHERE id = 'b'`, `UPDATE t SET id = 'c' WHERE id = 'b'`);
    expect(await t.sql.unsafe(`SELECT op, mask::text, mask1::text FROM _t_log WHERE op = 'U' ORDER BY seq`)).toEqual([
      { op: "U", mask: String(2 ** 51 + 2 ** 31 + 1), mask1: "2" },
      { op: "U", mask: "0", mask1: "128" },
    ]);
    expect((await t.logged()).slice(2).map(({ before }) => before)).toEqual([
      { f0: "0", f31: "0", f51: "0", f53: "0" },
      { f59: "0" },
      null,
      null,
    ]);
    await t.run(`UPDATE t SET ${names.map((name) => `${name} = ${name} + 1`).join(", ")}`);
    const all = (await t.logged()).at(-1);
    expect([all?.mask, Object.keys(all?.before as object)]).toEqual([2 ** 52 - 1, names]);
  });
});

test("columns that are called like anything in the functions are told apart", async () => {
  const names = ["op", "mask", "before", "at", "seq", "o", "n", "wrong", "new", "old", "found", "tg_op", "compared"];
  const t = await Captured.create(
    `CREATE TABLE new_rows (id text, "pk_id" text, ${names.map((name) => `"${name}" text`).join(", ")},
      tags jsonb NOT NULL DEFAULT '[]', PRIMARY KEY (id, pk_id))`,
    model("new_rows", ["id", "pk_id"], [...names, "set tags"]),
  );
  await t.run(`INSERT INTO new_rows (id, pk_id) VALUES ('a', 'b')`);
  for (const [n, name] of names.entries()) {
    expect(await t.log(`UPDATE new_rows SET "${name}" = 'x'`)).toEqual([
      { op: "U", key: ["a", "b"], mask: 2 ** n, before: null },
    ]);
  }
  expect(await t.ops(`UPDATE new_rows SET id = 'z'`, `DELETE FROM new_rows`)).toEqual(["D a/b", "D z/b", "I z/b"]);
});

test("a role that may write the table needs no rights on ours", async () => {
  const t = await Captured.create(
    `CREATE TABLE t (id text PRIMARY KEY, n bigint NOT NULL DEFAULT 0)`,
    model("t", ["id"], ["counter n"]),
  );
  await t.run(`CREATE ROLE clerk`, `GRANT SELECT, INSERT, UPDATE, DELETE ON t TO clerk`, `SET ROLE clerk`);
  await t.run(`INSERT INTO t VALUES ('a')`, `UPDATE t SET n = 1`, `DELETE FROM t`);
  await expect(t.run(`SELECT * FROM _t_log`)).rejects.toMatchObject({ code: "42501" });
  await expect(t.run(`INSERT INTO _t_log (at, op, pk_id) VALUES (1, 'D', 'x')`)).rejects.toMatchObject({
    code: "42501",
  });
  // Nor can a table of its own, laid over ours by name, catch what is logged.
  await t.run(`CREATE TEMP TABLE _t_log (at bigint, op text, pk_id text, mask bigint, before text)`);
  await t.run(`INSERT INTO t VALUES ('b')`);
  expect(await t.column(`SELECT count(*)::integer FROM pg_temp._t_log`)).toEqual([0]);
  await t.run(`RESET ROLE`);
  expect(await t.column(`SELECT op || pk_id FROM public._t_log ORDER BY seq`)).toEqual(["Ia", "Ua", "Da", "Ib"]);
});

test("the server of these tests has the collations that hide changes", async () => {
  const sql = await openDatabase();
  await sql.unsafe(prepare);
  expect((await sql.unsafe(`SELECT 'a' = 'A' COLLATE loose AS same`))[0]?.same).toBe(true);
});
