// Unique keys that several rows claim: the same rows show on every node, whatever the order in which they came, and
// nothing of the others is lost (faults 14, 54).
import { integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { counter, local, lww } from "grove-crdt/schema";
import { beforeAll, describe, expect, test } from "vitest";
import { Clock, expectEqual, openNode, settle, sync, type TestNode } from "./support/nodes";
import { makeSchema, type TestSchema } from "./support/schemas";

let schema: TestSchema;
beforeAll(async () => {
  const pages = sqliteTable(
    "pages",
    {
      id: text("id").primaryKey(),
      slug: lww(text("slug")),
      site: lww(text("site")),
      path: lww(text("path")),
      views: counter(integer("views").notNull().default(0)),
      note: local(text("note")),
    },
    (table) => [uniqueIndex("pages_slug").on(table.slug), uniqueIndex("pages_path").on(table.site, table.path)],
  );
  schema = await makeSchema({ pages });
});

const open = (id: string, clock: Clock) => openNode(id, { clock, ...schema });
const shown = (node: TestNode) =>
  node
    .rows<{ id: string }>("SELECT id FROM pages ORDER BY id")
    .map(({ id }) => id)
    .join("");

type Row = [id: string, slug: string | null, path: string | null];
const insert = (node: TestNode, [id, slug, path]: Row) =>
  node.sql("INSERT INTO pages (id, slug, site, path) VALUES (?, ?, 's', ?)", id, slug, path);

const permutations = <T>(values: readonly T[]): T[][] =>
  values.length <= 1
    ? [[...values]]
    : values.flatMap((value, n) =>
        permutations(values.filter((_, other) => other !== n)).map((rest) => [value, ...rest]),
      );

describe("three rows and two unique keys", () => {
  const slugs = [null, "x", "y"];
  const paths = ["p", "q"];
  const claims = slugs.flatMap((slug) => paths.map((path) => [slug, path] as const));
  const cases = claims.flatMap((a) => claims.flatMap((b) => claims.map((c) => [a, b, c] as const)));

  test(`faults 54: all ${cases.length} ways to claim them, delivered in all orders, show the same rows`, async () => {
    for (const [n, [a, b, c]] of cases.entries()) {
      const clock = new Clock();
      const writers = await Promise.all(["a", "b", "c"].map((id) => open(id, clock)));
      for (const [place, [slug, path]] of [a, b, c].entries()) {
        insert(writers[place] as TestNode, ["abc"[place] as string, slug, path]);
        clock.advance(1);
      }
      // One reader hears of the rows in this order, another one in the opposite order, and both end alike.
      const orders = permutations(writers);
      const order = orders[n % orders.length] as TestNode[];
      const [one, other] = [await open("one", clock), await open("other", clock)];
      for (const writer of order) await sync(one, writer);
      for (const writer of [...order].reverse()) await sync(other, writer);
      await settle([one, other]);
      const label = JSON.stringify([a, b, c]);
      expect(shown(one), label).toBe(shown(other));
      await expectEqual(one, other);
      // First come keeps: the oldest row always shows.
      expect(shown(one), label).toContain("a");
    }
  }, 120_000);
});

describe("a unique key that two nodes gave to two rows", () => {
  async function conflict() {
    const clock = new Clock();
    const [hub, a, b] = [await open("hub", clock), await open("a", clock), await open("b", clock)];
    insert(a, ["first", "x", null]);
    clock.advance(1);
    insert(b, ["second", "x", null]);
    b.sql("UPDATE pages SET views = 5, note = 'mine'");
    // This node hears of the second row alone, so it shows that one.
    const other = await open("other", clock);
    await sync(other, b);
    await settle([b, hub], [a, hub], [b, hub]);
    return { clock, hub, a, b, other };
  }

  test("faults 14: the later row is kept, listed with the reason, served on, and shown as soon as it can be", async () => {
    const { clock, hub, a, b } = await conflict();
    for (const node of [hub, a, b]) expect(shown(node), node.id).toBe("first");
    expect(await b.node.parked()).toEqual([
      { table: "pages", pk: ["second"], code: "unique", message: expect.stringContaining('["first"]') },
    ]);
    const late = await open("late", clock);
    await settle([late, a]);
    expect(shown(late)).toBe("first");

    clock.advance(1);
    a.sql("DELETE FROM pages WHERE id = 'first'");
    await settle([a, hub], [b, hub], [late, a]);
    for (const node of [hub, a, b, late]) {
      expect(shown(node), node.id).toBe("second");
      expect(await node.node.parked(), node.id).toEqual([]);
      expect(node.row("SELECT views FROM pages"), node.id).toEqual({ views: 5 });
    }
    await expectEqual(hub, a, b, late);
  });

  test("a row that was taken out comes back with its local columns", async () => {
    const { clock, hub, a, b } = await conflict();
    clock.advance(1);
    a.sql("UPDATE pages SET slug = 'z' WHERE id = 'first'");
    await settle([a, hub], [b, hub]);
    expect(shown(b)).toBe("firstsecond");
    expect(b.row("SELECT note FROM pages WHERE id = 'second'")).toEqual({ note: "mine" });
    await expectEqual(hub, a, b);
  });

  test("a hidden row is still written to by others and merges what they wrote", async () => {
    const { clock, hub, a, b, other } = await conflict();
    expect(shown(other)).toBe("second");
    insert(other, ["third", "y", null]);
    clock.advance(1);
    other.sql("UPDATE pages SET slug = 'free', views = views + 1 WHERE id = 'second'");
    await settle([other, b], [b, hub], [a, hub], [other, b]);
    for (const node of [hub, a, b, other]) {
      expect(shown(node), node.id).toBe("firstsecondthird");
      expect(node.row("SELECT slug, views FROM pages WHERE id = 'second'"), node.id).toEqual({
        slug: "free",
        views: 6,
      });
    }
    await expectEqual(hub, a, b, other);
  });

  test("a swap of keys between two rows arrives as a swap", async () => {
    const clock = new Clock();
    const [a, b] = [await open("a", clock), await open("b", clock)];
    insert(a, ["one", "x", null]);
    insert(a, ["two", "y", null]);
    await settle([b, a]);
    b.sql("UPDATE pages SET note = id");
    clock.advance(1);
    a.sql(
      "UPDATE pages SET slug = NULL; UPDATE pages SET slug = 'y' WHERE id = 'one'; UPDATE pages SET slug = 'x' WHERE id = 'two'",
    );
    await settle([b, a]);
    expect(b.rows("SELECT id, slug, note FROM pages ORDER BY id")).toEqual([
      { id: "one", slug: "y", note: "one" },
      { id: "two", slug: "x", note: "two" },
    ]);
    expect(await b.node.parked()).toEqual([]);
    await expectEqual(a, b);
  });
});
