// GET /stream: a pull that never ends. Pages as server-sent events, the cursor as event id; one read of the database for all
// who follow the same tables. Each name bears its number in the catalogues of faults and of earlier systems' flaws.
import type { Cursor } from "@grove-crdt/core";
import type { Served, ServeQuery, Store } from "@grove-crdt/store";
import { createNode, type RowChange, syncRouter } from "grove-crdt";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Feed, makeFrame } from "../packages/sync/src/feed";
import { Follower, type FollowerOptions } from "../packages/sync/src/follower";
import { Watcher } from "../packages/sync/src/watcher";
import { describeOnEach } from "./support/dialects";
import { errorOf, pullMessage, request, sync } from "./support/network";
import { type TestNode, TOKEN } from "./support/node";
import { Recorder } from "./support/statements";
import { closeStreams, openStream, pause, type StreamReader, streamRequest, until } from "./support/streams";

afterEach(closeStreams);

const authenticate = () => "peer";
const insert = (node: TestNode, id: string, title = id) =>
  node.sql("INSERT INTO documents (id, title) VALUES (?, ?)", id, title);
/** What a reader has, row by row: the latest title that it was told. */
const titles = (rows: readonly RowChange[]) =>
  Object.fromEntries(rows.map(({ pk, lww }) => [pk[0], lww?.title?.[0]] as const).sort());

