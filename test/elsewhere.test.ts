// Tables that a node does not have (faults 16): what peers of a newer schema tell it of them it keeps and passes on, and puts into its own
// table once it has one.
import { createRandom } from "@grove-crdt/testkit";
import type { RowChange } from "grove-crdt";
import { counter, document, list, lww, set } from "grove-crdt/schema";
import { describe, expect, test } from "vitest";
import { expectEqual } from "./support/comparison";
import type { TestDialect } from "./support/dialect";
import { describeAcross, describeOnEach, dialects } from "./support/dialects";
import { effort } from "./support/effort";
import { errorOf, link, pullMessage, pushMessage, request, settle, sync } from "./support/network";
import { type NodeSettings, openNode as openOn, type TestNode } from "./support/node";
import { makeSchema as make } from "./support/schemas";

const STAMP = Date.UTC(2023, 5, 1) * 1000;

function versionsOf({ integer, json, table, text, texts }: TestDialect) {
  const notes = table("notes", { id: text("id").primaryKey(), title: lww(text("title")) });
  const things = table("things", {
    id: text("id").primaryKey(),
    title: lww(text("title")),
    likes: counter(integer("likes").notNull().default(0)),
    labels: set(texts("labels").notNull().default([])),
    steps: list(texts("steps").notNull().default([])),
    data: document(json("data").$type<{ a?: number; n?: number }>().notNull().default({}), { n: counter() }),
  });
  return [{ notes }, { notes, things }] as const;
}

