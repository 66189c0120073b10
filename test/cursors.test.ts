// Cursors: what a peer has seen is a place in the server's own order of writes, kept per peer, and every row arrives
// whole, whatever the page limits, however old its stamp, and whatever is lost or doubled on the way.

import { decodeCursor, encodeCursor, type RowChange } from "@grove-crdt/core";
import fc from "fast-check";
import { createSyncer } from "grove-crdt";
import { describe, expect, test } from "vitest";
import { contents, dump, expectEqual, metadata } from "./support/comparison";
import { describeOnEach } from "./support/dialects";
import { effort } from "./support/effort";
import { link, settle, sync, type Tamper, transportTo } from "./support/network";
import type { TestNode } from "./support/node";

describeOnEach("cursors", ({ dialect, openNode, openNodes }) => {
  const { textsOf, thorough } = dialect;
  const DAY = 24 * 60 * 60 * 1000;
  const insertDocument = (node: TestNode, id: string, title = `title of ${id}`) =>
    node.sql("INSERT INTO documents (id, title) VALUES (?, ?)", id, title);
  const insertOrder = (node: TestNode, id: string) =>
    node.sql(`INSERT INTO orders (id, total, placed_at) VALUES (?, 100, ${dialect.time(1_700_000_000_000)})`, id);
  const titleOf = async (node: TestNode, id: string) =>
    (await node.row<{ title: string }>("SELECT title FROM documents WHERE id = ?", id))?.title;
  const bodyOf = async (node: TestNode, id: string) =>
    (await node.row<{ body: string }>("SELECT body FROM documents WHERE id = ?", id))?.body;

  /** Collects the pages that a pull is answered with. */
  function watchPages(between: (page: number) => unknown = () => {}): { pages: RowChange[][]; tamper: Tamper } {
    const pages: RowChange[][] = [];
    const tamper: Tamper = async (path, body, forward) => {
      const response = await forward(path, body);
      if (path === "/pull" && JSON.parse(body).rows !== 0) {
        pages.push(((await response.clone().json()) as { rows: RowChange[] }).rows);
        await between(pages.length);
      }
      return response;
    };
    return { pages, tamper };
  }

  describe("late writes", () => {
    test("lineage 1: a write with an older stamp than everything the reader has seen still reaches it", async () => {
      const [hub, reader, late] = (await openNodes(["hub", "reader", "late"])) as [TestNode, TestNode, TestNode];
      await insertDocument(late, "old");
      await late.node.fold();
      hub.clock.advance(DAY);
      await insertDocument(hub, "new");
      await sync(reader, hub);
      expect(await titleOf(reader, "new")).toBe("title of new");
      await sync(late, hub);
      await sync(reader, hub);
      expect(await titleOf(reader, "old")).toBe("title of old");
      await expectEqual(hub, reader);
    });

    test("faults 5: an edge that was offline for 30 days delivers its fields, and overrules nothing newer", async () => {
      const [hub, reader, edge] = (await openNodes(["hub", "reader", "edge"])) as [TestNode, TestNode, TestNode];
      await insertDocument(hub, "shared");
      await insertDocument(hub, "both");
      await settle([edge, hub], [reader, hub]);
      await edge.sql("UPDATE documents SET body = 'written long ago' WHERE id = 'shared'");
      await edge.sql("UPDATE documents SET title = 'written long ago' WHERE id = 'both'");
      await insertDocument(edge, "own");
      await edge.node.fold();
      hub.clock.advance(30 * DAY);
      await hub.sql("UPDATE documents SET title = 'written today'");
      await settle([reader, hub]);
      const report = await sync(edge, hub);
      expect(report).toMatchObject({ error: null, rejected: 0, refused: 0, parked: 0 });
      await sync(reader, hub);
      expect(await reader.rows("SELECT id, title, body FROM documents ORDER BY id")).toEqual([
        { id: "both", title: "written today", body: "" },
        { id: "own", title: "title of own", body: "" },
        { id: "shared", title: "written today", body: "written long ago" },
      ]);
      await expectEqual(hub, reader, edge);
    });

    test("lineage 19: a push with a change made two hours ago is applied whole", async () => {
      const [hub, edge] = (await openNodes(["hub", "edge"])) as [TestNode, TestNode];
      for (const id of ["1", "2", "3"]) await insertDocument(edge, id);
      await edge.node.fold();
      edge.clock.advance(2 * 60 * 60 * 1000);
      await insertDocument(edge, "4");
      await insertDocument(hub, "5");
      const report = await sync(edge, hub);
      expect(report).toMatchObject({ pushed: 4, rejected: 0, refused: 0, error: null });
      await expectEqual(hub, edge);
    });
  });

  describe("pages", () => {
    const fill = async (node: TestNode) => {
      for (let n = 0; n < 4; n++) {
        await insertDocument(node, `d${n}`);
        await insertOrder(node, `o${n}`);
        await node.sql("INSERT INTO inventory (store, sku, name) VALUES ('s', ?, 'article')", `i${n}`);
      }
    };

    test("lineage 11: one limit over several tables loses nothing of a cut table and splits no row", async () => {
      for (const limit of [1, 2, 3, 4, 5, 6, 7]) {
        const [server, reader] = (await openNodes(["server", "reader"])) as [TestNode, TestNode];
        await fill(server);
        await server.node.fold();
        await server.sql("DELETE FROM orders WHERE id = 'o2'");
        await server.sql(
          `UPDATE documents SET body = 'later', view_count = view_count + 1, tags = '${textsOf("x", "y")}' WHERE id IN ('d0', 'd3')`,
        );
        const { pages, tamper } = watchPages();
        await link(reader, server, { pageRows: limit }, tamper).sync();
        const keys = pages.flat().map(({ table, pk }) => `${table} ${pk.join()}`);
        expect(keys.length).toBe(12);
        expect(new Set(keys).size, "each row comes once, whole").toBe(12);
        expect(Math.max(...pages.map((page) => page.length))).toBe(limit);
        await expectEqual(server, reader);
        for (const node of [server, reader]) await node.close();
      }
    });

    test("faults 6: with page limits 1 to 7 and writes at every page boundary, no row is skipped or split", async () => {
      for (const limit of [1, 2, 3, 4, 5, 6, 7]) {
        const last = Math.ceil(12 / limit);
        for (let cut = 1; cut <= last; cut += thorough ? 1 : Math.max(1, last - 1)) {
          const [server, reader] = (await openNodes(["server", "reader"])) as [TestNode, TestNode];
          await fill(server);
          const { tamper } = watchPages(async (page) => {
            if (page !== cut) return;
            await server.sql("UPDATE documents SET body = 'between pages' WHERE id IN ('d0', 'd3')");
            await server.sql("UPDATE inventory SET quantity = quantity + 3 WHERE sku = 'i1'");
            await server.sql("DELETE FROM orders WHERE id = 'o0'");
            await insertOrder(server, "o9");
          });
          await link(reader, server, { pageRows: limit }, tamper).sync();
          await sync(reader, server);
          await expectEqual(server, reader);
          for (const node of [server, reader]) await node.close();
        }
      }
    });

    test("a page is bounded by bytes as well, and a single larger row travels alone", async () => {
      const [server, reader] = (await openNodes(["server", "reader"])) as [TestNode, TestNode];
      for (let n = 0; n < 5; n++) await insertDocument(server, String(n), "x".repeat(1000));
      const { pages, tamper } = watchPages();
      const [report] = await link(reader, server, { pageBytes: 500 }, tamper).sync();
      expect(report!.error).toBeNull();
      expect(pages.map((page) => page.length)).toEqual([1, 1, 1, 1, 1]);
      await expectEqual(server, reader);
    });

    test("faults 59: in pages of one, a row that is numbered anew behind others arrives with all its fields", async () => {
      const [server, reader] = (await openNodes(["server", "reader"])) as [TestNode, TestNode];
      for (const id of ["a", "b", "c", "d"]) await insertDocument(server, id);
      await sync(reader, server);
      expect((await server.node.store.position()).seq).toBe(4);
      await insertDocument(server, "r");
      await server.node.fold();
      await insertDocument(server, "q");
      await server.node.fold();
      for (const id of ["s", "t"]) await insertDocument(server, id);
      await server.node.fold();
      await server.sql("UPDATE documents SET body = 'body at nine' WHERE id = 'r'");
      await server.node.fold();
      expect((await server.node.store.position()).seq).toBe(9);
      const { pages, tamper } = watchPages();
      await link(reader, server, { pageRows: 1 }, tamper).sync();
      const served = pages.flat();
      expect(served.map(({ pk }) => pk[0])).toEqual(["q", "s", "t", "r"]);
      expect(Object.keys(served.at(-1)?.lww ?? {}).sort()).toEqual(["body", "title"]);
      expect(await reader.row("SELECT title, body FROM documents WHERE id = 'r'")).toEqual({
        title: "title of r",
        body: "body at nine",
      });
      await expectEqual(server, reader);
    });

    test("faults 59: a row whose fields were numbered before and after a page boundary keeps the earlier ones", async () => {
      const [server, reader] = (await openNodes(["server", "reader"])) as [TestNode, TestNode];
      for (const id of ["r", "q"]) await insertDocument(server, id);
      await sync(reader, server);
      await server.sql("UPDATE documents SET title = 'new title' WHERE id = 'r'");
      await server.node.fold();
      await server.sql("UPDATE documents SET title = 'new title' WHERE id = 'q'");
      const { pages, tamper } = watchPages(async (page) => {
        if (page === 1) await server.sql("UPDATE documents SET body = 'new body' WHERE id = 'q'");
      });
      // The first page has r; q gets a new number before the second one.
      await link(reader, server, { pageRows: 1 }, tamper).sync();
      expect(pages.flat().map(({ pk }) => pk[0])).toEqual(["r", "q"]);
      expect(await reader.row("SELECT title, body FROM documents WHERE id = 'q'")).toEqual({
        title: "new title",
        body: "new body",
      });
    });

    test("faults 43: a field folded before another row's, with a later field of its row unfolded, is not skipped", async () => {
      for (const limit of [1, 2, 1000]) {
        const [server, reader] = (await openNodes(["server", "reader"])) as [TestNode, TestNode];
        for (const id of ["r", "q", "p", "o"]) await insertDocument(server, id);
        await sync(reader, server);
        await server.sql("UPDATE documents SET title = 'title of five' WHERE id = 'r'");
        await server.node.fold();
        await server.sql("UPDATE documents SET title = 'title of six' WHERE id = 'q'");
        await server.node.fold();
        expect((await server.node.store.position()).seq).toBe(6);
        await server.sql("UPDATE documents SET body = 'unfolded' WHERE id = 'r'");
        const { tamper } = watchPages(() =>
          server.sql("UPDATE documents SET view_count = view_count + 1 WHERE id = 'r' AND view_count < 2"),
        );
        await link(reader, server, { pageRows: limit }, tamper).sync();
        await server.node.fold();
        expect(await titleOf(reader, "r")).toBe("title of five");
        expect(await bodyOf(reader, "r")).toBe("unfolded");
        await sync(reader, server);
        await expectEqual(server, reader);
      }
    });

    test("faults 44: a row written in a tight loop reaches the reader with every exchange, and starves no other row", async () => {
      const [server, reader] = (await openNodes(["server", "reader"])) as [TestNode, TestNode];
      await insertDocument(server, "hot");
      for (let n = 0; n < 20; n++) await insertDocument(server, `cold ${n}`);
      let writing = true;
      const writer = (async () => {
        for (let n = 1; writing; n++) {
          await server.sql("UPDATE documents SET title = ?, view_count = view_count + 1 WHERE id = 'hot'", String(n));
          await new Promise(setImmediate);
        }
      })();
      // Without a socket in between, nothing else would get a turn while an exchange is under way.
      const slow: Tamper = async (path, body, forward) => {
        await new Promise(setImmediate);
        const response = await forward(path, body);
        await new Promise(setImmediate);
        return response;
      };
      const syncer = link(reader, server, {}, slow);
      const hits = async (node: TestNode) =>
        (await node.row<{ n: number }>("SELECT view_count AS n FROM documents WHERE id = 'hot'"))?.n ?? -1;
      const rounds = thorough ? 30 : 10;
      for (let round = 0; round < rounds; round++) {
        const before = await hits(server);
        await syncer.sync();
        expect(await hits(reader), `round ${round}`).toBeGreaterThanOrEqual(before);
        expect(Number(await titleOf(reader, "hot"))).toBe(await hits(reader));
      }
      expect(await hits(reader)).toBeGreaterThan(2 * rounds);
      expect((await contents(reader)).documents?.length).toBe(21);
      writing = false;
      await writer;
      await sync(reader, server);
      await expectEqual(server, reader);
    });

    /** A cursor that stands still would be asked for again and again. */
    const atMost = (requests: number): Tamper => {
      let count = 0;
      return (path, body, forward) =>
        ++count > requests ? Promise.reject(new Error("the cursor stands still")) : forward(path, body);
    };

    test("lineage 24: pages whose rows are all left out move the cursor, in a bounded number of requests", async () => {
      const [hub, edge] = (await openNodes(["hub", "edge"])) as [TestNode, TestNode];
      for (let n = 0; n < 100; n++) await insertDocument(edge, `from edge ${n}`);
      await sync(edge, hub);
      await insertDocument(hub, "from hub");
      hub.traffic.pulls = hub.traffic.served = 0;
      const [report] = await link(edge, hub, { pageRows: 10 }, atMost(50)).sync();
      expect(report!.error).toBeNull();
      expect(await titleOf(edge, "from hub")).toBe("title of from hub");
      expect(hub.traffic.served).toBe(1);
      expect(hub.traffic.pulls).toBeLessThanOrEqual(14);
      // Nothing of what was left out is looked at again.
      hub.traffic.pulls = 0;
      await sync(edge, hub);
      expect(hub.traffic.pulls).toBeLessThanOrEqual(1);
    });

    test("lineage 24: a reader of one table gets past any number of rows of the others", async () => {
      const [hub, edge] = (await openNodes(["hub", "edge"])) as [TestNode, TestNode];
      for (let n = 0; n < 50; n++) await insertDocument(hub, `d${n}`);
      await insertOrder(hub, "o1");
      hub.traffic.pulls = 0;
      const [report] = await link(edge, hub, { pageRows: 1, tables: ["orders"] }, atMost(50)).sync();
      expect(report!.error).toBeNull();
      expect((await contents(edge)).orders?.length).toBe(1);
      expect((await contents(edge)).documents).toEqual([]);
      expect(hub.traffic.pulls).toBeLessThanOrEqual(4);
      // When the reader asks for more tables than before, what was left out arrives.
      await sync(edge, hub);
      await expectEqual(hub, edge);
    });
  });

  test("faults 13: a peer that is written to faster than it is read does not hold back what is written here", async () => {
    const [a, b] = (await openNodes(["a", "b"])) as [TestNode, TestNode];
    await a.sql("INSERT INTO documents (id, title) VALUES ('mine', 'by a')");
    let written = 0;
    let pulls = 0;
    let arrived = 0;
    const syncer = link(a, b, { pageRows: 1 }, async (path, body, forward) => {
      if (path === "/pull" && ++pulls < 70)
        for (let n = 0; n < 2; n++)
          await b.sql("INSERT INTO documents (id, title) VALUES (?, 'by b')", `theirs-${++written}`);
      const answer = await forward(path, body);
      if (path === "/push" && arrived === 0) arrived = pulls;
      return answer;
    });
    const [report] = await syncer.sync();
    expect(report?.error).toBeNull();
    expect(pulls).toBeGreaterThan(100);
    expect(arrived).toBeGreaterThan(0);
    expect(arrived).toBeLessThan(30);
    await expectEqual(a, b);
  });

  describe("what is kept about a peer", () => {
    test("lineage 8: cursors survive a restart and belong to the peer, not to its place in the list or its address", async () => {
      const [north, south] = (await openNodes(["north", "south"])) as [TestNode, TestNode];
      for (let n = 0; n < 10; n++) {
        await insertDocument(north, `north ${n}`);
        await insertDocument(south, `south ${n}`);
      }
      const edge = await openNode("edge", { durable: true, clock: north.clock });
      await createSyncer(edge.node, { peers: [transportTo(north), transportTo(south)] }).sync();
      await createSyncer(edge.node, { peers: [transportTo(north), transportTo(south)] }).sync();

      const again = await openNode("edge", { database: await edge.database.reopen(), clock: north.clock });
      for (const node of [north, south]) node.traffic.served = node.traffic.received = 0;
      const moved = { ...transportTo(south), url: "http://south.elsewhere.test/sync" };
      const reports = await createSyncer(again.node, { peers: [moved, transportTo(north)] }).sync();
      expect(reports.map(({ peer, pulled, pushed, error }) => ({ peer, pulled, pushed, error }))).toEqual([
        { peer: "south", pulled: 0, pushed: 0, error: null },
        { peer: "north", pulled: 0, pushed: 0, error: null },
      ]);
      await insertDocument(again, "new");
      await insertDocument(north, "newer");
      const [, second] = await createSyncer(again.node, { peers: [moved, transportTo(north)] }).sync();
      expect(second).toMatchObject({ pulled: 1, pushed: 1, error: null });
      await again.close();
    });

    test("lineage 10: writes whose push failed are sent later, though the peer's clock and cursor have moved on", async () => {
      const [hub, edge] = (await openNodes(["hub", "edge"])) as [TestNode, TestNode];
      const cut: Tamper = (path, body, forward) =>
        path === "/push" ? Promise.reject(new TypeError("connection reset")) : forward(path, body);
      const broken = link(edge, hub, { pageRows: 2 }, cut);
      for (let n = 0; n < 5; n++) {
        await insertDocument(edge, `edge ${n}`);
        hub.clock.advance(1000);
        await insertDocument(hub, `hub ${n}`);
        await hub.sql("UPDATE documents SET body = body || 'x'");
        const [report] = await broken.sync();
        expect(report!.error?.code).toBe("transport");
        expect(report!.pulled).toBeGreaterThan(0);
      }
      expect((await contents(hub)).documents?.length).toBe(5);
      await sync(edge, hub);
      await expectEqual(hub, edge);
      expect((await contents(hub)).documents?.length).toBe(10);
    });

    test("lineage 10: a push that breaks off in the middle goes on where the last acknowledgement was", async () => {
      const [hub, edge] = (await openNodes(["hub", "edge"])) as [TestNode, TestNode];
      for (let n = 0; n < 9; n++) await insertDocument(edge, String(n));
      let pushes = 0;
      const flapping: Tamper = (path, body, forward) => {
        if (path === "/push" && ++pushes === 3) return Promise.reject(new TypeError("connection reset"));
        return forward(path, body);
      };
      await link(edge, hub, { pageRows: 2 }, flapping).sync();
      expect((await contents(hub)).documents?.length).toBe(4);
      hub.traffic.received = 0;
      await sync(edge, hub);
      expect(hub.traffic.received).toBe(5);
      await expectEqual(hub, edge);
    });

    test("faults 11: a push that was committed and whose answer got lost is a no-op when it is sent again", async () => {
      const [hub, edge] = (await openNodes(["hub", "edge"])) as [TestNode, TestNode];
      await insertDocument(hub, "d1");
      await insertDocument(hub, "d2");
      await settle([edge, hub]);
      await edge.sql(`UPDATE documents SET view_count = view_count + 7, tags = '${textsOf("t")}' WHERE id = 'd1'`);
      await edge.sql("DELETE FROM documents WHERE id = 'd2'");
      await insertDocument(edge, "d3");
      const bodies: string[] = [];
      const deaf: Tamper = async (path, body, forward) => {
        const response = await forward(path, body);
        if (path === "/pull") return response;
        bodies.push(body);
        throw new TypeError("socket hang up");
      };
      const [lost] = await link(edge, hub, {}, deaf).sync();
      expect(lost!.error?.code).toBe("transport");
      const rows = await dump(hub, ["_grove_peers"]);
      const report = await sync(edge, hub);
      expect(report).toMatchObject({ pushed: 3, applied: 0, rejected: 0, parked: 0, error: null });
      expect(await dump(hub, ["_grove_peers"])).toBe(rows);
      expect(await hub.row("SELECT view_count FROM documents WHERE id = 'd1'")).toEqual({ view_count: 7 });
      expect(await sync(edge, hub)).toMatchObject({ pulled: 0, pushed: 0 });
      await expectEqual(hub, edge);
    });

    test("faults 11: rows that were rejected are rejected again, with the same code", async () => {
      const hub = await openNode("hub", { tables: ["documents"] });
      const good = {
        table: "documents",
        pk: ["1"],
        cl: 1,
        life: [1_700_000_000_000_000, "edge"],
        lww: { title: ["t"], body: [""] },
      };
      const rows = [
        good,
        { ...good, pk: ["2"], lww: { title: [5], body: [""] } },
        { ...good, table: "nowhere" },
        { ...good, pk: ["3", "4"] },
      ];
      const first = await hub.node.merge("edge", rows);
      const before = await dump(hub);
      const second = await hub.node.merge("edge", rows);
      expect(first.outcomes.map(({ outcome, code }) => code ?? outcome)).toEqual([
        "applied",
        "bad_value",
        "unknown_table",
        "bad_change",
      ]);
      expect(second.outcomes.map(({ outcome, code }) => code ?? outcome)).toEqual([
        "superseded",
        "bad_value",
        "unknown_table",
        "bad_change",
      ]);
      expect(await dump(hub)).toBe(before);
    });

    test("fault 34: a cursor that somebody altered, or another database issued, begins anew, and never leaves a gap", async () => {
      const [hub, other] = [await openNode("hub"), await openNode("other")];
      for (const node of [hub, other]) for (let n = 0; n < 3; n++) await insertDocument(node, String(n));
      const pull = (cursor: string | null, from = hub) => from.node.pull({ protocol: 1, node: "reader", cursor });
      const { cursor } = await pull(null);
      const [text, signature] = cursor.split(".") as [string, string];
      const place = decodeCursor(text);
      expect(place).toMatchObject({ floor: 3, position: 3, last: 3 });
      expect((await pull(cursor)).rows).toEqual([]);
      const forged = [
        text,
        `${encodeCursor({ ...place, floor: 1, position: 1 })}.${signature}`,
        `${encodeCursor({ ...place, position: 99, last: 99 })}.${signature}`,
        `${text}.${signature.slice(1)}A`,
        (await pull(null, other)).cursor,
      ];
      for (const one of forged) {
        const answer = await pull(one);
        expect(answer.reset).toBe(true);
        expect(answer.rows.length).toBe(3);
        // And what it is answered with is good again.
        expect((await pull(answer.cursor)).rows).toEqual([]);
      }
      for (const junk of ["", ".", "abc", `!${cursor}`, `${cursor}\n`, `${cursor}.x`])
        await expect(pull(junk)).rejects.toMatchObject({ code: "bad_cursor" });
    });
  });

  describe("what the network does to pages", () => {
    /** Pages of a node's history, taken while it goes on, so that later pages hold later states of the same rows. */
    async function history(): Promise<{ writer: TestNode; pages: (readonly RowChange[])[] }> {
      const writer = await openNode("writer");
      const pages: (readonly RowChange[])[] = [];
      let cursor = decodeCursor(
        encodeCursor({ incarnation: "", floor: 0, position: 0, last: 0, tables: [], full: false }),
      );
      const take = async () => {
        for (let more = true; more; ) {
          const page = await writer.node.store.serve({
            cursor,
            tables: writer.node.tables,
            peer: "reader",
            rows: 2,
            bytes: 1e9,
          });
          if (page.rows.length > 0) pages.push(page.rows);
          cursor = page.cursor;
          more = page.more;
        }
      };
      for (const id of ["a", "b", "c"]) await insertDocument(writer, id);
      await take();
      await writer.sql(`UPDATE documents SET view_count = view_count + 5, tags = '${textsOf("x", "y")}'`);
      await take();
      writer.clock.advance(10);
      await writer.sql("DELETE FROM documents WHERE id = 'b'");
      await writer.sql(`UPDATE documents SET tags = '${textsOf("y", "z")}', title = 'second' WHERE id = 'a'`);
      await take();
      await writer.sql("UPDATE documents SET view_count = view_count - 2, body = 'third'");
      await insertDocument(writer, "b", "born again");
      await writer.sql(`UPDATE documents SET view_count = 4, tags = '${textsOf("q")}' WHERE id = 'b'`);
      await take();
      await writer.sql("DELETE FROM documents WHERE id = 'c'");
      await take();
      return { writer, pages };
    }

    test("faults 10: pages that come twice, late and in any order change nothing in the result", async () => {
      const { writer, pages } = await history();
      const count = pages.length;
      expect(count).toBeGreaterThan(6);
      const expected = { rows: await contents(writer), metadata: await metadata(writer) };
      const places = fc.nat({ max: count - 1 });
      // Every page once, in any order, with any pages repeated in between.
      const order = fc
        .tuple(
          fc.shuffledSubarray([...pages.keys()], { minLength: count }),
          fc.array(fc.tuple(places, places), { maxLength: 8 }),
        )
        .map(([once, repeats]) =>
          repeats.reduce((list, [page, at]) => [...list.slice(0, at), page, ...list.slice(at)], once),
        );
      await fc.assert(
        fc.asyncProperty(order, async (delivery) => {
          const reader = await openNode("reader", { clock: writer.clock });
          for (const place of delivery) await reader.node.merge("writer", JSON.parse(JSON.stringify(pages[place])));
          expect({ rows: await contents(reader), metadata: await metadata(reader) }).toEqual(expected);
          await reader.close();
        }),
        { numRuns: effort(thorough ? 100 : 15) },
      );
    });

    test("faults 10: requests that the network delivers twice, and answers that come late, do no harm", async () => {
      const [hub, edge] = (await openNodes(["hub", "edge"])) as [TestNode, TestNode];
      const late: Promise<Response>[] = [];
      const doubling: Tamper = async (path, body, forward) => {
        await forward(path, body);
        const response = await forward(path, body);
        late.push(forward(path, body));
        return response;
      };
      const syncer = link(edge, hub, { pageRows: 2 }, doubling);
      for (let round = 0; round < 4; round++) {
        for (const node of [hub, edge]) {
          await insertDocument(node, `${node.id} ${round}`);
          await node.sql(
            `UPDATE documents SET view_count = view_count + 1, tags = ${dialect.append("tags", "?")} WHERE id LIKE '% 0'`,
            `${node.id}${round}`,
          );
        }
        const [report] = await syncer.sync();
        expect(report!.error).toBeNull();
      }
      await Promise.all(late);
      await settle([edge, hub]);
      await expectEqual(hub, edge);
      expect(await hub.row<{ n: number }>("SELECT sum(view_count) AS n FROM documents")).toEqual({ n: 14 });
    });
  });
});
