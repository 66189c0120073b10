// How many streams a principal may have open, and every way in which one ends: after each it counts no more.
import { afterEach, expect, test, vi } from "vitest";
import { headersOf, type Who } from "./support/callers";
import { describeOnEach } from "./support/dialects";
import { ANN, BOB, limited } from "./support/limits";
import { errorOf } from "./support/network";
import type { TestNode } from "./support/node";
import { closeSockets, serveNodeAt } from "./support/sockets";
import { until } from "./support/streams";

afterEach(closeSockets);
afterEach(() => void vi.restoreAllMocks());

const insert = (node: TestNode, id: string, title = id) =>
  node.sql("INSERT INTO documents (id, title) VALUES (?, ?)", id, title);

describeOnEach("streams of a principal", ({ openNode }) => {
  const query = (who: Who) => new URLSearchParams({ protocol: "1", node: `n-${who.id}` });
  const follow = async (app: ReturnType<typeof limited>, who: Who) =>
    app.request(`/stream?${query(who)}`, { headers: headersOf(who) });
  const isFree = async (app: ReturnType<typeof limited>) => {
    const response = await follow(app, ANN);
    await response.body?.cancel();
    return response.status === 200;
  };

  test("one more than are allowed is refused, another principal's is not, and one that is closed makes room", async () => {
    const hub = await openNode("hub");
    const app = limited(hub, { streams: 2 });
    const [first, second] = [await follow(app, ANN), await follow(app, ANN)];
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(await errorOf(await follow(app, ANN))).toEqual([429, "rate_limited"]);
    const other = await follow(app, BOB);
    expect(other.status).toBe(200);
    await first.body?.cancel();
    expect(await isFree(app)).toBe(true);
    // Closing it twice frees no second place.
    await first.body?.cancel();
    const third = await follow(app, ANN);
    expect([third.status, (await follow(app, ANN)).status]).toEqual([200, 429]);
    for (const { body } of [second, third, other]) await body?.cancel();
  });

  test("one that is refused, or that HEAD asks for, takes no place", async () => {
    const hub = await openNode("hub");
    const app = limited(hub, { streams: 1 });
    const headers = headersOf(ANN);
    for (const [search, code] of [
      ["protocol=1&node=n-ann&cursor=nonsense", "bad_cursor"],
      ["protocol=1&node=hub", "self_peer"],
      ['protocol=1&node=n-ann&tables=["nowhere"]', "unknown_table"],
      ["protocol=1&node=n-ann&seen={", "bad_request"],
    ] as const)
      expect((await errorOf(await app.request(`/stream?${search}`, { headers })))[1]).toBe(code);
    const head = await app.request(`/stream?${query(ANN)}`, { method: "HEAD", headers });
    expect(head.status).toBe(404);
    expect(await isFree(app)).toBe(true);
  });

  test("one whose principal expires ends, and no longer counts", async () => {
    const hub = await openNode("hub");
    let expiry = Date.now() + 150;
    const app = limited(hub, { streams: 1 }, { expiresAt: () => new Date(expiry) } as never);
    const { body } = await follow(app, ANN);
    const reader = body?.getReader();
    await reader?.read();
    await expect(reader?.read()).rejects.toMatchObject({ code: "unauthenticated" });
    expect(await errorOf(await follow(app, ANN))).toEqual([401, "unauthenticated"]);
    expiry += 60_000;
    expect(await isFree(app)).toBe(true);
  });

  test("one whose reader does not read is let go, and no longer counts (faults 36)", async () => {
    const hub = await openNode("hub");
    const app = limited(hub, { streams: 1 }, { streamBuffer: 100_000, streamPollInterval: 20 });
    const { body } = await follow(app, ANN);
    for (let n = 0; n < 12; n++) {
      await insert(hub, `p${n}`, "x".repeat(50_000));
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    await until(() => isFree(app));
    await expect(body?.getReader().read()).rejects.toMatchObject({ code: "slow_reader" });
  });

  test("those that are open when the node closes end, and no longer count", async () => {
    const hub = await openNode("hub");
    const app = limited(hub, { streams: 2 });
    const readers = [await follow(app, ANN), await follow(app, ANN)].map(({ body }) => body?.getReader());
    await hub.node.close();
    for (const reader of readers) {
      await reader?.read();
      expect((await reader?.read())?.done).toBe(true);
    }
    for (let n = 0; n < 3; n++) expect(await errorOf(await follow(app, ANN))).toEqual([503, "aborted"]);
  });

  test("one whose database fails no longer counts", async () => {
    const hub = await openNode("hub");
    const errors: unknown[] = [];
    const app = limited(hub, { streams: 1 }, { onError: (error) => errors.push(error), streamPollInterval: 20 });
    const { body } = await follow(app, ANN);
    const reader = body?.getReader();
    await reader?.read();
    vi.spyOn(Object.getPrototypeOf(hub.node.store), "serve").mockRejectedValue(new Error("on fire"));
    // What was on its way already may still come.
    const read = async () => {
      for (let n = 0; n < 5; n++) {
        await insert(hub, `p${n}`);
        await reader?.read();
      }
    };
    await expect(read()).rejects.toThrow();
    vi.restoreAllMocks();
    expect(errors.length).toBe(1);
    await until(() => isFree(app));
  });

  test("one whose connection is gone no longer counts, also when it went before the first page", async () => {
    const hub = await openNode("hub");
    const app = limited(hub, { streams: 1 });
    const url = `http://127.0.0.1:${await serveNodeAt(hub, app)}/sync/stream?${query(ANN)}`;
    for (const wait of [0, 1, 3, 10, 100]) {
      const stop = new AbortController();
      const asked = fetch(url, { headers: headersOf(ANN), signal: stop.signal }).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, wait));
      stop.abort();
      await asked;
      await until(() => isFree(app), 3_000);
    }
  });
});
