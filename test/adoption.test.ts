// Adopting an existing database: rows from before capture, and columns that were added since. Nodes that already hold the
// same rows agree by sums; what differs ends equal.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import fc from "fast-check";
import { type AdoptProgress, createNode, createSyncer, type GroveNode } from "grove-crdt";
import { counter, document, list, lww, set } from "grove-crdt/schema";
import { afterAll, describe, expect, test } from "vitest";
import { registry } from "../generated/sqlite";
import { Clock, randomness } from "./support/clock";
import { expectEqual } from "./support/comparison";
import type { TestDatabase } from "./support/dialect";
import { describeOnEach } from "./support/dialects";
import { effort } from "./support/effort";
import { MigratedNode, MigrationProject } from "./support/migrations";
import { errorOf, link, pullMessage, pushMessage, request, settle, sync, type Tamper } from "./support/network";
import type { TestNode } from "./support/node";
import { runCli } from "./support/project";
import { sqlite } from "./support/sqlite";

const many = (count: number, title = "'title ' || n") =>
  `INSERT INTO documents (id, title, body) WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < ${count}) SELECT 'd' || n, ${title}, 'the same long text in every row, so that values weigh more than their names' FROM k`;

const bytesOf = (): { tamper: Tamper; bytes: () => number } => {
  let bytes = 0;
  const tamper: Tamper = async (path, body, forward) => {
    const response = await forward(path, body);
    bytes += body.length + (await response.clone().text()).length;
    return response;
  };
  return { tamper, bytes: () => bytes };
};

