// Columns that are written with their row and never change: what Postgres refuses, and what is logged of a row that goes.
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { emitFiles } from "../src/index";
import { Captured, usePostgres } from "./postgres-database";
import { model } from "./postgres-model";

usePostgres();

const others = Array.from({ length: 60 }, (_, n) => `c${n}`);

let t: Captured;
beforeAll(async () => {
  t = await Captured.create(
    `CREATE TABLE t (id text PRIMARY KEY, title text, owner text, n bigint NOT NULL DEFAULT 0,
      s jsonb NOT NULL DEFAULT '[]', ${others.map((name) => `${name} text`).join(", ")}, at timestamptz)`,
    model(
      "t",
      ["id"],
      [...["title", "fixed owner", "counter n", "set s", ...others], "fixed at: timestamp with time zone"],
    ),
  );
});
beforeEach(() => t.run(`DELETE FROM t`, `INSERT INTO t (id, owner, at) VALUES ('a', 'o', '2026-01-01Z')`));

const refusal = (column: string) => ({
  code: "23514",
  message: `grove-crdt: t.${column} is fixed: it is written with its row and never changes. Delete the row and insert it anew.`,
});

describe("an update of a fixed column", () => {
  test.each([
    ["owner", "'p'"],
    ["owner", "NULL"],
    ["at", "'2026-01-02Z'"],
    ["title = 'new', at", "NULL"],
    ["n = 1, owner", "'O'"],
  ])("is refused as %s = %s", async (column, value) => {
    const name = column.split(" ").at(-1) as string;
    await expect(t.run(`UPDATE t SET ${column} = ${value}`)).rejects.toMatchObject(refusal(name));
    expect(await t.column(`SELECT owner FROM t WHERE title IS NULL AND at IS NOT NULL AND n = 0`)).toEqual(["o"]);
  });
  test("from NULL is refused as well, of one row among many, in an upsert as elsewhere", async () => {
    await t.run(`INSERT INTO t (id, owner) SELECT n, nullif(n, 7) FROM generate_series(1, 50) AS n`);
    const changing = `UPDATE t SET title = 'new', owner = coalesce(owner, 'p')`;
    await expect(t.run(changing)).rejects.toMatchObject(refusal("owner"));
    const upsert = (value: string) =>
      t.run(`INSERT INTO t (id, owner) VALUES ('a', ${value}) ON CONFLICT (id) DO UPDATE SET owner = excluded.owner`);
    await expect(upsert("'p'")).rejects.toMatchObject(refusal("owner"));
    await upsert("'o'");
  });
  test("is taken with the value that stands there, with another key, and of a merge", async () => {
    expect(await t.ops(`UPDATE t SET owner = 'o', at = '2026-01-01 01:00+01', title = 'two'`)).toEqual(["U a"]);
    expect(await t.ops(`UPDATE t SET id = 'b', owner = 'p'`)).toEqual(["D a", "I b"]);
    await t.sql.begin(async (tx) => {
      await tx.unsafe(`SELECT set_config('grove.capture', 'off', true)`);
      await tx.unsafe(`UPDATE t SET owner = 'q'`);
    });
  });
  test("is refused beside sets, which are judged all the same", async () => {
    await expect(t.run(`UPDATE t SET s = '{}'`)).rejects.toMatchObject({ message: /must be a JSON array/ });
    await expect(t.run(`INSERT INTO t (id, s) VALUES ('b', '{}')`)).rejects.toMatchObject({ code: "23514" });
  });
});

test("of a row that goes, what is fixed is logged, and nothing else, whatever the session's settings", async () => {
  await t.run(`SET timezone = 'Asia/Tokyo'`);
  const before = { owner: "o", at: "2026-01-01 00:00:00+00" };
  expect(await t.log(`UPDATE t SET title = 'long', id = 'b'`)).toContainEqual({
    op: "D",
    key: ["a"],
    mask: null,
    before,
  });
  expect(await t.log(`DELETE FROM t`)).toEqual([{ op: "D", key: ["b"], mask: null, before }]);
});

test("a table with nothing but fixed columns is guarded", async () => {
  const only = await Captured.create(
    `CREATE TABLE t (id text PRIMARY KEY, owner text)`,
    model("t", ["id"], ["fixed owner"]),
  );
  await only.run(`INSERT INTO t VALUES ('a', 'o')`);
  await expect(only.run(`UPDATE t SET owner = 'p'`)).rejects.toMatchObject(refusal("owner"));
  expect(await only.log(`DELETE FROM t`)).toMatchObject([{ op: "D", before: { owner: "o" } }]);
});

test("the registry says so of fixed columns alone", () => {
  const text = (owner: string) => {
    const table = model("t", ["id"], [owner, "title"]);
    const files = emitFiles({ dialect: "postgres", tables: [table], sources: new Map([["t", "../../schema.js"]]) });
    return files["registry.ts"] as string;
  };
  expect(text("fixed owner").match(/fixed: true/g)).toHaveLength(1);
  expect(text("owner")).not.toContain("fixed");
});
