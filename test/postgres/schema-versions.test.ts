// A column that came later, beside an open transaction: what waited for it is merged as such when the row is free.

import { createNode } from "grove-crdt";
import { lww, set } from "grove-crdt/schema";
import type { Sql } from "postgres";
import { afterEach, expect, test } from "vitest";
import { expectEqual } from "../support/comparison";
import { settle } from "../support/network";
import { openNode } from "../support/node";
import { postgres as dialect } from "../support/postgres";
import { connect } from "../support/postgres-databases";
import { makeSchema } from "../support/schemas";

const pools: Sql[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.end({ timeout: 5 })));
});

test("rows that somebody holds get what they were born with in the new column, and nothing of its default", async () => {
  const { table, text, texts, textsOf } = dialect;
  const old = { id: text("id").primaryKey(), title: lww(text("title")) };
  const version1 = { notes: table("notes", old) };
  const version2 = {
    notes: table("notes", { ...old, labels: set(texts("labels").notNull().default(["new"])) }),
  };
  const [v1, v2] = [await makeSchema(version1, dialect), await makeSchema(version2, dialect)];
  const first = await openNode(dialect, "new", v2);
  const older = await openNode(dialect, "old", { ...v1, clock: first.clock });
  await first.sql(
    `INSERT INTO notes (id, title, labels) VALUES ('1', 'one', '${textsOf()}'), ('2', 'two', '${textsOf("x")}'), ('3', 'three', '${textsOf()}')`,
  );
  await settle([first, older]);
  for (const sql of await dialect.emitTables(version2, version1)) await older.sql(sql);
  const { database, clock } = older;
  const { registry } = v2;
  const { store } = createNode({ db: database.db, registry, nodeId: "old", now: clock.now });
  await store.install();

  const pool = connect((database.db.$client as unknown as Sql).options.database as string, { max: 1 });
  pools.push(pool);
  const idle = await pool.reserve();
  await idle.unsafe("BEGIN; SELECT 1 FROM notes WHERE id < '3' FOR UPDATE");
  await store.adopt();
  expect((await store.parked()).map(({ pk, code }) => [...pk, code])).toEqual([
    ["1", "busy"],
    ["2", "busy"],
  ]);
  const labels = async () => (await older.rows("SELECT labels FROM notes ORDER BY id")).map((row) => row.labels);
  expect(await labels()).toEqual([["new"], ["new"], []]);
  await idle.unsafe("ROLLBACK");
  idle.release();
  await store.fold();
  expect(await labels()).toEqual([[], ["x"], []]);
  const now = await openNode(dialect, "old", { database, clock, registry });
  await settle([first, now]);
  await expectEqual(first, now);
});