describeOnEach("adopting", ({ dialect, openNode, openNodes, makeSchema }) => {
  const { textsOf, table, text, integer, texts } = dialect;
  const documents = [
    `INSERT INTO documents (id, title, body, view_count, tags) VALUES ('1', 'one', 'x', 100, '${textsOf("a", "b")}')`,
    "INSERT INTO documents (id, title, body) VALUES ('2', 'two', 'y'), ('3', 'three', 'z')",
  ];

  /** Capture is installed as migrations do, and the rows that were there wait. */
  async function captured(id: string, statements: readonly string[]): Promise<[TestDatabase, GroveNode]> {
    const database = await dialect.open();
    for (const statement of statements) await database.run(statement);
    const node = createNode({
      db: database.db,
      registry: dialect.registry,
      nodeId: id,
      now: new Clock().now,
      random: randomness(),
    });
    await node.store.install();
    return [database, node];
  }
  const shadows = async (database: TestDatabase) =>
    (await database.rows("SELECT count(*) AS n FROM _documents_crdt", [], []))[0]?.n;

  describe("rows from before capture", () => {
    test("keep the node from starting until they are adopted, whoever asks", async () => {
      const [database, node] = await captured("hub", documents);
      await expect(node.ready()).rejects.toMatchObject({ code: "not_adopted", details: { names: ["documents"] } });
      await expect(node.fold()).rejects.toMatchObject({ code: "not_adopted" });
      const other = await openNode("other");
      const [report] = await createSyncer(node, {
        peers: [{ url: "", pull: other.node.pull.bind(other.node), push: other.node.push.bind(other.node) }],
      }).sync();
      expect(report?.error?.code).toBe("not_adopted");
      await node.adopt();
      await node.ready();
      expect(await shadows(database)).toBe(3);
      const seen: AdoptProgress[] = [];
      await node.adopt({ onProgress: (progress) => void seen.push(progress) });
      await node.ensureShadowTables();
      expect(seen).toEqual([]);
      expect(await shadows(database)).toBe(3);
    });

    test("of empty tables there is nothing to adopt", async () => {
      const [, node] = await captured("hub", []);
      await node.ready();
      await node.ensureShadowTables();
    });

    test("without capture there is nothing to begin with", async () => {
      const database = await dialect.open();
      const node = createNode({ db: database.db, registry: dialect.registry });
      await expect(node.adopt()).rejects.toMatchObject({ code: "capture_missing" });
    });

    test("are adopted in chunks with progress, and an interrupted call is taken up by the next", async () => {
      const [database, node] = await captured("hub", [
        many(12_000),
        `INSERT INTO orders VALUES ('o', 'open', NULL, 1, ${dialect.time(0)})`,
      ]);
      const stop = new AbortController();
      const seen: AdoptProgress[] = [];
      const onProgress = (progress: AdoptProgress) => {
        seen.push(progress);
        stop.abort();
      };
      await expect(node.adopt({ onProgress, signal: stop.signal })).rejects.toMatchObject({ code: "aborted" });
      expect(seen).toMatchObject([{ table: "documents", rows: 5_000 }]);
      expect(await shadows(database)).toBe(5_000);
      await expect(node.ready()).rejects.toMatchObject({ code: "not_adopted" });
      await node.adopt({ onProgress: (progress) => void seen.push(progress) });
      expect(seen.slice(1).map(({ table, rows }) => [table, rows])).toEqual([
        ["documents", 5_000],
        ["documents", 10_000],
        ["documents", 12_000],
        ["orders", 1],
      ]);
      expect(await shadows(database)).toBe(12_000);
      const [hub, fresh] = [await openNode("hub", { database }), await openNode("fresh")];
      await settle([fresh, hub]);
      await expectEqual(hub, fresh);
    });

    test.runIf(dialect.name === "postgres")(
      "cost what they are, and no chunk reads the shadow of those before",
      async () => {
        const [database, node] = await captured("hub", [many(20_000)]);
        await node.adopt();
        // A connection counts what it read when it ends, if not before.
        const again = await database.reopen();
        const [read] = await again.rows(
          "SELECT seq_tup_read AS n FROM pg_stat_user_tables WHERE relname = '_documents_crdt'",
          [],
          [],
        );
        expect(Number(read?.n)).toBeLessThan(1_000);
      },
    );

    test("written, deleted, replaced and moved before they are adopted, they count as adopted", async () => {
      const [database] = await captured("a", documents);
      const peer = await openNode("b", { before: documents });
      await database.run(`
        UPDATE documents SET view_count = view_count + 1, tags = ${dialect.append("tags", "'c'")} WHERE id = '1';
        DELETE FROM documents WHERE id = '2';
        UPDATE documents SET id = '4' WHERE id = '3'`);
      await database.run(
        "INSERT INTO documents (id, title) VALUES ('5', 'short-lived'); DELETE FROM documents WHERE id = '5'",
      );
      await peer.sql("UPDATE documents SET view_count = view_count + 1 WHERE id = '1'");
      peer.clock.advance(1000);
      const a = await openNode("a", { database, clock: peer.clock });
      await settle([a, peer]);
      await expectEqual(a, peer);
      expect(await peer.rows("SELECT id, title, view_count, tags FROM documents ORDER BY id")).toEqual([
        { id: "1", title: "one", view_count: 102, tags: ["a", "b", "c"] },
        { id: "4", title: "three", view_count: 0, tags: [] },
      ]);
      expect(await a.node.inspect("documents", ["5"])).toBeNull();
    });

    test("deleted and inserted again before they are adopted, they begin a new life", async () => {
      const [database] = await captured("a", documents);
      const peer = await openNode("b", { before: documents });
      await database.run(
        "DELETE FROM documents WHERE id = '1'; INSERT INTO documents (id, title) VALUES ('1', 'again')",
      );
      const a = await openNode("a", { database, clock: peer.clock });
      await settle([a, peer]);
      await expectEqual(a, peer);
      expect(await peer.row("SELECT title, view_count, tags FROM documents WHERE id = '1'")).toEqual({
        title: "again",
        view_count: 0,
        tags: [],
      });
      expect(await a.node.inspect("documents", ["1"])).toMatchObject({ cl: 3 });
    });

    test("written and merged between two chunks, none is lost", async () => {
      const [database, node] = await captured("a", [many(11_000)]);
      const peer = await openNode("b", { before: [many(11_000)] });
      await peer.sql("UPDATE documents SET title = 'from b', view_count = 1 WHERE id IN ('d1', 'd9999', 'd5000')");
      await peer.sql("DELETE FROM documents WHERE id IN ('d2', 'd9998')");
      const page = await peer.node.store.serve({
        cursor: null,
        tables: ["documents"],
        peer: "a",
        rows: 1e6,
        bytes: 1e9,
      });
      const news = page.rows.filter(({ life, lww }) => life[0] > 0 || (lww?.title?.length ?? 0) > 1);
      expect(news).toHaveLength(5);
      let chunks = 0;
      let merging: Promise<unknown> = Promise.resolve();
      let inserting: Promise<unknown> = Promise.resolve();
      const onProgress = () => {
        if (++chunks === 2) {
          // Waits in the log while the last chunk, where it belongs, is adopted.
          inserting = database.run("INSERT INTO documents (id, title) VALUES ('e', 'new')");
        }
        if (chunks > 1) return;
        merging = node.store.merge({ from: "b", rows: news });
        merging = Promise.all([
          merging,
          database.run("UPDATE documents SET view_count = view_count + 1 WHERE id IN ('d1', 'd9999', 'd7')"),
          database.run("DELETE FROM documents WHERE id IN ('d3', 'd9997')"),
          database.run("INSERT INTO documents (id, title) VALUES ('d0', 'new')"),
        ]);
      };
      await node.adopt({ onProgress });
      await Promise.all([merging, inserting]);
      const a = await openNode("a", { database, clock: peer.clock });
      await settle([a, peer]);
      await expectEqual(a, peer);
      expect(await a.rows("SELECT id, view_count FROM documents WHERE view_count > 0 ORDER BY id")).toEqual([
        { id: "d1", view_count: 2 },
        { id: "d5000", view_count: 1 },
        { id: "d7", view_count: 1 },
        { id: "d9999", view_count: 2 },
      ]);
      expect(await a.row("SELECT count(*) AS n FROM documents")).toEqual({ n: 11_000 - 4 + 2 });
      // What was inserted meanwhile was not adopted: it has one life, and that began with its insert.
      for (const id of ["d0", "e"])
        expect(await a.node.inspect("documents", [id])).toMatchObject({ cl: 1, life: [expect.any(Number), "a"] });
    });

    test("a trigger that was missing for a while: the rows of that time are adopted with the next install", async () => {
      const a = await openNode("a");
      const on = dialect.name === "postgres" ? " ON documents" : "";
      await a.sql(`DROP TRIGGER _documents_insert${on}`);
      await a.sql("INSERT INTO documents (id, title) VALUES ('1', 'missed')");
      const again = await openNode("a", { database: a.database, clock: a.clock });
      expect(await again.node.inspect("documents", ["1"])).toMatchObject({ cl: 1, life: [0, ""] });
    });

    const { json } = dialect;
    const unfit = {
      set: [set(json("value").$type<string[]>().notNull().default([])), `'["a"]'`, `'{"a":1}'`],
      list: [list(json("value").$type<string[]>().notNull().default([])), `'["a"]'`, `'"a"'`],
      document: [document(json("value").$type<{ a?: 1 }>().notNull().default({})), `'{"a":1}'`, `'[1]'`],
      ...(dialect.name === "sqlite"
        ? {
            text: [list(json("value").$type<string[]>().notNull().default([])), `'["a"]'`, "'no JSON at all'"],
            counter: [counter(integer("value").notNull().default(0)), "7", "'no number'"],
          }
        : { array: [set(dialect.texts("value").notNull().default([])), "'{a}'", "'[0:1]={a,b}'"] }),
    } as const;
    test.each(Object.entries(unfit))(
      "a value that nothing can be added to is refused by table and column, and adopted once it is mended: %s",
      async (_, [value, good, bad]) => {
        const schema = await makeSchema({ notes: table("notes", { id: text("id").primaryKey(), value }) });
        const given = await dialect.open({ ddl: schema.ddl });
        await given.run(`INSERT INTO notes VALUES ('1', ${good}), ('2', ${bad})`);
        const options = { ...schema, database: given };
        await expect(openNode("a", options)).rejects.toMatchObject({
          code: "bad_value",
          message: expect.stringMatching(/notes\.value holds no .+ in 1 row, for example in "2"\. Mend the values/),
          details: { table: "notes", column: "value", rows: 1 },
        });
        await given.run(`UPDATE notes SET value = ${good}`);
        const a = await openNode("a", options);
        expect(await a.node.inspect("notes", ["2"])).toMatchObject({ cl: 1, life: [0, ""] });
      },
    );
  });

  describe("nodes that hold the same rows", () => {
    test("agree by sums: no row travels, in either direction, and a third one gets them whole", async () => {
      const [a, b] = (await openNodes(["a", "b"], { before: [...documents, many(500)] })) as [TestNode, TestNode];
      expect(await sync(a, b)).toMatchObject({ pulled: 0, pushed: 0, agreed: 1006, error: null });
      expect(b.traffic).toMatchObject({ served: 0, received: 0 });
      expect(await sync(a, b)).toMatchObject({ pulled: 0, pushed: 0, agreed: 0 });
      const c = await openNode("c", { clock: a.clock });
      expect(await sync(c, a)).toMatchObject({ pulled: 503, agreed: 0 });
      expect(await sync(c, b)).toMatchObject({ pulled: 0, pushed: 0, agreed: 1006 });
      await expectEqual(a, b, c);
    });

    test("faults 47: what differs travels whole, and ends equal by the greater canonical bytes of each field", async () => {
      const a = await openNode("a", { before: [...documents, many(100)] });
      const b = await openNode("b", { clock: a.clock, before: [...documents, many(100)] });
      const [c, d] = [
        await openNode("c", {
          clock: a.clock,
          before: [`INSERT INTO documents (id, title, body) VALUES ('1', 'zebra', 'a')`, many(100)],
        }),
        await openNode("d", { clock: a.clock, before: [...documents.slice(0, 1), many(99)] }),
      ];
      expect(await sync(a, c)).toMatchObject({ pulled: 1, pushed: 3, agreed: 200 });
      await settle([a, c], [b, d], [a, b], [c, d]);
      await expectEqual(a, b, c, d);
      expect(await a.row("SELECT title, body, view_count, tags FROM documents WHERE id = '1'")).toEqual({
        title: "zebra",
        body: "x",
        view_count: 100,
        tags: ["a", "b"],
      });
    });

    test("faults 46: counters adopted at 100 on two nodes that agreed by sums, and one more on each, are 102", async () => {
      const [a, b] = (await openNodes(["a", "b"], { before: documents })) as [TestNode, TestNode];
      expect(await sync(a, b)).toMatchObject({ agreed: 6 });
      for (const node of [a, b]) await node.sql("UPDATE documents SET view_count = view_count + 1 WHERE id = '1'");
      await settle([a, b]);
      await expectEqual(a, b);
      expect(await a.row("SELECT view_count FROM documents WHERE id = '1'")).toEqual({ view_count: 102 });
    });

    test("small pages bound sums and what is asked for because of them", async () => {
      const a = await openNode("a", { before: [many(30)] });
      const b = await openNode("b", {
        clock: a.clock,
        before: [many(30, "CASE WHEN n < 8 THEN 'other' ELSE 'title ' || n END")],
      });
      const most = { sums: 0, rows: 0 };
      const tamper: Tamper = async (path, body, forward) => {
        const response = await forward(path, body);
        const sent = JSON.parse(body) as { rows?: unknown; sums?: unknown };
        const answered = (await response.clone().json()) as { rows?: unknown; sums?: unknown };
        for (const { rows, sums } of [sent, answered]) {
          if (Array.isArray(rows)) most.rows = Math.max(most.rows, rows.length);
          if (Array.isArray(sums)) most.sums = Math.max(most.sums, sums.length);
        }
        return response;
      };
      const [report] = await link(a, b, { pageRows: 4, pageBytes: 700 }, tamper).sync();
      expect(report?.error).toBeNull();
      expect(most.rows).toBeLessThanOrEqual(4);
      expect(most.sums).toBeLessThanOrEqual(4);
      await settle([a, b]);
      await expectEqual(a, b);
    });

    test("an exchange that ends between the sums and the rows asked for loses none of them", async () => {
      for (const cut of [1, 2, 3, 4, 5]) {
        const a = await openNode("a", { before: [many(12)] });
        const b = await openNode("b", {
          clock: a.clock,
          before: [many(12, "CASE WHEN n < 3 THEN 'other' ELSE 'title ' || n END")],
        });
        let requests = 0;
        const tamper: Tamper = (path, body, forward) =>
          requests++ === cut ? Promise.reject(new Error("the line is dead")) : forward(path, body);
        await link(a, b, {}, tamper).sync();
        await settle([a, b]);
        await expectEqual(a, b);
      }
    });

    test("a peer that does not compare sums gets every row whole; one that asks for odd rows gets what there is", async () => {
      const a = await openNode("a", { before: documents });
      const pull = async (fields: object) => (await request(a, "/pull", JSON.stringify(pullMessage(fields)))).json();
      expect(await pull({})).toMatchObject({ rows: [{}, {}, {}], more: false });
      expect(await pull({})).not.toHaveProperty("sums");
      const compared = (await pull({ sums: true })) as { rows: unknown[]; sums: [string, string[], string][] };
      expect(compared.rows).toEqual([]);
      expect(compared.sums.map(([name, pk]) => [name, pk])).toEqual([
        ["documents", ["1"]],
        ["documents", ["2"]],
        ["documents", ["3"]],
      ]);
      const want = [
        ["documents", ["2"]],
        ["documents", ["none"]],
        ["documents", ["1", "2"]],
        ["nothing", ["1"]],
        ["documents", [null]],
        ["documents", [{}]],
      ];
      expect(await pull({ want })).toMatchObject({ rows: [{ pk: ["2"], life: [0, ""] }], more: false });
      for (const bad of [{ want: [["documents", []]] }, { want: [["documents"]] }, { want: "documents" }, { sums: 1 }])
        expect(await errorOf(await request(a, "/pull", JSON.stringify(pullMessage(bad))))).toEqual([
          400,
          "bad_request",
        ]);
      const push = async (sums: unknown) => {
        const response = await request(a, "/push", JSON.stringify(pushMessage([], { sums })));
        return (await response.json()) as { want?: unknown; error?: { code: string } };
      };
      expect(await push(compared.sums)).not.toHaveProperty("want");
      const unlike = "A".repeat(22);
      expect(
        (
          await push([
            ["documents", ["1"], unlike],
            ["nothing", ["1"], unlike],
          ])
        ).want,
      ).toEqual([
        ["documents", ["1"]],
        ["nothing", ["1"]],
      ]);
      expect((await push([["documents", ["1"], "short"]])).error?.code).toBe("bad_request");
    });

    test("random databases that overlap end equal", async () => {
      const value = fc.constantFrom("a", "b", "ä");
      const row = fc.record({
        id: fc.integer({ min: 1, max: 6 }),
        title: value,
        count: fc.integer({ min: -1, max: 2 }),
        tags: fc.uniqueArray(value, { maxLength: 2 }),
      });
      const rows = fc.uniqueArray(row, { maxLength: 6, selector: ({ id }) => id });
      const write = fc.constantFrom(
        "UPDATE documents SET title = 'late'",
        "UPDATE documents SET view_count = view_count + 1 WHERE id < '4'",
        `UPDATE documents SET tags = ${dialect.append("tags", "'late'")}`,
        "DELETE FROM documents WHERE id = '2'",
        "",
      );
      await fc.assert(
        fc.asyncProperty(rows, rows, write, write, fc.boolean(), async (first, second, onA, onB, early) => {
          const inserts = (some: typeof first) =>
            some.map(
              ({ id, title, count, tags }) =>
                `INSERT INTO documents (id, title, view_count, tags) VALUES ('${id}', '${title}', ${count}, '${textsOf(...tags)}')`,
            );
          const a = await openNode("a", { before: inserts(first) });
          const b = await openNode("b", { clock: a.clock, before: inserts(second) });
          if (!early) await sync(b, a);
          if (onA) await a.sql(onA);
          if (onB) await b.sql(onB);
          const c = await openNode("c", { clock: a.clock, before: inserts(first.slice(1)) });
          await settle([a, b], [c, b]);
          await settle([c, a]);
          await expectEqual(a, b, c);
          expect(await settle([a, b], [c, b], [c, a])).toBe(1);
          await Promise.all([a, b, c].map((node) => node.close()));
        }),
        { numRuns: effort(dialect.name === "sqlite" ? 25 : 5) },
      );
    }, 120_000);
  });

  describe("a column that is added later", () => {
    const old = { id: text("id").primaryKey(), name: lww(text("name").notNull()) };
    const now = {
      ...old,
      note: lww(text("note")),
      level: lww(text("level").default("low")),
      stock: counter(integer("stock").notNull().default(10)),
      labels: set(texts("labels").notNull().default(["new"])),
    };
    async function versions() {
      const [before, after] = [table("articles", old), table("articles", now)];
      const [v1, v2] = [await makeSchema({ articles: before }), await makeSchema({ articles: after })];
      const statements = await dialect.emitTables({ articles: after }, { articles: before });
      const migrate = async (node: TestNode, ...more: string[]) => {
        for (const sql of [...statements, ...more]) await node.sql(sql);
        return openNode(node.id, { database: node.database, clock: node.clock, registry: v2.registry });
      };
      return { v1, v2, migrate };
    }
    const articles = "INSERT INTO articles (id, name) VALUES ('1', 'one'), ('2', 'two'), ('3', 'three'), ('4', 'four')";

    test("faults 60: values that differ from node to node end equal, and nothing is sent where all have the default", async () => {
      const { v1, v2, migrate } = await versions();
      const [a, b, c] = (await openNodes(["a", "b", "c"], v1)) as [TestNode, TestNode, TestNode];
      await a.sql(articles);
      await settle([a, b], [c, b]);
      const seq = (await a.node.store.position()).seq;
      const fill = (note: string, rest: string) =>
        `UPDATE articles SET note = ${note}, level = '${rest}', stock = 12, labels = '${textsOf(rest)}' WHERE id IN ('1', '2')`;
      // The rows change before the triggers know of the column, as a migration that fills it does.
      const a2 = await migrate(a, fill("'from a'", "alpha"));
      const b2 = await migrate(b, fill("'from b'", "beta"), "UPDATE articles SET note = 'only b' WHERE id = '3'");
      const c2 = await migrate(c);
      expect((await a2.node.store.position()).seq).toBe(seq + 2);
      expect((await c2.node.store.position()).seq).toBe((await c.node.store.position()).seq);
      await settle([a2, b2], [c2, b2]);
      const d = await openNode("d", { clock: a.clock, ...v2 });
      await settle([d, c2], [a2, b2], [c2, b2]);
      await expectEqual(a2, b2, c2, d);
      expect(await settle([a2, b2], [c2, b2], [d, c2])).toBe(1);
      expect(await d.row("SELECT note, level, stock FROM articles WHERE id = '4'")).toEqual({
        note: null,
        level: "low",
        stock: 10,
      });
      for (const node of [a2, b2, c2, d])
        expect(await node.row("SELECT stock FROM articles WHERE id = '1'")).toEqual({ stock: 12 });
    });

    test("faults 60: a default that overrules such a value is told to those who have the value, whoever made the row", async () => {
      const { v1, migrate } = await versions();
      const [a, b] = (await openNodes(["a", "b"], v1)) as [TestNode, TestNode];
      await b.sql(articles);
      await settle([a, b]);
      const a2 = await migrate(
        a,
        `UPDATE articles SET level = 'alpha', stock = 1, labels = '${textsOf()}' WHERE id = '1'`,
      );
      const b2 = await migrate(b);
      await sync(a2, b2);
      await settle([a2, b2]);
      await expectEqual(a2, b2);
      expect(await a2.row("SELECT level, stock, labels FROM articles WHERE id = '1'")).toEqual({
        level: "low",
        stock: 10,
        labels: [],
      });
      expect(await settle([a2, b2])).toBe(1);
    });

    test("faults 17: at its default it writes no metadata and sends nothing, however many rows there are", async () => {
      const { v1, migrate } = await versions();
      const [a, b] = (await openNodes(["a", "b"], v1)) as [TestNode, TestNode];
      await a.sql(
        "INSERT INTO articles (id, name) WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < 6000) SELECT 'd' || n, 'n' FROM k",
      );
      await settle([a, b]);
      const metadata = () => a.rows("SELECT * FROM _articles_crdt ORDER BY id");
      const before = await metadata();
      const [a2, b2] = [await migrate(a), await migrate(b)];
      expect(await metadata()).toEqual(before);
      expect(await a2.rows("SELECT * FROM _articles_crdt_cells")).toEqual([]);
      expect(await sync(a2, b2)).toMatchObject({ pulled: 0, pushed: 0, agreed: 0 });
      await a2.sql("UPDATE articles SET note = 'now', stock = stock + 1 WHERE id = 'd1'");
      expect(await sync(a2, b2)).toMatchObject({ pulled: 0, pushed: 1 });
      await expectEqual(a2, b2);
    });

    test("a write that waits when the column comes keeps its place before and after", async () => {
      const { v1, migrate } = await versions();
      const [a, b] = (await openNodes(["a", "b"], v1)) as [TestNode, TestNode];
      await a.sql(articles);
      await settle([a, b]);
      await a.sql("UPDATE articles SET name = 'waits' WHERE id = '1'");
      const a2 = await migrate(a, "UPDATE articles SET note = 'filled'");
      const b2 = await migrate(b);
      await settle([a2, b2]);
      await expectEqual(a2, b2);
      expect(await b2.row("SELECT name FROM articles WHERE id = '1'")).toEqual({ name: "waits" });
    });
  });
});

