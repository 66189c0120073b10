// Nodes of two versions of a schema: what the older one does not know waits there, and is shown once it has migrated.

import { createRandom } from "@grove-crdt/testkit";
import { createNode, type RowChange } from "grove-crdt";
import { counter, document, list, lww, set } from "grove-crdt/schema";
import { describe, expect, test } from "vitest";
import { expectEqual } from "./support/comparison";
import { describeOnEach } from "./support/dialects";
import { effort } from "./support/effort";
import { settle } from "./support/network";
import type { TestNode } from "./support/node";

interface Data {
  a?: number;
  b?: { c?: number };
  n?: number;
  tags?: string[];
  todo?: string[];
}

describeOnEach("two versions of a schema (faults 16)", ({ dialect, openNode, makeSchema }) => {
  const { integer, json, table, text, texts, textsOf } = dialect;
  const old = { id: text("id").primaryKey(), title: lww(text("title").notNull()) };
  const version1 = { notes: table("notes", old) };
  const version2 = {
    notes: table("notes", {
      ...old,
      color: lww(text("color").default("white")),
      rank: lww(integer("rank")),
      likes: counter(integer("likes").notNull().default(10)),
      labels: set(texts("labels").notNull().default(["new"])),
      steps: list(texts("steps").notNull().default(["first"])),
      data: document(
        json("data")
          .$type<Data>()
          .notNull()
          .default({ a: 0, n: 5, tags: ["t"], todo: ["d"] }),
        {
          n: counter(),
          tags: set(),
          todo: list(),
        },
      ),
    }),
  };
  const has = (values: object): unknown => expect.objectContaining(values);
  const NESTED = "labels, steps, data";
  const EMPTY = `'${textsOf()}', '${textsOf()}', '{}'`;
  const OTHER = `'${textsOf("x")}', '${textsOf("s")}', '{"b":{"c":1},"n":7,"tags":["u"]}'`;
  const DEFAULTS = `'${textsOf("new")}', '${textsOf("first")}', '{"a":0,"n":5,"tags":["t"],"todo":["d"]}'`;
  const empty = { labels: [], steps: [], data: {} };
  const other = { labels: ["x"], steps: ["s"], data: { b: { c: 1 }, n: 7, tags: ["u"] } };
  const defaults = {
    labels: ["new"],
    steps: ["first"],
    data: { a: 0, n: 5, tags: ["t"], todo: ["d"] },
  };
  const note = (node: TestNode, id = "1") => node.row("SELECT * FROM notes WHERE id = ?", id);

  async function versions(...ids: string[]) {
    const [v1, v2] = [await makeSchema(version1), await makeSchema(version2)];
    const statements = await dialect.emitTables(version2, version1);
    const alter = async (node: TestNode) => {
      for (const sql of statements) await node.sql(sql);
    };
    /** Stops the node and starts the new version on its database. */
    const migrate = async (node: TestNode) => {
      await alter(node);
      return openNode(node.id, { database: node.database, clock: node.clock, registry: v2.registry });
    };
    const first = await openNode("new", v2);
    const others: TestNode[] = [];
    for (const id of ids) others.push(await openNode(id, { ...v1, clock: first.clock }));
    return { v1, v2, alter, migrate, first, others };
  }

  test("what an older node was told of new columns is in its table after its migration, all types, and is relayed as before", async () => {
    const { v2, migrate, first, others } = await versions("old", "older");
    const [middle, last] = others as [TestNode, TestNode];
    await first.sql("INSERT INTO notes (id, title) VALUES ('1', 'one'), ('2', 'two'), ('3', 'three')");
    await settle([first, middle], [middle, last]);
    await first.sql(
      `UPDATE notes SET color = 'red', rank = 7, likes = likes + 5, labels = '${textsOf("new", "x")}', steps = '${textsOf("s", "t")}', data = '{"a":1,"b":{"c":2},"n":3}' WHERE id = '1'`,
    );
    await first.sql("UPDATE notes SET color = NULL WHERE id = '2'");
    await settle([first, middle], [middle, last]);
    expect(await note(middle)).toEqual({ id: "1", title: "one" });

    const now = await migrate(middle);
    await expectEqual(first, now);
    expect(await note(now)).toEqual({
      id: "1",
      title: "one",
      color: "red",
      rank: 7,
      likes: 15,
      labels: ["new", "x"],
      steps: ["s", "t"],
      data: { a: 1, b: { c: 2 }, n: 3 },
    });
    expect(await note(now, "2")).toMatchObject({ color: null });
    expect(await now.rows("SELECT field FROM _notes_crdt_cells WHERE field LIKE '?%'")).toEqual([]);

    // The last node never knew; who comes now gets it all from there.
    const late = await openNode("late", { ...v2, clock: first.clock });
    await settle([now, last], [late, last]);
    await expectEqual(first, late);
    await settle([first, now], [now, last], [late, last]);
    expect(await settle([first, now], [now, last], [late, last])).toBe(1);
    const again = await migrate(last);
    await settle([first, now], [now, again]);
    await expectEqual(first, now, again, late);
  });

  test("a row that was born with values of its own keeps them where the column came later, empty ones as well", async () => {
    const { v2, migrate, first, others } = await versions("old", "older");
    const [middle, last] = others as [TestNode, TestNode];
    await first.sql(`INSERT INTO notes (id, title, likes, ${NESTED}) VALUES ('1', 'one', 7, ${EMPTY})`);
    await first.sql(`INSERT INTO notes (id, title, likes, ${NESTED}) VALUES ('2', 'two', 7, ${OTHER})`);
    await first.sql(`INSERT INTO notes (id, title, likes, ${NESTED}) VALUES ('3', 'three', 10, ${DEFAULTS})`);
    await middle.sql("INSERT INTO notes (id, title) VALUES ('4', 'four')");
    await settle([first, middle], [middle, last]);
    const expectValues = async (...nodes: TestNode[]) => {
      for (const node of nodes) {
        expect(await note(node, "1"), node.id).toEqual(has({ likes: 7, ...empty }));
        expect(await note(node, "2"), node.id).toEqual(has({ likes: 7, ...other }));
        for (const id of ["3", "4"]) expect(await note(node, id), node.id).toEqual(has({ likes: 10, ...defaults }));
      }
      await expectEqual(...(nodes as [TestNode]));
    };
    const now = await migrate(middle);
    await expectValues(first, now);
    // Whoever comes now has it from here.
    const late = await openNode("late", { ...v2, clock: first.clock });
    await settle([now, late]);
    const again = await migrate(last);
    await settle([now, again], [first, now], [now, late]);
    await expectValues(first, now, late, again);
    await again.sql(`UPDATE notes SET labels = '${textsOf("y")}' WHERE id = '1'`);
    await settle([now, again], [first, now]);
    expect(await note(first)).toEqual(has({ ...empty, labels: ["y"] }));
    await expectEqual(first, now, again);
  });

  test("an older node that has inserted the row itself is told of empty values, too, and passes them on", async () => {
    const { migrate, first, others } = await versions("old", "older");
    const [middle, last] = others as [TestNode, TestNode];
    await first.sql(`INSERT INTO notes (id, title, ${NESTED}) VALUES ('1', 'one', ${EMPTY})`);
    await first.node.fold();
    first.clock.advance(1000);
    await middle.sql("INSERT INTO notes (id, title) VALUES ('1', 'its own')");
    await settle([middle, last], [first, middle]);
    await settle([middle, last]);
    const [now, again] = [await migrate(middle), await migrate(last)];
    await settle([first, now], [now, again]);
    for (const node of [first, now, again])
      expect(await note(node), node.id).toEqual(has({ title: "its own", ...empty }));
    await expectEqual(first, now, again);
  });

  test("where a newer node took that insert for itself, its defaults count and everybody hears of them", async () => {
    const { v2, migrate, first, others } = await versions("old");
    const [middle] = others as [TestNode];
    const third = await openNode("third", { ...v2, clock: first.clock });
    await first.sql(`INSERT INTO notes (id, title, ${NESTED}) VALUES ('1', 'one', ${EMPTY})`);
    await first.node.fold();
    first.clock.advance(1000);
    await middle.sql("INSERT INTO notes (id, title) VALUES ('1', 'its own')");
    await settle([middle, third]);
    await settle([first, middle], [middle, third]);
    await settle([first, middle], [middle, third]);
    const now = await migrate(middle);
    for (const node of [first, now, third]) expect(await note(node), node.id).toEqual(has(defaults));
    await expectEqual(first, now, third);
  });

  test("writes between the migration and the adoption count, and undo nothing that waited", async () => {
    const { v2, alter, first, others } = await versions("old");
    const [middle] = others as [TestNode];
    await first.sql("INSERT INTO notes (id, title) VALUES ('1', 'one')");
    await first.sql(`UPDATE notes SET likes = likes + 5, labels = '${textsOf("new", "x")}', steps = '${textsOf("s")}'`);
    await first.sql("UPDATE notes SET color = 'red', rank = 1");
    await settle([first, middle]);
    await alter(middle);
    const { database, clock } = middle;
    const { registry } = v2;
    await createNode({ db: database.db, registry, nodeId: "old", now: clock.now }).store.install();
    clock.advance(1000);
    await middle.sql(
      `UPDATE notes SET likes = likes + 1, labels = '${textsOf("new", "y")}', steps = '${textsOf("t")}', color = 'green'`,
    );
    const now = await openNode("old", { database, clock, registry });
    const merged = { likes: 16, labels: ["new", "x", "y"], color: "green", rank: 1 };
    expect(await note(now)).toMatchObject(merged);
    const { steps } = (await note(now)) as { steps: string[] };
    expect(steps.sort()).toEqual(["s", "t"]);
    await settle([first, now]);
    await expectEqual(first, now);
  });

  test("a row that does not show, and one in a table that is empty otherwise, get what waited too", async () => {
    const { migrate, first, others } = await versions("old");
    const [middle] = others as [TestNode];
    // What refuses the row here is no part of the schema.
    for (const sql of dialect.trigger({
      name: "no_guests",
      event: "BEFORE INSERT ON notes",
      when: "NEW.title = 'guest'",
      body: dialect.refuse("no guests"),
    }))
      await middle.sql(sql);
    await first.sql("INSERT INTO notes (id, title, likes) VALUES ('1', 'guest', 12)");
    await first.sql(`UPDATE notes SET color = 'red', likes = likes + 1, labels = '${textsOf("x")}'`);
    await first.sql(`INSERT INTO notes (id, title, ${NESTED}) VALUES ('2', 'guest', ${EMPTY})`);
    await settle([first, middle]);
    expect(await middle.rows("SELECT id FROM notes")).toEqual([]);
    const now = await migrate(middle);
    expect(await now.rows("SELECT id FROM notes")).toEqual([]);
    expect(await now.rows("SELECT field FROM _notes_crdt_cells WHERE field LIKE '?%'")).toEqual([]);
    await first.sql("UPDATE notes SET title = 'host'");
    await settle([first, now]);
    expect(await note(now, "2")).toEqual(has({ title: "host", ...empty }));
    expect(await note(now)).toMatchObject({ title: "host", color: "red", likes: 13, labels: ["x"] });
    await expectEqual(first, now);
  });

  test("a value that the column cannot hold stays where it was, and its neighbours are shown", async () => {
    const { v2, migrate, first, others } = await versions("old");
    const [middle] = others as [TestNode];
    await middle.sql("INSERT INTO notes VALUES ('1', 'one')");
    await middle.node.fold();
    const { life } = (await middle.node.inspect("notes", ["1"])) as RowChange;
    const [hlc, node] = life;
    await middle.node.merge("stranger", [
      {
        table: "notes",
        pk: ["1"],
        cl: 1,
        life: [hlc, node],
        lww: { rank: ["no number", hlc + 1, "stranger"], color: ["red", hlc + 1, "stranger"] },
      },
    ]);
    const now = await migrate(middle);
    expect(await note(now)).toMatchObject({ color: "red", rank: null });
    expect(await now.rows("SELECT field FROM _notes_crdt_cells WHERE field LIKE '?%'")).toEqual([
      { field: "?lww:rank" },
    ]);
    await now.sql("UPDATE notes SET rank = 5");
    await settle([first, now]);
    await expectEqual(first, now);
    const again = await openNode("old", { database: now.database, clock: now.clock, registry: v2.registry });
    expect(await note(again)).toMatchObject({ color: "red", rank: 5 });
  });

  describe("random writes, exchanges and migrations", () => {
    const seeds = Number(process.env.VERSIONS_RUNS ?? effort(dialect.thorough ? 8 : 1));
    test(`end alike, ${seeds} seeds`, async () => {
      for (let seed = 1; seed <= seeds; seed++) {
        const random = createRandom(seed);
        const { migrate, first, others } = await versions("b", "c", "d");
        const nodes = [first, ...others];
        const isNew = [true, false, false, false];
        // Where every row is born with values of its own in all columns, nobody ever sees the defaults.
        const isBornWhole = random.chance(0.5);
        const births = isBornWhole ? [EMPTY, OTHER] : [EMPTY, EMPTY, OTHER, DEFAULTS];
        let unique = 0;
        const write = async (n: number) => {
          const node = nodes[n] as TestNode;
          const id = random.pick(["1", "2", "3"]);
          const known = await note(node, id);
          if (!known && isBornWhole && !isNew[n]) return;
          if (!known && isNew[n] && (isBornWhole || random.chance(0.8))) {
            const nested = random.pick(births);
            const [likes, title] = [random.pick([7, 10]), `t${++unique}`];
            return node.sql(
              `INSERT INTO notes (id, title, likes, ${NESTED}) VALUES ('${id}', '${title}', ${likes}, ${nested})`,
            );
          }
          if (!known) return node.sql(`INSERT INTO notes (id, title) VALUES ('${id}', 't${++unique}')`);
          if (random.chance(0.1)) return node.sql(`DELETE FROM notes WHERE id = '${id}'`);
          if (!isNew[n] || random.chance(0.2))
            return node.sql(`UPDATE notes SET title = 't${++unique}' WHERE id = '${id}'`);
          const labels = random.chance(0.3) ? [] : [...(known.labels as string[]), `l${++unique}`];
          const steps = random.chance(0.2) ? [] : [`s${++unique}`, ...(known.steps as string[])];
          const assignment = random.pick([
            `color = ${random.pick(["NULL", "'red'", "'white'", `'c${++unique}'`])}`,
            `rank = ${random.below(9)}, likes = likes + ${random.below(5)}`,
            `likes = likes - 1`,
            `labels = '${textsOf(...labels)}'`,
            `steps = '${textsOf(...steps)}'`,
            `data = '{"a":${++unique},"n":${random.below(5)}}'`,
            `data = '{"b":{"c":${++unique}}}'`,
            `data = '{"tags":["u","u${++unique}"],"todo":["e"]}'`,
            `data = '{}'`,
          ]);
          return node.sql(`UPDATE notes SET ${assignment} WHERE id = '${id}'`);
        };
        for (const n of [1, 2, 3]) {
          if (random.chance(0.7)) continue;
          nodes[n] = await migrate(nodes[n] as TestNode);
          isNew[n] = true;
        }
        // Short runs leave rows as they were born, of several nodes at once.
        const steps = random.pick([6, 12, 30]);
        for (const n of [0, 1, 2, 3, 0, 1]) {
          await write(n);
          first.clock.advance(random.below(3));
        }
        for (let step = 0; step < steps; step++) {
          first.clock.advance(random.below(3));
          const n = random.below(4);
          if (random.chance(0.6)) await write(n);
          else if (random.chance(0.85)) {
            const other = (n + 1 + random.below(3)) % 4;
            await settle([nodes[n] as TestNode, nodes[other] as TestNode]);
          } else if (!isNew[n]) {
            nodes[n] = await migrate(nodes[n] as TestNode);
            isNew[n] = true;
          }
        }
        for (const n of [1, 2, 3]) if (!isNew[n]) nodes[n] = await migrate(nodes[n] as TestNode);
        const [a, b, c, d] = nodes as [TestNode, TestNode, TestNode, TestNode];
        await settle([a, b], [b, c], [c, d]);
        await expectEqual(a, b, c, d);
        if (isBornWhole)
          for (const { labels, steps, data } of await a.rows("SELECT labels, steps, data FROM notes")) {
            const seen = JSON.stringify([labels, steps, data]);
            for (const own of ['"new"', '"first"', '"t"', '"a":0']) expect(seen, `seed ${seed}`).not.toContain(own);
          }
        for (const node of nodes) expect(await node.node.verify(), `seed ${seed}`).toEqual([]);
        for (const node of nodes) await node.close();
      }
    });
  });
});
