// Intent helpers of lists and documents where something was merged between read and write: what is said as meant undoes nothing of
// it, what is written as a whole from the old read does (fault 58).
import { eq } from "drizzle-orm";
import { append, deletePath, increment, insertAt, move, removeAt, setPath } from "grove-crdt";
import { expect, test } from "vitest";
import { expectEqual } from "./support/comparison";
import { describeOnEach } from "./support/dialects";
import { type Card, insert, type Meta, open, tables } from "./support/nested-tables";
import { settle } from "./support/network";
import type { TestNode } from "./support/node";

type Db = import("drizzle-orm/better-sqlite3").BetterSQLite3Database;

describeOnEach("what was merged between read and write", ({ dialect }) => {
  /** The types are SQLite's; what is written goes to either dialect. */
  const plans = tables[dialect.name].plans as typeof tables.sqlite.plans;
  const dbOf = ({ database }: TestNode) => database.db as unknown as Db;
  const rowOf = async (node: TestNode, id = "p") =>
    (await dbOf(node).select().from(plans).where(eq(plans.id, id)))[0] as typeof plans.$inferSelect;
  type Values = Parameters<ReturnType<Db["update"]>["set"]>[0];
  const update = (node: TestNode, values: Values, id = "p") =>
    dbOf(node).update(plans).set(values).where(eq(plans.id, id));

  async function two(values: { steps?: string[]; cards?: Card[]; data?: Meta }): Promise<[TestNode, TestNode]> {
    const a = await open(dialect.name, "a");
    const b = await open(dialect.name, "b", a.clock);
    for (const id of ["p", "q"]) await insert(a, id, values);
    await settle([b, a]);
    a.clock.advance(1);
    return [a, b];
  }
  const closed = async (a: TestNode, b: TestNode) => {
    await settle([b, a]);
    await expectEqual(a, b);
    const rows = [await rowOf(a, "p"), await rowOf(a, "q")];
    await Promise.all([a.close(), b.close()]);
    return rows as [typeof plans.$inferSelect, typeof plans.$inferSelect];
  };

  test("a list: the helper keeps the item that came, the whole array deletes it (fault 58)", async () => {
    const [a, b] = await two({ steps: ["x", "y"], cards: [{ id: 1 }] });
    const { steps, cards } = await rowOf(b);
    for (const id of ["p", "q"])
      await update(a, { steps: insertAt(plans.steps, 1, "merged"), cards: append(plans.cards, { id: 2 }) }, id);
    await settle([b, a]);
    await update(b, { steps: append(plans.steps, "meant"), cards: move(plans.cards, 1, 0) }, "p");
    await update(b, { steps: [...steps, "whole"], cards: [...cards, { id: 3 }] }, "q");
    const [meant, whole] = await closed(a, b);
    expect(meant).toMatchObject({ steps: ["x", "merged", "y", "meant"], cards: [{ id: 2 }, { id: 1 }] });
    expect(whole).toMatchObject({ steps: ["x", "y", "whole"], cards: [{ id: 1 }, { id: 3 }] });
  });

  test("a document: the helper keeps the paths that came, the whole object deletes them and sets back (fault 58)", async () => {
    const [a, b] = await two({ data: { stats: { views: 1, owner: "Ada" }, tags: ["x"], steps: ["1"] } });
    const { data } = await rowOf(b);
    for (const id of ["p", "q"]) {
      await update(a, { data: setPath(plans.data, ["stats", "owner"], "Bo") }, id);
      await update(a, { data: increment(plans.data, ["stats", "views"], 10) }, id);
      await update(a, { data: setPath(plans.data, ["tags"], ["x", "merged"]) }, id);
    }
    await settle([b, a]);
    await update(b, { data: increment(plans.data, ["stats", "views"]) }, "p");
    await update(b, { data: deletePath(plans.data, ["steps"]) }, "p");
    await update(b, { data: { ...data, stats: { ...data.stats, views: 2 } } }, "q");
    const [meant, whole] = await closed(a, b);
    expect(meant.data).toEqual({ stats: { views: 12, owner: "Bo" }, tags: ["x", "merged"] });
    expect(whole.data).toEqual({ stats: { views: 2, owner: "Ada" }, tags: ["x"], steps: ["1"] });
  });

  test("helpers of two nodes at once all stand, each as if it were alone", async () => {
    const [a, b] = await two({ steps: ["1", "2", "3", "4"], data: { stats: { views: 1 } } });
    await update(a, { steps: move(plans.steps, 3, 0) });
    await update(a, { steps: append(plans.steps, "a"), data: increment(plans.data, ["stats", "views"], 2) });
    await a.node.fold();
    a.clock.advance(1);
    await update(b, { steps: removeAt(plans.steps, 1), data: increment(plans.data, ["stats", "views"], 4) });
    await update(b, { steps: insertAt(plans.steps, 1, "b"), data: setPath(plans.data, ["stats", "owner"], "B") });
    const [meant] = await closed(a, b);
    expect(meant.steps).toEqual(["4", "1", "b", "3", "a"]);
    expect(meant.data).toEqual({ stats: { views: 7, owner: "B" } });
  });

  test("numbers that JSON has no word for are NULL in it, here and there (fault 30)", async () => {
    const [a, b] = await two({ steps: ["x"] });
    const odd = [Number.NaN, Number.POSITIVE_INFINITY, -0] as unknown as Card[];
    await update(a, { cards: append(plans.cards, ...odd), data: setPath(plans.data, ["tags"], odd as never) });
    const [row] = await closed(a, b);
    expect(row.cards).toEqual([null, null, 0]);
    expect(row.data).toEqual({ tags: [null, 0] });
  });
});
