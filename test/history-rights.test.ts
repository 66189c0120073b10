// History over HTTP: nobody is told more of the past than it would be sent of the present, by row, by column, by table, by hook.
import { GroveError, type SyncHook } from "grove-crdt";
import { counter, fixed, lww } from "grove-crdt/schema";
import { beforeAll, expect, test } from "vitest";
import { authenticate, type Who as Caller, headersOf } from "./support/callers";
import { Clock } from "./support/clock";
import { describeOnEach } from "./support/dialects";
import { withHistory } from "./support/history";
import type { NodeSettings, RouterSettings, TestNode } from "./support/node";
import type { TestSchema } from "./support/schemas";

interface Who extends Caller {
  readonly tenant?: string;
  readonly fields?: readonly string[];
  readonly tables?: readonly string[];
}
const router: RouterSettings = {
  authenticate: authenticate as never,
  tables: ((who: Who) => who.tables ?? ["notes", "open"]) as never,
  fields: { notes: ((who: Who) => who.fields ?? null) as never },
  scope: { notes: ((who: Who) => (who.tenant === undefined ? null : { tenantId: who.tenant })) as never },
  mayRelay: () => true,
};

describeOnEach("history over HTTP", ({ dialect, openNode, makeSchema }) => {
  let schema: TestSchema;
  beforeAll(async () => {
    const { table, text, integer } = dialect;
    const made = await makeSchema({
      notes: table("notes", {
        id: text("id").primaryKey(),
        tenantId: fixed(text("tenant_id").notNull()),
        title: lww(text("title").notNull().default("")),
        secret: lww(text("secret")),
        stars: counter(integer("stars").notNull().default(0)),
      }),
      open: table("open", { id: text("id").primaryKey(), title: lww(text("title").notNull().default("")) }),
    });
    schema = { ...made, registry: withHistory(made.registry, { notes: {} }) };
  });
  const clock = new Clock();
  const open = async (settings: NodeSettings = {}) => {
    const hub = await openNode("hub", { ...schema, clock, router, ...settings });
    for (const tenant of ["a", "b"]) {
      await hub.sql("INSERT INTO notes (id, tenant_id, title, secret) VALUES (?, ?, 'one', 'hush')", tenant, tenant);
      await hub.node.fold();
      clock.advance(1000);
      await hub.sql("UPDATE notes SET title = 'two', stars = stars + 1 WHERE id = ?", tenant);
      await hub.node.fold();
    }
    return hub;
  };
  const get = async (hub: TestNode, who: Who | null, path: string, query: Record<string, string>) => {
    const response = await hub.app.request(`${path}?${new URLSearchParams(query)}`, {
      headers: who ? headersOf(who) : {},
    });
    // biome-ignore lint/suspicious/noExplicitAny: whatever the router answers
    return { status: response.status, json: (await response.json()) as any };
  };
  const row = (hub: TestNode, who: Who | null, id: string, at = clock.now(), table = "notes") =>
    get(hub, who, "/history", { table, pk: JSON.stringify([id]), at: String(at) });
  const field = (hub: TestNode, who: Who | null, id: string, name: string, more: Record<string, string> = {}) =>
    get(hub, who, "/field-history", { table: "notes", pk: JSON.stringify([id]), field: name, ...more });
  const a: Who = { id: "a", tenant: "a" };

  test("a principal reads its own rows' past, and nothing of others', which look as if they had never been", async () => {
    const hub = await open();
    const own = await row(hub, a, "a");
    expect(own).toMatchObject({ status: 200, json: { node: "hub", row: { values: { title: "two", stars: "1" } } } });
    expect((await row(hub, a, "a", Number(own.json.row.since) - 1)).json.row.values.title).toBe("one");
    const told = await field(hub, a, "a", "title");
    expect(told.json).toMatchObject({ more: false, writes: [{ value: "one" }, { value: "two", fate: "stands" }] });
    expect((await field(hub, a, "a", "title", { limit: "1" })).json).toMatchObject({
      more: true,
      writes: [{ value: "two" }],
    });
    // A time as people write it.
    const iso = new Date(clock.now() / 1000).toISOString();
    expect((await get(hub, a, "/history", { table: "notes", pk: '["a"]', at: iso })).json.row.values.title).toBe("two");
    for (const id of ["b", "none"]) {
      expect(await row(hub, a, id)).toEqual({ status: 200, json: { node: "hub", row: null } });
      expect(await row(hub, a, id, 0)).toEqual({ status: 200, json: { node: "hub", row: null } });
      expect((await field(hub, a, id, "title")).json).toEqual({ node: "hub", writes: [], more: false });
    }
  });

  test("a key that another tenant had before, or has now, tells each nothing of the other", async () => {
    const hub = await open();
    await hub.sql("DELETE FROM notes WHERE id = 'b'");
    await hub.node.fold();
    clock.advance(1000);
    await hub.sql("INSERT INTO notes (id, tenant_id, title) VALUES ('b', 'a', 'mine now')");
    await hub.node.fold();
    // Late news of the first life.
    await hub.node.merge("edge", [
      { table: "notes", pk: ["b"], cl: 1, life: [1, "edge"], lww: { tenant_id: ["b"], title: ["late"] } },
    ]);
    expect((await row(hub, a, "b", clock.now() - 500_000)).json).toEqual({ node: "hub", row: null });
    const told = [(await row(hub, a, "b")).json, (await field(hub, a, "b", "title")).json];
    expect(JSON.stringify(told)).toContain("mine now");
    expect(JSON.stringify(told)).not.toMatch(/"(one|two|hush|late)"/);
    expect((await field(hub, { id: "b", tenant: "b" }, "b", "title")).json.writes).toEqual([]);
  });

  test("tables and columns that a principal does not have are none", async () => {
    const hub = await open();
    const some: Who = { ...a, fields: ["title"] };
    expect((await row(hub, some, "a")).json.row.values).toEqual({ id: "a", title: "two" });
    expect(JSON.stringify((await row(hub, some, "a")).json)).not.toContain("hush");
    expect(await field(hub, some, "a", "secret")).toMatchObject({
      status: 400,
      json: { error: { code: "bad_request" } },
    });
    expect((await field(hub, some, "a", "none")).status).toBe(400);
    const shut: Who = { ...a, tables: ["open"] };
    expect(await row(hub, shut, "a")).toMatchObject({ status: 400, json: { error: { code: "unknown_table" } } });
    expect(await row(hub, { id: "c" }, "a")).toMatchObject({ status: 400, json: { error: { code: "unknown_table" } } });
    expect((await row(hub, null, "a")).status).toBe(401);
    expect((await field(hub, null, "a", "title")).status).toBe(401);
  });

  test("a table without history, a time before it and a request that is none are told apart", async () => {
    const hub = await open();
    expect(await row(hub, a, "a", clock.now(), "open")).toMatchObject({
      status: 404,
      json: { error: { code: "no_history" } },
    });
    await hub.sql("DELETE FROM _grove_history");
    expect(await row(hub, a, "a", 5)).toMatchObject({ status: 410, json: { error: { code: "history_gone" } } });
    const wrong = [
      { table: "notes" },
      { table: "notes", pk: "a", at: "1" },
      { table: "notes", pk: '["a"]', at: "soon" },
      { table: "notes", pk: "[null]", at: "1" },
      { table: "notes", pk: '["a","b"]', at: "1" },
      { table: "notes", pk: '["a"]', at: "1", more: "x" },
    ];
    for (const query of wrong)
      expect(await get(hub, a, "/history", query as never), JSON.stringify(query)).toMatchObject({
        status: 400,
        json: { error: { code: "bad_request" } },
      });
  });

  test("what hooks keep back or change on its way out is so in the past as well", async () => {
    const hooks: SyncHook[] = [
      {
        beforeOutboundChange: (change) => {
          if (change.field === "secret") return null;
          if (change.field === "title" && change.value === "one") throw new GroveError("forbidden", "not this");
          return change.field === "title" ? { ...change, value: String(change.value).toUpperCase() } : change;
        },
      },
    ];
    const hub = await open({ hooks });
    const { json } = await row(hub, a, "a");
    expect(json.row.values).toMatchObject({ title: "TWO", stars: "1" });
    expect(JSON.stringify(json)).not.toContain("hush");
    expect((await field(hub, a, "a", "title")).json.writes.map(({ value }: { value: string }) => value)).toEqual([
      "TWO",
    ]);
    // For the program itself nothing is kept back, and nothing was noted as rejected.
    expect((await hub.node.stateAt("notes", ["a"], clock.now()))?.values).toMatchObject({ secret: "hush" });
    expect(await hub.node.rejected()).toEqual([]);
  });

  test("counts among the requests of a principal", async () => {
    const hub = await open({ router: { ...router, limits: { rate: { burst: 2, perSecond: 1 } } } });
    expect((await row(hub, a, "a")).status).toBe(200);
    expect((await field(hub, a, "a", "title")).status).toBe(200);
    expect((await row(hub, a, "a")).status).toBe(429);
  });
});
