// Live sync over real sockets: local writes go out as they are committed, those of peers stream in, and whatever the network
// does, sync resumes by itself. Each name bears its number in the catalogue of faults.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import {
  createSyncer,
  httpTransport,
  type PeerReport,
  type PullResponse,
  type RowChange,
  type StreamingTransportOptions,
  type StreamRequest,
  type Syncer,
  type SyncerOptions,
  streamingTransport,
  syncRouter,
  type Transport,
} from "grove-crdt";
import { afterEach, describe, expect, test } from "vitest";
import { withJitter } from "../packages/sync/src/wakeup";
import { Clock } from "./support/clock";
import { expectEqual } from "./support/comparison";
import { describeOnEach, dialects } from "./support/dialects";
import { type NodeSettings, openNode, type TestNode, TOKEN } from "./support/node";
import { openNode as openFile } from "./support/nodes";
import { closeSockets, serveNodeAt, Wire } from "./support/sockets";
import { pause, until } from "./support/streams";

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((syncing) => syncing.stop()));
  await closeSockets();
});

const authenticate = () => "peer";
const headers = () => ({ authorization: TOKEN });
const insert = (node: TestNode, id: string, title = id) =>
  node.sql("INSERT INTO documents (id, title) VALUES (?, ?)", id, title);
const has = (node: TestNode, id: string) => node.row("SELECT 1 AS one FROM documents WHERE id = ?", id);
const count = async (node: TestNode) =>
  (await node.row<{ n: bigint | number }>("SELECT count(*) AS n FROM documents"))?.n;
const edgeNode = (id: string, clock: Clock) => openNode(dialects.sqlite, id, { clock });

interface Fast extends StreamingTransportOptions, Partial<Omit<SyncerOptions, "peers" | "tables">> {}
/** A syncer whose waits after failures are short enough for a test; the interval stays so long that it never comes round. */
function connect(node: { readonly node: TestNode["node"] }, url: string, options: Fast = {}): Syncer {
  const { fetch, silence, timeout = 2_000, reconnect = 20, tables, ...others } = options;
  const transport = streamingTransport(url, { headers, fetch, silence, timeout, reconnect, tables });
  return createSyncer(node.node, { peers: [transport], interval: 60_000, minRetry: 20, maxRetry: 100, ...others });
}
function start(syncer: Syncer): Syncer {
  running.push(syncer.start());
  return syncer;
}
const isStreaming = (syncer: Syncer) => async () => (await syncer.status()).every(({ streaming }) => streaming);

