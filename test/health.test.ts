// /healthz and /readyz: whether a node is up and ready, for whoever watches processes. Without credentials, and without secrets.
import { healthRouter } from "@grove-crdt/server";
import { createNode } from "grove-crdt";
import { expect, test } from "vitest";
import { describeOnEach } from "./support/dialects";
import { link } from "./support/network";

const ask = async (app: { request(path: string): Response | Promise<Response> }, path: string) => {
  const response = await app.request(path);
  return [response.status, (await response.json()) as unknown] as const;
};
const READY = [200, { status: "ready" }] as const;
const unready = (code: string) => [503, { status: "unready", code }] as const;

describeOnEach("health", ({ dialect, openNode }) => {
  test("a node is up and ready, whoever asks, under the router's path and wherever it is mounted", async () => {
    const { app, node } = await openNode("a");
    for (const some of [app, healthRouter(node)]) {
      expect(await ask(some, "/healthz")).toEqual([200, { status: "up" }]);
      expect(await ask(some, "/readyz")).toEqual(READY);
    }
    expect((await app.request("/readyz")).headers.get("cache-control")).toBe("no-store");
    // And nothing else is open to strangers, nor marked as what is not to be stored.
    const refused = await app.request("/pull", { method: "POST" });
    expect([refused.status, refused.headers.get("cache-control")]).toEqual([401, null]);
  });

  test("a database without capture is not ready, and is once it has been migrated", async () => {
    const database = await dialect.open({ ddl: dialect.referenceTables });
    const node = createNode({ db: database.db, registry: dialect.registry });
    const app = healthRouter(node, { keep: 0 });
    expect(await ask(app, "/healthz")).toEqual([200, { status: "up" }]);
    expect(await ask(app, "/readyz")).toEqual(unready("capture_missing"));
    await node.ensureShadowTables();
    expect(await ask(app, "/readyz")).toEqual(READY);
    await node.close();
    await database.close();
  });

  test("a node whose capture somebody drops is not ready any more, though it was", async () => {
    const { node, sql } = await openNode("a");
    const app = healthRouter(node, { keep: 0 });
    expect(await ask(app, "/readyz")).toEqual(READY);
    await sql("DROP TABLE _documents_log");
    expect((await ask(app, "/readyz"))[0]).toBe(503);
  });

  test("a node that is closed, or that begins anew from a peer's rows, is not ready", async () => {
    const [hub, edge] = [await openNode("hub"), await openNode("edge")];
    await link(edge, hub).sync();
    await edge.node.store.beginRejoin(0, []);
    expect(await ask(edge.app, "/readyz")).toEqual(unready("struck_off"));
    expect(await ask(hub.app, "/readyz")).toEqual(READY);
    await hub.node.close();
    expect(await ask(hub.app, "/readyz")).toEqual(unready("aborted"));
    expect(await ask(hub.app, "/healthz")).toEqual([200, { status: "up" }]);
  });
});

test("a database that hangs makes a node unready in time, and is asked once however many ask", async () => {
  let asked = 0;
  const node = {
    isClosed: false,
    ready: () => {
      asked++;
      return new Promise(() => {});
    },
  } as unknown as Parameters<typeof healthRouter>[0];
  const app = healthRouter(node, { timeout: 50 });
  const answers = await Promise.all(Array.from({ length: 100 }, () => ask(app, "/readyz")));
  expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(new Set([JSON.stringify(unready("busy"))]));
  expect(await ask(app, "/readyz")).toEqual(unready("busy"));
  expect(asked).toBe(1);
});

test("an answer stands for as long as it is kept, and no longer", async () => {
  let time = 0;
  let asked = 0;
  const node = {
    isClosed: false,
    ready: async () => {
      asked++;
      throw new Error("password authentication failed for user 'grove'");
    },
  } as unknown as Parameters<typeof healthRouter>[0];
  const app = healthRouter(node, { keep: 1_000, now: () => time });
  for (time = 0; time < 3_000; time += 250) expect(await ask(app, "/readyz")).toEqual(unready("internal"));
  expect(asked).toBe(3);
});
