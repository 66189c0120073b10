// Bad input: whatever comes in, the answer is JSON with a code, never a 500, and nothing in the database has changed.

import { request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { type ErrorCode, encodeCursor } from "@grove-crdt/core";
import { serve } from "@hono/node-server";
import { createSyncer, syncRouter } from "grove-crdt";
import { counter, lww, set } from "grove-crdt/schema";
import { Hono } from "hono";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { contents, dump } from "./support/comparison";
import { describeOnEach } from "./support/dialects";
import { errorOf, pullMessage, pushMessage, request, transportTo } from "./support/network";
import { type TestNode, TOKEN } from "./support/node";
import type { TestSchema } from "./support/schemas";

describeOnEach("bad input", ({ dialect, openNode, makeSchema }) => {
  const STAMP = 1_700_000_000_000_000;
  const good = (id = "new") => ({
    table: "documents",
    pk: [id],
    cl: 1,
    life: [STAMP, "stranger"],
    lww: { title: ["a title"], body: ["a body"] },
  });
  /** JSON text `levels` deep, in two characters each. */
  const deep = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;

  /** Documents whose tags may be any JSON. */
  let anything: TestSchema;
  beforeAll(async () => {
    const { integer, json, table, text } = dialect;
    const documents = table("documents", {
      id: text("id").primaryKey(),
      title: lww(text("title").notNull()),
      body: lww(text("body").notNull().default("")),
      viewCount: counter(integer("view_count").notNull().default(0)),
      tags: set(json("tags").$type<unknown[]>().notNull().default([])),
    });
    anything = await makeSchema({ documents });
  });

  let node: TestNode;
  beforeEach(async () => {
    // Told which tables there are, it keeps nothing of others: test/elsewhere.test.ts has those that do.
    node = await openNode("hub", {
      router: { tables: () => dialect.registry.tables.map(({ name }) => name) } as object,
    });
    await node.sql(`INSERT INTO documents VALUES ('1', 'title', 'body', 3, '${dialect.textsOf("a")}')`);
    await node.sql(`INSERT INTO orders VALUES ('1', 'open', NULL, 250, ${dialect.time(1_700_000_000_000)})`);
    await node.node.fold();
  });

  interface Answer {
    status: number;
    // biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
    json: any;
  }

  /** Sends it as it is: text, or something that becomes JSON. */
  async function send(path: string, body: unknown): Promise<Answer> {
    const response = await request(node, path, typeof body === "string" ? body : JSON.stringify(body));
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    return { status: response.status, json: await response.json() };
  }

  /** The request is refused with this code and leaves no trace. */
  async function expectRefused(path: string, body: unknown, code: ErrorCode): Promise<Answer> {
    const before = await dump(node);
    const answer = await send(path, body);
    expect(answer.json).toMatchObject({ error: { code, message: expect.any(String) } });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(await dump(node)).toBe(before);
    return answer;
  }

  /** The push is taken, this one row is not, and nothing but what is kept about the pusher has changed. */
  async function expectRejected(row: unknown, code: ErrorCode): Promise<void> {
    const before = await dump(node, ["_grove_peers"]);
    const { status, json } = await send("/push", pushMessage([row]));
    expect({ status, outcomes: json.outcomes ?? json }).toMatchObject({
      status: 200,
      outcomes: [{ outcome: "rejected", code, message: expect.any(String) }],
    });
    expect(await dump(node, ["_grove_peers"])).toBe(before);
  }

  describe("requests", () => {
    test("a table that this node does not know is refused in a pull, and rejects its row in a push", async () => {
      await expectRefused("/pull", pullMessage({ tables: ["documents", "nowhere"] }), "unknown_table");
      await expectRejected({ ...good(), table: "nowhere" }, "unknown_table");
    });

    test("lineage 16: a table's name from a request never becomes SQL", async () => {
      const names = [
        "documents; DROP TABLE documents",
        'documents"; DROP TABLE documents; --',
        "documents' OR '1'='1",
        "_documents_crdt",
        "sqlite_schema",
        "_grove_node",
        "Documents",
        "documents ",
      ];
      for (const name of names) {
        await expectRefused("/pull", pullMessage({ tables: [name] }), "unknown_table");
        await expectRejected({ ...good(), table: name }, "unknown_table");
      }
      expect((await contents(node)).documents?.length).toBe(1);
    });

    test("lineage 16: a column's name, a key and a value from a request never become SQL", async () => {
      const name = "title\" = 'x'; DROP TABLE documents; --";
      const row = {
        ...good("'); DROP TABLE documents; --"),
        lww: { ...good().lww, title: ["'); DELETE FROM orders; --"], [name]: ["y"] },
      };
      const { json } = await send("/push", pushMessage([row]));
      expect(json.outcomes).toEqual([{ outcome: "applied" }]);
      expect(await node.rows("SELECT id, title FROM documents ORDER BY id")).toEqual([
        { id: "'); DROP TABLE documents; --", title: "'); DELETE FROM orders; --" },
        { id: "1", title: "title" },
      ]);
      expect((await contents(node)).orders?.length).toBe(1);
    });

    test("a body that is missing, empty, no JSON, or JSON of another shape is refused", async () => {
      for (const path of ["/pull", "/push"]) {
        const before = await dump(node);
        const bare = await node.app.request(path, { method: "POST", headers: { authorization: TOKEN } });
        expect(await errorOf(bare)).toEqual([400, "bad_request"]);
        expect(await dump(node)).toBe(before);
        const bodies = [
          "",
          " ",
          "{",
          "nonsense",
          '{"protocol":1',
          "\u0000",
          "null",
          "[]",
          "7",
          '"text"',
          "true",
          "{}",
          '{"protocol":1}',
          deep(50),
          "\ufeff{}",
        ];
        for (const body of bodies) await expectRefused(path, body, "bad_request");
      }
    });

    test("fields of a request that are missing, unknown or of another type are refused", async () => {
      const bad: object[] = [
        { node: undefined },
        { node: "" },
        { node: 5 },
        { node: "Upper" },
        { node: "a b" },
        { node: "-a" },
        { node: "x".repeat(64) },
        { node: null },
        { unknown: 1 },
        { protocol: undefined },
        { protocol: "1" },
        { protocol: 1.5 },
        { protocol: null },
      ];
      for (const fields of bad) {
        await expectRefused("/pull", pullMessage(fields), "bad_request");
        await expectRefused("/push", pushMessage([good()], fields), "bad_request");
      }
      for (const fields of [
        { cursor: undefined },
        { cursor: 5 },
        { cursor: {} },
        { tables: [] },
        { tables: "documents" },
        { tables: [1] },
        { tables: [""] },
        { rows: -1 },
        { rows: 1.5 },
        { rows: "5" },
        { bytes: 0 },
        { bytes: null },
      ]) {
        await expectRefused("/pull", pullMessage(fields), "bad_request");
      }
      for (const fields of [
        { rows: undefined },
        { rows: {} },
        { rows: null },
        { at: undefined },
        { at: null },
        { at: { incarnation: "x" } },
        { at: { incarnation: "x", seq: -1 } },
        { at: { incarnation: "x".repeat(65), seq: 1 } },
        { seen: undefined },
        { seen: 5 },
        { seen: { incarnation: 1, seq: 1 } },
      ]) {
        await expectRefused("/push", pushMessage([good()], fields), "bad_request");
      }
    });

    test("page limits over the maximum and sizes beyond all measure are refused", async () => {
      for (const fields of [
        { rows: 10_001 },
        { rows: 1e308 },
        { rows: Number.MAX_SAFE_INTEGER },
        { bytes: 4 * 1024 * 1024 + 1 },
        { bytes: 1e300 },
      ]) {
        await expectRefused("/pull", pullMessage(fields), "bad_request");
      }
      await expectRefused("/pull", pullMessage({ tables: Array(10_001).fill("documents") }), "bad_request");
      await expectRefused("/pull", pullMessage({ tables: ["x".repeat(257)] }), "bad_request");
      await expectRefused("/pull", pullMessage({ cursor: "A".repeat(1024 * 1024 + 1) }), "bad_request");
      await expectRefused("/push", pushMessage(Array(10_001).fill(good())), "payload_too_large");
      await expectRefused("/push", pushMessage([], { at: { incarnation: "a", seq: 1e300 } }), "bad_request");
      await expectRefused("/push", `{"protocol":1e400,"node":"stranger"}`, "bad_request");
    });

    test("one table named ten thousand times in a pull is that table once", async () => {
      const { status, json } = await send("/pull", pullMessage({ tables: Array(10_000).fill("documents") }));
      expect(status).toBe(200);
      expect(json.rows.length).toBe(1);
    });

    test("a body over the limit is refused before it is read", async () => {
      const small = syncRouter(node.node, { authenticate: () => "peer", limits: { body: 10_000 } });
      const before = await dump(node);
      for (const path of ["/pull", "/push"]) {
        const response = await small.request(path, {
          method: "POST",
          body: JSON.stringify(pushMessage([{ ...good(), lww: { title: ["x".repeat(10_000)] } }])),
        });
        expect(await errorOf(response)).toEqual([413, "payload_too_large"]);
      }
      expect(await dump(node)).toBe(before);
      await expectRefused("/push", `"${"x".repeat(8 * 1024 * 1024)}"`, "payload_too_large");
    });

    test("who comes without a token or with a wrong one gets 401, whatever else is wrong", async () => {
      const before = await dump(node);
      for (const authorization of [undefined, "", "Bearer wrong", "Basic dGVzdA==", `${TOKEN}x`, TOKEN.toUpperCase()]) {
        for (const [path, body] of [
          ["/pull", pullMessage()],
          ["/push", pushMessage([good()])],
          ["/nowhere", {}],
          ["/push", "no JSON"],
        ] as const) {
          const headers = authorization === undefined ? undefined : { authorization };
          const response = await node.app.request(path, {
            method: "POST",
            headers,
            body: typeof body === "string" ? body : JSON.stringify(body),
          });
          expect(await errorOf(response)).toEqual([401, "unauthenticated"]);
        }
      }
      expect(await dump(node)).toBe(before);
    });

    test("fault 42: another protocol version is refused by a message that names both, also when its requests look different", async () => {
      for (const path of ["/pull", "/push"]) {
        for (const message of [
          { ...pullMessage(), protocol: 2 },
          { ...pushMessage([]), protocol: 2 },
          { protocol: 2, node: "stranger", news: true },
          { protocol: 99 },
          { protocol: 0, node: "stranger" },
        ]) {
          const { json } = await expectRefused(path, message, "protocol_mismatch");
          expect(json.error.details).toEqual({ theirs: message.protocol, ours: 1 });
        }
      }
    });

    test("a node that calls under this node's own id is refused, and a syncer pointed at itself reports it", async () => {
      expect((await expectRefused("/pull", pullMessage({ node: "hub" }), "self_peer")).status).toBe(409);
      await expectRefused("/push", pushMessage([good()], { node: "hub" }), "self_peer");
      const [report] = await createSyncer(node.node, { peers: [transportTo(node)] }).sync();
      expect(report?.error?.code).toBe("self_peer");
    });

    test("other paths and methods are answered with not_found", async () => {
      for (const [method, path] of [
        ["GET", "/pull"],
        ["PUT", "/push"],
        ["POST", "/"],
        ["POST", "/pull/documents"],
        ["DELETE", "/push"],
        ["POST", "/__proto__"],
      ] as const) {
        const response = await node.app.request(path, { method, headers: { authorization: TOKEN } });
        expect(await errorOf(response)).toEqual([404, "not_found"]);
      }
    });
  });

  describe("cursors", () => {
    test("faults 34: a cursor that no node made is refused", async () => {
      const text = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
      const forged = [
        "",
        "x",
        "!!!",
        "AAAA",
        "%00",
        "☃",
        "A".repeat(100_000),
        text(null),
        text({}),
        text([]),
        text([1]),
        text([2, "a", 1, 1, 1, [], false]),
        text([1, "a", 2, 1, 3, [], false]),
        text([1, "a", 1, 5, 3, [], false]),
        text([1, "a", -1, 1, 1, [], false]),
        text([1, "a", 1.5, 2, 3, [], false]),
        text([1, "a", 1, 1, 1e300, [], false]),
        text([1, "a".repeat(65), 1, 1, 1, [], false]),
        text([1, "a", 1, 1, 1, [5], false]),
        text([1, "a", 1, 1, 1, [], "no"]),
        text([1, "a", 1, 1, 1, [], false, 1]),
        Buffer.from([0xff, 0xfe]).toString("base64url"),
        Buffer.from(deep(10_000)).toString("base64url"),
      ];
      for (const cursor of forged) await expectRefused("/pull", pullMessage({ cursor }), "bad_cursor");
    });

    test("faults 34: a cursor of another node, or of a future of this one, begins anew: never a gap", async () => {
      const other = await openNode("other");
      for (let n = 0; n < 5; n++) await other.sql("INSERT INTO documents (id, title) VALUES (?, 'x')", String(n));
      const { cursor } = await other.node.pull({ protocol: 1, node: "stranger", cursor: null });
      const mine = (await send("/pull", pullMessage())).json;
      const incarnation = mine.at.incarnation as string;
      const tables = node.node.tables;
      const strange = [
        cursor,
        encodeCursor({ incarnation, floor: 0, position: 0, last: 1_000, tables, full: false }),
        encodeCursor({ incarnation: "unheard-of", floor: 1, position: 1, last: 1, tables, full: false }),
        encodeCursor({ incarnation: "", floor: 0, position: 0, last: 1, tables, full: false }),
      ];
      for (const cursor of strange) {
        const { status, json } = await send("/pull", pullMessage({ cursor }));
        expect(status).toBe(200);
        expect(json.reset).toBe(true);
        expect(json.rows).toEqual(mine.rows);
      }
      // One that is right goes on where it was, and one that names no incarnation yet begins at the beginning.
      expect((await send("/pull", pullMessage({ cursor: mine.cursor }))).json).toMatchObject({ rows: [], more: false });
      const blank = encodeCursor({ incarnation: "", floor: 0, position: 0, last: 0, tables: [], full: false });
      expect((await send("/pull", pullMessage({ cursor: blank }))).json.rows).toEqual(mine.rows);
    });

    test("what a pusher says to have seen, of a history that is not this one, is answered with reset", async () => {
      const { json } = await send("/push", pushMessage([good()], { seen: { incarnation: "unheard-of", seq: 5 } }));
      expect(json).toMatchObject({ reset: true, outcomes: [{ outcome: "applied" }] });
    });
  });

  describe("rows", () => {
    test("lineage 9: of ten rows with a bad one among them, nine are applied and one is rejected with a code", async () => {
      for (let place = 0; place < 10; place++) {
        const rows: object[] = Array.from({ length: 10 }, (_, n) => good(`${place} ${n}`));
        rows[place] = { ...rows[place], lww: { title: [{ no: "text" }], body: ["b"] } };
        const { status, json } = await send("/push", pushMessage(rows));
        expect(status).toBe(200);
        expect(json.outcomes.map(({ outcome, code }: { outcome: string; code?: string }) => code ?? outcome)).toEqual(
          rows.map((_, n) => (n === place ? "bad_value" : "applied")),
        );
        expect(await node.row(`SELECT count(*) AS n FROM documents WHERE id LIKE '${place} %'`)).toEqual({ n: 9 });
      }
    });

    test("a change that is not of the documented shape is rejected", async () => {
      const malformed: unknown[] = [
        null,
        5,
        "text",
        [],
        {},
        true,
        { ...good(), table: undefined },
        { ...good(), table: 5 },
        { ...good(), table: "" },
        { ...good(), pk: undefined },
        { ...good(), pk: [] },
        { ...good(), pk: "new" },
        { ...good(), pk: {} },
        { ...good(), cl: 0 },
        { ...good(), cl: -1 },
        { ...good(), cl: 1.5 },
        { ...good(), cl: "1" },
        { ...good(), cl: 1e300 },
        { ...good(), cl: Number.MAX_SAFE_INTEGER },
        { ...good(), cl: 2 ** 48 + 1 },
        { ...good(), cl: null },
        { ...good(), life: undefined },
        { ...good(), life: [] },
        { ...good(), life: [STAMP] },
        { ...good(), life: [STAMP, 5] },
        { ...good(), life: [STAMP, "Upper"] },
        { ...good(), life: [-1, "a"] },
        { ...good(), life: [1.5, "a"] },
        { ...good(), life: ["1", "a"] },
        { ...good(), life: [STAMP, "a", 1] },
        { ...good(), unknown: 1 },
        { ...good(), lww: [] },
        { ...good(), lww: 5 },
        { ...good(), lww: { title: "t" } },
        { ...good(), lww: { title: [] } },
        { ...good(), lww: { title: ["t", STAMP] } },
        { ...good(), lww: { title: ["t", STAMP, "a", 1] } },
        { ...good(), lww: { title: ["t", "x", "a"] } },
        { ...good(), lww: { "": ["t"] } },
        { ...good(), lww: { ["x".repeat(257)]: ["t"] } },
        { ...good(), counter: { view_count: 5 } },
        { ...good(), counter: { view_count: { birth: [5, STAMP, "a"] } } },
        { ...good(), counter: { view_count: { birth: ["5.5", STAMP, "a"] } } },
        { ...good(), counter: { view_count: { totals: [["i", "a", "-1", "0", STAMP]] } } },
        { ...good(), counter: { view_count: { totals: [["i", "a", "1", "0"]] } } },
        { ...good(), counter: { view_count: { totals: [["I", "a", "1", "0", STAMP]] } } },
        { ...good(), counter: { view_count: { totals: [["i", "a", "9".repeat(65), "0", STAMP]] } } },
        { ...good(), counter: { view_count: { totals: [["i", "a", "1e5", "0", STAMP]] } } },
        { ...good(), counter: { view_count: { more: 1 } } },
        { ...good(), set: { tags: "a" } },
        { ...good(), set: { tags: [["a"]] } },
        { ...good(), set: { tags: [["a", STAMP, "a", -1]] } },
        { ...good(), set: { tags: [["a", STAMP, "a", 1, 2]] } },
        { ...good(), set: { tags: ["a"] } },
      ];
      for (const row of malformed) await expectRejected(row, "bad_change");
    });

    test("a key of another length, with a NULL in it, or of another type is rejected", async () => {
      for (const pk of [["a", "b"], [null], ["a", null]]) await expectRejected({ ...good(), pk }, "bad_change");
      for (const pk of [[5], [true], [{}], [[]], [{ $grove: "nonsense", value: "x" }], [{ $grove: "text" }]])
        await expectRejected({ ...good(), pk }, "bad_value");
      await expectRejected(
        { table: "inventory", pk: ["only one"], cl: 1, life: [STAMP, "a"], lww: { name: ["n"] } },
        "bad_change",
      );
    });

    test("a value of another type than its column's is rejected", async () => {
      for (const value of [5, true, {}, [], { $grove: "number", value: 5 }, { $grove: "unknown", value: "5" }]) {
        await expectRejected({ ...good(), lww: { title: [value], body: ["b"] } }, "bad_value");
      }
      const order = (fields: object) => ({
        table: "orders",
        pk: ["new"],
        cl: 1,
        life: [STAMP, "a"],
        lww: { status: ["open"], note: [null], total: [1], placed_at: ["2024-01-01T00:00:00.000000Z"], ...fields },
      });
      for (const total of [
        "abc",
        1.5,
        true,
        "5",
        "09223372036854775808",
        1e300,
        {},
        { $grove: "number", value: "9999999999999999999" },
      ]) {
        await expectRejected(order({ total: [total] }), "bad_value");
      }
      // Another node's column may hold so many digits: the row waits.
      const { json } = await send("/push", pushMessage([order({ total: ["9223372036854775808"] })]));
      expect(json.outcomes).toMatchObject([{ outcome: "parked" }]);
      for (const time of ["yesterday", 5, true, {}, "2024-13-45T00:00:00Z"])
        await expectRejected(order({ placed_at: [time] }), "bad_value");
    });

    test("a field under another type than its column's, or under two, or that is a key column, is rejected", async () => {
      for (const fields of [
        { lww: { ...good().lww, view_count: ["5"] } },
        { lww: { ...good().lww, tags: [["a"]] } },
        { counter: { title: { birth: ["1", STAMP, "a"] } } },
        { set: { title: [["a", STAMP, "a"]] } },
        { counter: { fresh: {} }, set: { fresh: [] } },
        { lww: { ...good().lww, id: ["2"] } },
      ]) {
        await expectRejected({ ...good(), ...fields }, "bad_change");
      }
    });

    test("a rejected change moves no clock and leaves no name behind", async () => {
      const soon = node.clock.now() + 30_000_000;
      await expectRejected({ ...good(), life: [soon, "a-writer"], lww: { title: [5], body: ["b"] } }, "bad_value");
      await expectRejected(
        { ...good("1"), life: [soon, "a-writer"], lww: { title: [5, soon, "another"] } },
        "bad_value",
      );
    });

    test("a row that lacks a value which its column needs waits, and hurts nobody", async () => {
      const { json } = await send("/push", pushMessage([{ ...good("lacking"), lww: { body: ["b"] } }, good("fine")]));
      expect(json.outcomes).toMatchObject([{ outcome: "parked", code: "constraint" }, { outcome: "applied" }]);
      expect(await node.node.parked()).toMatchObject([{ table: "documents", pk: ["lacking"], code: "constraint" }]);
      expect((await contents(node)).documents?.length).toBe(2);
    });

    test("a row with the greatest causal length that is taken can still be deleted, and stops no other", async () => {
      const { json } = await send("/push", pushMessage([{ ...good(), cl: 2 ** 48 - 1 }]));
      expect(json.outcomes).toEqual([{ outcome: "applied" }]);
      for (const sql of ["DELETE FROM documents", "INSERT INTO documents (id, title) VALUES ('new', 'again')"]) {
        await node.sql(sql);
        const { status, json } = await send("/pull", pullMessage({ node: "observer" }));
        expect(status).toBe(200);
        expect(json.rows.length).toBe(3);
      }
    });

    test("JSON 200,000 levels deep is data or refused, wherever it stands", async () => {
      const levels = deep(200_000);
      await expectRefused("/pull", levels, "bad_request");
      await expectRefused("/push", levels, "bad_request");
      await expectRefused(
        "/pull",
        JSON.stringify(pullMessage({ cursor: "CURSOR" })).replace('"CURSOR"', levels),
        "bad_request",
      );
      await expectRefused(
        "/push",
        JSON.stringify(pushMessage([], { at: "AT" })).replace('"AT"', levels),
        "bad_request",
      );
      const put = (row: object) => JSON.stringify(row).replace('"DEEP"', levels);
      const rows = [
        levels,
        put({ ...good(), pk: ["DEEP"] }),
        put({ ...good(), life: "DEEP" }),
        put({ ...good(), lww: { title: ["DEEP"], body: [""] } }),
        put({ ...good(), lww: { ...good().lww, unknown_to_us: ["DEEP"] } }),
        put({ ...good(), set: { tags: [["DEEP", STAMP, "a"]] } }),
        put({ ...good(), set: { unknown_to_us: [["DEEP", STAMP, "a"]] } }),
        put({ ...good(), counter: { view_count: { birth: "DEEP" } } }),
        put({ ...good(), lww: { title: [{ $grove: "text", value: "DEEP" }], body: [""] } }),
        put({ ...good(), unknown: "DEEP" }),
      ];
      for (const row of rows) {
        const before = await dump(node, ["_grove_peers"]);
        const { status, json } = await send(
          "/push",
          JSON.stringify(pushMessage([good("neighbour"), "ROW", good("other")])).replace('"ROW"', row),
        );
        expect({ status, json: json.outcomes ?? json, row: row.slice(0, 120) }).toMatchObject({
          status: 200,
          json: [
            { outcome: expect.stringMatching(/applied|superseded/) },
            { outcome: "rejected", code: expect.stringMatching(/bad_change|bad_value/) },
            { outcome: expect.stringMatching(/applied|superseded/) },
          ],
        });
        if (row !== rows[0]) expect(await dump(node, ["_grove_peers"])).toBe(before);
      }
      expect((await contents(node)).documents?.length).toBe(3);
    });

    test("JSON of a depth that people use is data", async () => {
      node = await openNode("hub", anything);
      const value = JSON.parse(`${'{"a":['.repeat(30)}1${"]}".repeat(30)}`);
      const { json } = await send(
        "/push",
        pushMessage([
          { ...good(), set: { tags: [[value, STAMP, "a"]] }, lww: { ...good().lww, unknown_to_us: [value] } },
        ]),
      );
      expect(json.outcomes).toEqual([{ outcome: "applied" }]);
      expect(await node.row("SELECT tags FROM documents WHERE id = 'new'")).toEqual({ tags: [value] });
    });

    test("huge strings are data within the body's limit", async () => {
      const huge = "x".repeat(3 * 1024 * 1024);
      const { json } = await send(
        "/push",
        pushMessage([{ ...good(), lww: { title: [huge], body: ["b"] } }, { ...good(huge.slice(0, 1_000_000)) }]),
      );
      // An index of Postgres holds no such key; the row beside it is none the worse.
      const key = dialect.name === "postgres" ? { outcome: "rejected", code: "bad_value" } : { outcome: "applied" };
      expect(json.outcomes).toEqual([{ outcome: "applied" }, expect.objectContaining(key)]);
      // A row larger than a page travels alone.
      const { json: page } = await send("/pull", pullMessage({ bytes: 1, tables: ["documents"], node: "another" }));
      expect(page).toMatchObject({ more: true });
      expect(page.rows.length).toBe(1);
    });

    test("faults 31: __proto__ and constructor as key, field, table, element and node id are data or refused, and touch no prototype", async () => {
      node = await openNode("hub", { ...anything, router: { tables: () => ["documents"] } as object });
      const before = [
        Object.getOwnPropertyNames(Object.prototype).join(),
        Object.getOwnPropertyNames(Array.prototype).join(),
      ];
      for (const word of ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "valueOf"]) {
        const named = JSON.stringify(word);
        await expectRefused("/pull", pullMessage({ tables: [word] }), "unknown_table");
        await expectRejected({ ...good(), table: word }, "unknown_table");
        if (word === "__proto__") await expectRefused("/pull", pullMessage({ node: word }), "bad_request");
        const { json: key } = await send("/push", pushMessage([good(word)]));
        expect(key.outcomes).toEqual([{ outcome: "applied" }]);
        expect(await node.row("SELECT title FROM documents WHERE id = ?", word)).toEqual({ title: "a title" });

        // As a field that this node does not know: kept and served again, or rejected; never swallowed.
        const row = JSON.stringify(good(`with ${word}`)).replace('"title":', `${named}:[{"x":1}],"title":`);
        const { status, json } = await send("/push", JSON.stringify(pushMessage(["ROW"])).replace('"ROW"', row));
        expect(status).toBe(200);
        const served = (
          await node.app.request("/pull", {
            method: "POST",
            headers: { authorization: TOKEN },
            body: JSON.stringify(pullMessage({ node: "observer" })),
          })
        ).text();
        if (json.outcomes[0].outcome === "applied") expect(await served).toContain(`${named}:[{"x":1}]`);
        else expect(json.outcomes[0]).toMatchObject({ outcome: "rejected", code: "bad_change" });

        for (const value of [`{${named}:{"polluted":true}}`, `[${named}]`]) {
          const set = JSON.stringify({ ...good(`set ${word}`), set: { tags: [["ELEMENT", STAMP, "a"]] } }).replace(
            '"ELEMENT"',
            value,
          );
          const { json: pushed } = await send("/push", JSON.stringify(pushMessage(["ROW"])).replace('"ROW"', set));
          expect(pushed.outcomes[0].outcome).toBe("applied");
          const kept = await node.row("SELECT tags FROM documents WHERE id = ?", `set ${word}`);
          expect(JSON.stringify(kept!.tags)).toContain(value);
        }
        const body = `{${named}:{"polluted":true},${JSON.stringify(pullMessage()).slice(1)}`;
        expect((await send("/pull", body)).status).toBeLessThan(500);
      }
      const { json } = await send("/push", pushMessage([good("by constructor")], { node: "constructor" }));
      expect(json.outcomes).toEqual([{ outcome: "applied" }]);
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
      expect([
        Object.getOwnPropertyNames(Object.prototype).join(),
        Object.getOwnPropertyNames(Array.prototype).join(),
      ]).toEqual(before);
    });

    test("one key in several spellings in one push is one row", async () => {
      const spelled = (pk: unknown, title: string) => ({ ...good(), pk: [pk], lww: { title: [title], body: [""] } });
      const { status, json } = await send(
        "/push",
        pushMessage([
          spelled("k", "one"),
          spelled({ $grove: "text", value: "k" }, "one"),
          spelled("\ud800", "two"),
          spelled("\ufffd", "two"),
        ]),
      );
      expect(status).toBe(200);
      expect(json.outcomes.length).toBe(4);
      for (const { outcome, code } of json.outcomes)
        expect(["applied", "superseded", "bad_value", "bad_change"]).toContain(code ?? outcome);
      expect(await node.row("SELECT count(*) AS n FROM documents WHERE id = 'k'")).toEqual({ n: 1 });
      // The node goes on as before.
      const again = await send("/push", pushMessage([good("after")]));
      expect(again.json.outcomes).toEqual([{ outcome: "applied" }]);
      expect((await send("/pull", pullMessage({ node: "observer" }))).status).toBe(200);
    });

    test("text with NUL, lone surrogates and control characters is the same on both sides, or refused", async () => {
      const reader = await openNode("reader");
      const texts = [
        "a\u0000b",
        "\u0000",
        "\ud800",
        "x\udc00y",
        "\uffff",
        "\u2028",
        "emoji 😀",
        "e\u0301",
        "\u001b[31m",
      ];
      const rows = texts.map((text, n) => ({
        ...good(String(n)),
        pk: [`t${n}`],
        lww: { title: [text], body: [""] },
        set: { tags: [[text, STAMP, "a"]] },
      }));
      const { status, json } = await send("/push", pushMessage(rows));
      expect(status).toBe(200);
      await createSyncer(reader.node, { peers: [transportTo(node)] }).sync();
      expect((await contents(reader)).documents).toEqual((await contents(node)).documents);
      for (const [n, text] of texts.entries()) {
        if (json.outcomes[n].outcome !== "applied") continue;
        expect(await node.row("SELECT title FROM documents WHERE id = ?", `t${n}`)).toEqual({ title: text });
      }
    });
  });

  test("over a real socket: chunked bodies over the limit, lies about the length, and a good push", async () => {
    const app = new Hono().route(
      "/sync",
      syncRouter(node.node, {
        authenticate: (c) => (c.req.header("authorization") === TOKEN ? "peer" : null),
        limits: { body: 50_000 },
      }),
    );
    const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" });
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    const call = (headers: Record<string, string | number>, ...chunks: string[]) =>
      new Promise<{ status: number; text: string }>((resolve, reject) => {
        // A connection of its own for each: one with an unread body is closed after the answer.
        const sending = httpRequest(
          { agent: false, port, host: "127.0.0.1", path: "/sync/push", method: "POST", headers },
          (response) => {
            let text = "";
            response.setEncoding("utf8").on("data", (part: string) => (text += part));
            response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
            response.on("error", reject);
          },
        );
        sending.on("error", reject);
        for (const chunk of chunks) sending.write(chunk);
        sending.end();
      });
    const code = ({ status, text }: { status: number; text: string }) => [
      status,
      JSON.parse(text).error?.code ?? JSON.parse(text).outcomes[0].outcome,
    ];
    try {
      const before = await dump(node);
      const json = JSON.stringify(pushMessage([good()]));
      const authorized = { authorization: TOKEN, "content-type": "application/json" };
      expect(code(await call({ "content-type": "application/json" }, json))).toEqual([401, "unauthenticated"]);
      expect(
        code(await call({ ...authorized, "transfer-encoding": "chunked" }, ...Array(20).fill("x".repeat(10_000)))),
      ).toEqual([413, "payload_too_large"]);
      expect(code(await call({ ...authorized, "content-length": 200_000 }, "x".repeat(200_000)))).toEqual([
        413,
        "payload_too_large",
      ]);
      expect(code(await call(authorized))).toEqual([400, "bad_request"]);
      expect(code(await call({ ...authorized, "content-encoding": "gzip" }, "\u001f\u008b\u0008"))).toEqual([
        400,
        "bad_request",
      ]);
      expect(await dump(node)).toBe(before);
      expect(code(await call(authorized, json.slice(0, 40), json.slice(40)))).toEqual([200, "applied"]);
      expect((await contents(node)).documents?.length).toBe(2);
    } finally {
      server.close();
    }
  });
});
