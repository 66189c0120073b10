// Whether two nodes hold the same, found out by hashes: rows in which they differ are named, and what travels grows with those.
import type { RowChange, VerifyReport } from "grove-crdt";
import { fixed, lww } from "grove-crdt/schema";
import { expect, test } from "vitest";
import { describeAcross, describeOnEach, dialects } from "./support/dialects";
import { errorOf, link, pullMessage, request, settle, type Tamper } from "./support/network";
import { openNode as openOn, type TestNode } from "./support/node";

const verify = async (from: TestNode, to: TestNode, tamper?: Tamper): Promise<VerifyReport> =>
  (await link(from, to, {}, tamper).verify())[0] as VerifyReport;
/** Reads all rows, so that it sees what was changed behind capture. */
const recount = async (from: TestNode, to: TestNode, tamper?: Tamper): Promise<VerifyReport> =>
  (await link(from, to, {}, tamper).verify({ recount: true }))[0] as VerifyReport;
const keysOf = ({ differing }: VerifyReport) => differing.map(({ table, pk }) => `${table} ${pk.join()}`).sort();
const many = (count: number) =>
  `INSERT INTO documents (id, title, body) WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < ${count}) SELECT 'd' || n, 'title ' || n, 'some text' FROM k`;
/** As no trigger sees it. */
async function behind(node: TestNode, ...statements: string[]): Promise<void> {
  if (node.dialect.name === "postgres") {
    for (const sql of statements) await node.sql(`SET grove.capture = 'off'; ${sql}; RESET grove.capture`);
    return;
  }
  await node.sql("UPDATE _grove_node SET capture = 0");
  for (const sql of statements) await node.sql(sql);
  await node.sql("UPDATE _grove_node SET capture = 1");
}