describeOnEach("a stream", ({ dialect, openNode, openNodes }) => {
  const { append } = dialect;

  describe("what it carries", () => {
    test("begins with a page at once, also when there is nothing to tell", async () => {
      const node = await openNode("hub");
      const { pages } = await openStream(node);
      expect(pages).toMatchObject([{ node: "hub", protocol: 1, rows: [], more: false, seen: null }]);
      expect(pages[0]?.id).toBe(pages[0]?.cursor);
    });

    test("first what the reader lacks, then each write as it is committed, by whomever", async () => {
      const node = await openNode("hub");
      await insert(node, "before");
      const reader = await openStream(node);
      expect(reader.keys).toEqual(["before"]);
      await insert(node, "local");
      await until(() => reader.keys.includes("local"));
      await node.node.merge("peer", [{ table: "documents", pk: ["merged"], cl: 1, life: [1, "peer"] }]);
      await until(() => reader.keys.includes("merged"));
      await node.sql("DELETE FROM documents WHERE id = 'local'");
      await until(() => reader.rows.some(({ cl }) => cl === 2));
      expect(reader.keys).toEqual(["before", "local", "merged", "local"]);
    });

    test("also what another process of the same database merged", async () => {
      const node = await openNode("hub");
      const other = createNode({ db: node.database.db, registry: node.registry, nodeId: "hub" });
      await other.ready();
      const reader = await openStream(node);
      await pause(50);
      await other.merge("peer", [{ table: "documents", pk: ["merged"], cl: 1, life: [1, "peer"] }]);
      await until(() => reader.keys.includes("merged"), 3_000);
    });

    test("a change of one column carries that column alone", async () => {
      const node = await openNode("hub");
      await insert(node, "1");
      const reader = await openStream(node);
      await node.sql("UPDATE documents SET title = 'new' WHERE id = '1'");
      await until(() => reader.rows.length === 2);
      expect(Object.keys(reader.rows[1]?.lww ?? {})).toEqual(["title"]);
      expect(reader.rows[1]?.counter).toBeUndefined();
    });

    test("only the tables that were asked for", async () => {
      const node = await openNode("hub");
      const reader = await openStream(node, { tables: ["inventory"] });
      await insert(node, "1");
      await node.sql("INSERT INTO inventory (store, sku, name) VALUES ('s', 'tea', 'Tea')");
      await until(() => reader.rows.length > 0);
      await pause(100);
      expect(reader.rows.map(({ table }) => table)).toEqual(["inventory"]);
    });

    test("to each reader of its own tables, at the same time", async () => {
      const node = await openNode("hub");
      const all = await openStream(node);
      const some = await openStream(node, { tables: ["inventory"] });
      const others = await openStream(node, { tables: ["documents"] });
      await insert(node, "1");
      await node.sql("INSERT INTO inventory (store, sku, name) VALUES ('s', 'tea', 'Tea')");
      await until(() => all.rows.length === 2 && some.rows.length > 0 && others.rows.length > 0);
      expect([some.keys, others.keys, all.keys.sort()]).toEqual([["s"], ["1"], ["1", "s"]]);
    });

    test("a backlog of many pages, each row once, before what is written meanwhile", async () => {
      const node = await openNode("hub");
      const ids = JSON.stringify(Array.from({ length: 2_500 }, (_, n) => `d${n}`));
      const each = { sqlite: "json_each(?)", postgres: "json_array_elements_text(?::json)" }[dialect.name];
      await node.sql(`INSERT INTO documents (id, title) SELECT value, 't' FROM ${each}`, ids);
      const reader = await openStream(node);
      await until(() => reader.rows.length >= 1_000);
      await insert(node, "meanwhile");
      await until(() => reader.keys.includes("meanwhile"));
      expect(new Set(reader.keys).size).toBe(2_501);
      expect(reader.rows.length).toBe(2_501);
      expect(reader.keys[reader.keys.length - 1]).toBe("meanwhile");
      expect(reader.pages.length).toBeGreaterThan(2);
    });

    test("a row of more than 64 KB, as any other (lineage 23)", async () => {
      const node = await openNode("hub");
      const reader = await openStream(node);
      await insert(node, "large", "x".repeat(300_000));
      await insert(node, "small");
      await until(() => reader.keys.length === 2);
      expect(reader.rows[0]?.lww?.title?.[0]).toHaveLength(300_000);
    });
  });

  describe("a reader that resumes", () => {
    test("by the last event's id gets what it missed and nothing else", async () => {
      const node = await openNode("hub");
      const first = await openStream(node);
      await insert(node, "seen");
      await until(() => first.keys.includes("seen"));
      await first.close();
      await insert(node, "missed");
      const second = await openStream(node, { cursor: first.cursor });
      await insert(node, "live");
      await until(() => second.keys.includes("live"));
      expect(second.keys).toEqual(["missed", "live"]);
      expect(second.pages[0]?.reset).toBeUndefined();
    });

    test("from any event on, has in the end what the database has", async () => {
      const node = await openNode("hub");
      const whole = await openStream(node);
      for (let n = 0; n < 12; n++) {
        await insert(node, `d${n}`);
        if (n % 3 === 2) await node.sql("UPDATE documents SET title = ? WHERE id = ?", `later-${n}`, `d${n - 2}`);
        await pause(n % 4 === 0 ? 30 : 1);
      }
      const expected = Object.fromEntries(
        (await node.rows<{ id: string; title: string }>("SELECT id, title FROM documents ORDER BY id")).map(
          ({ id, title }) => [id, title],
        ),
      );
      await until(() => JSON.stringify(titles(whole.rows)) === JSON.stringify(expected));
      for (let cut = 0; cut < whole.pages.length; cut++) {
        const before = whole.pages.slice(0, cut + 1);
        const after = await openStream(node, { cursor: before[cut]?.id });
        expect(titles([...before.flatMap(({ rows }) => rows), ...after.rows])).toEqual(expected);
      }
    });

    test("with a cursor of another history is told to begin anew", async () => {
      const [node, other] = await openNodes(["hub", "other"]);
      await insert(node!, "1");
      await insert(other!, "x");
      const { cursor } = await openStream(other!);
      const reader = await openStream(node!, { cursor });
      expect(reader.pages[0]).toMatchObject({ reset: true });
      expect(reader.keys).toEqual(["1"]);
    });

    test("that saw the database further than it is, is told so", async () => {
      const node = await openNode("hub");
      await insert(node, "1");
      const reader = await openStream(node, { seen: { incarnation: "gone", seq: 7 } });
      expect(reader.pages[0]).toMatchObject({ reset: true });
    });
  });

  describe("what came from a reader", () => {
    const message = (node: string, rows: readonly RowChange[]) =>
      JSON.stringify({ protocol: 1, node, at: { incarnation: "i", seq: 1 }, seen: null, rows });
    const row = (id: string, from: string): RowChange => ({
      table: "documents",
      pk: [id],
      cl: 1,
      life: [1, from],
      lww: { title: [`of ${from}`], body: [""] },
      counter: { view_count: { birth: ["0", 0, ""] } },
      set: { tags: [] },
    });

    test("is not sent back to it, but to the others (lineage 13)", async () => {
      const node = await openNode("hub");
      const [a, b] = [await openStream(node, { node: "a" }), await openStream(node, { node: "b" })];
      await request(node, "/push", message("a", [row("1", "a")]));
      await request(node, "/push", message("b", [row("2", "b")]));
      await until(() => a.keys.includes("2") && b.keys.includes("1"));
      await pause(50);
      expect([a.keys, b.keys]).toEqual([["2"], ["1"]]);
    });

    test("of a row that others wrote to as well, the others' part is sent", async () => {
      const node = await openNode("hub");
      await request(node, "/push", message("a", [row("1", "a")]));
      const a = await openStream(node, { node: "a", cursor: (await openStream(node, { node: "a" })).cursor });
      await node.sql("UPDATE documents SET title = 'of the hub' WHERE id = '1'");
      await until(() => a.keys.includes("1"));
      expect(a.rows[0]).toMatchObject({ lww: { title: ["of the hub", expect.any(Number), "hub"] } });
      expect(a.rows[0]?.lww).not.toHaveProperty("body");
    });

    test("of a row that both wrote between two pages, only the others' part is sent to it, and the whole to others", async () => {
      const node = await openNode("hub");
      await insert(node, "1");
      const [a, b] = [await openStream(node, { node: "a" }), await openStream(node, { node: "b" })];
      const { cl, life } = a.rows[0] as RowChange;
      await node.sql("UPDATE documents SET title = 'of the hub' WHERE id = '1'");
      const body = ["of a", life[0] + 1, "a"] as const;
      await request(node, "/push", message("a", [{ table: "documents", pk: ["1"], cl, life, lww: { body } }]));
      await until(() => a.rows.length > 1 && titles(b.rows)["1"] === "of the hub");
      await until(() => b.rows.some(({ lww }) => lww?.body?.[0] === "of a"));
      expect(a.rows.slice(1)).toMatchObject([{ lww: { title: ["of the hub", expect.any(Number), "hub"] } }]);
      expect(a.rows[1]?.lww).not.toHaveProperty("body");
    });

    test("is told with its first page alone: how far the node has seen the reader", async () => {
      const node = await openNode("hub");
      await request(node, "/push", message("a", [row("1", "a")]));
      const a = await openStream(node, { node: "a" });
      await insert(node, "2");
      await until(() => a.keys.includes("2"));
      expect(a.pages.map(({ seen }) => seen)).toEqual([{ incarnation: "i", seq: 1 }, null]);
    });

    test("moves its cursor all the same, with the next sign of life (lineage 24)", async () => {
      const node = await openNode("hub");
      const app = syncRouter(node.node, { authenticate, mayRelay: () => true, streamKeepAlive: 50 });
      const a = await openStream(node, { node: "a" }, app);
      const { cursor } = a;
      await request(node, "/push", message("a", [row("1", "a")]));
      await until(() => a.cursor !== cursor);
      expect(a.rows).toEqual([]);
      const again = await openStream(node, { node: "a", cursor: a.cursor });
      expect(again.cursor).toBe(a.cursor);
    });

    test("a reader that had rejected a row gets it whole once it is written again", async () => {
      const node = await openNode("hub");
      await insert(node, "1");
      const a = await openStream(node, { node: "a" });
      await until(() => a.keys.length === 1);
      await node.node.store.settleRejections("a", true, a.rows, [
        { outcome: "rejected", code: "bad_value", message: "no" },
      ]);
      await node.sql(`UPDATE documents SET tags = ${append("tags", "?")} WHERE id = '1'`, "new");
      await until(() => a.keys.length === 2);
      expect(a.rows[1]).toMatchObject({ lww: { title: ["1"], body: [""] } });
    });
  });

  describe("signs of life", () => {
    test("come as comments after the time that was set (lineage 25)", async () => {
      const node = await openNode("hub");
      const app = syncRouter(node.node, { authenticate, streamKeepAlive: 40 });
      const reader = await openStream(node, {}, app);
      await until(() => reader.comments >= 3, 2_000);
      expect(reader.rows).toEqual([]);
      await pause(20);
      const quiet = await openStream(node, {}, syncRouter(node.node, { authenticate, streamKeepAlive: 10_000 }));
      await pause(200);
      expect(quiet.comments).toBe(0);
    });
  });

  describe("many readers", () => {
    test("are served by one read, and each gets every change (lineage 22)", async () => {
      const recorder = new Recorder();
      const node = await openNode("hub", { recorder });
      const statements = async (count: number) => {
        const readers: StreamReader[] = [];
        for (let n = 0; n < count; n++) readers.push(await openStream(node, { node: `r${n}` }));
        await pause(100);
        const before = readers[0]?.rows.length as number;
        const ran = await recorder.during(async () => {
          for (let n = 0; n < 5; n++) {
            await insert(node, `${count}-${n}`);
            await until(() => readers.every((reader) => reader.rows.length === before + n + 1));
          }
        });
        await closeStreams();
        return ran.filter(({ sql }) => /_documents_crdt/.test(sql)).length;
      };
      const one = await statements(1);
      const forty = await statements(40);
      // The same reads: a margin for looks that two timers make at once.
      expect(one).toBeGreaterThan(0);
      expect(forty).toBeLessThanOrEqual(2 * one);
    });

    test("get pages together when there are many of them, and none too many", async () => {
      const node = await openNode("hub", { router: { limits: { streams: 400 } } });
      const readers = await Promise.all(Array.from({ length: 400 }, (_, n) => openStream(node, { node: `r${n}` })));
      // 400 readers at 4,000 pages a second: a page each tenth of a second.
      const start = readers.map(({ pages }) => pages.length);
      for (let n = 0; n < 30; n++) {
        await insert(node, `d${n}`);
        await pause(10);
      }
      await until(() => readers.every(({ keys }) => keys.length === 30), 20_000);
      const most = Math.max(...readers.map(({ pages }, n) => pages.length - (start[n] as number)));
      expect(most).toBeLessThan(20);
    });

    test("one that does not read is let go, and the others notice nothing (fault 36)", async () => {
      const node = await openNode("hub");
      const app = syncRouter(node.node, { authenticate, streamBuffer: 200_000 });
      const good = await openStream(node, { node: "good" }, app);
      const response = await app.request(streamRequest({ node: "deaf" }));
      const body = response.body?.getReader();
      await body?.read();
      for (let n = 0; n < 12; n++) {
        await insert(node, `d${n}`, "x".repeat(50_000));
        await until(() => good.keys.includes(`d${n}`));
      }
      await expect(
        (async () => {
          for (;;) if ((await body?.read())?.done) return;
        })(),
      ).rejects.toMatchObject({ code: "slow_reader" });
      await insert(node, "after");
      await until(() => good.keys.includes("after"));
      // It resumes where it was.
      const again = await openStream(node, { node: "deaf" }, app);
      await until(() => again.keys.includes("after"));
    });

    test("nothing is polled once the last one has gone", async () => {
      const recorder = new Recorder();
      const node = await openNode("hub", { recorder });
      const reader = await openStream(node);
      expect((await recorder.during(() => pause(300))).length).toBeGreaterThan(0);
      await reader.close();
      await pause(50);
      expect(await recorder.during(() => pause(300))).toEqual([]);
    });
  });

  describe("a request that cannot be met", () => {
    const ask = async (query: string, headers: Record<string, string> = { authorization: TOKEN }) => {
      const node = await openNode("hub");
      return errorOf(await node.app.request(`/stream?${query}`, { headers }));
    };
    test.each([
      ["without credentials", "protocol=1&node=a", {}, [401, "unauthenticated"]],
      ["without a node id", "protocol=1", undefined, [400, "bad_request"]],
      ["without a version", "node=a", undefined, [400, "bad_request"]],
      ["of another version", "protocol=2&node=a", undefined, [400, "protocol_mismatch"]],
      ["for a table that is not synced", 'protocol=1&node=a&tables=["nope"]', undefined, [400, "unknown_table"]],
      ["for tables that are no list", "protocol=1&node=a&tables=documents", undefined, [400, "bad_request"]],
      ["with a cursor that nobody issued", "protocol=1&node=a&cursor=xyz", undefined, [400, "bad_cursor"]],
      ["of the node itself", "protocol=1&node=hub", undefined, [409, "self_peer"]],
    ] as const)("%s", async (_, query, headers, expected) => {
      expect(await ask(query, headers)).toEqual(expected);
    });
  });

  test("ends when the node closes, and everything that waited with it", async () => {
    const node = await openNode("hub");
    const reader = await openStream(node);
    const changes = (async () => {
      for await (const _ of node.node.changes());
    })();
    await pause(20);
    await node.node.close();
    await until(() => reader.ended);
    expect(reader.error).toBeNull();
    await changes;
    // No new ones begin; single requests are answered.
    expect(await errorOf(await node.app.request(streamRequest({})))).toEqual([503, "aborted"]);
    expect(() => node.node.changes()).toThrow(expect.objectContaining({ code: "aborted" }));
    expect((await request(node, "/pull", JSON.stringify(pullMessage()))).status).toBe(200);
  });

  test("a node that closes waits for what it asked of its database, and for what that leads to", async () => {
    const node = await openNode("hub");
    const { store } = node.node;
    const work = (async () => {
      for (let n = 0; n < 3; n++)
        await store.serve({ cursor: null, tables: node.node.tables, peer: null, rows: 9, bytes: 9_999 });
      return "ended";
    })();
    await node.node.close();
    expect(await Promise.race([work, Promise.resolve("under way")])).toBe("ended");
  });

  test("serves a node beside pulls and pushes of others", async () => {
    const [hub, edge] = await openNodes(["hub", "edge"]);
    const reader = await openStream(hub!);
    await insert(edge!, "1");
    await sync(edge!, hub!);
    await until(() => reader.keys.includes("1"));
    const answer = await request(hub!, "/pull", JSON.stringify(pullMessage({ cursor: reader.cursor })));
    expect(await answer.json()).toMatchObject({ rows: [], more: false });
  });

  test("is cut off when the database fails, and the failure is told to the log alone", async () => {
    const recorder = new Recorder();
    const node = await openNode("hub", { recorder });
    const errors: unknown[] = [];
    const own = createNode({ db: node.database.recorded(recorder), registry: node.registry, nodeId: "hub" });
    const app = syncRouter(own, { authenticate, onError: (error) => errors.push(error) });
    const reader = await openStream(node, {}, app);
    recorder.before = ({ sql }) => {
      if (/_documents_crdt/.test(sql)) throw new Error("disk on fire");
    };
    await insert(node, "1");
    await until(() => reader.ended);
    expect(errors).toMatchObject([{ message: "disk on fire" }]);
  });
});