describe("on the wire", () => {
  test("10,000 equal rows cost a fraction of their values", async () => {
    const { openNodes } = await import("./support/nodes");
    const nodes = async () => openNodes(["a", "b"], { before: (db) => void db.exec(many(10_000)) });
    const [a, b] = (await nodes()) as [
      Awaited<ReturnType<typeof openNodes>>[0],
      Awaited<ReturnType<typeof openNodes>>[0],
    ];
    const sums = bytesOf();
    const [report] = await link(a, b, {}, sums.tamper).sync();
    expect(report).toMatchObject({ agreed: 20_000, pulled: 0, pushed: 0 });
    const [c, d] = (await nodes()) as [typeof a, typeof a];
    const values = bytesOf();
    // As if neither side compared: what the same exchange costs with values.
    const tamper: Tamper = (path, body, forward) => {
      const { sums: _, ...message } = JSON.parse(body) as Record<string, unknown>;
      return values.tamper(path, JSON.stringify(message), forward);
    };
    const pulling = link(c, d, {}, tamper);
    expect((await pulling.sync())[0]).toMatchObject({ pulled: 10_000 });
    console.info(`bytes on the wire: ${sums.bytes()} both ways by sums, ${values.bytes()} one way by values`);
    expect(sums.bytes()).toBeLessThan(values.bytes() / 2);
  });
});

