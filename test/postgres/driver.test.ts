// A transaction whose statements are sent ahead of their answers, over each driver: what comes after a failure takes no effect,
// and the error that is told is the one that broke it.
import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import type { Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type PostgresDriver, postgresDriver } from "../../packages/store/src/postgres/driver";
import { postgres as dialect } from "../support/postgres";

type Close = () => Promise<unknown>;

const clients: Readonly<Record<string, () => Promise<[unknown, Close]>>> = {
  "postgres.js": async () => {
    const sql = (await dialect.open({ ddl: [] })).db.$client as unknown as Sql;
    return [sql, async () => {}];
  },
  "node-postgres": async () => {
    const sql = (await dialect.open({ ddl: [] })).db.$client as unknown as Sql;
    const url = new URL(inject("postgres").url as string);
    url.pathname = `/${sql.options.database}`;
    const pool = new pg.Pool({ connectionString: url.href, max: 2 });
    return [pool, () => pool.end()];
  },
  PGlite: async () => {
    const client = await PGlite.create();
    return [client, () => client.close()];
  },
};

describe.each(Object.keys(clients))("a transaction over %s", (name) => {
  let driver: PostgresDriver;
  let close: Close = async () => {};
  beforeAll(async () => {
    const [client, end] = await (clients[name] as () => Promise<[unknown, Close]>)();
    close = end;
    driver = postgresDriver(client) as PostgresDriver;
    await driver.rows("CREATE TABLE seen (id integer PRIMARY KEY)");
  });
  afterAll(() => close());
  const seen = async () => (await driver.rows("SELECT id FROM seen ORDER BY id")).map(([id]) => Number(id));

  test("a statement that its work sends after the failure does not take effect by itself", async () => {
    let late: Promise<unknown> = Promise.resolve();
    const failed = driver.transaction("READ COMMITTED", "", async (tx) => {
      await tx.rows("INSERT INTO seen VALUES (1)");
      late = new Promise((resolve) => setTimeout(resolve, 100)).then(() => tx.rows("INSERT INTO seen VALUES (2)"));
      late.catch(() => {});
      throw new Error("crash");
    });
    await expect(failed).rejects.toThrow("crash");
    await expect(late).rejects.toThrow();
    expect(await seen()).toEqual([]);
  });

  test("the error is that of the statement that failed, not of those that were sent behind it", async () => {
    const failed = driver.transaction("READ COMMITTED", "", async (tx) => {
      const broken = tx.rows("INSERT INTO seen VALUES (NULL)");
      broken.catch(() => {});
      await tx.rows("INSERT INTO seen VALUES (3)");
      await broken;
    });
    await expect(failed).rejects.toMatchObject({ code: "23502" });
    expect(await seen()).toEqual([]);
  });

  test("a begin that fails is told, and nothing of the work takes effect", async () => {
    const begun = driver.transaction("READ COMMITTED", "SET LOCAL lock_timeout = '1h'; SELECT 1 / 0;", async (tx) => {
      await tx.rows("INSERT INTO seen VALUES (4)");
    });
    await expect(begun).rejects.toMatchObject({ code: "22012" });
    expect(await seen()).toEqual([]);
  });
});