describeOnEach("a hub and edges that are live", ({ openNode }) => {
  async function open(options: Fast & { readonly keepAlive?: number } = {}) {
    const hub = await openNode("hub");
    const { keepAlive = 15_000, ...others } = options;
    const router = syncRouter(hub.node, { authenticate, streamKeepAlive: keepAlive, onError: () => {} });
    const proxy = await Wire.before(await serveNodeAt(hub, router));
    const edge = await edgeNode("edge", hub.clock);
    const syncer = connect(edge, proxy.url, others);
    return { hub, edge, proxy, syncer, router };
  }

  test("each side's writes are in the other's table a moment later, whoever wrote them", async () => {
    const { hub, edge, syncer } = await open();
    await insert(hub, "before");
    start(syncer);
    await until(() => has(edge, "before"));
    await until(isStreaming(syncer));
    const begun = performance.now();
    await insert(edge, "edge");
    await until(() => has(hub, "edge"));
    await insert(hub, "hub");
    await until(() => has(edge, "hub"));
    await edge.sql("UPDATE documents SET view_count = view_count + 1");
    await hub.sql("UPDATE documents SET view_count = view_count + 1");
    const views = "SELECT DISTINCT view_count AS views FROM documents";
    await until(
      async () => JSON.stringify([await edge.rows(views), await hub.rows(views)]) === '[[{"views":2}],[{"views":2}]]',
    );
    // Far below the interval: nobody waited for it.
    expect(performance.now() - begun).toBeLessThan(10_000);
    await expectEqual(hub, edge);
  });

  test("what one edge writes streams to the others through the hub", async () => {
    const { hub, edge, proxy, syncer } = await open();
    const others = [await edgeNode("b", hub.clock), await edgeNode("c", hub.clock)];
    const syncers = [syncer, ...others.map((other) => connect(other, proxy.url))].map(start);
    for (const each of syncers) await until(isStreaming(each));
    await insert(edge, "1");
    for (const other of others) await until(() => has(other, "1"));
    await expectEqual(hub, edge, ...others);
  });

  test("fault 35: a stream that is cut at any byte resumes exactly", async () => {
    const { hub, edge, proxy } = await open();
    const stream = streamingTransport(proxy.url, { headers }).stream as NonNullable<Transport["stream"]>;
    const rows: string[] = [];
    let cursor: string | null = null;
    let streaming = true;
    let cuts = 0;
    const reading = (async () => {
      // Longer each time, so that even a page with all rows comes through in the end.
      for (let bytes = 301; streaming; bytes = Math.ceil(bytes * 1.3)) {
        proxy.link.cutAfter = bytes;
        const request: StreamRequest = { protocol: 1, node: edge.id, cursor, tables: ["documents"] };
        try {
          for await (const page of stream(request)) {
            rows.push(...page.rows.map(({ pk }) => pk[0] as string));
            cursor = page.cursor;
            if (rows.length === 150) return;
          }
        } catch (error) {
          expect(error).toMatchObject({ code: "transport" });
          cuts++;
        }
      }
    })();
    for (let n = 0; n < 150; n++) {
      await insert(hub, `d${n}`, "größer — 😀".repeat(n % 5));
      if (n % 3 === 0) await pause(5);
    }
    await Promise.race([reading, pause(20_000)]);
    streaming = false;
    expect(rows).toHaveLength(150);
    expect(new Set(rows).size).toBe(150);
    expect(cuts).toBeGreaterThan(10);
  });

  test("fault 37: a connection that died in silence is noticed by the missing signs of life, and made anew", async () => {
    const reports: PeerReport[] = [];
    const { hub, edge, proxy, syncer } = await open({
      keepAlive: 50,
      silence: 400,
      timeout: 400,
      onReport: (report) => reports.push(report),
    });
    start(syncer);
    await until(isStreaming(syncer));
    // Signs of life keep a quiet stream open for longer than the silence that it bears.
    await pause(900);
    expect(reports.filter(({ error }) => error)).toEqual([]);
    proxy.link.mute = "both";
    await insert(hub, "unheard");
    await until(() => reports.some(({ error }) => error?.message.includes("silent")));
    proxy.link.mute = "none";
    await until(() => has(edge, "unheard"));
    await until(isStreaming(syncer));
  });

  test("a stream is not silent while its reader is busy with a page", async () => {
    const { hub, proxy } = await open({ keepAlive: 20 });
    await insert(hub, "1");
    const stream = streamingTransport(proxy.url, { headers, silence: 150 }).stream as NonNullable<Transport["stream"]>;
    const keys: unknown[] = [];
    for await (const { rows } of stream({ protocol: 1, node: "slow", cursor: null })) {
      keys.push(...rows.map(({ pk }) => pk[0]));
      if (keys.length === 2) break;
      await pause(300);
      await insert(hub, "2");
    }
    expect(keys).toEqual(["1", "2"]);
  });

  test("fault 13: partitions, one-way partitions and a flapping link: sync resumes by itself, and no queue is stuck", async () => {
    const { hub, edge, proxy, syncer } = await open({ keepAlive: 50, silence: 200, timeout: 200 });
    start(syncer);
    const states = [
      { down: true },
      { mute: "answers" },
      { down: false },
      { mute: "requests" },
      { mute: "none" },
      { down: true, mute: "both" },
    ] as const;
    let n = 0;
    for (let round = 0; round < 3; round++) {
      for (const state of states) {
        Object.assign(proxy.link, { down: false, mute: "none" }, state);
        if (n % 2 === 0) proxy.cut();
        for (const node of [hub, edge]) await insert(node, `${node.id}-${n}`);
        await edge.sql("UPDATE documents SET view_count = view_count + 1 WHERE id = 'edge-0'");
        n++;
        await pause(60);
      }
    }
    Object.assign(proxy.link, { down: false, mute: "none" });
    await until(async () => Number(await count(hub)) === 2 * n && Number(await count(edge)) === 2 * n, 15_000);
    await syncer.flush({ signal: AbortSignal.timeout(10_000) });
    await until(async () => (await syncer.status()).every(({ pending }) => pending.rows === 0));
    await until(isStreaming(syncer));
    expect(await hub.row("SELECT view_count AS n FROM documents WHERE id = 'edge-0'")).toEqual({ n });
    await expectEqual(hub, edge);
  });

  test("pull takes over while there is no stream, and the stream again when there is", async () => {
    let blocked = true;
    const { hub, edge, syncer } = await open({
      fetch: async (url, init) =>
        blocked && url.includes("/stream") ? new Response("no", { status: 502 }) : fetch(url, init),
    });
    start(syncer);
    await insert(hub, "1");
    await until(() => has(edge, "1"));
    expect(await syncer.status()).toMatchObject([{ streaming: false }]);
    blocked = false;
    await until(isStreaming(syncer));
    await insert(hub, "2");
    await until(() => has(edge, "2"));
  });

  test("fault 44: a row that is written a hundred times a second reaches the peer all the time", async () => {
    const { hub, edge, syncer } = await open();
    await insert(hub, "hot", "0");
    start(syncer);
    await until(isStreaming(syncer));
    await until(() => has(edge, "hot"));
    const seen = new Set<string>();
    const late: number[] = [];
    for (let n = 1; n <= 200; n++) {
      await hub.sql("UPDATE documents SET title = ? WHERE id = 'hot'", String(n));
      await pause(10);
      const { title } = (await edge.row<{ title: string }>("SELECT title FROM documents WHERE id = 'hot'")) as {
        title: string;
      };
      seen.add(title);
      late.push(n - Number(title));
    }
    // Of 200 states, the peer had many, and was never far behind for long.
    expect(seen.size).toBeGreaterThan(20);
    expect(late.sort((a, b) => a - b)[Math.floor(late.length * 0.9)]).toBeLessThan(60);
    await until(async () => (await edge.row("SELECT title FROM documents WHERE title = '200'")) !== undefined);
  });

  test("fault 45: an own change that is not folded yet, and a peer's change of another column of the same row", async () => {
    const { hub, edge, syncer } = await open();
    await insert(hub, "1");
    start(syncer);
    await until(isStreaming(syncer));
    await until(() => has(edge, "1"));
    for (let n = 0; n < 20; n++) {
      const own = edge.sql("UPDATE documents SET title = ? WHERE id = '1'", `edge ${n}`);
      await Promise.all([own, hub.sql("UPDATE documents SET body = ? WHERE id = '1'", `hub ${n}`)]);
    }
    const both = "SELECT 1 AS one FROM documents WHERE title = 'edge 19' AND body = 'hub 19'";
    await until(async () => (await hub.row(both)) && (await edge.row(both)));
    await expectEqual(hub, edge);
  });

  describe("the syncer", () => {
    test("`run` alone pushes as soon as something is written, and pulls at its interval", async () => {
      const { hub, edge, proxy } = await open();
      const syncer = createSyncer(edge.node, { peers: [httpTransport(proxy.url, { headers })], interval: 300 });
      const controller = new AbortController();
      const done = syncer.run({ signal: controller.signal });
      await until(async () => (await syncer.status())[0]?.lastSuccess);
      const begun = performance.now();
      await insert(edge, "up");
      await until(() => has(hub, "up"));
      expect(performance.now() - begun).toBeLessThan(5_000);
      await insert(hub, "down");
      await until(() => has(edge, "down"));
      controller.abort();
      await done;
    });

    test("`run` pulls at its interval, however much is written here meanwhile", async () => {
      const { hub, edge, proxy } = await open();
      // Longer than from one look at the database to the next: something waits whenever a push ends.
      const slow: typeof fetch = async (url, init) => {
        if (String(url).endsWith("/push")) await pause(30);
        return fetch(url, init);
      };
      const transport = httpTransport(proxy.url, { headers, fetch: slow });
      const syncer = createSyncer(edge.node, { peers: [transport], interval: 100 });
      const { signal, abort } = aborter();
      const done = syncer.run({ signal });
      let writing = true;
      const writer = (async () => {
        for (let n = 0; writing; n++) {
          await insert(edge, `own-${n}`);
          await pause(2);
        }
      })();
      await until(() => has(hub, "own-5"));
      await insert(hub, "down");
      await until(() => has(edge, "down"));
      writing = false;
      await writer;
      abort();
      await done;
    });

    test("`flush` resolves once the peer has acknowledged everything, and says who has not when it is aborted", async () => {
      const { hub, edge, proxy, syncer } = await open();
      for (let n = 0; n < 5; n++) await insert(edge, `d${n}`);
      await syncer.flush();
      expect(Number(await count(hub))).toBe(5);
      proxy.link.down = true;
      proxy.cut();
      await insert(edge, "late");
      await expect(syncer.flush({ signal: AbortSignal.timeout(150) })).rejects.toMatchObject({
        code: "aborted",
        message: expect.stringMatching(/has not acknowledged everything: up to 1 rows wait/),
      });
      proxy.link.down = false;
      await syncer.flush();
      expect(await has(hub, "late")).toBeDefined();
    });

    test("what the peer refuses to take is pushed again, though pages behind it were acknowledged", async () => {
      const [hub, edge] = [await openNode("hub", { maxClockDrift: 1_000 }), await edgeNode("edge", new Clock())];
      edge.clock.advance(5_000);
      await insert(edge, "early");
      const url = `http://127.0.0.1:${await serveNodeAt(hub)}/sync`;
      await connect(edge, url).sync();
      const stored = await edge.node.store.peer("hub");
      const stamps: RowChange = { table: "documents", pk: ["on time"], cl: 1, life: [1, "x"], lww: { title: ["t"] } };
      await edge.node.merge("x", [stamps]);
      const syncer = connect(edge, url, { pageRows: 1 });
      expect(await syncer.sync()).toMatchObject([{ error: { code: "clock_drift" }, refused: 1 }]);
      expect([await has(hub, "early"), Boolean(await has(hub, "on time"))]).toEqual([undefined, true]);
      expect((await edge.node.store.peer("hub"))?.pushCursor).toBe(stored?.pushCursor);
      hub.clock.advance(5_000);
      expect(await syncer.sync()).toMatchObject([{ error: null, refused: 0 }]);
      expect(await has(hub, "early")).toBeDefined();
    });

    test("what was acknowledged is not sent again by the next process, and a look in vain writes nothing", async () => {
      const { hub, edge, proxy, syncer } = await open();
      for (const id of ["1", "1 later"]) {
        await insert(edge, id);
        await syncer.flush();
      }
      const next = connect(edge, proxy.url);
      expect(await next.sync()).toMatchObject([{ pushed: 0, error: null }]);
      const before = await edge.node.store.peer("hub");
      // What came from the hub itself is passed over.
      await insert(hub, "2");
      expect(await next.sync()).toMatchObject([{ pulled: 1, pushed: 0, error: null }]);
      expect((await edge.node.store.peer("hub"))?.pushCursor).toBe(before?.pushCursor);
      expect((await next.status())[0]?.pending.rows).toBe(0);
    });

    /** The peer's transport, with pages of its streams changed on their way. */
    const tampered = (url: string, change: (page: PullResponse) => PullResponse) => {
      const transport = streamingTransport(url, { headers, reconnect: 60_000 });
      const pulls: (string | null)[] = [];
      const changed: Transport = {
        ...transport,
        pull: (request, options) => {
          if (request.rows !== 0) pulls.push(request.cursor);
          return transport.pull(request, options);
        },
        async *stream(request, options) {
          for await (const page of transport.stream?.(request, options) ?? []) yield change(page);
        },
      };
      return { transport: changed, pulls };
    };

    test("a stream that tells of an own database that was restored is settled at once, by an exchange of everything", async () => {
      const { edge, proxy, syncer } = await open();
      await insert(edge, "1");
      await syncer.flush();
      let told = false;
      const { transport, pulls } = tampered(proxy.url, (page) => {
        if (told) return page;
        told = true;
        return { ...page, seen: { incarnation: "gone", seq: 9 } };
      });
      const reports: PeerReport[] = [];
      const onReport = (report: PeerReport) => reports.push(report);
      const next = createSyncer(edge.node, { peers: [transport], interval: 60_000, onReport });
      const { signal, abort } = aborter();
      const done = next.stream({ signal });
      await until(() => told && reports.some(({ pushed }) => pushed === 1));
      expect(pulls.lastIndexOf(null)).toBeGreaterThan(0);
      await until(isStreaming(next));
      abort();
      await done;
    });

    test("a stream whose peer turns out to have been restored has everything pushed to it again", async () => {
      const { edge, hub, proxy, syncer } = await open();
      await insert(edge, "1");
      await syncer.flush();
      const { transport } = tampered(proxy.url, (page) => (page.rows.length > 0 ? { ...page, reset: true } : page));
      const next = createSyncer(edge.node, { peers: [transport], interval: 60_000 });
      expect(await next.sync()).toMatchObject([{ pushed: 0 }]);
      const { signal, abort } = aborter();
      const done = next.stream({ signal });
      await until(isStreaming(next));
      await insert(hub, "2");
      await until(() => has(edge, "2"));
      abort();
      await done;
      expect(await next.sync()).toMatchObject([{ pushed: 2, error: null }]);
    });

    test("`flush` ends beside a writer who is faster than it", async () => {
      const { hub, edge, proxy } = await open();
      const slow: typeof fetch = async (url, init) => {
        await pause(20);
        return fetch(url, init);
      };
      const peers = [httpTransport(proxy.url, { headers, fetch: slow as never })];
      const syncer = createSyncer(edge.node, { peers, pageRows: 2 });
      await insert(edge, "first");
      let writing = true;
      const writer = (async () => {
        for (let n = 0; writing; n++) {
          await insert(edge, `d${n}`);
          await pause(2);
        }
      })();
      await syncer.flush({ signal: AbortSignal.timeout(20_000) });
      writing = false;
      await writer;
      expect(await has(hub, "first")).toBeDefined();
    });

    test("`status` counts what waits and since when, and tells the last error and success of each peer", async () => {
      const { edge, proxy, syncer } = await open();
      expect(await syncer.status()).toMatchObject([
        { peer: null, streaming: false, lastSuccess: null, lastError: null },
      ]);
      start(syncer);
      await until(isStreaming(syncer));
      expect(await syncer.status()).toMatchObject([
        { peer: "hub", url: proxy.url, pending: { rows: 0, milliseconds: 0 }, lastSuccess: expect.any(Number) },
      ]);
      proxy.link.down = true;
      proxy.cut();
      await insert(edge, "1");
      await insert(edge, "2");
      await until(async () => (await syncer.status())[0]?.pending.rows === 2);
      await pause(30);
      const [status] = await syncer.status();
      expect(status?.pending.milliseconds).toBeGreaterThanOrEqual(30);
      await until(async () => (await syncer.status())[0]?.lastError?.code === "transport");
      proxy.link.down = false;
      await until(async () => (await syncer.status())[0]?.lastError === null);
      await until(async () => (await syncer.status())[0]?.pending.rows === 0);
      expect((await syncer.status())[0]).toMatchObject({ pending: { milliseconds: 0 }, sent: 2 });
    });

    test("`pushChange` sends one row ahead of all others", async () => {
      const { hub, edge, syncer } = await open();
      for (let n = 0; n < 5; n++) await insert(edge, `d${n}`);
      expect(await syncer.pushChange("documents", ["d3"])).toMatchObject([{ pushed: 1, applied: 1, error: null }]);
      expect(Number(await count(hub))).toBe(1);
      await syncer.flush();
      expect(Number(await count(hub))).toBe(5);
      expect(await syncer.pushChange("documents", ["nobody"])).toMatchObject([{ pushed: 0, error: null }]);
    });

    test("`run` and `stream` resolve on abort, and never reject for a peer's sake", async () => {
      const { hub, edge, proxy } = await open();
      const nowhere = await Wire.before(1);
      const reports: PeerReport[] = [];
      const peers = [proxy.url, nowhere.url].map((url) => streamingTransport(url, { headers, reconnect: 10 }));
      const syncer = createSyncer(edge.node, { peers, minRetry: 10, maxRetry: 20, onReport: (r) => reports.push(r) });
      const { signal, abort } = aborter();
      const done = Promise.all([syncer.run({ signal }), syncer.stream({ signal })]);
      await insert(hub, "1");
      await until(() => has(edge, "1"));
      await until(() => reports.filter(({ error }) => error?.code === "transport").length > 5);
      // The reachable one is none the worse for it.
      await insert(edge, "2");
      await until(() => has(hub, "2"));
      abort();
      await done;
      const { length } = reports;
      await pause(100);
      expect(reports).toHaveLength(length);
    });

    test("a stream that comes up ends the wait after failed pushes, however long it is", async () => {
      const reports: PeerReport[] = [];
      const onReport = (report: PeerReport) => reports.push(report);
      const { hub, edge, proxy } = await open();
      const peers = [streamingTransport(proxy.url, { headers, reconnect: 10 })];
      const waits = { interval: 60_000, minRetry: 60_000, maxRetry: 60_000 };
      const run = createSyncer(edge.node, { peers, ...waits, onReport });
      start(run);
      await until(isStreaming(run));
      proxy.link.down = true;
      proxy.cut();
      await insert(edge, "meanwhile");
      await until(() => reports.filter(({ error }) => error).length > 5);
      await pause(50);
      proxy.link.down = false;
      await until(isStreaming(run));
      await until(() => has(hub, "meanwhile"));
      await insert(edge, "after");
      await until(() => has(hub, "after"), 3_000);
    });

    test("each wait before a stream is asked for again is drawn by lot", async () => {
      let drawn = 0;
      const edge = await openNode("edge", { random: () => (drawn++ % 10) / 10 });
      const nowhere = await Wire.before(1);
      const reports: PeerReport[] = [];
      const syncer = connect(edge, nowhere.url, { reconnect: 5, onReport: (report) => reports.push(report) });
      const { signal, abort } = aborter();
      const before = drawn;
      const done = syncer.stream({ signal });
      await until(() => reports.length > 3);
      abort();
      await done;
      expect(drawn - before).toBeGreaterThanOrEqual(3);
    });

    test("what an edge has sent itself is not looked at again for it: its place in the stream is kept", async () => {
      const { hub, edge, syncer } = await open({ keepAlive: 30 });
      start(syncer);
      await until(isStreaming(syncer));
      const place = async () => (await edge.node.store.peer("hub"))?.pullCursor;
      const before = await place();
      await insert(edge, "1");
      await until(() => has(hub, "1"));
      await until(async () => (await place()) !== before, 3_000);
      // The hub has it before the edge has heard so.
      await until(async () => (await syncer.status())[0]?.sent === 1, 3_000);
      expect((await syncer.status())[0]).toMatchObject({ received: 0 });
    });

    test("exchanges, pushes and single rows for one peer take turns", async () => {
      const { edge, proxy } = await open();
      let under = 0;
      let most = 0;
      const counting: typeof fetch = async (url, init) => {
        most = Math.max(most, ++under);
        return fetch(url, init).finally(() => under--);
      };
      const peers = [httpTransport(proxy.url, { headers, fetch: counting })];
      const syncer = createSyncer(edge.node, { peers });
      await insert(edge, "1");
      await Promise.all([syncer.sync(), syncer.flush(), syncer.pushChange("documents", ["1"]), syncer.sync()]);
      expect([under, most]).toEqual([0, 1]);
    });

    test("`status` counts each row once, waits from the first that is not acknowledged, and takes a stop for no error", async () => {
      const { hub, edge, proxy, syncer } = await open();
      const syncing = syncer.start();
      await until(isStreaming(syncer));
      for (const id of ["1", "2", "3"]) {
        await insert(hub, id);
        await until(() => has(edge, id));
      }
      await insert(edge, "up");
      await until(async () => (await syncer.status())[0]?.sent === 1);
      await insert(edge, "up too");
      await until(() => has(hub, "up too"));
      await pause(50);
      proxy.link.down = true;
      proxy.cut();
      const since = Date.now();
      await insert(edge, "late");
      await edge.node.fold();
      const [status] = await syncer.status();
      expect(status).toMatchObject({ received: 3, sent: 2, pending: { rows: 1 } });
      expect(status?.pending.milliseconds).toBeLessThanOrEqual(Date.now() - since);
      proxy.link.down = false;
      await until(() => has(hub, "late"));
      await until(isStreaming(syncer));
      await until(async () => (await syncer.status())[0]?.lastError === null);
      proxy.link.mute = "both";
      await insert(edge, "under way");
      await pause(50);
      await syncing.stop();
      // However busy the machine is: what is not folded does not count.
      await edge.node.fold();
      expect(await syncer.status()).toMatchObject([{ streaming: false, lastError: null, pending: { rows: 1 } }]);
    });

    test("`status` counts no rows of tables that the peer does not sync", async () => {
      const hub = await openNode("hub", { tables: ["documents"] });
      const edge = await edgeNode("edge", hub.clock);
      const syncer = connect(edge, `http://127.0.0.1:${await serveNodeAt(hub)}/sync`);
      await syncer.flush();
      await edge.sql("INSERT INTO inventory (store, sku, name) VALUES ('s', 'tea', 'Tea')");
      await insert(edge, "1");
      await edge.node.fold();
      expect((await syncer.status())[0]?.pending.rows).toBe(1);
      await syncer.flush();
      expect((await syncer.status())[0]?.pending.rows).toBe(0);
    });

    test("a hub that was away is found again, with all that was written meanwhile", async () => {
      const { hub, edge, proxy, syncer } = await open();
      start(syncer);
      await until(isStreaming(syncer));
      proxy.link.down = true;
      proxy.cut();
      await insert(hub, "meanwhile");
      await insert(edge, "meanwhile too");
      await pause(50);
      proxy.link.down = false;
      await until(isStreaming(syncer));
      await until(async () => (await has(edge, "meanwhile")) && (await has(hub, "meanwhile too")));
      await expectEqual(hub, edge);
    });

    test("a hub whose database was restored from a backup gets back what it lost", async () => {
      const { hub, edge, proxy, syncer } = await open();
      start(syncer);
      await until(isStreaming(syncer));
      await insert(edge, "1");
      await until(() => has(hub, "1"));
      // Another database answers at the same address under the same id: older than what the edge has seen.
      const { clock } = hub;
      const older = await openNode("hub", { clock });
      await insert(older, "of the backup");
      const port = await serveNodeAt(older, syncRouter(older.node, { authenticate }));
      const other = await Wire.before(port);
      proxy.link.down = true;
      proxy.cut();
      const again = start(connect(edge, other.url));
      await until(isStreaming(again));
      await until(async () => (await has(older, "1")) && (await has(edge, "of the backup")));
      await expectEqual(older, edge);
    });
  });

  test("faults 7: a stamp from the future is refused, ends the stream, and comes again until the clock has come to it", async () => {
    const now = () => Date.now() * 1_000;
    const hub = await openNode("hub", { maxClockDrift: 60_000, now });
    const edge = await openEdge("edge", { maxClockDrift: 1_000, now });
    const port = await serveNodeAt(hub, syncRouter(hub.node, { authenticate }));
    const reports: PeerReport[] = [];
    const syncer = start(
      connect(edge, `http://127.0.0.1:${port}/sync`, { onReport: (report) => reports.push(report) }),
    );
    await until(isStreaming(syncer));
    const ahead: RowChange = {
      table: "documents",
      pk: ["early"],
      cl: 1,
      life: [now() + 2_000_000, "x"],
      lww: { title: ["t"], body: [""] },
    };
    await hub.node.merge("x", [ahead]);
    await until(() => reports.some(({ error }) => error?.code === "clock_drift"));
    expect(await has(edge, "early")).toBeUndefined();
    await until(() => has(edge, "early"), 10_000);
    await insert(hub, "on time");
    await until(() => has(edge, "on time"));
  });
});
const openEdge = (id: string, settings: NodeSettings) => openNode(dialects.sqlite, id, settings);

