// Scopes: who sees and writes which rows, columns and tables. Nothing outside of a principal's scope ever leaves or enters,
// whatever is asked for or pushed, and what a wider scope lets in arrives (fault 53).
import type { RowChange } from "@grove-crdt/core";
import { createSyncer, httpTransport, type PullResponse, syncRouter } from "grove-crdt";
import { counter, fixed, lww, set } from "grove-crdt/schema";
import { beforeAll, describe, expect, test } from "vitest";
import { authenticate, type Who as Caller, headersOf, linkAs, pullAs, pushAs, send } from "./support/callers";
import { randomness } from "./support/clock";
import { describeOnEach } from "./support/dialects";
import { effort } from "./support/effort";
import type { RouterSettings, TestNode } from "./support/node";
import type { TestSchema } from "./support/schemas";

/** Random cases of each dialect; the soak runs 10,000 (`SCOPE_CASES`). */
const CASES = Number(process.env.SCOPE_CASES ?? effort(150));

interface Who extends Caller {
  readonly tenant?: string;
  readonly fields?: readonly string[];
  readonly tables?: readonly string[];
  readonly shelf?: boolean;
}
const router: RouterSettings = {
  authenticate: authenticate as never,
  tables: ((who: Who) => who.tables ?? ["notes", "stock", "open"]) as never,
  fields: { notes: ((who: Who) => who.fields ?? null) as never },
  scope: {
    notes: ((who: Who) => (who.tenant === undefined ? null : { tenantId: who.tenant })) as never,
    stock: ((who: Who) => (who.shelf === false || who.tenant === undefined ? null : { store: who.tenant })) as never,
  },
  mayRelay: () => true,
};