describe("a process that is killed while it adopts", () => {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), "grove-adoption-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("leaves whole chunks, and the next one goes on from there", async () => {
    const file = join(folder, "killed.db");
    const db = new Database(file);
    db.pragma("journal_mode = WAL");
    for (const sql of sqlite.referenceTables) db.exec(sql);
    db.exec(many(60_000));
    const node = createNode({ db: drizzle({ client: db }), registry, nodeId: "hub" });
    await node.store.install();
    const adopted = () => db.prepare("SELECT count(*) FROM _documents_crdt").pluck().get() as number;
    for (let kills = 0; kills < 3; kills++) {
      const child = spawn(process.execPath, ["--import", "tsx", join(root, "test/fixtures/adopter.ts"), file], {
        cwd: root,
        stdio: ["ignore", "pipe", "inherit"],
      });
      const ended = new Promise((resolve) => child.once("exit", resolve));
      // At another step each time; some write meanwhile.
      for await (const _ of child.stdout) {
        db.exec(`UPDATE documents SET view_count = view_count + 1 WHERE id IN ('d1', 'd${kills}', 'd59${kills}00')`);
        if (adopted() >= 10_000 * (kills + 1)) break;
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 40));
      child.kill("SIGKILL");
      await ended;
      expect(adopted()).toBeLessThan(60_000);
      await expect(createNode({ db: drizzle({ client: db }), registry }).ready()).rejects.toMatchObject({
        code: "not_adopted",
      });
    }
    await node.adopt();
    expect(adopted()).toBe(60_000);
    expect(db.prepare("SELECT count(DISTINCT seq), min(cl), max(cl) FROM _documents_crdt").raw().get()).toEqual([
      60_000, 1, 1,
    ]);
    db.close();
  }, 60_000);
});

