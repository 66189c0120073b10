// Values that only Postgres can refuse, deep inside: the row alone pays for them, and its message says nothing of the inside.
import { date, pgTable, text } from "drizzle-orm/pg-core";
import { lww } from "grove-crdt/schema";
import { beforeAll, expect, test } from "vitest";
import { openNode } from "../support/node";
import { postgres as dialect } from "../support/postgres";
import { makeSchema, type TestSchema } from "../support/schemas";

let schema: TestSchema;
beforeAll(async () => {
  const days = pgTable("days", { day: date("day").primaryKey(), note: lww(text("note")) });
  const slugs = pgTable("slugs", { id: text("id").primaryKey(), slug: lww(text("slug").unique()) });
  schema = await makeSchema({ days, slugs }, dialect);
});
const open = () => openNode(dialect, "hub", { ...schema, now: () => Date.now() * 1000 });
const life = [Date.UTC(2024, 0, 1) * 1000, "peer"] as const;

test("a key that is no date rejects its row, also in a table that is empty", async () => {
  const hub = await open();
  const rows = ["2024-02-28", "2024-02-31", "2024-02-29"].map((day) => ({
    table: "days",
    pk: [day],
    cl: 1,
    life,
    lww: { note: [day] },
  }));
  const other = { table: "slugs", pk: ["1"], cl: 1, life, lww: { slug: ["a"] } };
  const { outcomes } = await hub.node.merge("peer", [...rows, other]);
  expect(outcomes.map(({ outcome, code }) => [outcome, code])).toEqual([
    ["applied", undefined],
    ["rejected", "bad_value"],
    ["applied", undefined],
    ["applied", undefined],
  ]);
  expect(outcomes[1]?.message).not.toContain("field value");
});

test("a value too long for a unique key's index waits in the shadow, and its neighbours show", async () => {
  const hub = await open();
  // As much as an index of Postgres does not hold, and too random to be packed.
  const long = Array.from({ length: 30_000 }, (_, n) =>
    String.fromCharCode(33 + ((n * 7919 + ((n * n) % 8191)) % 90)),
  ).join("");
  const row = (id: string, slug: string) => ({ table: "slugs", pk: [id], cl: 1, life, lww: { slug: [slug] } });
  const { outcomes } = await hub.node.merge("peer", [row("1", "a"), row("2", long), row("3", "c")]);
  expect(outcomes.map(({ outcome }) => outcome)).toEqual(["applied", "parked", "applied"]);
  expect(await hub.rows("SELECT id FROM slugs ORDER BY id")).toEqual([{ id: "1" }, { id: "3" }]);
  expect((await hub.node.parked()).map(({ pk }) => pk)).toEqual([["2"]]);
  const { rows } = await hub.node.pull({ protocol: 1, node: "reader", cursor: null });
  expect(rows.map(({ pk }) => pk[0])).toEqual(["1", "2", "3"]);
});
