// Trees of hashes that a database keeps: always what a count of all rows gives, whatever happened to the rows; and brought up to date
// by reading what was written since, and nothing else.
import { WHOLE } from "@grove-crdt/core";
import { createRandom, type Random } from "@grove-crdt/testkit";
import type { SyncHook } from "grove-crdt";
import { counter, document, list, lww, set } from "grove-crdt/schema";
import { beforeAll, expect, test } from "vitest";
import { describeOnEach } from "./support/dialects";
import { effort } from "./support/effort";
import { link, settle, sync } from "./support/network";
import { openNode as openOn, type TestNode } from "./support/node";
import type { TestSchema } from "./support/schemas";
import { Recorder } from "./support/statements";

type AnyChange = Parameters<NonNullable<SyncHook["beforeInboundChange"]>>[0];
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const GROUPS = [...DIGITS];

interface Told {
  readonly rows: readonly string[];
  readonly count: number | undefined;
  readonly groups: object;
  readonly leaves: object;
}

/** All that a node's trees say: groups, leaves, and the rows in them. */
async function told(node: TestNode, recount: boolean) {
  const { digests, tables } = node.node;
  const trees = await digests.trees(tables, WHOLE, { recount });
  const all: Record<string, Told> = {};
  for (const table of tables) {
    const tree = trees.get(table);
    const leaves = { ...(await tree?.below(GROUPS)) };
    const found = await digests.rows(new Map([[table, new Set(Object.keys(leaves))]]), WHOLE, { recount });
    const rows = (found.get(table) ?? []).map((row) => JSON.stringify(row)).sort();
    all[table] = { rows, count: tree?.rows, groups: { ...(await tree?.below([""])) }, leaves };
  }
  return all;
}
const expectRight = async (node: TestNode, why: string) =>
  expect(await told(node, false), why).toEqual(await told(node, true));

