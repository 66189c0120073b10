// History, where it is asked for: what a row was, what was written to its fields and what became of it, and how that is written again.
import { createNode } from "grove-crdt";
import { expect, test } from "vitest";
import { Clock } from "./support/clock";
import { describeOnEach } from "./support/dialects";
import { openArchive, openHistorian, withHistory } from "./support/history";
import { insert, literal } from "./support/nested-tables";
import { link, settle, sync } from "./support/network";
import type { NodeSettings, TestNode } from "./support/node";
import { Recorder } from "./support/statements";

type Two = [hub: TestNode, edge: TestNode];

describeOnEach("history", ({ dialect, openNode }) => {
  const archives = async (ids: readonly string[], settings: NodeSettings = {}, bounds = {}) => {
    const clock = new Clock();
    const nodes: TestNode[] = [];
    for (const id of ids) nodes.push(await openArchive(dialect, id, { clock, ...settings }, bounds));
    return { clock, nodes };
  };
  const two = async (bounds = {}) => {
    const { clock, nodes } = await archives(["hub", "edge"], {}, bounds);
    const [hub, edge] = nodes as Two;
    return { clock, hub, edge };
  };
  const write = (node: TestNode, title: string, id = "d") =>
    node.sql("UPDATE documents SET title = ? WHERE id = ?", title, id);
  const create = (node: TestNode, id = "d", title = "first") =>
    node.sql("INSERT INTO documents (id, title) VALUES (?, ?)", id, title);
  /** As a push does. */
  const bring = async (from: TestNode, to: TestNode, id = "d") =>
    to.node.merge(from.id, [await from.node.inspect("documents", [id])]);
  const titleOf = async (node: TestNode, id = "d") =>
    (await node.row<{ title: string }>("SELECT title FROM documents WHERE id = ?", id))?.title;
  const count = async (node: TestNode) =>
    Number((await node.row<{ n: number }>("SELECT count(*) AS n FROM _grove_history WHERE id > 0"))?.n);
  const titleAt = async (node: TestNode, at: number, id = "d") =>
    (await node.node.stateAt("documents", [id], at))?.values?.title;

  test("tells nothing of a table that was not asked for, and costs it no statement and no table", async () => {
    const recorder = new Recorder();
    const [hub, edge] = [await openNode("hub", { recorder }), await openNode("edge")];
    await create(edge);
    await settle([edge, hub]);
    await expect(hub.node.stateAt("documents", ["d"], 0)).rejects.toMatchObject({ code: "no_history" });
    await expect(hub.node.fieldHistory("documents", ["d"], "title")).rejects.toMatchObject({ code: "no_history" });
    expect(recorder.executions.filter(({ sql }) => sql.includes("_grove_history"))).toEqual([]);
    expect(hub.registry.capture.system.join()).not.toContain("_grove_history");
  });

  test("runs no further statement for a table beside one that was asked for", async () => {
    const recorder = new Recorder();
    const archive = await openArchive(dialect, "archive", { recorder });
    const order = (id: string) =>
      archive.sql(`INSERT INTO orders (id, total, placed_at) VALUES ('${id}', 1, ${dialect.time(0)})`);
    await order("1");
    await archive.node.fold();
    const executed = await recorder.during(async () => {
      await order("2");
      await archive.node.fold();
    });
    expect(executed.filter(({ sql }) => /INSERT INTO \S*_grove_history/.test(sql))).toEqual([]);
  });

  test("refuses keys, tables and columns that are none", async () => {
    const { hub } = await two();
    for (const pk of [[], ["a", "b"], [null]])
      await expect(hub.node.stateAt("documents", pk, 0)).rejects.toMatchObject({ code: "bad_value" });
    await expect(hub.node.stateAt("none" as "documents", ["d"], 0)).rejects.toMatchObject({ code: "unknown_table" });
    await expect(hub.node.restoreRow("documents", ["d"], { none: 1 })).rejects.toMatchObject({ code: "bad_request" });
    await expect(hub.node.restoreRow("documents", ["d"], { id: "e" })).rejects.toMatchObject({ code: "bad_request" });
    expect(await hub.node.stateAt("documents", ["d"], Date.now() * 1000)).toBeNull();
    expect(await hub.node.fieldHistory("documents", ["d"], "title")).toEqual([]);
  });

  test("tells a row at any time: before it was, as it was, deleted, and inserted again", async () => {
    const { clock, hub, edge } = await two();
    const times: number[] = [clock.now()];
    const step = async (work: () => Promise<unknown>) => {
      clock.advance(1_000);
      await work();
      await settle([edge, hub]);
      times.push(clock.now());
    };
    await step(() => create(edge));
    await step(() => write(hub, "second"));
    await step(() => edge.sql("DELETE FROM documents"));
    await step(() => create(hub, "d", "again"));
    for (const node of [hub, edge]) {
      const [before, first, second, deleted, again] = await Promise.all(
        times.map((at) => node.node.stateAt("documents", ["d"], at)),
      );
      expect(before).toBeNull();
      expect(first).toMatchObject({ values: { id: "d", title: "first" }, since: times[1] });
      expect(first?.from).toBe(node === edge ? null : "edge");
      expect(second?.values).toMatchObject({ title: "second" });
      expect(deleted).toMatchObject({ values: null, since: times[3] });
      expect(again?.values).toMatchObject({ title: "again", view_count: "0" });
      // Between two changes it is as the earlier one left it; a Date will do.
      expect((await node.node.stateAt("documents", ["d"], (times[2] as number) + 999_000))?.values?.title).toBe(
        "second",
      );
      expect((await node.node.stateAt("documents", ["d"], new Date((times[2] as number) / 1000)))?.values?.title).toBe(
        "second",
      );
    }
  });

  test("keeps what was overruled, also where it never stood, and writes it again", async () => {
    const { clock, hub, edge } = await two();
    await create(hub);
    await settle([edge, hub]);
    clock.advance(1000);
    await write(edge, "offline");
    await edge.node.fold();
    clock.advance(1000);
    await write(hub, "later");
    // The edge brings it before it hears of the other: a syncer asks first, and then what lost has no way to the hub.
    await bring(edge, hub);
    await settle([edge, hub]);
    const told = await hub.node.fieldHistory("documents", ["d"], "title");
    expect(told.map(({ value, node, from, fate }) => [value, node, from, fate])).toEqual([
      ["first", "hub", null, "overruled"],
      ["later", "hub", null, "stands"],
      ["offline", "edge", "edge", "overruled"],
    ]);
    expect((await edge.node.fieldHistory("documents", ["d"], "title")).map(({ value, fate }) => [value, fate])).toEqual(
      [
        ["first", "overruled"],
        ["offline", "overruled"],
        ["later", "stands"],
      ],
    );
    expect(await titleAt(hub, clock.now())).toBe("later");
    const [, , lost] = told;
    await hub.node.restoreRow("documents", ["d"], { title: lost?.value as string });
    await settle([edge, hub]);
    expect(await titleOf(edge)).toBe("offline");
    expect((await hub.node.fieldHistory("documents", ["d"], "title")).at(-1)).toMatchObject({
      value: "offline",
      node: "hub",
      fate: "stands",
    });
  });

  test("keeps a write of its own that is overruled before any fold has looked at it", async () => {
    const { clock, hub, edge } = await two();
    await create(hub);
    await settle([edge, hub]);
    await write(edge, "unseen");
    clock.advance(1000);
    await write(hub, "later");
    const theirs = await hub.node.inspect("documents", ["d"]);
    clock.advance(-1000);
    // The merge itself folds.
    await edge.node.merge("hub", [theirs]);
    const told = await edge.node.fieldHistory("documents", ["d"], "title");
    expect(told.map(({ value, from, fate }) => [value, from, fate])).toEqual([
      ["first", "hub", "overruled"],
      ["unseen", null, "overruled"],
      ["later", "hub", "stands"],
    ]);
  });

  test("keeps what was written to a row that somebody else had deleted, and what the row was; both can be written again", async () => {
    const { clock, hub, edge } = await two();
    await create(hub);
    await hub.sql("UPDATE documents SET view_count = 7");
    await settle([edge, hub]);
    clock.advance(1000);
    const before = clock.now();
    clock.advance(1000);
    await write(edge, "too late");
    await hub.sql("DELETE FROM documents");
    await bring(edge, hub);
    await settle([edge, hub]);
    expect(await titleOf(edge)).toBeUndefined();
    const told = await hub.node.fieldHistory("documents", ["d"], "title");
    expect(told.map(({ value, fate }) => [value, fate])).toEqual([
      ["first", "deleted"],
      ["too late", "deleted"],
    ]);
    const then = await edge.node.stateAt("documents", ["d"], before);
    await edge.node.restoreRow("documents", ["d"], { ...then?.values, title: "too late" });
    await settle([edge, hub]);
    for (const node of [hub, edge]) {
      const row = await node.row<object>("SELECT title, view_count FROM documents WHERE id = 'd'");
      expect(row).toMatchObject({ title: "too late", view_count: 7 });
    }
  });

  test("tells of each type what was written: increments, elements, items, paths", async () => {
    const clock = new Clock();
    const hub = await openHistorian(dialect, "hub", { clock });
    const edge = await openHistorian(dialect, "edge", { clock });
    await insert(hub, "p", { count: 5, tags: ["a"], steps: ["x"], data: { a: 1 } });
    await settle([edge, hub]);
    const set = (node: TestNode, values: Record<string, unknown>) => {
      const sets = Object.entries(values).map(([name, value]) => `${name} = ${literal(node, name as "count", value)}`);
      return node.sql(`UPDATE plans SET ${sets.join(", ")}`);
    };
    clock.advance(10);
    await set(edge, { count: 8, tags: ["a", "b"], steps: ["x", "y"], data: { a: 1, b: { c: 2 } } });
    await edge.node.fold();
    clock.advance(10);
    await set(hub, { count: 4, tags: [], steps: ["x", "z"], data: { a: 3 } });
    await settle([edge, hub]);
    const told = (node: TestNode, field: string) => node.node.fieldHistory("plans", ["p"], field);
    expect((await told(hub, "count")).map(({ node, amount, value, fate }) => [node, amount, value, fate])).toEqual([
      ["hub", "5", "5", "stands"],
      ["hub", "-1", "4", "stands"],
      ["edge", "3", "7", "stands"],
    ]);
    expect((await told(hub, "tags")).map(({ node, added, removed, value }) => [node, added ?? removed, value])).toEqual(
      [
        ["hub", ["a"], ["a"]],
        [null, ["a"], []],
        ["edge", ["b"], ["b"]],
      ],
    );
    expect((await told(edge, "steps")).map(({ node, value }) => [node, value])).toEqual([
      ["hub", ["x"]],
      ["edge", ["x", "y"]],
      ["hub", expect.arrayContaining(["x", "y", "z"])],
    ]);
    expect((await told(edge, "data")).map(({ node, paths, value }) => [node, paths, value])).toEqual([
      ["hub", [["a"]], { a: 1 }],
      ["edge", [["b", "c"]], { a: 1, b: { c: 2 } }],
      ["hub", [["a"]], { a: 3, b: { c: 2 } }],
    ]);
  });

  test("is dated by the time of the write, where the clock agrees, and not by that of the fold", async () => {
    const archive = await openArchive(dialect, "archive", { now: () => Date.now() * 1000 });
    await create(archive);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const between = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await titleAt(archive, between * 1000)).toBe("first");
  });

  test("does not go back in time when the clock does", async () => {
    const { clock, nodes } = await archives(["archive"]);
    const [archive] = nodes as [TestNode];
    await create(archive);
    await archive.node.fold();
    clock.advance(-60_000);
    await write(archive, "second");
    await archive.node.fold();
    clock.advance(60_000);
    expect(await titleAt(archive, clock.now())).toBe("second");
    // What was written last does not stand before what was written first.
    expect(await archive.node.stateAt("documents", ["d"], clock.now() - 30_000_000)).toBeNull();
  });

  test("is told once of what lost, however often it comes again", async () => {
    const { clock, hub, edge } = await two();
    await create(hub);
    await settle([edge, hub]);
    clock.advance(1000);
    await write(edge, "offline");
    clock.advance(1000);
    await write(hub, "later");
    const before = await count(hub);
    for (let n = 0; n < 3; n++) await bring(edge, hub);
    // What it was before both is known as well.
    const old = await hub.node.inspect("documents", ["d"]);
    await settle([edge, hub]);
    await hub.node.merge("edge", [{ ...old, lww: { ...old?.lww, title: ["first"] } }]);
    expect(await count(hub)).toBe(before + 2);
  });

  test("begins with the rows that are there when it is asked for, as they are then", async () => {
    const clock = new Clock();
    const plain = await openNode("edge", { clock });
    for (let n = 0; n < 3; n++) await create(plain, `d${n}`);
    await plain.node.fold();
    const database = await (await plain.database.image()).restore();
    const early = clock.now();
    clock.advance(1000);
    const archive = await openArchive(dialect, "edge", { clock, database });
    expect(await count(archive)).toBe(3);
    const begun = clock.now();
    clock.advance(1000);
    await write(archive, "second", "d1");
    await archive.sql("DELETE FROM documents WHERE id = 'd2'");
    for (const id of ["d0", "d1", "d2"]) {
      expect(await titleAt(archive, begun, id)).toBe("first");
      await expect(titleAt(archive, early, id)).rejects.toMatchObject({ code: "history_gone" });
    }
    // A second start does not look at them again.
    await archive.node.ensureShadowTables();
    expect(await count(archive)).toBe(5);
  });

  test("tells of a row from before it whose first change came by, though nobody called for the others", async () => {
    const clock = new Clock();
    const archive = await openArchive(dialect, "archive", { clock });
    await create(archive);
    await archive.node.fold();
    await archive.sql("DELETE FROM _grove_history");
    expect(await titleAt(archive, clock.now())).toBe("first");
    clock.advance(1000);
    await archive.sql("UPDATE documents SET view_count = 3");
    const then = await archive.node.stateAt("documents", ["d"], clock.now());
    expect(then?.values).toMatchObject({ title: "first", view_count: "3" });
  });

  test("keeps a row's last changes where it is bounded in depth, and joins the others", async () => {
    const { clock, hub, edge } = await two({ depth: 5 });
    await create(edge);
    const times: number[] = [];
    for (let n = 0; n < 40; n++) {
      clock.advance(1000);
      await edge.sql("UPDATE documents SET title = ?, view_count = view_count + 1", `title ${n}`);
      await settle([edge, hub]);
      times.push(clock.now());
    }
    for (const node of [hub, edge]) {
      expect(await count(node)).toBeLessThanOrEqual(10);
      for (const n of [35, 36, 39]) {
        const then = await node.node.stateAt("documents", ["d"], times[n] as number);
        expect(then?.values).toMatchObject({ title: `title ${n}`, view_count: String(n + 1) });
      }
      await expect(titleAt(node, times[33] as number)).rejects.toMatchObject({ code: "history_gone" });
    }
  });

  test("keeps what was written in so many days, of each row its state before them, and nothing of rows deleted before", async () => {
    const { clock, hub, edge } = await two({ days: 10 });
    const day = 24 * 60 * 60 * 1000;
    for (const id of ["a", "b", "gone"]) await create(edge, id);
    await settle([edge, hub]);
    clock.advance(day);
    await write(hub, "second", "a");
    await hub.sql("DELETE FROM documents WHERE id = 'gone'");
    await settle([edge, hub]);
    const second = clock.now();
    clock.advance(5 * day);
    await write(hub, "third", "a");
    await settle([edge, hub]);
    for (const node of [hub, edge]) expect(await titleAt(node, second, "gone")).toBeUndefined();
    clock.advance(8 * day);
    const late = clock.now();
    await create(edge, "new");
    await settle([edge, hub]);
    for (const node of [hub, edge]) {
      // Two of "a", one each of "b" and "new".
      expect(await count(node)).toBe(4);
      expect(await titleAt(node, second, "a")).toBe("second");
      expect(await titleAt(node, late, "a")).toBe("third");
      expect(await titleAt(node, second, "b")).toBe("first");
      await expect(titleAt(node, second - day, "a")).rejects.toMatchObject({ code: "history_gone" });
      expect(await node.node.stateAt("documents", ["gone"], second)).toBeNull();
    }
  });

  test("is the copy's as well, under an id of its own", async () => {
    const { clock, nodes } = await archives(["edge"]);
    const [edge] = nodes as [TestNode];
    await create(edge);
    await edge.node.fold();
    const database = await (await edge.database.image()).restore();
    const { registry } = edge;
    await createNode({ db: database.db, registry, now: clock.now }).fork("copy");
    const copy = await openNode("copy", { clock, database, registry });
    const first = clock.now();
    clock.advance(1000);
    await write(copy, "second");
    expect(await titleAt(copy, first)).toBe("first");
    expect((await copy.node.fieldHistory("documents", ["d"], "title")).map(({ node }) => node)).toEqual([
      "edge",
      "copy",
    ]);
  });

  test("goes back with a database that is restored, and goes on from there", async () => {
    const { clock, hub, edge } = await two();
    await create(edge);
    await settle([edge, hub]);
    const first = clock.now();
    const image = await edge.database.image();
    clock.advance(1000);
    await write(edge, "second");
    await settle([edge, hub]);
    clock.advance(1000);
    const restored = await openArchive(dialect, "edge", { clock, database: await image.restore() });
    await settle([restored, hub]);
    expect(await titleAt(restored, first)).toBe("first");
    expect(await titleAt(restored, clock.now())).toBe("second");
    expect(await titleAt(restored, clock.now() - 1)).toBe("first");
  });

  test("agrees with the table after a collection, of rows that lived twice and of counters that were closed", async () => {
    const { clock, nodes } = await archives(["hub", "edge"]);
    const [hub, edge] = nodes as Two;
    const rounds = async () => {
      await hub.node.collect();
      for (let n = 0; n < 4; n++) await sync(edge, hub);
      expect((await hub.node.collection()).rounds.at(-1)?.state).toBe("ended");
      clock.advance(1000);
    };
    for (const id of ["d", "e", "f"]) await create(edge, id);
    await edge.sql("UPDATE documents SET view_count = view_count + 2");
    await settle([edge, hub]);
    clock.advance(1000);
    await edge.sql("DELETE FROM documents WHERE id IN ('d', 'e')");
    await create(edge, "d", "second life");
    await settle([edge, hub]);
    clock.advance(1000);
    await rounds();
    // The first life of "d" and all of "e" are forgotten; what follows is told in terms of what is left.
    await hub.sql("UPDATE documents SET body = 'more', view_count = view_count + 1 WHERE id IN ('d', 'f')");
    await create(hub, "e", "born anew");
    await settle([edge, hub]);
    clock.advance(1000);
    await rounds();
    await edge.sql("UPDATE documents SET view_count = view_count + 10");
    await settle([edge, hub]);
    for (const node of nodes) {
      const rows = await node.rows<{ id: string; view_count: number }>(
        "SELECT id, title, body, view_count, tags FROM documents ORDER BY id",
      );
      expect(rows.map(({ id }) => id)).toEqual(["d", "e", "f"]);
      for (const { id, view_count, ...row } of rows) {
        const then = await node.node.stateAt("documents", [id], clock.now());
        expect(then?.values, `${id} of ${node.id}`).toMatchObject({ ...row, view_count: String(view_count) });
      }
    }
  });

  test("agrees with the table after a rejoin, and still has what the node held before", async () => {
    const { clock, nodes } = await archives(["hub", "edge", "other"]);
    const [hub, edge, other] = nodes as [TestNode, TestNode, TestNode];
    for (const id of ["d", "e"]) await create(hub, id);
    await settle([edge, hub], [other, hub]);
    clock.advance(1000);
    await write(edge, "never sent", "d");
    await edge.node.fold();
    const offline = clock.now();
    await hub.sql("DELETE FROM documents WHERE id = 'e'");
    await settle([other, hub]);
    clock.advance(1000);
    await hub.node.collect({ strike: ["edge"] });
    for (let n = 0; n < 4; n++) await sync(other, hub);
    await write(hub, "meanwhile", "d");
    clock.advance(1000);
    await link(edge, hub).rejoin();
    clock.advance(1000);
    const rows = await edge.rows<{ id: string; title: string }>("SELECT id, title FROM documents ORDER BY id");
    expect(rows.map(({ id }) => id)).toEqual(["d"]);
    expect(await titleAt(edge, clock.now(), "d")).toBe(rows[0]?.title);
    expect(await edge.node.stateAt("documents", ["e"], clock.now())).toBeNull();
    expect(await titleAt(edge, offline, "d")).toBe("never sent");
    expect(await titleAt(edge, offline, "e")).toBe("first");
  });

  test("agrees with the table once a clock that was ahead is right again", async () => {
    const { clock, hub, edge: _ } = await two();
    const ahead = new Clock();
    const edge = await openArchive(dialect, "fast", { clock: ahead });
    await create(hub);
    await settle([edge, hub]);
    ahead.advance(60 * 60 * 1000);
    await write(edge, "early");
    await edge.node.fold();
    await expect(sync(edge, hub)).rejects.toMatchObject({ code: "clock_drift" });
    ahead.micros = clock.micros;
    await settle([edge, hub]);
    for (const time of [ahead, clock]) time.advance(60_000);
    await write(hub, "later");
    await settle([edge, hub]);
    expect(await titleOf(edge)).toBe("later");
    for (const time of [ahead, clock]) time.advance(2 * 60 * 60 * 1000);
    for (const node of [hub, edge]) expect(await titleAt(node, clock.now())).toBe("later");
  });

  test("is told by tables and columns of its time: one that was added is not there before, one that was dropped can be read", async () => {
    const clock = new Clock();
    const { text, table } = dialect;
    const { lww } = await import("grove-crdt/schema");
    const { makeSchema } = await import("./support/schemas");
    const base = { id: text("id").primaryKey(), title: lww(text("title").notNull()) };
    const exports = [
      { notes: table("notes", { ...base, color: lww(text("color")) }) },
      { notes: table("notes", { ...base, rank: lww(text("rank").default("low")) }) },
    ] as const;
    const open = async (version: 0 | 1, settings: NodeSettings) => {
      const { registry, ddl } = await makeSchema(exports[version], dialect);
      return openNode("archive", { clock, ddl, registry: withHistory(registry, { notes: {} }), ...settings });
    };
    const first = await open(0, {});
    await first.sql("INSERT INTO notes (id, title, color) VALUES ('1', 'a', 'red')");
    await first.node.fold();
    const early = clock.now();
    clock.advance(1000);
    const database = await (await first.database.image()).restore();
    // As the generated migrations do.
    for (const trigger of Object.keys(first.registry.capture.tables.notes?.triggers ?? {}))
      await database.run(dialect.dropTrigger(trigger, "notes"));
    const between = { notes: table("notes", base) };
    for (const statement of await dialect.emitTables(between, exports[0])) await database.run(statement);
    for (const statement of await dialect.emitTables(exports[1], between)) await database.run(statement);
    const second = await open(1, { database });
    await second.sql("UPDATE notes SET rank = 'high'");
    await second.node.fold();
    expect((await second.node.stateAt("notes", ["1"], early))?.values).toEqual({ id: "1", title: "a" });
    expect((await second.node.stateAt("notes", ["1"], clock.now()))?.values).toEqual({
      id: "1",
      title: "a",
      rank: "high",
    });
    expect((await second.node.fieldHistory("notes", ["1"], "color")).map(({ value }) => value)).toEqual(["red"]);
  });
});