describeOnEach("two nodes that are compared", ({ dialect, openNode, openNodes, makeSchema }) => {
  async function pair(rows = 20): Promise<[TestNode, TestNode]> {
    const [a, b] = (await openNodes(["a", "b"])) as [TestNode, TestNode];
    await a.sql(many(rows));
    await a.node.fold();
    await a.sql("DELETE FROM documents WHERE id = 'd1'");
    await b.sql(
      "INSERT INTO orders (id, total, placed_at) VALUES ('o1', 1, ?)",
      dialect.name === "sqlite" ? 0 : "2026-01-01",
    );
    return [a, b];
  }

  test("exchange first, and hold the same then, deleted rows and all", async () => {
    const [a, b] = await pair();
    expect(await verify(b, a)).toEqual({ url: "http://a.test/sync", peer: "a", rows: 21, differing: [], error: null });
    expect(await verify(a, b)).toMatchObject({ rows: 21, differing: [], error: null });
  });

  test("are told each row in which they differ, as both have it", async () => {
    const [a, b] = await pair();
    await settle([a, b], [b, a]);
    // Both keep hashes from now on.
    expect(keysOf(await verify(b, a))).toEqual([]);
    await behind(a, "UPDATE documents SET title = 'forged' WHERE id = 'd2'");
    await behind(b, "UPDATE documents SET title = 'forged too' WHERE id = 'd3'");
    await b.sql("DELETE FROM _documents_crdt WHERE pk_id = 'd4'");
    const report = await recount(b, a);
    expect(keysOf(report)).toEqual(["documents d2", "documents d3", "documents d4"]);
    const [first] = report.differing.filter(({ pk }) => pk[0] === "d2");
    const titles = [first?.here, first?.there].map((state) => (state as RowChange).lww?.title?.[0]);
    expect(titles).toEqual(["title 2", "forged"]);
    expect(keysOf(await recount(a, b))).toEqual(keysOf(report));
  });

  test("tell each other little more than what differs", async () => {
    const [a, b] = await pair(3000);
    await settle([a, b], [b, a]);
    await behind(a, "UPDATE documents SET title = 'forged' WHERE id IN ('d17', 'd2718')");
    const bytes = { same: 0, differing: 0 };
    const counting =
      (kind: keyof typeof bytes): Tamper =>
      async (path, body, forward) => {
        const response = await forward(path, body);
        bytes[kind] += body.length + (await response.clone().text()).length;
        return response;
      };
    expect(keysOf(await recount(b, a, counting("differing")))).toEqual(["documents d17", "documents d2718"]);
    await behind(a, "UPDATE documents SET title = 'title ' || substr(id, 2) WHERE id IN ('d17', 'd2718')");
    expect(keysOf(await recount(b, a, counting("same")))).toEqual([]);
    // Sixty-four sums for each table with rows, and what every answer has.
    expect(bytes.same).toBeLessThan(10_000);
    expect(bytes.differing).toBeLessThan(25_000);
  });

  test("may be written to meanwhile", async () => {
    const [a, b] = await pair(200);
    await settle([a, b], [b, a]);
    let writes = 0;
    const busy: Tamper = async (path, body, forward) => {
      if (path === "/digest") {
        await a.sql(`UPDATE documents SET title = 'a${++writes}' WHERE id = 'd${writes + 1}'`);
        await b.sql(`UPDATE documents SET title = 'b${++writes}' WHERE id = 'd${writes + 50}'`);
      }
      return forward(path, body);
    };
    expect(await verify(b, a, busy)).toMatchObject({ differing: [], error: null });
    expect(writes).toBeGreaterThan(2);
  });

  test.each([
    [{ tables: ["orders"] }, ["orders o1"]],
    [{ tables: ["documents"], only: { documents: { keys: [["d2"], ["d3"]] } } }, ["documents d2", "documents d3"]],
    [{ tables: ["documents"], only: { documents: { keys: [["d2"]], fields: ["title"] } } }, ["documents d2"]],
    [{ tables: ["documents"], only: { documents: { fields: ["body"] } } }, []],
  ])("compare what is asked for: %j", async (options, expected) => {
    const [a, b] = await pair();
    await settle([a, b], [b, a]);
    await behind(a, "UPDATE documents SET title = 'forged'", "UPDATE orders SET note = 'forged'");
    expect(keysOf((await link(b, a, options).verify({ recount: true }))[0] as VerifyReport)).toEqual(expected);
  });

  test("hear nothing of what a principal may not see, and what it may not see is no difference", async () => {
    const { table, text } = dialect;
    const notes = table("notes", {
      id: text("id").primaryKey(),
      tenant: fixed(text("tenant").notNull()),
      title: lww(text("title")),
      secret: lww(text("secret")),
    });
    const secrets = table("secrets", { id: text("id").primaryKey(), title: lww(text("title")) });
    const schema = await makeSchema({ notes, secrets });
    const hub = await openNode("hub", {
      ...schema,
      router: {
        authenticate: () => "edge",
        tables: () => ["notes"],
        scope: { notes: () => ({ tenant: "a" }) },
        fields: { notes: () => ["tenant", "title"] },
      } as object,
    });
    const edge = await openNode("edge", { ...schema, clock: hub.clock });
    await hub.sql(
      "INSERT INTO notes VALUES ('1', 'a', 'mine', 'hush'), ('2', 'b', 'theirs', 'hush'), ('3', 'a', 'mine', 'hush')",
    );
    await hub.sql("INSERT INTO secrets VALUES ('1', 'hush')");
    const asked: string[] = [];
    const counting: Tamper = (path, body, forward) => {
      if (path === "/digest") asked.push(body);
      return forward(path, body);
    };
    expect(await verify(edge, hub, counting)).toMatchObject({ rows: 2, differing: [], error: null });
    // The sums are those of what it may see.
    expect(asked.length).toBe(1);
    await behind(
      hub,
      "UPDATE notes SET secret = 'forged', title = 'forged' WHERE id IN ('1', '2')",
      "UPDATE secrets SET title = 'x'",
    );
    const bodies: string[] = [];
    const listening: Tamper = async (path, body, forward) => {
      const response = await forward(path, body);
      if (path === "/digest") bodies.push(await response.clone().text());
      return response;
    };
    expect(keysOf(await verify(edge, hub, listening))).toEqual(["notes 1"]);
    expect(bodies.join("")).not.toMatch(/secrets|"2"|hush/);
    for (const below of [{ secrets: [""] }, { notes: ["AA"], secrets: ["AA"] }])
      expect(await errorOf(await request(hub, "/digest", digestMessage({ below })))).toEqual([400, "unknown_table"]);
  });

  test("are not compared where hooks decide what leaves, nor where nobody answers", async () => {
    const hub = await openNode("hub", { hooks: [{ beforeOutboundChange: (change) => change }] });
    const edge = await openNode("edge", { clock: hub.clock });
    expect(await verify(edge, hub)).toMatchObject({ differing: [], rows: 0, error: { code: "forbidden" } });
    const lost: Tamper = () => Promise.reject(new Error("lost"));
    expect(await verify(edge, hub, lost)).toMatchObject({ peer: null, rows: 0, error: { code: "transport" } });
    const old: Tamper = async (path, body, forward) =>
      path === "/digest" ? new Response("not found", { status: 404 }) : forward(path, body);
    const plain = await openNode("plain", { clock: hub.clock });
    expect(await verify(edge, plain, old)).toMatchObject({ peer: "plain", error: { code: "transport" } });
  });

  test("refuse what is no question", async () => {
    const hub = await openNode("hub");
    const status = async (fields: object) => errorOf(await request(hub, "/digest", digestMessage(fields)));
    expect(await status({ below: { documents: ["toolong"] } })).toEqual([400, "bad_request"]);
    expect(await status({ below: { documents: "A" } })).toEqual([400, "bad_request"]);
    expect(await status({ tables: ["strangers"] })).toEqual([400, "unknown_table"]);
    expect(await status({ below: { constructor: [""] } })).toEqual([400, "unknown_table"]);
    expect(await status({ protocol: 2 })).toEqual([400, "protocol_mismatch"]);
    expect(await status({ node: "hub" })).toEqual([409, "self_peer"]);
  });
});

const digestMessage = (fields: object): string => {
  const { cursor: _, ...message } = pullMessage(fields) as { cursor: null };
  return JSON.stringify(message);
};

describeAcross("nodes of both dialects that are compared", () => {
  test("hold the same, and differ where they do", async () => {
    const a = await openOn(dialects.sqlite, "a");
    const b = await openOn(dialects.postgres, "b", { clock: a.clock });
    await a.sql(many(50));
    await b.sql("INSERT INTO inventory (store, sku, name, quantity) VALUES ('s', 'k', 'n', 3)");
    await a.sql(
      'INSERT INTO plans (id, steps, data) VALUES (\'p\', \'["x"]\', \'{"stats":{"views":2},"labels":["l"]}\')',
    );
    expect(await verify(a, b)).toMatchObject({ rows: 52, differing: [], error: null });
    await settle([b, a]);
    await behind(b, "UPDATE documents SET body = 'forged' WHERE id = 'd9'");
    expect(keysOf(await recount(a, b))).toEqual(["documents d9"]);
    expect(keysOf(await recount(b, a))).toEqual(["documents d9"]);
    await Promise.all([a.close(), b.close()]);
  });
});