// The migrators of drizzle-orm 1.0 refuse the folders of drizzle-kit 0.31.
describe.skipIf(process.env.DRIZZLE === "next")("grove-crdt adopt", () => {
  const project = new MigrationProject();
  afterAll(() => project.remove());
  const run = (...args: string[]) => runCli(project.folder, ["adopt", ...args]);
  const plain = `export const notes = sqliteTable("notes", { id: text("id").primaryKey(), title: text("title") });`;
  const annotated = (more = "") =>
    `export const notes = sqliteTable("notes", { id: text("id").primaryKey(), title: lww(text("title"))${more} });`;

  test("adopts what migrations left, with the project's own driver, and says so", async () => {
    project.schema(plain);
    await project.kit(["generate"]);
    const [a, b] = ["a", "b"].map((id) => new MigratedNode(project, id, project.path(id === "a" ? "kit.db" : "b.db")));
    for (const node of [a, b] as MigratedNode[]) {
      node.migrate();
      node.sql("INSERT INTO notes VALUES ('1', 'one'), ('2', 'two')");
    }
    project.schema(annotated());
    await project.grove();
    expect(await run()).toMatchObject({ code: 1, stderr: expect.stringContaining("capture_missing") });
    for (const node of [a, b] as MigratedNode[]) node.migrate();
    expect(await run()).toMatchObject({ code: 1, stderr: expect.stringContaining("node_id_invalid") });
    await expect(a?.start()).rejects.toMatchObject({ code: "not_adopted" });
    expect(await run()).toEqual({ code: 0, stdout: "adopted notes: 2 rows\n", stderr: "" });
    expect(await run("--url", "file:b.db", "--node-id", "b")).toMatchObject({
      code: 0,
      stdout: "adopted notes: 2 rows\n",
    });
    expect(await run()).toEqual({ code: 0, stdout: "adopted already; nothing was left to do\n", stderr: "" });
    await a?.start();
    await b?.start();
    expect(await a?.sync(b as MigratedNode)).toBe(0);

    // A column that its migration fills.
    project.schema(annotated(', note: lww(text("note"))'));
    await project.grove();
    const added = project
      .newest()
      .replace(
        /(ALTER TABLE `notes` ADD `note` text;)/,
        "$1--> statement-breakpoint\nUPDATE notes SET note = title WHERE id = '1';",
      );
    project.write(`drizzle/${project.migrations().at(-1)}`, added);
    for (const node of [a, b] as MigratedNode[]) {
      node.migrate();
      await expect(node.start()).rejects.toMatchObject({ code: "not_adopted" });
    }
    a?.sql("UPDATE notes SET title = 'later' WHERE id = '1'");
    expect(await run()).toMatchObject({ code: 0, stdout: "adopted notes: 2 rows\n" });
    await b?.mend();
    await a?.start();
    await a?.sync(b as MigratedNode);
    for (const node of [a, b]) {
      expect(node?.rows("SELECT * FROM notes ORDER BY id")).toEqual([
        { id: "1", title: "later", note: "one" },
        { id: "2", title: "two", note: null },
      ]);
    }
    expect(a?.rows("SELECT count(*) AS n FROM _notes_crdt WHERE clocks LIKE '%note%'")).toEqual([{ n: 1 }]);
  }, 120_000);

  test("a database that is not there or not named is refused in one line", async () => {
    expect(await run("--url", "absent.db")).toMatchObject({ code: 1, stderr: expect.stringContaining("absent.db") });
    project.write("bare.config.ts", project.read("drizzle.config.ts").replace(/dbCredentials: .*\n/, "\n"));
    const bare = await run("--config", "bare.config.ts");
    expect(bare).toMatchObject({ code: 1, stderr: expect.stringContaining("dbCredentials") });
    expect(bare.stderr.trim().split("\n")).toHaveLength(1);
  }, 60_000);
});