describeOnEach("tables that a node does not have (faults 16)", ({ dialect, openNode, makeSchema }) => {
  const { textsOf } = dialect;
  const [version1, version2] = versionsOf(dialect);

  async function open(settings: Readonly<Record<string, 1 | 2>>, extra: NodeSettings = {}): Promise<TestNode[]> {
    const schemas = { 1: await makeSchema(version1), 2: await makeSchema(version2) };
    const nodes: TestNode[] = [];
    for (const [id, version] of Object.entries(settings))
      nodes.push(await openNode(id, { ...schemas[version], ...(nodes[0] && { clock: nodes[0].clock }), ...extra }));
    return nodes;
  }
  /** Stops the node and starts the new version on its database. */
  async function migrate(node: TestNode): Promise<TestNode> {
    for (const sql of await dialect.emitTables(version2, version1)) await node.sql(sql);
    const { registry } = await makeSchema(version2);
    return openNode(node.id, { database: node.database, clock: node.clock, registry });
  }
  const kept = (node: TestNode) => node.rows("SELECT tbl FROM _grove_elsewhere");
  const thing = (node: TestNode, id = "1") => node.row("SELECT * FROM things WHERE id = ?", id);
  const insert = (id: string, title: string) =>
    `INSERT INTO things (id, title, likes, labels, steps, data) VALUES ('${id}', '${title}', 3, '${textsOf("a")}', '${textsOf("s")}', '{"a":1,"n":2}')`;

  test("are passed on both ways, all types, and what two newer nodes write at once merges on its way", async () => {
    const [left, middle, right] = (await open({ left: 2, middle: 1, right: 2 })) as [TestNode, TestNode, TestNode];
    await left.sql(insert("1", "one"));
    expect(await sync(left, middle)).toMatchObject({ pushed: 1, pulled: 0 });
    expect(await sync(left, middle)).toMatchObject({ pushed: 0, pulled: 0 });
    await settle([left, middle], [right, middle]);
    await expectEqual(left, right);
    expect(await middle.node.elsewhere()).toEqual(["things"]);
    left.clock.advance(1000);
    await left.sql(
      `UPDATE things SET likes = likes + 1, labels = '${textsOf("a", "l")}', steps = '${textsOf("s", "l")}', data = '{"a":1,"n":5}'`,
    );
    await right.sql(
      `UPDATE things SET title = 'right', likes = likes + 10, labels = '${textsOf("a", "r")}', steps = '${textsOf("r", "s")}', data = '{"a":2,"n":12}'`,
    );
    // Each tells the middle, and hears from it alone.
    await settle([left, middle], [right, middle], [middle, left]);
    await expectEqual(left, right);
    expect(await thing(right)).toMatchObject({
      title: "right",
      likes: 14,
      steps: ["r", "s", "l"],
      data: { a: 2, n: 15 },
    });
    expect(((await thing(left)) as { labels: string[] }).labels.sort()).toEqual(["a", "l", "r"]);
    expect(await settle([left, middle], [right, middle], [middle, left])).toBe(1);
  });

  test("are passed on by several in a row, deletions and second lives too, and nothing travels for ever", async () => {
    const [left, m1, m2, right] = (await open({ left: 2, m1: 1, m2: 1, right: 2 })) as [
      TestNode,
      TestNode,
      TestNode,
      TestNode,
    ];
    const all = () => settle([left, m1], [m2, m1], [m2, right]);
    await left.sql(insert("1", "one"));
    await right.sql(insert("2", "two"));
    await all();
    await expectEqual(left, right);
    await left.sql("DELETE FROM things WHERE id = '2'");
    await right.sql("UPDATE things SET title = 'late', likes = likes + 1 WHERE id = '2'");
    await all();
    await expectEqual(left, right);
    expect(await thing(left, "2")).toBeUndefined();
    await right.sql("INSERT INTO things (id, title) VALUES ('2', 'again')");
    await all();
    await expectEqual(left, right);
    expect(await thing(left, "2")).toMatchObject({ title: "again", likes: 0, labels: [] });
    expect(await all()).toBe(1);
  });

  test("come into the table when the node has migrated, and are passed on as before", async () => {
    const [left, middle, right] = (await open({ left: 2, middle: 1, right: 2 })) as [TestNode, TestNode, TestNode];
    await left.sql(insert("1", "one"));
    await left.sql(insert("2", "two"));
    await settle([left, middle]);
    await left.sql("DELETE FROM things WHERE id = '2'");
    await settle([left, middle]);
    expect((await kept(middle)).length).toBe(2);
    const now = await migrate(middle);
    expect(await kept(now)).toEqual([]);
    expect(await now.node.elsewhere()).toEqual([]);
    await expectEqual(left, now);
    expect(await now.node.verify()).toEqual([]);
    await settle([right, now]);
    await expectEqual(left, right);
    await now.sql("UPDATE things SET likes = likes + 1");
    await settle([left, now], [right, now]);
    await expectEqual(left, now, right);
    expect(await settle([left, now], [right, now])).toBe(1);
  });

  test("are kept through a restart, and a row that was written here before it came merges with it", async () => {
    const [left, middle] = (await open({ left: 2, middle: 1 })) as [TestNode, TestNode];
    await left.sql(insert("1", "one"));
    await settle([left, middle]);
    const { registry } = await makeSchema(version1);
    const again = await openNode("middle", { database: middle.database, clock: middle.clock, registry });
    expect(await again.node.elsewhere()).toEqual(["things"]);
    for (const sql of await dialect.emitTables(version2, version1)) await again.sql(sql);
    // Before anybody looks: adopted, as the oldest possible write.
    await again.sql("INSERT INTO things (id, title, likes) VALUES ('1', 'mine', 7)");
    const next = await makeSchema(version2);
    const now = await openNode("middle", { database: again.database, clock: again.clock, registry: next.registry });
    await settle([left, now]);
    await expectEqual(left, now);
    expect(await thing(now)).toMatchObject({ title: "one" });
  });

  test("are collected with those that others have", async () => {
    const [left, middle, right] = (await open({ left: 2, middle: 1, right: 2 })) as [TestNode, TestNode, TestNode];
    await left.sql(insert("1", "one"));
    await left.sql(insert("2", "two"));
    await settle([left, middle], [right, middle]);
    await left.sql("UPDATE things SET likes = likes + 1");
    await right.sql("UPDATE things SET likes = likes + 10");
    await settle([left, middle], [right, middle]);
    // Another process: what it counts has another name from now on.
    const { registry } = await makeSchema(version2);
    const image = await left.database.image();
    await left.close();
    const again = await openNode("left", { database: await image.restore(), clock: left.clock, registry });
    await again.sql("DELETE FROM things WHERE id = '2'");
    await again.sql("UPDATE things SET likes = likes + 100");
    await settle([again, middle], [right, middle]);
    expect((await kept(middle)).length).toBe(2);
    left.clock.advance(1000);
    await middle.node.collect();
    for (let n = 0; n < 5; n++) for (const edge of [again, right]) await sync(edge, middle);
    expect((await middle.node.collection()).rounds.at(-1)?.state).toBe("ended");
    expect((await kept(middle)).length).toBe(1);
    await expectEqual(again, right);
    await right.sql("UPDATE things SET likes = likes + 1000, title = 'last'");
    await settle([again, middle], [right, middle]);
    await expectEqual(again, right);
    expect(await again.rows("SELECT id, likes, title FROM things")).toEqual([{ id: "1", likes: 1114, title: "last" }]);
    const now = await migrate(middle);
    await expectEqual(again, now);
  });

  test("come again from a peer whose database was restored", async () => {
    const [left, middle] = (await open({ left: 2, middle: 1 })) as [TestNode, TestNode];
    await left.sql(insert("1", "one"));
    await settle([left, middle]);
    const image = await left.database.image();
    await left.sql("UPDATE things SET title = 'later', likes = likes + 1");
    await settle([left, middle]);
    const { registry } = await makeSchema(version2);
    const restored = await openNode("left", { database: await image.restore(), clock: left.clock, registry });
    expect(await thing(restored)).toMatchObject({ title: "one", likes: 3 });
    await settle([restored, middle]);
    expect(await thing(restored)).toMatchObject({ title: "later", likes: 4 });
  });

  test("stay with their peer where somebody decides what comes and goes, or where a node was told which tables it syncs", async () => {
    const hook = { beforeInboundChange: (change: unknown) => change as never };
    const settings: NodeSettings[] = [
      { hooks: [hook] },
      { tables: ["notes"] },
      { router: { tables: () => ["notes"] } as object },
      { router: { fields: { notes: () => ["title"] } } as object },
      { router: { hooks: [hook] } as object },
    ];
    for (const [n, setting] of settings.entries()) {
      const [left] = (await open({ left: 2 })) as [TestNode];
      const hub = await openNode("hub", { ...(await makeSchema(version1)), clock: left.clock, ...setting });
      await left.sql(insert("1", "one"));
      const report = await sync(left, hub);
      expect(report, String(n)).toMatchObject({ pushed: 0, rejected: 0 });
      expect(await kept(hub), String(n)).toEqual([]);
      const row = { table: "things", pk: ["9"], cl: 1, life: [STAMP, "stranger"], lww: { title: ["x"] } };
      const answer = await request(hub, "/push", JSON.stringify(pushMessage([row])));
      expect(await answer.json(), String(n)).toMatchObject({
        outcomes: [{ outcome: "rejected", code: "unknown_table" }],
      });
      expect(await kept(hub), String(n)).toEqual([]);
      for (const node of [left, hub]) await node.close();
    }
  });

  test("are not asked for by a syncer that was told which tables or rows it exchanges", async () => {
    const [left, middle] = (await open({ left: 2, middle: 1 })) as [TestNode, TestNode];
    await left.sql(insert("1", "one"));
    await link(middle, left, { tables: ["notes"] }).sync();
    await link(middle, left, { only: { notes: { keys: [["1"]] } } }).sync();
    expect(await kept(middle)).toEqual([]);
    await settle([middle, left]);
    expect((await kept(middle)).length).toBe(1);
  });

  test("go as rows of the node that wrote them, from whom may not relay", async () => {
    const [left] = (await open({ left: 2 })) as [TestNode];
    const hub = await openNode("hub", {
      ...(await makeSchema(version1)),
      clock: left.clock,
      router: { mayRelay: () => false },
    });
    await left.sql(insert("1", "one"));
    await settle([left, hub]);
    expect((await kept(hub)).length).toBe(1);
    const row = { table: "things", pk: ["9"], cl: 1, life: [STAMP, "other"], lww: { title: ["x"] } };
    const answer = await request(hub, "/push", JSON.stringify(pushMessage([row], { node: "edge" })));
    expect(await answer.json()).toMatchObject({ outcomes: [{ outcome: "rejected", code: "forbidden" }] });
    expect((await kept(hub)).length).toBe(1);
  });

  test("may bear any name, and what is no row, or has a stamp of the future, is refused", async () => {
    const [hub] = (await open({ hub: 1 })) as [TestNode];
    const row = (fields: object) => ({
      table: "things",
      pk: ["1"],
      cl: 1,
      life: [STAMP, "stranger"],
      lww: { title: ["x"] },
      ...fields,
    });
    const outcomes = async (...rows: object[]) => {
      const answer = await request(hub, "/push", JSON.stringify(pushMessage(rows)));
      return ((await answer.json()) as { outcomes: { outcome: string; code?: string }[] }).outcomes.map(
        ({ outcome, code }) => code ?? outcome,
      );
    };
    const names = ["constructor", 'x"; DROP TABLE notes; --', "é".repeat(200)];
    expect(await outcomes(...names.map((table) => row({ table })))).toEqual(["applied", "applied", "applied"]);
    expect([...(await hub.node.elsewhere())].sort()).toEqual([...names].sort());
    expect(
      await outcomes(
        JSON.parse(JSON.stringify(row({ table: "x" })).replace('"x"', '"__proto__"')) as object,
        row({ table: "x".repeat(300) }),
        row({ pk: [null] }),
        row({ life: [(Date.UTC(2030, 0, 1) * 1000) as number, "stranger"] }),
        row({ lww: { a: [1] }, set: { a: [] } }),
        row({ cl: 2 ** 50 }),
      ),
    ).toEqual(["bad_change", "bad_change", "bad_value", "clock_drift", "bad_change", "bad_change"]);
    expect(await outcomes(row({ lww: { __proto__: ["x"], hasOwnProperty: [1] } }))).toEqual(["applied"]);
    expect(await outcomes(row({ set: { hasOwnProperty: [] } }))).toEqual(["bad_change"]);
    const many = Array.from({ length: 300 }, (_, n) => row({ table: `t${n}` }));
    const answers = await outcomes(...many);
    expect(answers.filter((one) => one === "unknown_table").length).toBe(300 - (256 - 4));
    expect((await hub.node.elsewhere()).length).toBe(256);
  });

  test("are told in pages of one, and of what they hold one row by its key", async () => {
    const [left, middle, right] = (await open({ left: 2, middle: 1, right: 2 })) as [TestNode, TestNode, TestNode];
    for (let n = 0; n < 7; n++) {
      await left.sql(insert(`i${n}`, `t${n}`));
      await left.sql(`INSERT INTO notes (id, title) VALUES ('n${n}', 't')`);
    }
    for (const _ of [1, 2]) await sync(left, middle, { pageRows: 1 });
    for (const _ of [1, 2]) await sync(right, middle, { pageRows: 1 });
    await expectEqual(left, right);
    const want = JSON.stringify(
      pullMessage({
        want: [
          ["things", ["i3"]],
          ["things", ["none"]],
          ["notes", ["n1"]],
        ],
      }),
    );
    const { rows } = (await (await request(middle, "/pull", want)).json()) as { rows: RowChange[] };
    expect(rows.map(({ table, pk }) => [table, pk[0]])).toEqual([
      ["things", "i3"],
      ["notes", "n1"],
    ]);
    expect(await errorOf(await request(middle, "/pull", JSON.stringify(pullMessage({ tables: ["nothing"] }))))).toEqual(
      [400, "unknown_table"],
    );
  });

  test("are streamed to who asks for them, and not back to who brought them", async () => {
    const [left, middle] = (await open({ left: 2, middle: 1 })) as [TestNode, TestNode];
    await left.sql(insert("1", "one"));
    await settle([left, middle]);
    const controller = new AbortController();
    const follow = (node: string) =>
      middle.node.follow(
        { protocol: 1, node, cursor: null, tables: ["things"] },
        { idle: 100, keepAlive: 1_000, maxBuffer: 1e6, signal: controller.signal },
      );
    const [right, back] = [await follow("right"), await follow("left")];
    const next = async (pages: typeof right) =>
      (await pages.next()).value?.rows.map(({ pk, lww }) => [pk[0], lww?.title?.[0]]);
    expect(await next(right)).toEqual([["1", "one"]]);
    await next(back);
    await left.sql("UPDATE things SET title = 'two'");
    await settle([left, middle]);
    expect(await next(right)).toEqual([["1", "two"]]);
    expect(await next(back)).toEqual([]);
    controller.abort();
    await Promise.allSettled([right.next(), back.next()]);
  });

  describe("random writes, exchanges and migrations", () => {
    const seeds = Number(process.env.VERSIONS_RUNS ?? effort(dialect.thorough ? 12 : 1));
    test(`end alike, ${seeds} seeds`, async () => {
      for (let seed = 1; seed <= seeds; seed++) {
        const random = createRandom(seed);
        const nodes = await open({ a: 2, b: 1, c: 1, d: 2 });
        const { clock } = nodes[0] as TestNode;
        const isNew = [true, false, false, true];
        let unique = 0;
        const write = async (n: number) => {
          const node = nodes[n] as TestNode;
          const id = random.pick(["1", "2", "3"]);
          const known = await thing(node, id);
          if (!known) return node.sql(`INSERT INTO things (id, title) VALUES ('${id}', 't${++unique}')`);
          if (random.chance(0.1)) return node.sql(`DELETE FROM things WHERE id = '${id}'`);
          const labels = random.chance(0.3) ? [] : [...(known.labels as string[]), `l${++unique}`];
          const steps = random.chance(0.2) ? [] : [`s${++unique}`, ...(known.steps as string[])];
          const assignment = random.pick([
            `title = ${random.pick(["NULL", `'c${++unique}'`])}`,
            `likes = likes + ${random.below(5)}`,
            `labels = '${textsOf(...labels)}'`,
            `steps = '${textsOf(...steps)}'`,
            `data = '{"a":${++unique},"n":${random.below(5)}}'`,
          ]);
          return node.sql(`UPDATE things SET ${assignment} WHERE id = '${id}'`);
        };
        for (let step = 0; step < 40; step++) {
          clock.advance(random.below(3));
          const n = random.below(4);
          if (random.chance(0.5)) {
            if (isNew[n]) await write(n);
          } else if (random.chance(0.95)) {
            // Neighbours alone: what goes from end to end goes through the middle.
            const other = n === 0 ? 1 : n === 3 ? 2 : n + random.pick([-1, 1]);
            await sync(nodes[n] as TestNode, nodes[other] as TestNode, { pageRows: random.between(1, 4) });
          } else if (!isNew[n]) {
            nodes[n] = await migrate(nodes[n] as TestNode);
            isNew[n] = true;
          }
        }
        const [a, b, c, d] = nodes as [TestNode, TestNode, TestNode, TestNode];
        await settle([a, b], [b, c], [c, d]);
        await expectEqual(...(nodes.filter((_, n) => isNew[n]) as [TestNode, TestNode]));
        for (const n of [1, 2]) if (!isNew[n]) nodes[n] = await migrate(nodes[n] as TestNode);
        await expectEqual(...(nodes as [TestNode, TestNode]));
        for (const node of nodes) expect(await node.node.verify(), `seed ${seed}`).toEqual([]);
        for (const node of nodes) await node.close();
      }
    });
  });
});

describeAcross("tables that a node of the other dialect does not have", () => {
  test("are passed on all the same", async () => {
    for (const [outer, inner] of [
      ["sqlite", "postgres"],
      ["postgres", "sqlite"],
    ] as const) {
      const [old] = versionsOf(dialects[inner]);
      const [, next] = versionsOf(dialects[outer]);
      const left = await openOn(dialects[outer], "left", await make(next, dialects[outer]));
      const right = await openOn(dialects[outer], "right", {
        ...(await make(next, dialects[outer])),
        clock: left.clock,
      });
      const middle = await openOn(dialects[inner], "middle", {
        ...(await make(old, dialects[inner])),
        clock: left.clock,
      });
      await left.sql("INSERT INTO things (id, title, likes) VALUES ('1', 'one', 3)");
      await settle([left, middle], [right, middle]);
      await expectEqual(left, right);
      for (const node of [left, right, middle]) await node.close();
    }
  });
});
