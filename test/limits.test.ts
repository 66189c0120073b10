// Limits: what one request and one principal may ask of a node. Each limit refuses what is beyond it and nothing else, all of
// them hold when nobody has set any, and a syncer that meets one loses nothing.
import { errorCodes, type PushResponse } from "@grove-crdt/core";
import { counter, lww, set } from "grove-crdt/schema";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { headersOf, linkAs, pushAs, send, type Who } from "./support/callers";
import { everything, expectEqual } from "./support/comparison";
import { describeOnEach } from "./support/dialects";
import { ANN, BOB, limited, nested, STAMP } from "./support/limits";
import { pullMessage, pushMessage } from "./support/network";
import type { TestNode } from "./support/node";
import type { TestSchema } from "./support/schemas";
import { until } from "./support/streams";

afterEach(() => void vi.restoreAllMocks());

describeOnEach("limits", ({ dialect, openNode, makeSchema }) => {
  let schema: TestSchema;
  beforeAll(async () => {
    const { table, text, integer, json } = dialect;
    schema = await makeSchema({
      papers: table("papers", {
        id: text("id").primaryKey(),
        title: lww(text("title").notNull()),
        note: lww(json("note")),
        hits: counter(integer("hits").notNull().default(0)),
        marks: set(json("marks").$type<unknown[]>().notNull().default([])),
      }),
    });
  });
  const open = (id: string, settings: Parameters<typeof openNode>[1] = {}) => openNode(id, { ...schema, ...settings });
  const paper = (node: TestNode, id: string, title = id) =>
    node.sql("INSERT INTO papers (id, title, hits) VALUES (?, ?, 2)", id, title);
  const row = (id: string, fields: object = {}) => ({
    table: "papers",
    pk: [id],
    cl: 1,
    life: [STAMP, "n-ann"],
    lww: { title: [id] },
    ...fields,
  });
  const codes = (outcomes: readonly { readonly outcome: string; readonly code?: string }[]) =>
    outcomes.map(({ outcome, code }) => code ?? outcome);
  const ids = async (node: TestNode) =>
    (await node.rows<{ id: string }>("SELECT id FROM papers ORDER BY id")).map(({ id }) => id);

  describe("changes of a push", () => {
    test("one more than are taken is refused as a whole, with a code that says so", async () => {
      const hub = await open("hub");
      const app = limited(hub, { changes: 3 });
      const rows = ["a", "b", "c", "d"].map((id) => row(id));
      expect(await send({ app }, ANN, "/push", pushMessage(rows))).toMatchObject({
        status: 413,
        json: { error: { code: "payload_too_large" } },
      });
      expect(await ids(hub)).toEqual([]);
      expect(codes((await pushAs(ANN, { app }, rows.slice(1))).outcomes)).toEqual(["applied", "applied", "applied"]);
    });

    test("a syncer whose pages are larger halves them, and everything arrives once", async () => {
      const hub = await open("hub");
      const edge = await open("edge", { clock: hub.clock });
      for (let n = 0; n < 20; n++) await paper(edge, `p${n}`);
      let refused = 0;
      const app = limited(hub, { changes: 3 });
      const counted = {
        app: {
          request: async (...args: Parameters<typeof app.request>) => {
            const response = await app.request(...args);
            if (response.status === 413) refused++;
            return response;
          },
        } as typeof app,
      };
      const [report] = await linkAs(ANN, edge, counted).sync();
      expect(report).toMatchObject({ error: null, pushed: 20, applied: 20 });
      expect(refused).toBeGreaterThan(1);
      await expectEqual(edge, hub);
    });

    test("also of rows from before capture, whose sums are not the peer's", async () => {
      const before = Array.from({ length: 20 }, (_, n) => `INSERT INTO papers (id, title) VALUES ('p${n}', 'old')`);
      const hub = await open("hub", { before: before.map((sql) => sql.replace("'old'", "'older'")).slice(0, 9) });
      const edge = await open("edge", { clock: hub.clock, before });
      const app = limited(hub, { changes: 3 });
      const [report] = await linkAs(ANN, edge, { app }).sync();
      expect(report?.error).toBe(null);
      await expectEqual(edge, hub);
      expect((await ids(hub)).length).toBe(20);
    });

    test("a row that alone is too large stays where it was written, and those behind it arrive", async () => {
      const hub = await open("hub");
      const edge = await open("edge", { clock: hub.clock });
      await paper(edge, "a");
      await paper(edge, "large", "x".repeat(20_000));
      await paper(edge, "z");
      const app = limited(hub, { body: 10_000 });
      expect((await linkAs(ANN, edge, { app }).sync())[0]).toMatchObject({ error: null, rejected: 1 });
      expect(await ids(hub)).toEqual(["a", "z"]);
      expect(await edge.node.rejected()).toMatchObject([{ pk: ["large"], code: "payload_too_large" }]);
      // A hub that takes more gets it with the next write.
      await edge.sql("UPDATE papers SET title = 'short' WHERE id = 'large'");
      await linkAs(ANN, edge, { app }).sync();
      expect(await ids(hub)).toEqual(["a", "large", "z"]);
      expect(await edge.node.rejected()).toEqual([]);
    });
  });

  describe("one value", () => {
    test("over its bytes rejects its row alone, wherever it stands", async () => {
      const hub = await open("hub");
      const app = limited(hub, { value: 1_000 });
      const long = "x".repeat(1_000);
      const rows = [
        row("before"),
        row("title", { lww: { title: [long] } }),
        row("unknown", { lww: { title: ["t"], later: [long] } }),
        row("mark", { set: { marks: [[long, STAMP, "n-ann"]] } }),
        row("many", { set: { marks: Array.from({ length: 40 }, (_, n) => [`mark ${n}`, STAMP, "n-ann"]) } }),
        row("total", {
          counter: { hits: { totals: Array.from({ length: 40 }, (_, n) => [`i${n}`, "n-ann", "1", "0", STAMP]) } },
        }),
        row("after", { lww: { title: ["x".repeat(900)] } }),
      ];
      const { outcomes } = await pushAs(ANN, { app }, rows);
      const large = "payload_too_large";
      expect(codes(outcomes)).toEqual(["applied", large, large, large, large, large, "applied"]);
      expect((await everything(hub)).map(({ pk }) => pk[0])).toEqual(["before", "after"]);
    });

    test("over its depth rejects its row alone, and one as deep as is allowed is data", async () => {
      const hub = await open("hub");
      const app = limited(hub, { depth: 10 });
      const rows = [
        row("before"),
        row("note", { lww: { title: ["t"], note: [nested(12)] } }),
        row("mark", { set: { marks: [[nested(11), STAMP, "n-ann"]] } }),
        row("unknown", { lww: { title: ["t"], later: [nested(300)] } }),
        row("deep", { lww: { title: ["t"], note: [nested(10)] }, set: { marks: [[nested(10), STAMP, "n-ann"]] } }),
      ];
      const { outcomes } = await pushAs(ANN, { app }, rows);
      expect(codes(outcomes)).toEqual(["applied", "bad_change", "bad_change", "bad_change", "applied"]);
      expect(await ids(hub)).toEqual(["before", "deep"]);
    });

    test("that the hub does not take is kept at the origin with its code, and nothing else is held back", async () => {
      const hub = await open("hub");
      const edge = await open("edge", { clock: hub.clock });
      const app = limited(hub, { value: 500, depth: 10 });
      await paper(edge, "a");
      await paper(edge, "large", "x".repeat(600));
      await edge.sql("INSERT INTO papers (id, title, note) VALUES ('deep', 't', ?)", JSON.stringify(nested(50)));
      await paper(edge, "z");
      const syncer = linkAs(ANN, edge, { app });
      expect((await syncer.sync())[0]).toMatchObject({ error: null, applied: 2, rejected: 2 });
      expect(await ids(hub)).toEqual(["a", "z"]);
      expect(await ids(edge)).toEqual(["a", "deep", "large", "z"]);
      const kept = (await edge.node.rejected()).map(({ pk, code }) => [pk[0], code]).sort();
      expect(kept).toEqual([
        ["deep", "bad_change"],
        ["large", "payload_too_large"],
      ]);
      // The cursor has moved on: nothing of it is sent again.
      expect((await syncer.sync())[0]).toMatchObject({ error: null, pushed: 0 });
    });
  });

  describe("the rate of requests", () => {
    test("over it, the answer is 429 and says how long to wait; other principals notice nothing", async () => {
      const hub = await open("hub");
      let now = 1_000_000;
      const app = limited(hub, { rate: { burst: 3, perSecond: 2 } }, { now: () => now });
      const ask = (who: Who) => send({ app }, who, "/pull", pullMessage({ node: `n-${who.id}` }));
      for (let n = 0; n < 3; n++) expect((await ask(ANN)).status).toBe(200);
      const body = JSON.stringify(pullMessage({ node: "n-ann" }));
      const response = await app.request("/pull", { method: "POST", headers: headersOf(ANN), body });
      expect(response.headers.get("retry-after")).toBe("1");
      expect(await response.json()).toMatchObject({ error: { code: "rate_limited", details: { milliseconds: 500 } } });
      for (let n = 0; n < 3; n++) expect((await ask(BOB)).status).toBe(200);
      expect((await ask(BOB)).status).toBe(429);
      // Paths that do not exist count as well, and a refusal costs nothing.
      expect((await app.request("/nowhere", { headers: headersOf(ANN) })).status).toBe(429);
      now += 500;
      expect((await ask(ANN)).status).toBe(200);
      expect((await ask(ANN)).status).toBe(429);
    });

    test("a syncer that is over it comes again later, and nothing is lost or counted twice", async () => {
      const hub = await open("hub");
      const edge = await open("edge", { clock: hub.clock });
      // Time stands still while it is served and passes while it waits, however fast the machine is.
      let now = 0;
      const app = limited(hub, { rate: { burst: 3, perSecond: 6 } }, { now: () => now });
      const slow = {
        app: {
          request: async (...args: Parameters<typeof app.request>) => {
            const response = await app.request(...args);
            if (response.status === 429) now += 500;
            return response;
          },
        } as typeof app,
      };
      for (let n = 0; n < 20; n++) await paper(edge, `p${n}`);
      await paper(hub, "theirs");
      const seen: (string | undefined)[] = [];
      const stop = new AbortController();
      const syncer = linkAs(ANN, edge, slow, {
        pageRows: 2,
        interval: 50,
        minRetry: 20,
        maxRetry: 60,
        onReport: ({ error }) => void seen.push(error?.code),
      });
      const running = syncer.run({ signal: stop.signal });
      // A pull and a push a time: far fewer than its rows need.
      await until(async () => (await ids(hub)).length === 21 && (await ids(edge)).length === 21, 20_000);
      await edge.sql("UPDATE papers SET hits = hits + 5 WHERE id = 'p3'");
      await until(async () => (await hub.row<{ hits: number }>("SELECT hits FROM papers WHERE id = 'p3'"))?.hits === 7);
      stop.abort();
      await running;
      expect(seen).toContain("rate_limited");
      await expectEqual(edge, hub);
    });
  });

  describe("a parked row", () => {
    test("is told to its pusher by code alone; what the database said, the hub's own list says", async () => {
      const hub = await open("hub", {
        ddl: schema.ddl.map((sql) => sql.replace(/\btitle["`]? text NOT NULL/, "$& CHECK (title <> 'secret')")),
      });
      const rows = [row("fine"), row("bad", { lww: { title: ["secret"] } }), row("lacking", { lww: {} })];
      const { status, text, json } = await send({ app: limited(hub) }, ANN, "/push", pushMessage(rows));
      expect(status).toBe(200);
      expect(codes(json.outcomes)).toEqual(["applied", "constraint", "constraint"]);
      for (const { message } of json.outcomes.slice(1)) expect(message).toBe(errorCodes.constraint);
      const parked = await hub.node.parked();
      expect(parked.map(({ code }) => code)).toEqual(["constraint", "constraint"]);
      for (const { message } of parked) {
        expect(message).toMatch(/constraint/i);
        expect(text).not.toContain(message);
      }
      // Nor does anybody hear of it who pulls.
      const pulled = await send({ app: limited(hub) }, BOB, "/pull", pullMessage({ node: "n-bob" }));
      for (const { message } of parked) expect(pulled.text).not.toContain(message);
    });
  });

  test("a row whose table or key is too deep for a text is rejected alone, and told to the audit", async () => {
    const hub = await open("hub");
    const audited: string[] = [];
    const app = limited(hub, {}, { onAudit: (event) => audited.push(JSON.stringify(event)) });
    const rows = [
      { ...row("a"), table: "DEEP" },
      { ...row("b"), table: { toString: 1 } },
      row("c"),
      { ...row("d"), pk: ["DEEP"] },
    ];
    const text = JSON.stringify(pushMessage(rows, { node: "n-ann" }));
    const body = text.replaceAll('"DEEP"', "[".repeat(20_000) + "]".repeat(20_000));
    const response = await app.request("/push", { method: "POST", headers: headersOf(ANN), body });
    const { outcomes } = (await response.json()) as Pick<PushResponse, "outcomes">;
    expect(codes(outcomes)).toEqual(["bad_change", "bad_change", "applied", "bad_change"]);
    expect(audited.length).toBe(1);
  });

  test("what fails inside is told to the log alone", async () => {
    const hub = await open("hub");
    const errors: unknown[] = [];
    const app = limited(hub, {}, { onError: (error) => errors.push(error) });
    const failure = new Error("INSERT INTO _papers_crdt: disk I/O error at /var/lib/data");
    for (const method of ["merge", "serve"])
      vi.spyOn(Object.getPrototypeOf(hub.node.store), method).mockRejectedValue(failure);
    const asked = [
      await send({ app }, ANN, "/push", pushMessage([row("a")])),
      await send({ app }, ANN, "/pull", pullMessage()),
    ];
    vi.restoreAllMocks();
    for (const { status, text, json } of asked) {
      expect([status, json.error.code]).toEqual([500, "internal"]);
      expect(text).not.toMatch(/INSERT|_crdt|disk|var|stack/);
    }
    expect(errors).toEqual([failure, failure]);
  });

  test("a key that the database does not take is refused without the database's words", async () => {
    const hub = await open("hub");
    // What cannot be packed is too long for an index of Postgres; SQLite takes it.
    const id = Array.from({ length: 5_000 }, (_, n) => Math.imul(n + 1, 0x9e3779b1).toString(36)).join("");
    const { json, text } = await send({ app: limited(hub) }, ANN, "/push", pushMessage([row(id), row("fine")]));
    expect(codes(json.outcomes)).toEqual([dialect.name === "sqlite" ? "applied" : expect.any(String), "applied"]);
    expect(text).not.toMatch(/index row|_pkey|btree/);
  });
});
