// Sets that could not be folded are refused where they are written, on Postgres.
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Captured, usePostgres } from "./postgres-database";
import { model } from "./postgres-model";

usePostgres();

let t: Captured;
beforeAll(async () => {
  t = await Captured.create(
    `CREATE TABLE t (id text PRIMARY KEY, s jsonb NOT NULL DEFAULT '[]', j json NOT NULL DEFAULT '[]',
      a text[] NOT NULL DEFAULT '{}', x text)`,
    model("t", ["id"], ["set s", "set j: json", "set a: text[]", "x"]),
  );
});
beforeEach(() => t.run(`DELETE FROM t`, `INSERT INTO t (id) VALUES ('a')`));

const bad = [
  ["s", `'{}'`, "t.s must be a JSON array"],
  ["s", `'null'`, "t.s must be a JSON array"],
  ["s", `'"[]"'`, "t.s must be a JSON array"],
  ["j", `'1'`, "t.j must be a JSON array"],
  ["a", `'{{a,b},{c,d}}'`, "t.a must be an array of one dimension, counted from 1"],
  ["a", `'[0:1]={a,b}'`, "t.a must be an array of one dimension, counted from 1"],
] as const;

describe("a set", () => {
  test.each(bad)("%s is refused as %s", async (column, value, message) => {
    const error = { code: "23514", message: `grove-crdt: ${message}` };
    await expect(t.run(`INSERT INTO t (id, ${column}) VALUES ('b', ${value})`)).rejects.toMatchObject(error);
    await expect(t.run(`UPDATE t SET ${column} = ${value}`)).rejects.toMatchObject(error);
    await expect(t.run(`UPDATE t SET id = 'z', ${column} = ${value}`)).rejects.toMatchObject(error);
    expect(await t.column(`SELECT id FROM t`)).toEqual(["a"]);
  });
  test.each([
    ["s", `'[]'`],
    ["s", `'[1, "a", {"b": null}, null]'`],
    ["j", `' [ ] '`],
    ["a", `'{}'`],
    ["a", `'{a,NULL,b}'`],
  ])("%s is taken as %s", async (column, value) => {
    await t.run(`UPDATE t SET ${column} = ${value}`, `INSERT INTO t (id, ${column}) VALUES ('b', ${value})`);
  });
});

test("what an upsert puts aside is not judged", async () => {
  await t.run(`INSERT INTO t (id, s) VALUES ('a', '{}') ON CONFLICT (id) DO UPDATE SET x = '1'`);
  await t.run(`INSERT INTO t (id, s) VALUES ('a', '{}') ON CONFLICT DO NOTHING`);
  expect(await t.column(`SELECT x FROM t`)).toEqual(["1"]);
});

test("other columns of a row that was wrong before capture can still be written, and it can be mended", async () => {
  await t.sql.begin(async (tx) => {
    await tx.unsafe(`SELECT set_config('grove.capture', 'off', true)`);
    await tx.unsafe(`UPDATE t SET s = '{"old": 1}'`);
  });
  expect(await t.ops(`UPDATE t SET x = '1'`)).toEqual(["U a"]);
  expect(await t.ops(`UPDATE t SET s = s`)).toEqual([]);
  expect(await t.log(`UPDATE t SET s = '[]'`)).toEqual([{ op: "U", key: ["a"], mask: 1, before: { s: '{"old": 1}' } }]);
});

test("many rows that were wrong before capture do not slow an update down, whatever came before it", async () => {
  await t.run(`UPDATE t SET x = 'first'`);
  await t.sql.begin(async (tx) => {
    await tx.unsafe(`SELECT set_config('grove.capture', 'off', true)`);
    await tx.unsafe(`INSERT INTO t (id, s) SELECT n::text, '{}' FROM generate_series(1, 30000) AS n`);
  });
  const start = performance.now();
  await t.run(`UPDATE t SET x = '1'`);
  expect(performance.now() - start).toBeLessThan(8000);
});