describe("a feed and who follows it, whatever comes first", () => {
  /** A log of rows that is read like a store, without a database. */
  class Log {
    readonly polling = { active: 2, slows: false };
    readonly rows: RowChange[] = [];
    reset = false;
    /** Comes between the reading of a page and its arrival. */
    arriving: (peer: string | null) => unknown = () => {};

    write(): void {
      this.rows.push({ table: "documents", pk: [this.rows.length + 1], cl: 1, life: [1, "x"] });
    }
    activity = async () => ({ pending: false, seq: this.rows.length });
    serve = async ({ cursor, peer }: ServeQuery): Promise<Served> => {
      const { length } = this.rows;
      const rows = this.rows.slice(this.reset ? 0 : (cursor?.position ?? 0));
      const served = { rows, sums: [], cursor: at(length), more: false, reset: this.reset, collected: 0 };
      await this.arriving(peer);
      return served;
    };
  }
  const at = (seq: number): Cursor => ({
    incarnation: "i",
    floor: seq,
    position: seq,
    last: seq,
    tables: ["documents"],
    full: false,
  });
  const settings = { tables: ["documents"], cursor: null, idle: 2, keepAlive: 60_000, maxBuffer: 1_000 };

  const ending: AbortController[] = [];
  afterEach(() => {
    for (const controller of ending.splice(0)) controller.abort();
  });
  function open() {
    const log = new Log();
    const watcher = new Watcher(log);
    return { log, watcher, feed: new Feed(log as Pick<Store, "serve">, watcher, ["documents"]) };
  }
  /** What comes to a reader: keys, and "reset" before a page that begins anew. */
  function follow(log: Log, feed: Feed, peer: string, options: Partial<FollowerOptions> = {}): unknown[] {
    const controller = new AbortController();
    ending.push(controller);
    const follower = new Follower(log, feed, { ...settings, peer, signal: controller.signal, ...options });
    const came: unknown[] = [];
    void (async () => {
      for await (const { frame, reset } of follower.pages())
        came.push(...(reset ? ["reset"] : []), ...frame.rows.map(({ pk }) => pk[0]));
    })();
    return came;
  }

  test("what is written while the first reader joins reaches it, though others have heard of it already", async () => {
    const { log, watcher, feed } = open();
    let told = 0;
    const stop = watcher.listen((found) => {
      told = found?.seq ?? told;
    }, 2);
    log.arriving = async () => {
      log.arriving = () => {};
      log.write();
      await until(() => told === 1);
    };
    const reader = follow(log, feed, "a");
    await until(() => reader.length === 1, 2_000);
    stop();
  });

  test("a reader whom the feed has overtaken reads on by itself", async () => {
    const { log, feed } = open();
    log.write();
    const a = follow(log, feed, "a");
    await until(() => a.length === 1);
    log.arriving = async (peer) => {
      if (peer !== "b") return;
      log.arriving = () => {};
      log.write();
      await until(() => a.length === 2);
    };
    const b = follow(log, feed, "b");
    await until(() => b.length === 2, 2_000);
    log.write();
    await until(() => a.length === 3 && b.length === 3);
    expect([a, b]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });

  test("a reader that is ahead of the feed gets nothing twice", async () => {
    const { log, feed } = open();
    const a = follow(log, feed, "a");
    log.write();
    await until(() => a.length === 1);
    let release = () => {};
    let held = false;
    log.arriving = (peer) => {
      held ||= peer === null;
      return peer === null && new Promise<void>((resolve) => (release = resolve));
    };
    log.write();
    await until(() => held);
    const b = follow(log, feed, "b");
    await until(() => b.length === 2);
    log.arriving = () => {};
    release();
    log.write();
    await until(() => a.length === 3 && b.length >= 3);
    expect([a, b]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });

  test("a database that was restored under the feed is told to each of its readers", async () => {
    const { log, feed } = open();
    log.write();
    const readers = ["a", "b"].map((peer) => follow(log, feed, peer));
    await until(() => readers.every(({ length }) => length === 1));
    await pause(10);
    const told = new Set<string>();
    log.reset = true;
    log.arriving = (peer) => {
      if (peer !== null) told.add(peer);
      log.reset = told.size < 2;
    };
    log.write();
    await until(() => readers.every((came) => came.length >= 4), 2_000);
    for (const came of readers) expect(came).toEqual([1, "reset", 1, 2]);
  });

  test("what a reader has taken no longer counts, and one large page is never too much", async () => {
    const follower = new Follower(new Log(), { join: () => true, remove: () => {} } as unknown as Feed, {
      ...settings,
      peer: "a",
    });
    const pages = follower.pages();
    await pages.next();
    let seq = 0;
    const offer = (length: number) => {
      const row: RowChange = { table: "documents", pk: ["x".repeat(length)], cl: 1, life: [1, "x"] };
      follower.offer(makeFrame([row], at(++seq), false, 0));
    };
    const take = async () => (await pages.next()).value?.frame.cursor.position;
    for (const length of [600, 5_000, 600]) {
      offer(length);
      expect(await take()).toBe(seq);
    }
    offer(10);
    offer(10);
    expect([await take(), await take()]).toEqual([seq - 1, seq]);
    offer(600);
    offer(600);
    await expect(pages.next()).rejects.toMatchObject({ code: "slow_reader" });
  });
});

describe("looks at the database", () => {
  afterEach(() => void vi.useRealTimers());
  function open(active: number, slows: boolean) {
    const store = {
      polling: { active, slows },
      looks: 0,
      seq: 0,
      broken: false,
      activity: async () => {
        store.looks++;
        if (store.broken) throw new Error("no database");
        return { pending: false, seq: store.seq };
      },
    };
    return { store, watcher: new Watcher(store) };
  }

  test("become as frequent as the most impatient listener wants, and go on after a failure", async () => {
    vi.useFakeTimers();
    const { store, watcher } = open(1_000, false);
    const stops = [watcher.listen(() => {}, 1_000)];
    await vi.advanceTimersByTimeAsync(10);
    let told = 0;
    stops.push(watcher.listen(() => told++, 10));
    await vi.advanceTimersByTimeAsync(20);
    store.broken = true;
    await vi.advanceTimersByTimeAsync(100);
    store.broken = false;
    store.seq = 7;
    const before = told;
    await vi.advanceTimersByTimeAsync(100);
    expect(told).toBe(before + 1);
    for (const stop of stops) stop();
  });

  test("become rare after a quiet spell where each of them costs, never rarer than asked for, and frequent again", async () => {
    vi.useFakeTimers();
    const during = async (store: { looks: number }, milliseconds: number) => {
      const { looks } = store;
      await vi.advanceTimersByTimeAsync(milliseconds);
      return store.looks - looks;
    };
    for (const slows of [true, false]) {
      const { store, watcher } = open(50, slows);
      const stop = watcher.listen(() => {}, 1_000);
      expect(await during(store, 25_000)).toBeGreaterThan(490);
      await vi.advanceTimersByTimeAsync(15_000);
      const quiet = await during(store, 20_000);
      if (slows) {
        expect(quiet).toBeGreaterThanOrEqual(19);
        expect(quiet).toBeLessThan(25);
      } else expect(quiet).toBeGreaterThan(390);
      store.seq++;
      await vi.advanceTimersByTimeAsync(1_000);
      expect(await during(store, 10_000)).toBeGreaterThan(190);
      stop();
      expect(await during(store, 10_000)).toBe(0);
    }
  });
});