function aborter() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

describe("on one SQLite file", () => {
  const folder = mkdtempSync(join(tmpdir(), "grove-live-"));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("another process's writes go out a moment after their commit", async () => {
    const clock = new Clock();
    const hub = await edgeNode("hub", clock);
    const file = join(folder, "edge.db");
    const edge = await openFile("edge", { file, clock });
    edge.db.pragma("journal_mode = WAL");
    const port = await serveNodeAt(hub);
    const syncer = start(connect(edge, `http://127.0.0.1:${port}/sync`));
    await until(isStreaming(syncer));
    const program =
      "const db = new (require('better-sqlite3'))(process.argv[1]); db.exec(\"INSERT INTO documents (id, title) VALUES ('1', 't')\"); db.close()";
    await promisify(execFile)(process.execPath, ["-e", program, file], {
      cwd: fileURLToPath(new URL("..", import.meta.url)),
    });
    await until(() => has(hub, "1"), 2_000);
    edge.db.close();
  });
});

test("waits before a peer is asked again differ by up to a fifth, so that not all come at once (fault 37)", () => {
  const waits = [0, 0.25, 0.5, 0.999].map((random) => withJitter(5_000, () => random));
  expect(waits).toEqual([4_000, 4_500, 5_000, 5_998]);
});

test("a stream that nothing comes from ends, whatever the connection knows (fault 37)", async () => {
  const fetch = async () => new Response(new ReadableStream(), { headers: { "content-type": "text/event-stream" } });
  const { stream } = streamingTransport("http://nowhere.test/sync", { fetch, silence: 30 });
  const request: StreamRequest = { protocol: 1, node: "a", cursor: null };
  await expect(stream?.(request)[Symbol.asyncIterator]().next()).rejects.toMatchObject({
    code: "transport",
    message: expect.stringMatching(/fell silent/),
  });
  const controller = new AbortController();
  const { stream: patient } = streamingTransport("http://nowhere.test/sync", { fetch });
  const aborted = patient?.(request, { signal: controller.signal })[Symbol.asyncIterator]().next();
  setTimeout(() => controller.abort(), 10);
  await expect(aborted).rejects.toMatchObject({ code: "aborted" });
});
