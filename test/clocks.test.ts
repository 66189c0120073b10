// Clocks: stamps order the writes of a column whatever the wall clock does, survive a restart, and fit a JavaScript number.

import { decideFold, type FoldClock, noTouch, type Row, registerOf } from "@grove-crdt/core";
import { expect, test } from "vitest";
import { documentsModel } from "../generated/sqlite";
import { Clock } from "./support/clock";
import { everything, expectEqual } from "./support/comparison";
import { describeOnEach } from "./support/dialects";
import { settle, sync } from "./support/network";
import type { TestNode } from "./support/node";

describeOnEach("clocks", ({ dialect, openNode, openNodes }) => {
  const { textsOf } = dialect;
  const HOUR = 60 * 60 * 1000;
  const titleOf = async (node: TestNode) =>
    (await node.row<{ title: string }>("SELECT title FROM documents WHERE id = '1'"))?.title;
  /** The stamp of the document's title. */
  async function stampOf(node: TestNode): Promise<{ hlc: number; node: string }> {
    const state = await node.node.inspect("documents", ["1"]);
    const [, hlc = state!.life[0], writer = state!.life[1]] = state!.lww!.title!;
    return { hlc, node: writer };
  }

  test("faults 7, lineage 18: what a peer refuses for its stamp is kept unsent, and comes through once the time has come", async () => {
    const hub = await openNode("hub", { maxClockDrift: 1_000 });
    const edge = await openNode("edge", { maxClockDrift: 2 * HOUR });
    await edge.sql("INSERT INTO documents (id, title) VALUES ('1', 'on time')");
    await sync(edge, hub);
    edge.clock.advance(HOUR);
    await edge.sql("UPDATE documents SET title = 'early'");
    // As often as it is tried, and by whatever way: the cursors stay before it.
    for (let round = 0; round < 2; round++)
      await expect(sync(edge, hub)).rejects.toMatchObject({ code: "clock_drift" });
    await expect(sync(hub, edge)).rejects.toMatchObject({ code: "clock_drift" });
    expect(await titleOf(hub)).toBe("on time");
    expect(await hub.node.inspect("documents", ["1"])).toMatchObject({ lww: { title: ["on time"] } });
    hub.clock.advance(HOUR);
    await sync(edge, hub);
    expect(await titleOf(hub)).toBe("early");
    await expectEqual(edge, hub);
  });

  test("faults 8: with the clock an hour ahead and then back, local writes go on and their order holds", async () => {
    const a = await openNode("a");
    const b = await openNode("b", { maxClockDrift: 2 * HOUR });
    await a.sql("INSERT INTO documents (id, title) VALUES ('1', 'at first')");
    await sync(a, b);
    const stamps = [await stampOf(a)];
    const jumps = [
      [HOUR, "an hour ahead"],
      [-HOUR, "back again"],
      [-HOUR, "an hour behind"],
      [1, "and on"],
    ] as const;
    for (const [milliseconds, title] of jumps) {
      a.clock.advance(milliseconds);
      await a.sql("UPDATE documents SET title = ?, view_count = view_count + 1, tags = ?", title, textsOf(title));
      await sync(a, b);
      stamps.push(await stampOf(a));
      expect(await titleOf(b)).toBe(title);
    }
    expect(stamps.map(({ hlc }) => hlc)).toEqual([...new Set(stamps.map(({ hlc }) => hlc))].sort((x, y) => x - y));
    expect(await b.row("SELECT view_count, tags FROM documents")).toEqual({ view_count: 4, tags: ["and on"] });
    await expectEqual(a, b);
  });

  test("faults 8: a delete and a new insert under a clock set back are newer than what they follow", async () => {
    // What b writes later lies ahead of the clock that a has been set back to.
    const [a, b] = [await openNode("a", { maxClockDrift: 2 * HOUR }), await openNode("b")];
    await a.sql(`INSERT INTO documents (id, title, tags) VALUES ('1', 'first life', '${textsOf("x")}')`);
    await settle([a, b]);
    a.clock.advance(-HOUR);
    await a.sql(`UPDATE documents SET tags = '${textsOf()}'`);
    await settle([a, b]);
    expect(await b.row("SELECT tags FROM documents")).toEqual({ tags: [] });
    await a.sql("DELETE FROM documents");
    await settle([a, b]);
    expect(await titleOf(b)).toBeUndefined();
    await a.sql("INSERT INTO documents (id, title) VALUES ('1', 'second life')");
    await settle([a, b]);
    await b.sql("UPDATE documents SET title = 'edited where it came to'");
    await settle([a, b]);
    expect(await titleOf(a)).toBe("edited where it came to");
    await expectEqual(a, b);
  });

  test("faults 9: 70,000 writes of one column in one millisecond have 70,000 stamps, in order", () => {
    const clock: FoldClock = { node: "a", incarnation: "i", now: 1_704_067_200_000_000, clock: 0 };
    const touch = (inserted: boolean) => ({ ...noTouch(1), at: clock.now, inserted, masks: [inserted ? 0 : 1] });
    const base = { values: { view_count: "0", tags: [] }, texts: { tags: "[]" } };
    let row: Row | null = decideFold(documentsModel, null, touch(true), base, false, clock, 1)!.row;
    let last = registerOf(row, "title").hlc;
    for (let n = 2; n <= 70_000; n++) {
      row = decideFold(documentsModel, row, touch(false), base, false, clock, n)!.row;
      const { hlc } = registerOf(row, "title");
      if (hlc <= last) expect.fail(`write ${n} has stamp ${hlc} after ${last}`);
      last = hlc;
    }
    // What runs ahead of the wall clock stays far below the drift that peers accept.
    expect(last - clock.now).toBeLessThan(100_000);
    expect(clock.clock).toBe(last);
  });

  test("faults 9: 70,000 rows written in one millisecond are stamped in order, and a second write of each comes after its first", async () => {
    const a = await openNode("a");
    await a.sql(
      `WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 70000) INSERT INTO orders (id, total, placed_at) SELECT 'o' || i, i, ${dialect.time(0)} FROM n`,
    );
    await a.node.fold();
    await a.sql("UPDATE orders SET total = -total WHERE total % 10 = 0");
    await a.node.fold();
    const rows = await everything(a);
    // When each row was inserted, in the order of insertion, and when its total was written again, if it was.
    const stamps = rows
      .map(({ pk, life, lww }) => ({
        n: Number(String(pk[0]).slice(1)),
        life: life[0],
        total: lww?.total?.[1] ?? null,
      }))
      .sort((x, y) => x.n - y.n)
      .map(({ life, total }) => [life, total] as const);
    expect(stamps.length).toBe(70_000);
    expect(stamps.filter(([hlc], n) => n > 0 && hlc < stamps[n - 1]![0])).toEqual([]);
    expect(stamps.filter(([, total]) => total !== null).length).toBe(7_000);
    expect(stamps.filter(([hlc, total]) => total !== null && total <= hlc)).toEqual([]);
    expect(
      ((await a.row<{ clock: number }>("SELECT clock FROM _grove_node"))!.clock - a.clock.now()) / 1000,
    ).toBeLessThan(1000);
  });

  test("faults 9: 10,000 elements added in one millisecond have 10,000 stamps, and so one order everywhere", async () => {
    const [a, b] = (await openNodes(["a", "b"])) as [TestNode, TestNode];
    const tags = Array.from({ length: 10_000 }, (_, n) => `tag ${(n * 7919) % 10_000}`);
    await a.sql("INSERT INTO documents (id, title, tags) VALUES ('1', 'many', ?)", textsOf(...tags));
    await sync(a, b);
    const elements = (await b.node.inspect("documents", ["1"]))!.set!.tags!;
    expect(new Set(elements.map(([, hlc]) => hlc)).size).toBe(10_000);
    expect(await b.row("SELECT tags FROM documents")).toEqual({ tags });
    await expectEqual(a, b);
  });

  test("lineage 21: the clock is kept in the database, so that a restart under an earlier time orders writes as before", async () => {
    const b = await openNode("b");
    const first = await openNode("a", { durable: true, clock: b.clock });
    await first.sql("INSERT INTO documents (id, title) VALUES ('1', 'before the restart')");
    await sync(first, b);
    await b.sql("UPDATE documents SET title = 'by the peer'");
    b.clock.advance(5000);
    await sync(first, b);
    const seen = await stampOf(first);

    const earlier = new Clock();
    earlier.advance(-HOUR);
    const again = await openNode("a", { database: await first.database.reopen(), clock: earlier });
    // A row of its own shows that the clock itself was kept: no earlier stamp of the row lifts this one.
    await again.sql("INSERT INTO documents (id, title) VALUES ('2', 'new')");
    await again.node.fold();
    await again.sql("UPDATE documents SET title = 'after the restart' WHERE id = '1'");
    await sync(again, b);
    expect((await stampOf(again)).hlc).toBeGreaterThan(seen.hlc);
    expect((await again.node.inspect("documents", ["2"]))!.life[0]).toBeGreaterThanOrEqual(seen.hlc);
    expect(await titleOf(b)).toBe("after the restart");
    await expectEqual(again, b);
    await again.close();
  });

  test("lineage 20: stamps are exact in a JavaScript number, today and in two hundred years", async () => {
    for (const year of [2026, 2226]) {
      const clock = new Clock();
      clock.micros = Date.UTC(year, 11, 31, 23, 59, 59, 999) * 1000;
      const [a, b] = (await openNodes(["a", "b"], { clock })) as [TestNode, TestNode];
      // Writes in the far future are stamped by the clock of the peer from which the row came.
      await b.node.merge("c", [
        { table: "documents", pk: ["1"], cl: 1, life: [clock.now(), "c"], lww: { title: ["t"], body: [""] } },
      ]);
      await b.sql("UPDATE documents SET title = 'one', body = 'two'");
      await sync(a, b);
      const { hlc } = await stampOf(a);
      expect(Number.isSafeInteger(hlc)).toBe(true);
      expect(hlc - clock.now()).toBe(1);
      expect(JSON.parse(JSON.stringify(hlc))).toBe(hlc);
      await expectEqual(a, b);
    }
  });

  test("lineage 20: 64-bit values of registers and counters travel as text and arrive exactly", async () => {
    const [a, b] = (await openNodes(["a", "b"])) as [TestNode, TestNode];
    const greatest = 9_223_372_036_854_775_807n;
    const numbers = [greatest, -greatest - 1n, 9_007_199_254_740_993n];
    for (const [n, total] of numbers.entries())
      await a.sql(`INSERT INTO orders (id, total, placed_at) VALUES (?, ?, ${dialect.time(0)})`, String(n), total);
    await a.sql("INSERT INTO documents (id, title, view_count) VALUES ('1', 't', ?)", greatest - 10n);
    await a.sql("UPDATE documents SET view_count = view_count + 3");
    const { rows } = await a.node.pull({ protocol: 1, node: "observer", cursor: null });
    const text = JSON.stringify(rows);
    expect(text).toContain('"9223372036854775807"');
    expect(text).toContain('"9007199254740993"');
    expect(JSON.stringify(JSON.parse(text))).toBe(text);
    expect(text.match(/[:,[]-?\d{17,}/), "no long number outside quotes").toBeNull();
    await sync(a, b);
    const totals = await b.rows<{ total: string }>("SELECT total FROM orders ORDER BY id");
    expect(totals.map(({ total }) => BigInt(total))).toEqual(numbers);
    await b.sql("UPDATE documents SET view_count = view_count + 4");
    await settle([a, b]);
    expect(await a.row("SELECT view_count AS views FROM documents")).toEqual({ views: String(greatest - 3n) });
    await expectEqual(a, b);
  });
});
