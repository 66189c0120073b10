// serveNode: a node's life in a process. It checks before it serves, and stops with nothing half done.
import { once } from "node:events";
import { connect } from "node:net";
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import {
  createNode,
  createSyncer,
  type ServedNode,
  type ServeOptions,
  serveNode,
  streamingTransport,
} from "grove-crdt";
import { Hono } from "hono";
import { afterEach, expect, test } from "vitest";
import { registry } from "../generated/sqlite";
import { describeOnEach } from "./support/dialects";
import { pushMessage } from "./support/network";
import { openNode, referenceTables, type TestNode, TOKEN } from "./support/nodes";
import { freePort } from "./support/sockets";
import { Recorder } from "./support/statements";
import { pause, until } from "./support/streams";

const running: ServedNode[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((served) => served.stop()));
});

async function run(node: TestNode, options: Partial<ServeOptions> = {}) {
  const app = new Hono().route("/sync", node.app);
  const served = await serveNode(app, { node: node.node, hostname: "127.0.0.1", port: 0, signals: [], ...options });
  running.push(served);
  return served;
}
const headers = { authorization: TOKEN, "content-type": "application/json" };
const push = (url: string, rows: unknown[]) =>
  fetch(`${url}/sync/push`, { method: "POST", headers, body: JSON.stringify(pushMessage(rows)) });
const row = (id: string) => ({
  table: "documents",
  pk: [id],
  cl: 1,
  life: [1, "stranger"],
  lww: { title: ["t"], body: [""] },
});

test("serves, syncs, and stops both: a hub without a syncer and an edge with one", async () => {
  const [hub, edge] = [await openNode("hub"), await openNode("edge")];
  const cloud = await run(hub);
  const peers = [streamingTransport(`${cloud.url}/sync`, { headers: () => ({ authorization: TOKEN }), reconnect: 10 })];
  const shop = await run(edge, { syncer: createSyncer(edge.node, { peers, minRetry: 10 }) });
  edge.sql("INSERT INTO documents (id, title) VALUES ('1', 't')");
  await until(() => hub.row("SELECT 1 FROM documents"));
  await shop.stop();
  await shop.stopped;
  edge.sql("INSERT INTO documents (id, title) VALUES ('2', 't')");
  await pause(100);
  expect(hub.row("SELECT count(*) AS n FROM documents")).toEqual({ n: 1 });
  await expect(fetch(shop.url)).rejects.toThrow();
});

test("refuses to serve a database whose capture is missing, before anybody can connect", async () => {
  const database = new Database(":memory:");
  for (const statement of referenceTables) database.exec(statement);
  const node = createNode({ db: drizzle({ client: database }), registry });
  const where = { hostname: "127.0.0.1", port: await freePort(), signals: [] };
  await expect(serveNode(new Hono(), { node, ...where })).rejects.toMatchObject({ code: "capture_missing" });
  await expect(fetch(`http://127.0.0.1:${where.port}`)).rejects.toThrow();
});

test("says which port is taken", async () => {
  const hub = await openNode("hub");
  const { port } = await run(hub);
  await expect(run(await openNode("other"), { port })).rejects.toMatchObject({
    message: `Cannot listen at port ${port}: EADDRINUSE.`,
  });
});

test("ends open streams and idle connections at once, without an error for the reader", async () => {
  const hub = await openNode("hub");
  const served = await run(hub);
  const response = await fetch(`${served.url}/sync/stream?protocol=1&node=reader`, { headers });
  const body = response.text();
  await push(served.url, []);
  const begun = performance.now();
  await served.stop();
  expect(performance.now() - begun).toBeLessThan(10_000);
  expect(await body).toMatch(/^event: page\n/);
});

test("lets a request under way end: its answer comes, and what it said was merged", async () => {
  const hub = await openNode("hub");
  const served = await run(hub);
  // The body arrives in two halves, with the stop between them.
  const socket = connect(served.port, "127.0.0.1");
  const text = JSON.stringify(pushMessage([row("1")]));
  socket.write(
    `POST /sync/push HTTP/1.1\r\nhost: a\r\nauthorization: ${TOKEN}\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text.slice(0, 40)}`,
  );
  await pause(50);
  const stopped = served.stop();
  await pause(50);
  socket.write(text.slice(40));
  const [answer] = (await once(socket, "data")) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1.1 200/);
  await stopped;
  expect(hub.row("SELECT id FROM documents")).toEqual({ id: "1" });
});

test("cuts off a request that does not end within the grace", async () => {
  const hub = await openNode("hub");
  const served = await run(hub, { grace: 100 });
  const socket = connect(served.port, "127.0.0.1");
  socket.write(`POST /sync/push HTTP/1.1\r\nhost: a\r\nauthorization: ${TOKEN}\r\ncontent-length: 100\r\n\r\n{`);
  socket.on("error", () => {});
  await pause(50);
  const closed = once(socket, "close");
  await served.stop();
  await closed;
  expect(hub.row("SELECT count(*) AS n FROM documents")).toEqual({ n: 0 });
});

test("stops on a signal, once, and leaves no listener behind", async () => {
  const hub = await openNode("hub");
  const before = process.listenerCount("SIGUSR2");
  const served = await run(hub, { signals: ["SIGUSR2"] });
  expect(process.listenerCount("SIGUSR2")).toBe(before + 1);
  process.kill(process.pid, "SIGUSR2");
  await served.stopped;
  expect(process.listenerCount("SIGUSR2")).toBe(before);
});

describeOnEach("nodes that serve each other", ({ openNode }) => {
  test("stop at the same moment, within a moment, and nothing uses their databases afterwards", async () => {
    const recorder = new Recorder();
    const nodes = [await openNode("a", { recorder }), await openNode("b", { recorder })] as const;
    const apps = nodes.map(({ app }) => new Hono().route("/sync", app));
    const ports = await Promise.all(nodes.map(() => freePort()));
    const served = await Promise.all(
      nodes.map(({ node }, n) => {
        const url = `http://127.0.0.1:${ports[1 - n]}/sync`;
        const peer = streamingTransport(url, { headers: () => ({ authorization: TOKEN }), reconnect: 20 });
        const syncer = createSyncer(node, { peers: [peer], minRetry: 20, maxRetry: 50 });
        const where = { hostname: "127.0.0.1", port: ports[n] as number, signals: [] };
        return serveNode(apps[n] as Hono, { node, syncer, ...where });
      }),
    );
    const [a, b] = nodes;
    const writing = (async () => {
      for (let n = 0; n < 40; n++) {
        for (const node of nodes) await node.sql("INSERT INTO documents (id, title) VALUES (?, 't')", `${node.id}${n}`);
        await pause(5);
      }
    })();
    await until(async () => (await b.row("SELECT 1 AS one FROM documents WHERE id = 'a9'")) !== undefined);
    await until(async () => (await a.row("SELECT 1 AS one FROM documents WHERE id = 'b9'")) !== undefined);
    const begun = performance.now();
    await Promise.all(served.map((one) => one.stop()));
    // Far from the grace of ten seconds, at the end of which everything is cut off.
    expect(performance.now() - begun).toBeLessThan(5_000);
    await writing;
    expect(await recorder.during(() => pause(200))).toEqual([]);
  });
});