describeOnEach("the trees of hashes that a database keeps", ({ dialect, openNode, openNodes, makeSchema }) => {
  const { integer, json, table, text, texts, textsOf, uniqueIndex } = dialect;
  const parents = table(
    "parents",
    { id: text("id").primaryKey(), name: lww(text("name")), code: lww(text("code")) },
    (t) => [uniqueIndex("parents_code").on(t.code)],
  );
  const kept = table("kept", { id: text("id").primaryKey(), name: lww(text("name")) });
  const columns = {
    id: text("id").primaryKey(),
    parent: lww(text("parent").references(() => parents.id, { onDelete: "cascade" })),
    other: lww(text("other").references(() => kept.id)),
    title: lww(text("title")),
    likes: counter(integer("likes").notNull().default(10)),
    labels: set(texts("labels").notNull().default([])),
    steps: list(texts("steps").notNull().default([])),
    data: document(json("data").$type<{ n?: number }>().notNull().default({}), { n: counter() }),
  };
  const exports1 = { parents, kept, items: table("items", columns) };
  const exports2 = {
    parents,
    kept,
    items: table("items", {
      ...columns,
      color: lww(text("color").default("white")),
      seen: counter(integer("seen").notNull().default(3)),
    }),
  };
  let schema: TestSchema;
  beforeAll(async () => {
    schema = await makeSchema(exports1);
  });

  const manyParents = (count: number, from = 1) =>
    `INSERT INTO parents (id, name) WITH RECURSIVE k(n) AS (SELECT ${from} UNION ALL SELECT n + 1 FROM k WHERE n < ${from + count - 1}) SELECT 'p' || n, 'name ' || n FROM k`;

  let unique = 0;
  async function write(node: TestNode, random: Random): Promise<void> {
    const [id, code] = [`i${random.below(6)}`, random.pick(["NULL", "'x'", "'y'", "'z'"])];
    const parent = random.pick(["NULL", "'p0'", "'p1'", "'p2'"]);
    const labels = textsOf(...["a", "b", "c"].filter(() => random.chance(0.5)));
    const steps = textsOf(...["s", "t", "u"].filter(() => random.chance(0.6)).sort(() => random.next() - 0.5));
    const sql = random.pick([
      `INSERT INTO items (id, title, parent, likes) VALUES ('${id}', 't${++unique}', ${parent}, 12) ON CONFLICT (id) DO UPDATE SET title = excluded.title`,
      `INSERT INTO parents (id, name, code) VALUES ('p${random.below(3)}', 'n', ${code}) ON CONFLICT (id) DO UPDATE SET code = excluded.code`,
      `INSERT INTO kept (id, name) VALUES ('k${random.below(2)}', 'n') ON CONFLICT (id) DO UPDATE SET name = 'n${++unique}'`,
      `UPDATE items SET other = ${random.pick(["NULL", "'k0'", "'k1'"])} WHERE id = '${id}'`,
      `UPDATE items SET title = 't${++unique}', likes = likes + ${random.below(4)}, labels = '${labels}'`,
      `UPDATE items SET steps = '${steps}' WHERE id = '${id}'`,
      `UPDATE items SET data = '{"n":${random.below(9)},"x":{"y":${++unique}}}', parent = ${parent} WHERE id = '${id}'`,
      `UPDATE items SET id = '${id}x' WHERE id = '${id}'`,
      `DELETE FROM items WHERE id = '${id}'`,
      `DELETE FROM parents WHERE id = 'p${random.below(3)}'`,
      `DELETE FROM kept WHERE id = 'k0'`,
    ]);
    // What a constraint refuses was no write.
    await node.sql(sql).catch(() => {});
  }

  const seeds = Number(process.env.DIGEST_RUNS ?? effort(dialect.thorough ? 20 : 4));
  test(`say what a count of all rows says, after random writes, exchanges and comparisons, ${seeds} seeds`, async () => {
    for (let seed = 1; seed <= seeds; seed++) {
      const random = createRandom(seed);
      const a = await openNode("a", schema);
      const others = [
        await openNode("b", { ...schema, clock: a.clock }),
        await openNode("c", { ...schema, clock: a.clock }),
      ];
      const nodes = [a, ...others];
      for (let step = 0; step < 40; step++) {
        a.clock.advance(random.below(3));
        const node = random.pick(nodes);
        if (random.chance(0.6)) await write(node, random);
        else if (random.chance(0.5))
          await sync(node, nodes[(nodes.indexOf(node) + 1) % 3] as TestNode, { pageRows: random.between(1, 5) });
        else if (random.chance(0.1)) await node.node.verify();
        else await expectRight(node, `seed ${seed}, step ${step}`);
      }
      for (const node of nodes) await expectRight(node, `seed ${seed}`);
      for (const node of nodes) await node.close();
    }
  });

  test("are made anew when the schema has another column", async () => {
    const node = await openNode("a", schema);
    await node.sql("INSERT INTO items (id, title) VALUES ('1', 'one'), ('2', 'two')");
    const before = await told(node, false);
    for (const sql of await dialect.emitTables(exports2, exports1)) await node.sql(sql);
    const { registry } = await makeSchema(exports2);
    const now = await openNode("a", { database: node.database, clock: node.clock, registry });
    await expectRight(now, "migrated");
    expect(await told(now, false)).not.toEqual(before);
  });

  test("are made anew when the table is", async () => {
    const one = await makeSchema({ kept });
    const node = await openNode("a", one);
    await node.sql("INSERT INTO kept (id, name) VALUES ('1', 'one'), ('2', 'two')");
    await told(node, false);
    for (const name of ["kept", "_kept_log", "_kept_crdt", "_kept_crdt_cells"]) await node.sql(`DROP TABLE ${name}`);
    await node.sql("DELETE FROM _grove_capture");
    for (const sql of one.ddl) await node.sql(sql);
    const now = await openNode("a", { ...one, database: node.database, clock: node.clock });
    await expectRight(now, "empty");
    await now.sql("INSERT INTO kept (id, name) VALUES ('3', 'three')");
    await expectRight(now, "written");
  });

  test("are made in steps, and an interrupted one is taken up where it ended", async () => {
    const recorder = new Recorder();
    const node = await openNode("a", { ...schema, recorder });
    await node.sql(manyParents(2600));
    await node.node.fold();
    const asked = new Map([["parents", [""]]]);
    const controller = new AbortController();
    let steps = 0;
    recorder.before = ({ sql }) => {
      if (/^UPDATE \S*_grove_trees SET seq/.test(sql) && ++steps === 2) controller.abort();
    };
    await expect(node.node.store.digest(asked, { signal: controller.signal })).rejects.toThrow();
    expect(steps).toBe(2);
    const rest = await recorder.during(() => node.node.store.digest(asked));
    expect(rest.filter(({ sql }) => /^UPDATE \S*_grove_trees SET seq/.test(sql)).length).toBe(1);
    recorder.before = () => {};
    await expectRight(node, "whole");
  });

  test("are right after a failure at any statement", async () => {
    const recorder = new Recorder();
    const node = await openNode("a", { ...schema, recorder });
    await node.sql(manyParents(5));
    await node.sql("INSERT INTO items (id, title, parent) VALUES ('1', 'one', 'p1'), ('2', 'two', NULL)");
    await told(node, false);
    await node.sql("UPDATE parents SET name = 'other' WHERE id <> 'p3'; DELETE FROM parents WHERE id = 'p2'");
    await node.sql("UPDATE items SET title = 'other', likes = likes + 1");
    const asked = new Map(node.node.tables.map((name) => [name, [""]]));
    for (let at = 1, failed = true; failed; at++) {
      expect(at).toBeLessThan(200);
      let count = 0;
      recorder.before = ({ sql }) => {
        if (!/^(begin|commit|rollback)/i.test(sql) && ++count === at) throw dialect.diskError();
      };
      failed = await node.node.store.digest(asked).then(
        () => false,
        () => true,
      );
      recorder.before = () => {};
    }
    await expectRight(node, "at last");
  });

  test("do without a row whose insert was taken back", async () => {
    const refusing = { beforeInboundChange: (change: AnyChange) => (change.pk[0] === "p2" ? null : change) };
    const hub = await openNode("hub", { ...schema, hooks: [refusing] });
    const edge = await openNode("edge", { ...schema, clock: hub.clock });
    await edge.sql(manyParents(3));
    await link(edge, hub).sync();
    await expectRight(edge, "with the rows");
    for (const { id } of await edge.node.rejected()) await edge.node.revert(id);
    expect(await edge.rows("SELECT id FROM parents ORDER BY id")).toEqual([{ id: "p1" }, { id: "p3" }]);
    await expectRight(edge, "without");
    expect(await told(edge, false)).toMatchObject({ parents: { count: 2 } });
  });

  test("do not see what was changed behind capture, until the tables were compared with what is known of them", async () => {
    const node = await openNode("a", schema);
    await node.sql(manyParents(3));
    const before = await told(node, false);
    if (dialect.name === "postgres")
      await node.sql(
        "SET grove.capture = 'off'; UPDATE parents SET name = 'forged' WHERE id = 'p2'; RESET grove.capture",
      );
    else
      await node.sql(
        "UPDATE _grove_node SET capture = 0; UPDATE parents SET name = 'forged' WHERE id = 'p2'; UPDATE _grove_node SET capture = 1",
      );
    expect(await told(node, false)).toEqual(before);
    const now = await told(node, true);
    for (const part of ["rows", "groups", "leaves"] as const)
      expect(now.parents?.[part], part).not.toEqual(before.parents?.[part]);
    await node.node.verify();
    await expectRight(node, "compared");
  });

  test("are one for all processes on a database, while these write", async () => {
    const first = await openNode("a", { ...schema, durable: true });
    const database = await first.database.beside();
    const second = await openOn(dialect, "a", { ...schema, database, clock: first.clock });
    const random = createRandom(7);
    await Promise.all(
      [first, second].map(async (node, n) => {
        for (let k = 0; k < 25; k++) {
          if (k % 3 === n) await told(node, false).catch(ignoreBusy);
          else await node.sql(`INSERT INTO parents (id, name) VALUES ('${n}-${k}', 'x')`).catch(ignoreBusy);
          if (random.chance(0.5)) await node.node.fold().catch(ignoreBusy);
        }
      }),
    );
    await expectRight(first, "first");
    await expectRight(second, "second");
    await second.close();
  });

  test("are read, and no row with them, when nothing was written; and after some writes those rows and no others", async () => {
    const counts: { quiet: number; changed: number; statements: number }[] = [];
    for (const rows of [3_000, 12_000]) {
      const recorders = [new Recorder(), new Recorder()];
      const [a, b] = (await Promise.all(
        recorders.map((recorder, n) => openNode("ab"[n] as string, { ...schema, recorder })),
      )) as [TestNode, TestNode];
      await a.sql(manyParents(rows));
      await settle([b, a]);
      const verify = async () => {
        for (const recorder of recorders) {
          recorder.rowsRead = 0;
          recorder.executions = [];
        }
        const [report] = await link(b, a).verify();
        expect(report).toMatchObject({ rows, differing: [], error: null });
        return {
          read: recorders.reduce((sum, { rowsRead }) => sum + rowsRead, 0),
          statements: recorders.reduce((sum, { executions }) => sum + executions.length, 0),
        };
      };
      expect((await verify()).read).toBeGreaterThan(rows);
      const quiet = await verify();
      await a.sql("UPDATE parents SET name = 'changed' WHERE id IN ('p7', 'p77', 'p777')");
      await settle([b, a]);
      const changed = await verify();
      counts.push({ quiet: quiet.read, changed: changed.read, statements: quiet.statements });
      for (const node of [a, b]) await node.close();
    }
    const [few, many] = counts as [(typeof counts)[0], (typeof counts)[0]];
    expect(many.statements).toBe(few.statements);
    // All 64 groups of one table on both sides, and what any exchange reads.
    expect(many.quiet).toBe(few.quiet);
    expect(many.quiet).toBeLessThan(200);
    expect(many.changed).toBe(few.changed);
    expect(many.changed - many.quiet).toBeLessThan(60);
  });

  test("name what differs when a number of its own went with it", async () => {
    const [a, b] = (await openNodes(["a", "b"], schema)) as [TestNode, TestNode];
    await a.sql(manyParents(500));
    await settle([b, a]);
    expect((await link(b, a).verify())[0]).toMatchObject({ rows: 500, differing: [] });
    // The peer takes none of it.
    const hub = await openNode("hub", {
      ...schema,
      clock: a.clock,
      hooks: [{ beforeInboundChange: (change) => (change.pk[0] === "p9" ? null : change) }],
    });
    await settle([a, hub]);
    await link(a, hub).sync();
    const [report] = await link(a, hub).verify();
    expect(report?.differing.map(({ pk, there }) => [pk[0], there])).toEqual([["p9", null]]);
  });
});

const ignoreBusy = (error: unknown): void => {
  const { code } = error as { code?: string };
  if (!code?.startsWith("SQLITE_BUSY") && code !== "busy") throw error;
};