describeOnEach("scopes", ({ dialect, openNode, makeSchema }) => {
  let schema: TestSchema;
  beforeAll(async () => {
    const { table, text, integer, texts } = dialect;
    schema = await makeSchema({
      notes: table("notes", {
        id: text("id").primaryKey(),
        tenantId: fixed(text("tenant_id").notNull()),
        title: lww(text("title").notNull().default("")),
        slug: lww(text("slug").unique()),
        stars: counter(integer("stars").notNull().default(0)),
        tags: set(texts("tags").notNull().default([])),
      }),
      stock: table(
        "stock",
        {
          store: text("store").notNull(),
          sku: text("sku").notNull(),
          name: lww(text("name").notNull().default("")),
          quantity: counter(integer("quantity").notNull().default(0)),
        },
        (own) => [dialect.primaryKey({ columns: [own.store, own.sku] })],
      ),
      open: table("open", { id: text("id").primaryKey(), title: lww(text("title").notNull().default("")) }),
    });
  });
  const open = (id: string, settings: Parameters<typeof openNode>[1] = {}) =>
    openNode(id, { ...schema, router, ...settings });

  const note = (node: TestNode, id: string, tenant: string, title = `VALUE-${tenant}`) =>
    node.sql("INSERT INTO notes (id, tenant_id, title, slug) VALUES (?, ?, ?, ?)", id, tenant, title, `slug-${id}`);
  const stock = (node: TestNode, tenant: string, sku: string) =>
    node.sql("INSERT INTO stock (store, sku, name, quantity) VALUES (?, ?, ?, 3)", tenant, sku, `VALUE-${tenant}`);

  const pull = (hub: TestNode, who: Who, request?: object) => pullAs(who, hub, request);
  const push = (hub: TestNode, who: Who, rows: readonly object[]) => pushAs(who, hub, rows);
  const keys = (rows: readonly RowChange[]) => rows.map(({ table, pk }) => `${table} ${pk.join("/")}`).sort();

  describe("by row", () => {
    test("a principal pulls its own rows alone, of every kind: shown, hidden, deleted, adopted", async () => {
      const hub = await open("hub", {
        before: [
          "INSERT INTO notes (id, tenant_id, title) VALUES ('a-old', 'a', 'VALUE-a'), ('b-old', 'b', 'VALUE-b')",
        ],
      });
      for (const tenant of ["a", "b"]) {
        for (const id of ["1", "gone"]) await note(hub, `${tenant}-${id}`, tenant);
        await stock(hub, tenant, "x");
        await hub.node.fold();
        await hub.sql("DELETE FROM notes WHERE id = ?", `${tenant}-gone`);
        // Another node's row under a key that is taken here: it lives in the shadow and does not show.
        await hub.node.merge("elsewhere", [
          {
            table: "notes",
            pk: [`${tenant}-hidden`],
            cl: 1,
            life: [hub.clock.now(), "elsewhere"],
            lww: { tenant_id: [tenant], title: [`VALUE-${tenant}`], slug: [`slug-${tenant}-1`] },
          },
        ]);
      }
      expect((await hub.node.parked()).length).toBe(2);
      await hub.sql("INSERT INTO open (id) VALUES ('o')");
      for (const tenant of ["a", "b"]) {
        const own = ["notes %-1", "notes %-gone", "notes %-hidden", "notes %-old", "open o", "stock %/x"];
        const { rows } = await pull(hub, { id: tenant, tenant });
        expect(keys(rows)).toEqual(own.map((name) => name.replace("%", tenant)));
        const gone = rows.find(({ pk }) => pk[0] === `${tenant}-gone`);
        expect([gone?.cl, Object.keys(gone?.lww ?? {}), gone?.lww?.tenant_id?.[0]]).toEqual([2, ["tenant_id"], tenant]);
        const other = tenant === "a" ? "b" : "a";
        expect(JSON.stringify(rows)).not.toContain(`VALUE-${other}`);
      }
      // Somebody without a tenant has neither table, and they do not exist.
      expect(await pull(hub, { id: "c" })).toMatchObject({ tables: ["open"], rows: [{ table: "open" }] });
      const asked = await send(hub, { id: "c" }, "/pull", {
        protocol: 1,
        node: "n-c",
        cursor: null,
        tables: ["notes"],
      });
      expect(asked).toMatchObject({ status: 400, text: expect.stringContaining("unknown_table") });
    });

    test("pages pass over other rows, however many, and the cursor moves (lineage 24)", async () => {
      const hub = await open("hub");
      for (let n = 0; n < 40; n++) await note(hub, `b-${n}`, "b");
      await note(hub, "a-1", "a");
      for (let n = 40; n < 60; n++) await note(hub, `b-${n}`, "b");
      await note(hub, "a-2", "a");
      const who = { id: "a", tenant: "a" };
      const seen: string[] = [];
      let page = await pull(hub, who, { rows: 1 });
      for (let pages = 1; ; pages++) {
        expect(pages).toBeLessThan(5);
        seen.push(...keys(page.rows));
        if (!page.more) break;
        page = await pull(hub, who, { rows: 1, cursor: page.cursor });
      }
      expect(seen).toEqual(["notes a-1", "notes a-2"]);
      // What others write moves the cursor and sends nothing.
      await note(hub, "b-99", "b");
      const next = await pull(hub, who, { cursor: page.cursor });
      expect(next.rows).toEqual([]);
      expect(next.cursor).not.toBe(page.cursor);
    });

    test("rows are neither asked for by key nor compared by sum across scopes", async () => {
      const hub = await open("hub", {
        before: ["INSERT INTO notes (id, tenant_id, title) VALUES ('a-1', 'a', 'VALUE-a'), ('b-1', 'b', 'VALUE-b')"],
      });
      const who = { id: "a", tenant: "a" };
      const want = ["a-1", "b-1", "none"].map((id) => ["notes", [id]]);
      expect(keys((await pull(hub, who, { want })).rows)).toEqual(["notes a-1"]);
      const { sums = [], rows } = await pull(hub, who, { sums: true });
      expect([rows, sums.map(([, pk]) => pk[0])]).toEqual([[], ["a-1"]]);
      // Who knows another one's sum learns nothing by pushing it.
      const theirs = (await pull(hub, { id: "b", tenant: "b" }, { sums: true })).sums ?? [];
      const at = { incarnation: "abc", seq: 1 };
      const pushed = await send(hub, who, "/push", {
        protocol: 1,
        node: "n-a",
        at,
        seen: null,
        rows: [],
        sums: theirs,
      });
      expect(JSON.parse(pushed.text)).toMatchObject({ want: [["notes", ["b-1"]]] });
    });

    test("what is pushed must be in the scope, as it was and as it would be", async () => {
      const hub = await open("hub");
      for (const tenant of ["a", "b"]) for (const id of ["1", "2"]) await note(hub, `${tenant}-${id}`, tenant);
      await hub.node.fold();
      await hub.sql("DELETE FROM notes WHERE id = 'b-2'");
      const before = keys((await pull(hub, { id: "b", tenant: "b" })).rows);
      const now = hub.clock.now() + 1;
      const life = [now, "n-a"];
      const known = (await hub.node.inspect("notes", ["b-1"])) as RowChange;
      const cases: [row: object, outcome: string][] = [
        [{ table: "notes", pk: ["a-9"], cl: 1, life, lww: { tenant_id: ["a"], title: ["mine"] } }, "applied"],
        [{ table: "notes", pk: ["x-1"], cl: 1, life, lww: { tenant_id: ["b"], title: ["theirs"] } }, "rejected"],
        // A row that is not known must say whose it is.
        [{ table: "notes", pk: ["x-2"], cl: 1, life, lww: { title: ["whose?"] } }, "rejected"],
        [{ table: "notes", pk: ["x-3"], cl: 2, life }, "rejected"],
        // Another one's row: written to, taken over, deleted, inserted anew after it was deleted.
        [{ table: "notes", pk: ["b-1"], cl: 1, life: known.life, lww: { title: ["!", now, "n-a"] } }, "rejected"],
        [{ table: "notes", pk: ["b-1"], cl: 1, life, lww: { tenant_id: ["a"], title: ["!"] } }, "rejected"],
        [{ table: "notes", pk: ["b-1"], cl: 2, life }, "rejected"],
        [{ table: "notes", pk: ["b-2"], cl: 3, life, lww: { tenant_id: ["a"], title: ["!"] } }, "rejected"],
        [
          {
            table: "notes",
            pk: ["b-1"],
            cl: 1,
            life: known.life,
            counter: { stars: { totals: [["abc", "n-a", "9", "0", now]] } },
          },
          "rejected",
        ],
        // Its own row given away.
        [{ table: "notes", pk: ["a-1"], cl: 1, life, lww: { tenant_id: ["b"] } }, "rejected"],
        [{ table: "stock", pk: ["b", "y"], cl: 1, life, lww: { name: ["!"] } }, "rejected"],
        [{ table: "stock", pk: ["a", "y"], cl: 1, life, lww: { name: ["mine"] } }, "applied"],
      ];
      const { outcomes } = await push(
        hub,
        { id: "a", tenant: "a" },
        cases.map(([row]) => row),
      );
      expect(outcomes.map(({ outcome }) => outcome)).toEqual(cases.map(([, outcome]) => outcome));
      for (const { outcome, code } of outcomes) if (outcome === "rejected") expect(code).toBe("forbidden");
      expect(keys((await pull(hub, { id: "b", tenant: "b" })).rows)).toEqual(before);
      expect(await hub.node.inspect("notes", ["b-1"])).toEqual(known);
      for (const id of ["x-1", "x-2", "x-3"]) expect(await hub.node.inspect("notes", [id])).toBeNull();
    });

    test("a deleted row of which nobody knows whose it was is nobody's", async () => {
      const hub = await open("hub");
      const life = [hub.clock.now(), "elsewhere"];
      await hub.node.merge("elsewhere", [{ table: "notes", pk: ["x"], cl: 2, life }]);
      const who = { id: "a", tenant: "a" };
      expect(await pull(hub, who)).toMatchObject({ rows: [], more: false });
      const lww = { tenant_id: ["a"], title: ["mine now"] };
      const { outcomes } = await push(hub, who, [{ table: "notes", pk: ["x"], cl: 3, life: [life[0], "n-a"], lww }]);
      expect(outcomes).toMatchObject([{ outcome: "rejected", code: "forbidden" }]);
    });

    test("two tenants sync through one hub, deletions too, and each ends with its own rows", async () => {
      const hub = await open("hub");
      const edges = [];
      for (const tenant of ["a", "b"]) {
        const edge = await open(`edge-${tenant}`, { clock: hub.clock });
        await note(edge, `${tenant}-1`, tenant);
        await note(edge, `${tenant}-2`, tenant);
        const who = { id: tenant, tenant };
        await linkAs(who, edge, hub).sync();
        edges.push({ tenant, edge, who });
      }
      for (const { tenant, edge, who } of edges) {
        const second = await open(`second-${tenant}`, { clock: hub.clock });
        await linkAs(who, second, hub).sync();
        await second.sql("DELETE FROM notes WHERE id = ?", `${tenant}-1`);
        await linkAs(who, second, hub).sync();
        const [report] = await linkAs(who, edge, hub).sync();
        expect(report).toMatchObject({ error: null, rejected: 0 });
        expect(await edge.rows("SELECT id FROM notes")).toEqual([{ id: `${tenant}-2` }]);
        expect(await edge.node.inspect("notes", [`${tenant}-1`])).toEqual(
          await hub.node.inspect("notes", [`${tenant}-1`]),
        );
      }
      expect((await hub.rows<{ id: string }>("SELECT id FROM notes ORDER BY id")).map(({ id }) => id)).toEqual([
        "a-2",
        "b-2",
      ]);
    });

    test("a row that comes into a scope arrives whole, though parts of it are old", async () => {
      const hub = await open("hub");
      const who = { id: "a", tenant: "a" };
      await note(hub, "r", "b", "old title");
      const { cursor } = await pull(hub, who);
      // A concurrent insert of the same key on another node, later than ours, says another tenant.
      const life = [hub.clock.now() + 5, "elsewhere"];
      await hub.node.merge("elsewhere", [{ table: "notes", pk: ["r"], cl: 1, life, lww: { tenant_id: ["a"] } }]);
      const { rows } = await pull(hub, who, { cursor });
      expect(rows).toMatchObject([
        {
          pk: ["r"],
          lww: { tenant_id: ["a"], title: ["old title", expect.anything(), "hub"] },
        },
      ]);
    });
  });

  describe("by column", () => {
    const few: Who = { id: "few", tenant: "a", fields: ["tenantId", "title"] };

    test("hidden columns do not leave, and what is written to them is refused while the rest is taken", async () => {
      const hub = await open("hub");
      await note(hub, "a-1", "a");
      await hub.sql("UPDATE notes SET stars = 5 WHERE id = 'a-1'");
      const [row] = (await pull(hub, few)).rows as [RowChange];
      expect([Object.keys(row.lww ?? {}).sort(), row.counter, row.set]).toEqual([
        ["tenant_id", "title"],
        undefined,
        undefined,
      ]);
      await hub.sql("UPDATE notes SET slug = 'new' WHERE id = 'a-1'");
      const edge = await open("edge", { clock: hub.clock });
      await linkAs(few, edge, hub).sync();
      // An insert carries every column; those at their default say nothing.
      await edge.sql("INSERT INTO notes (id, tenant_id, title) VALUES ('a-2', 'a', 'fresh')");
      expect(await linkAs(few, edge, hub).sync()).toMatchObject([{ applied: 1, rejected: 0 }]);
      await edge.sql("UPDATE notes SET title = 'changed', stars = stars + 1, slug = 'mine' WHERE id = 'a-1'");
      expect(await linkAs(few, edge, hub).sync()).toMatchObject([{ rejected: 1 }]);
      expect(await hub.row("SELECT title, slug, stars FROM notes WHERE id = 'a-1'")).toEqual({
        title: "changed",
        slug: "new",
        stars: 5,
      });
      const [kept] = await edge.node.rejected();
      expect(kept).toMatchObject({
        code: "forbidden",
        table: "notes",
        pk: ["a-1"],
        fields: ["slug", "stars"],
        sent: true,
      });
    });

    test("a row that is seen in part does not come as the sum of the whole", async () => {
      const hub = await open("hub", {
        before: ["INSERT INTO notes (id, tenant_id, title, slug) VALUES ('a-1', 'a', 'VALUE-a', 'hidden')"],
      });
      const { rows, sums } = await pull(hub, few, { sums: true });
      expect(sums).toBeUndefined();
      expect(rows).toMatchObject([{ pk: ["a-1"] }]);
      expect(JSON.stringify(rows)).not.toContain("hidden");
    });

    test("fault 53: a wider choice of columns, rows or tables brings what was hidden", async () => {
      const hub = await open("hub");
      for (const tenant of ["a", "b"]) {
        await note(hub, `${tenant}-1`, tenant);
        await stock(hub, tenant, "x");
      }
      await hub.sql("UPDATE notes SET stars = 5, slug = 'five' WHERE id = 'a-1'");
      const edge = await open("edge", { clock: hub.clock });
      const seen = async (who: Who) => {
        expect(await linkAs(who, edge, hub).sync()).toMatchObject([{ error: null }]);
        const notes = await edge.rows<{ id: string; slug: string; stars: number }>(
          "SELECT id, slug, stars FROM notes ORDER BY id",
        );
        const shelves = await edge.rows<{ store: string }>("SELECT store FROM stock ORDER BY store");
        return [notes.map(({ id, slug, stars }) => `${id} ${slug} ${stars}`), shelves.map(({ store }) => store)];
      };
      const base = { id: "one", tenant: "a", tables: ["notes"], fields: ["tenantId", "title"] };
      expect(await seen(base)).toEqual([["a-1 null 0"], []]);
      expect(await seen({ ...base, fields: ["tenantId", "title", "stars"] })).toEqual([["a-1 null 5"], []]);
      expect(await seen({ id: "one", tenant: "a", tables: ["notes"] })).toEqual([["a-1 five 5"], []]);
      expect(await seen({ id: "one", tenant: "a" })).toEqual([["a-1 five 5"], ["a"]]);
      // The principal changes its tenant: it keeps what it had and gets the other's.
      expect(await seen({ id: "one", tenant: "b" })).toEqual([
        ["a-1 five 5", "b-1 slug-b-1 0"],
        ["a", "b"],
      ]);
    });
  });

  test("a running syncer gets a table once it may see it, and goes on without it when it may no more", async () => {
    const hub = await open("hub");
    await note(hub, "a-1", "a");
    await stock(hub, "a", "x");
    const edge = await open("edge", { clock: hub.clock });
    let who: Who = { id: "one", tenant: "a", tables: ["notes"] };
    const transport = httpTransport("http://hub", {
      headers: () => headersOf(who),
      fetch: async (url, init) => hub.app.request(url.replace("http://hub", ""), init),
    });
    const syncer = createSyncer(edge.node, { peers: [transport] });
    expect(await syncer.sync()).toMatchObject([{ error: null, pulled: 1 }]);
    who = { id: "one", tenant: "a" };
    expect(await syncer.sync()).toMatchObject([{ error: null, pulled: 1 }]);
    expect((await edge.rows("SELECT sku FROM stock")).length).toBe(1);
    who = { id: "one", tenant: "a", tables: ["stock"] };
    await note(hub, "a-2", "a");
    await stock(hub, "a", "y");
    // The first exchange finds out, the next one goes on.
    expect(await syncer.sync()).toMatchObject([{ error: { code: "unknown_table" } }]);
    expect(await syncer.sync()).toMatchObject([{ error: null, pulled: 1 }]);
    expect((await edge.rows("SELECT sku FROM stock")).length).toBe(2);
    expect((await edge.rows("SELECT id FROM notes")).length).toBe(1);
  });

  describe("a client's own choice", () => {
    test("narrows by key and column, both ways, and grows when it is asked to", async () => {
      const hub = await open("hub");
      for (const id of ["1", "2", "3"]) await note(hub, `a-${id}`, "a");
      const who = { id: "a", tenant: "a" };
      const edge = await open("edge", { clock: hub.clock });
      const ids = async () => (await edge.rows<{ id: string }>("SELECT id FROM notes ORDER BY id")).map(({ id }) => id);
      await linkAs(who, edge, hub, { only: { notes: { keys: [["a-1"], ["b-1"]], fields: ["tenant_id"] } } }).sync();
      expect(await edge.rows("SELECT id, title FROM notes")).toEqual([{ id: "a-1", title: "" }]);
      const keyed = { only: { notes: { keys: [["a-1"], ["a-3"]] } } };
      await linkAs(who, edge, hub, keyed).sync();
      expect(await ids()).toEqual(["a-1", "a-3"]);
      expect(await edge.row("SELECT title FROM notes WHERE id = 'a-1'")).toEqual({ title: "VALUE-a" });
      // What is not asked for is not sent either.
      await note(edge, "a-4", "a");
      await edge.sql("UPDATE notes SET title = 'sent' WHERE id = 'a-3'");
      await linkAs(who, edge, hub, keyed).sync();
      expect(await hub.rows("SELECT id, title FROM notes ORDER BY id")).toMatchObject([{}, {}, { title: "sent" }]);
      await linkAs(who, edge, hub).sync();
      expect(await ids()).toEqual(["a-1", "a-2", "a-3", "a-4"]);
      expect((await hub.rows("SELECT id FROM notes")).length).toBe(4);
    });

    test("a table more costs what is in that table, page by page, and nothing else comes again", async () => {
      const hub = await open("hub");
      for (let n = 0; n < 12; n++) await note(hub, `a-${n}`, "a");
      for (let n = 0; n < 6; n++) await stock(hub, "a", `s${n}`);
      const who = { id: "a", tenant: "a" };
      const { cursor } = await pull(hub, who, { tables: ["notes"] });
      await note(hub, "a-new", "a");
      await stock(hub, "a", "s-new");
      const seen: string[][] = [];
      let page = await pull(hub, who, { cursor, rows: 3 });
      for (let n = 0; n < 10; n++) {
        seen.push(keys(page.rows));
        if (!page.more) break;
        // A row that was sent is written while the rest comes.
        if (n === 0) await hub.sql("UPDATE stock SET quantity = quantity + 1 WHERE sku = 's0'");
        page = await pull(hub, who, { cursor: page.cursor, rows: 3 });
      }
      const all = seen.flat();
      expect(new Set(all.filter((key) => key.startsWith("stock")))).toEqual(
        new Set(["s-new", "s0", "s1", "s2", "s3", "s4", "s5"].map((sku) => `stock a/${sku}`)),
      );
      expect(all.filter((key) => key.startsWith("notes"))).toEqual(["notes a-new"]);
      expect(page.more).toBe(false);
      expect((await pull(hub, who, { cursor: page.cursor })).rows).toEqual([]);
    });

    test("never widens what the principal may see", async () => {
      const hub = await open("hub");
      for (const tenant of ["a", "b"]) await note(hub, `${tenant}-1`, tenant);
      const few: Who = { id: "few", tenant: "a", fields: ["tenantId", "title"] };
      const only = { notes: { keys: [["a-1"], ["b-1"]], fields: ["tenant_id", "slug", "title", "stars"] } };
      const { rows } = await pull(hub, few, { only });
      expect(rows).toMatchObject([{ pk: ["a-1"], lww: { tenant_id: ["a"], title: ["VALUE-a"] } }]);
      expect(Object.keys(rows[0] as object)).not.toContain("counter");
      const asked = { protocol: 1, node: "n-c", cursor: null, only: { notes: { keys: [["a-1"]] } } };
      expect((await send(hub, { id: "c" }, "/pull", asked)).status).toBe(400);
    });
  });

  describe("a scope that cannot be", () => {
    test("that forgets to return closes the table", async () => {
      const hub = await open("hub", { router: { ...router, scope: { notes: (() => undefined) as never } } });
      await note(hub, "a-1", "a");
      expect(await pull(hub, { id: "a", tenant: "a" })).toMatchObject({ tables: ["stock", "open"].sort(), rows: [] });
    });

    test("is refused when the router is made, or answered with 500, and nothing leaves", async () => {
      const hub = await open("hub");
      await note(hub, "a-1", "a");
      await expect(open("other", { router: { scope: { nothing: () => null } as never } })).rejects.toMatchObject({
        code: "bad_request",
      });
      const scopes = [
        { title: "x" },
        { nothing: "x" },
        {},
        { tenantId: undefined },
        { tenantId: 5 },
        { tenantId: ["a"] },
      ];
      for (const scope of scopes) {
        const errors: unknown[] = [];
        const { node } = await open(`n${scopes.indexOf(scope)}`, { clock: hub.clock });
        const app = syncRouter(node, {
          authenticate: () => "somebody",
          scope: { notes: (() => scope) as never },
          onError: (error) => errors.push(error),
        });
        const body = JSON.stringify({ protocol: 1, node: "n", cursor: null });
        const answer = await app.request("/pull", { method: "POST", body });
        expect(answer.status).toBe(500);
        expect(await answer.text()).not.toContain("notes");
        expect(String(errors[0])).toContain("notes");
      }
    });
  });

  test(`of ${CASES} random requests none sees or changes what is outside of its scope`, async () => {
    const hub = await open("hub");
    const random = randomness();
    const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
    const tenants = ["a", "b", "c"];
    for (const tenant of tenants) {
      for (let n = 0; n < 6; n++) await note(hub, `${tenant}-${n}`, tenant);
      for (let n = 0; n < 4; n++) await stock(hub, tenant, `s${n}`);
    }
    await hub.node.fold();
    for (const tenant of tenants) await hub.sql("DELETE FROM notes WHERE id = ?", `${tenant}-5`);
    const whos: Who[] = tenants.flatMap((tenant): Who[] => [
      { id: tenant, tenant },
      { id: `${tenant}-few`, tenant, fields: ["tenantId", "stars"] },
      { id: `${tenant}-notes`, tenant, tables: ["notes"] },
      { id: `${tenant}-noshelf`, tenant, shelf: false },
    ]);
    const cursors = new Map<string, string>();
    const ownerOf = ({ table, pk, lww = {} }: RowChange) => (table === "stock" ? pk[0] : lww.tenant_id?.[0]);
    let owners = new Map<string, unknown>();
    /** All that is not a tenant's own, as the hub would send it to anybody. */
    const others = async (tenant: string) => {
      const { rows } = await hub.node.pull({ protocol: 1, node: "auditor", cursor: null, rows: 10_000 });
      owners = new Map(rows.map((row) => [JSON.stringify([row.table, row.pk]), ownerOf(row)]));
      return rows.filter((row) => ownerOf(row) !== tenant).map((row) => JSON.stringify(row));
    };
    await others("");
    const isOwn = (tenant: string, table: string, pk: RowChange["pk"]) =>
      owners.get(JSON.stringify([table, pk])) === tenant;
    let seq = 1;
    let clean = new Map<string, readonly string[]>();
    for (let n = 0; n < CASES; n++) {
      const who = pick(whos);
      const tenant = who.tenant as string;
      const target = pick(tenants);
      const table = pick(["notes", "stock"]);
      const pk =
        table === "notes" ? [`${target}-${Math.floor(random() * 9)}`] : [target, `s${Math.floor(random() * 6)}`];
      const kind = pick(["pull", "from a cursor", "want", "sums", "only", "push", "push", "push", "push"]);
      const node = `n-${who.id}`;
      let answer: { status: number; text: string };
      if (kind === "push") {
        const stored = await hub.node.inspect(table, pk);
        const now = hub.clock.now();
        const own = pick([node, node, "elsewhere"]);
        const fresh = random() < 0.4;
        const cl = fresh ? Math.floor(random() * 4) + 1 : (stored?.cl ?? 1) + pick([0, 0, 0, 1, 2]);
        const life = !fresh && stored && stored.cl === cl ? stored.life : [now, own];
        const said = pick([target, tenant, undefined]);
        const lww =
          table === "notes"
            ? { ...(said !== undefined && { tenant_id: [said] }), title: [`VALUE-${tenant}`, now, own] }
            : { name: [`VALUE-${tenant}`, now, own] };
        const total = ["abc", own, String(n), "0", now];
        const counters = table === "notes" ? { stars: { totals: [total] } } : { quantity: { totals: [total] } };
        const row = {
          table,
          pk,
          cl,
          life,
          ...(cl % 2 === 1 && { lww }),
          ...(cl % 2 === 1 && random() < 0.5 && { counter: counters }),
        };
        if (!clean.has(tenant)) clean.set(tenant, await others(tenant));
        answer = await send(hub, who, "/push", {
          protocol: 1,
          node,
          at: { incarnation: "abc", seq: seq++ },
          seen: null,
          rows: [row],
        });
        const after = await others(tenant);
        const changed = after.filter((text) => !clean.get(tenant)?.includes(text));
        expect(changed, JSON.stringify([n, who, row])).toEqual([]);
        expect(after.length).toBe(clean.get(tenant)?.length);
        clean = new Map([[tenant, after]]);
      } else {
        const request = {
          protocol: 1,
          node,
          cursor: kind === "from a cursor" ? (cursors.get(pick(whos).id) ?? null) : null,
          rows: pick([1, 3, 100]),
          ...(kind === "want" && { want: [[table, pk]] }),
          ...(kind === "sums" && { sums: true }),
          ...(kind === "only" && { only: { [table]: { keys: [pk] } } }),
        };
        answer = await send(hub, who, "/pull", request);
        if (answer.status === 200) {
          const { rows, sums = [], cursor, tables } = JSON.parse(answer.text) as PullResponse;
          cursors.set(who.id, cursor);
          for (const { table, pk } of rows)
            expect(table === "open" || isOwn(tenant, table, pk), `${table} ${pk}`).toBe(true);
          for (const [table, pk] of sums) expect(isOwn(tenant, table, pk)).toBe(true);
          if (who.shelf === false || who.tables) expect(tables).not.toContain("stock");
          if (who.fields)
            for (const { table, lww = {} } of rows) if (table === "notes") expect(lww).not.toHaveProperty("title");
        }
      }
      expect([200, 400]).toContain(answer.status);
      for (const other of tenants) if (other !== tenant) expect(answer.text).not.toContain(`VALUE-${other}`);
    }
  });
});
