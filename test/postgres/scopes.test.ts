// Scopes beside open transactions: a change whose row somebody holds is judged when it comes, and once more when its row is
// free.

import { pgTable, text } from "drizzle-orm/pg-core";
import { fixed, lww } from "grove-crdt/schema";
import type { ReservedSql, Sql } from "postgres";
import { afterEach, beforeAll, expect, test } from "vitest";
import { authenticate, pushAs, type Who } from "../support/callers";
import { openNode, type RouterSettings, type TestNode } from "../support/node";
import { postgres as dialect } from "../support/postgres";
import { connect } from "../support/postgres-databases";
import { makeSchema, type TestSchema } from "../support/schemas";

let schema: TestSchema;
beforeAll(async () => {
  const notes = pgTable("notes", {
    id: text("id").primaryKey(),
    tenantId: fixed(text("tenant_id").notNull()),
    title: lww(text("title").notNull().default("")),
  });
  schema = await makeSchema({ notes }, dialect);
});

const pools: Sql[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.end({ timeout: 5 })));
});

/** A transaction of the application that holds the row. */
async function hold(node: TestNode, statement: string): Promise<(how: "COMMIT" | "ROLLBACK") => Promise<void>> {
  const { database } = (node.database.db.$client as unknown as Sql).options;
  const pool = connect(database as string, { max: 1 });
  pools.push(pool);
  const connection: ReservedSql = await pool.reserve();
  await connection.unsafe("BEGIN");
  await connection.unsafe(statement);
  return async (how) => {
    await connection.unsafe(how);
    connection.release();
  };
}

const router: RouterSettings = {
  authenticate: authenticate as never,
  mayRelay: () => false,
  scope: { notes: ((who: Who) => ({ tenantId: who.tenant })) as never },
};
async function hubWithNote() {
  const hub = await openNode(dialect, "hub", { ...schema, router, now: () => Date.now() * 1000 });
  await hub.sql("INSERT INTO notes (id, tenant_id, title) VALUES ('n', 'a', 'first')");
  await hub.node.fold();
  const life = (await hub.node.inspect("notes", ["n"]))?.life;
  const retitled = (who: string) => {
    const lww = { title: [`by ${who}`, Date.now() * 1000, `n-${who}`] };
    return { table: "notes", pk: ["n"], cl: 1, life, lww };
  };
  return { hub, retitled };
}

test("out of scope it is refused at once, and not told to wait", async () => {
  const { hub, retitled } = await hubWithNote();
  const release = await hold(hub, "UPDATE notes SET title = 'held' WHERE id = 'n'");
  const { outcomes } = await pushAs({ id: "b", tenant: "b" }, hub, [retitled("b")]);
  expect(outcomes).toMatchObject([{ outcome: "rejected", code: "forbidden" }]);
  await release("COMMIT");
  await hub.node.fold();
  expect(await hub.row("SELECT title FROM notes")).toEqual({ title: "held" });
});

test("in scope it waits, and is merged when the row is free", async () => {
  const { hub, retitled } = await hubWithNote();
  const release = await hold(hub, "SELECT 1 FROM notes FOR UPDATE");
  expect((await pushAs({ id: "a", tenant: "a" }, hub, [retitled("a")])).outcomes).toMatchObject([
    { outcome: "parked", code: "busy" },
  ]);
  await release("ROLLBACK");
  await hub.node.fold();
  expect(await hub.row("SELECT title FROM notes")).toEqual({ title: "by a" });
  expect(await hub.node.rejected()).toEqual([]);
});

test("whose row belongs to somebody else once it is free, it is refused then, and on record", async () => {
  const { hub, retitled } = await hubWithNote();
  const release = await hold(
    hub,
    "DELETE FROM notes; INSERT INTO notes (id, tenant_id, title) VALUES ('n', 'b', 'theirs')",
  );
  const later = {
    ...retitled("a"),
    cl: 3,
    life: [Date.now() * 1000, "n-a"],
    lww: { tenant_id: ["a"], title: ["mine"] },
  };
  expect((await pushAs({ id: "a", tenant: "a" }, hub, [later])).outcomes).toMatchObject([
    { outcome: "parked", code: "busy" },
  ]);
  await release("COMMIT");
  await hub.node.fold();
  expect(await hub.row("SELECT tenant_id, title FROM notes")).toEqual({ tenant_id: "b", title: "theirs" });
  expect(await hub.node.rejected()).toMatchObject([{ peer: "n-a", sent: false, code: "forbidden", pk: ["n"] }]);
});
