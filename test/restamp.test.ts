// A node whose clock was ahead: what it wrote meanwhile is refused everywhere, and gets stamps of the time once the clock is right. So
// its earlier and its later writes reach everybody, and none wins for ever (fault 55, lineage 18).
import { counter, document, list, lww, set } from "grove-crdt/schema";
import { expect, test } from "vitest";
import { everything, expectEqual } from "./support/comparison";
import { describeOnEach } from "./support/dialects";
import { settle, sync } from "./support/network";
import type { TestNode } from "./support/node";

const HOUR = 60 * 60 * 1000;

describeOnEach("a clock that was ahead (fault 55)", ({ dialect, openNode, makeSchema }) => {
  const { integer, json, table, text, texts, textsOf } = dialect;
  const notes = table("notes", {
    id: text("id").primaryKey(),
    title: lww(text("title").notNull()),
    body: lww(text("body")),
    likes: counter(integer("likes").notNull().default(0)),
    labels: set(texts("labels").notNull().default([])),
    steps: list(texts("steps").notNull().default([])),
    data: document(
      json("data")
        .$type<{ a?: number; b?: { c?: number }; n?: number; l?: string[]; s?: string[] }>()
        .notNull()
        .default({}),
      { n: counter(), l: list(), s: set() },
    ),
  });
  const nodes = async (...ids: string[]) => {
    const schema = await makeSchema({ notes });
    const opened: TestNode[] = [];
    for (const id of ids) opened.push(await openNode(id, schema));
    return opened;
  };
  const all = (node: TestNode) => node.rows("SELECT * FROM notes ORDER BY id");
  const insert = (node: TestNode, id: string) =>
    node.sql(
      `INSERT INTO notes VALUES ('${id}', 'by ${node.id}', NULL, 1, '${textsOf("x", "y")}', '${textsOf("1", "2", "3")}', '{"a":1,"b":{"c":2},"n":3,"l":["p","q"],"s":["v"]}')`,
    );
  const latest = async (node: TestNode) => Math.max(...(await everything(node)).map(({ life }) => life[0]));

  test("all that it wrote meanwhile arrives once the clock is right, of every type, and what it writes then", async () => {
    const [hub, edge, other] = (await nodes("hub", "edge", "other")) as [TestNode, TestNode, TestNode];
    await insert(edge, "1");
    await insert(edge, "2");
    await insert(hub, "3");
    await settle([edge, hub], [other, hub], [edge, hub]);
    edge.clock.advance(HOUR);
    await edge.sql(
      `UPDATE notes SET title = 'early', likes = likes + 5, labels = '${textsOf("y", "z")}', steps = '${textsOf("3", "1", "new")}', data = '{"b":{"c":3},"n":4,"l":["q","r"],"s":["v","w"]}' WHERE id = '1'`,
    );
    await edge.node.fold();
    edge.clock.advance(1000);
    await edge.sql(
      `UPDATE notes SET steps = '${textsOf("3", "new", "1", "last")}', labels = '${textsOf("z")}' WHERE id = '1'`,
    );
    await edge.sql("DELETE FROM notes WHERE id = '2'");
    await insert(edge, "4");
    await expect(sync(edge, hub)).rejects.toMatchObject({ code: "clock_drift" });
    const written = await all(edge);
    edge.clock.advance(-HOUR);
    await edge.sql("UPDATE notes SET body = 'afterwards' WHERE id IN ('1', '3')");
    await sync(edge, hub);
    await settle([edge, hub], [other, hub]);
    await expectEqual(hub, edge, other);
    expect(await all(other)).toEqual(written.map((row) => (row.id === "4" ? row : { ...row, body: "afterwards" })));
    expect(await latest(other)).toBeLessThan(other.clock.now() + 60_000_000);
    // Nothing is left of the false time: others overrule it at once.
    await other.sql(`UPDATE notes SET title = 'later', steps = '${textsOf("last")}', data = '{"n":9}' WHERE id = '1'`);
    await settle([other, hub], [edge, hub]);
    expect((await all(edge))[0]).toMatchObject({ title: "later", steps: ["last"], data: { n: 9 } });
    await expectEqual(hub, edge, other);
  });

  test("a hub that only answers mends its own once a peer says what time it is", async () => {
    const [hub, edge] = (await nodes("hub", "edge")) as [TestNode, TestNode];
    await insert(hub, "1");
    await settle([edge, hub]);
    hub.clock.advance(24 * HOUR);
    await hub.sql("UPDATE notes SET title = 'early', likes = likes + 1");
    await insert(hub, "2");
    for (let n = 0; n < 2; n++) await expect(sync(edge, hub)).rejects.toMatchObject({ code: "clock_drift" });
    hub.clock.advance(-24 * HOUR);
    await sync(edge, hub);
    await settle([edge, hub]);
    expect(await all(edge)).toMatchObject([{ id: "1", title: "early", likes: 2 }, { id: "2" }]);
    await expectEqual(hub, edge);
  });

  test("nothing is touched while the clocks disagree: it may be this one that is behind", async () => {
    const [hub, edge] = (await nodes("hub", "edge")) as [TestNode, TestNode];
    await insert(edge, "1");
    await settle([edge, hub]);
    const before = await everything(edge);
    edge.clock.advance(-HOUR);
    await edge.sql("UPDATE notes SET title = 'written behind'");
    await settle([edge, hub]);
    expect(await edge.node.restamp(hub.clock.now())).toBe(0);
    expect((await everything(edge))[0]?.life).toEqual(before[0]?.life);
    await expectEqual(hub, edge);
  });

  test("nor where another one wrote ahead of it too, or has taken what was: that comes through once the time has come", async () => {
    const [hub, one, two] = (await nodes("hub", "one", "two")) as [TestNode, TestNode, TestNode];
    await insert(one, "1");
    await settle([one, hub], [two, hub]);
    for (const node of [one, two]) node.clock.advance(HOUR);
    await one.sql(`UPDATE notes SET title = 'one', likes = likes + 10, labels = '${textsOf("x", "o")}'`);
    await settle([one, two]);
    await two.sql("UPDATE notes SET body = 'two', likes = likes + 100");
    await insert(two, "2");
    await settle([one, two]);
    const before = await everything(one);
    for (const node of [one, two]) node.clock.advance(-HOUR);
    for (const node of [one, two]) await expect(sync(node, hub)).rejects.toMatchObject({ code: "clock_drift" });
    expect(await everything(one)).toEqual(before);
    for (const node of [hub, one, two]) node.clock.advance(HOUR);
    await settle([one, hub], [two, hub], [one, hub]);
    await expectEqual(hub, one, two);
    expect(await all(hub)).toMatchObject([
      { id: "1", title: "one", body: "two", likes: 111, labels: ["x", "o"] },
      { id: "2" },
    ]);
  });

  test("of two that were ahead together, what others hold by right stamps goes on both ways; theirs waits, and is overruled from then on", async () => {
    const [hub, one, two, third] = (await nodes("hub", "one", "two", "third")) as [
      TestNode,
      TestNode,
      TestNode,
      TestNode,
    ];
    const clocks = [hub, one, two, third].map(({ clock }) => clock);
    await insert(one, "1");
    await insert(hub, "2");
    await settle([one, hub], [two, hub], [third, hub], [one, hub]);
    await insert(one, "unsent");
    await one.node.fold();
    for (const { clock } of [one, two]) clock.advance(HOUR);
    await one.sql("UPDATE notes SET title = 'ahead', likes = likes + 10 WHERE id = '1'");
    await insert(one, "3");
    await sync(one, two);
    await two.sql("UPDATE notes SET body = 'ahead too', likes = likes + 100 WHERE id = '1'");
    await two.sql("DELETE FROM notes WHERE id = '3'");
    await sync(two, one);
    for (const { clock } of [one, two]) clock.advance(-HOUR);

    // Half of the time passes. Each asks, and is asked by, one whose clock was right all the time.
    for (const clock of clocks) clock.advance(HOUR / 2);
    await hub.sql("UPDATE notes SET title = 'of the hub', likes = likes + 1000 WHERE id = '1'");
    await third.sql(`UPDATE notes SET labels = '${textsOf("x", "y", "third")}' WHERE id = '2'`);
    await settle([third, hub]);
    await one.sql("UPDATE notes SET body = 'corrected' WHERE id = '2'");
    for (const [from, to] of [
      [one, hub],
      [hub, one],
      [two, hub],
      [third, two],
      [third, one],
    ] as const)
      await expect(sync(from, to)).rejects.toMatchObject({ code: "clock_drift" });
    expect((await all(hub)).map(({ id }) => id)).toEqual(["1", "2", "unsent"]);
    expect(await all(third)).toMatchObject([{ title: "of the hub", likes: 1001 }, { labels: ["x", "y", "third"] }, {}]);
    // What was written by the right time comes to them, where it is not older than what they believe.
    expect(await all(one)).toMatchObject([
      { title: "ahead", body: "ahead too", likes: 1111 },
      { body: "corrected", labels: ["x", "y", "third"] },
      { id: "unsent" },
    ]);

    // The time has come.
    for (const clock of clocks) clock.advance(HOUR / 2);
    await settle([one, hub], [two, hub], [third, hub], [one, two]);
    await expectEqual(hub, one, two, third);
    expect(await all(third)).toMatchObject([
      { id: "1", title: "ahead", body: "ahead too", likes: 1111 },
      { id: "2", body: "corrected", labels: ["x", "y", "third"] },
      { id: "unsent" },
    ]);
    await third.sql("UPDATE notes SET title = 'later' WHERE id = '1'");
    await hub.sql("UPDATE notes SET body = 'later' WHERE id IN ('1', '2')");
    await settle([third, hub], [one, hub], [two, hub], [third, hub]);
    await expectEqual(hub, one, two, third);
    expect(await all(one)).toMatchObject([{ title: "later", body: "later" }, { body: "later" }, {}]);
  });

  test("who will not wait for the time to come takes it by a wider bound, and is later than it at once", async () => {
    const schema = await makeSchema({ notes });
    const narrow = await openNode("narrow", schema);
    const wide: TestNode[] = [];
    for (const id of ["hub", "third", "one", "two"])
      wide.push(await openNode(id, { ...schema, maxClockDrift: 2 * HOUR }));
    const [hub, third, one, two] = wide as [TestNode, TestNode, TestNode, TestNode];
    await insert(one, "1");
    await settle([one, hub], [two, hub], [third, hub], [narrow, hub]);
    for (const { clock } of [one, two]) clock.advance(HOUR);
    await one.sql("UPDATE notes SET title = 'ahead', likes = likes + 10");
    await settle([one, two]);
    for (const { clock } of [one, two]) clock.advance(-HOUR);
    await settle([one, hub], [two, hub], [third, hub]);
    await expectEqual(hub, one, two, third);
    await third.sql("UPDATE notes SET title = 'later', likes = likes + 100");
    await settle([third, hub], [one, hub], [two, hub]);
    await expectEqual(hub, one, two, third);
    expect(await all(one)).toMatchObject([{ title: "later", likes: 111 }]);
    // The others wait as before, also for what is written on top of it.
    await expect(sync(narrow, hub)).rejects.toMatchObject({ code: "clock_drift" });
    expect(await all(narrow)).toMatchObject([{ title: "by one", likes: 1 }]);
    for (const { clock } of [hub, one, two, third, narrow]) clock.advance(HOUR);
    await settle([narrow, hub]);
    await expectEqual(hub, narrow);
  });

  test("two whose clocks fell back together leave what they know as it is", async () => {
    const [hub, one, two] = (await nodes("hub", "one", "two")) as [TestNode, TestNode, TestNode];
    await insert(one, "1");
    await settle([one, hub]);
    const before = await everything(one);
    for (const node of [one, two]) node.clock.advance(-1000 * HOUR);
    await expect(sync(one, two)).rejects.toMatchObject({ code: "clock_drift" });
    await expect(sync(two, one)).rejects.toMatchObject({ code: "clock_drift" });
    await expect(sync(two, one)).rejects.toMatchObject({ code: "clock_drift" });
    expect(await everything(one)).toEqual(before);
    for (const node of [one, two]) node.clock.advance(1000 * HOUR);
    await settle([one, two], [one, hub], [two, hub]);
    await expectEqual(hub, one, two);
  });

  test("one that was ahead by less than the bound is taken as it is, and overrules nobody for long", async () => {
    const [hub, edge, other] = (await nodes("hub", "edge", "other")) as [TestNode, TestNode, TestNode];
    await insert(edge, "1");
    edge.clock.advance(30_000);
    await edge.sql("UPDATE notes SET title = 'a bit early'");
    await settle([edge, hub], [other, hub]);
    edge.clock.advance(-30_000);
    await other.sql("UPDATE notes SET title = 'later'");
    await settle([other, hub], [edge, hub]);
    expect(await all(edge)).toMatchObject([{ title: "later" }]);
    await edge.sql("UPDATE notes SET title = 'last'");
    await settle([edge, hub], [other, hub]);
    expect(await all(other)).toMatchObject([{ title: "last" }]);
    await expectEqual(hub, edge, other);
  });
});
