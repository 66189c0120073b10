// The topologies in one process, with real sockets and mixed dialects: whoever serves and whoever connects, all write at the
// same time, and all end equal. As real processes, examples/topologies.test.ts has them.
import { createSyncer, type GroveNode, type Syncer, streamingTransport } from "grove-crdt";
import { afterEach, expect, test } from "vitest";
import { expectEqual } from "./support/comparison";
import { describeAcross } from "./support/dialects";
import { type TestNode, TOKEN } from "./support/node";
import { closeSockets, serveNodeAt } from "./support/sockets";
import { until } from "./support/streams";

const running: { stop(): Promise<void> }[] = [];
const open: GroveNode[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((syncing) => syncing.stop()));
  await Promise.all(open.splice(0).map((node) => node.close()));
  await closeSockets();
});

/** Who connects to whom, by place; those named "p…" are on Postgres. */
const shapes: Readonly<Record<string, readonly [nodes: readonly string[], connects: readonly [number, number][]]>> = {
  "edge to cloud": [["p-cloud", "edge"], [[1, 0]]],
  "a passive hub with spokes": [
    ["p-hub", "a", "b", "c"],
    [
      [1, 0],
      [2, 0],
      [3, 0],
    ],
  ],
  "a hub that connects to its edges and relays between them": [
    ["p-hub", "a", "b", "c"],
    [
      [0, 1],
      [0, 2],
      [0, 3],
    ],
  ],
  "a mesh of three, each serving and connecting to both others": [
    ["p-a", "b", "c"],
    [
      [0, 1],
      [0, 2],
      [1, 0],
      [1, 2],
      [2, 0],
      [2, 1],
    ],
  ],
  "a chain of four": [
    ["p-a", "b", "c", "p-d"],
    [
      [0, 1],
      [1, 2],
      [2, 3],
    ],
  ],
};

describeAcross("topologies", ({ sqlite, postgres }) => {
  test.for(Object.entries(shapes))("%s", async ([, [names, connects]]) => {
    const nodes: TestNode[] = [];
    for (const name of names) {
      const { openNode } = name.startsWith("p-") ? postgres : sqlite;
      const node = await openNode(name, { clock: nodes[0]?.clock });
      nodes.push(node);
      open.push(node.node);
    }
    const ports = await Promise.all(nodes.map((node) => serveNodeAt(node)));
    const syncers: Syncer[] = [];
    for (const [n, node] of nodes.entries()) {
      const peers = connects
        .filter(([from]) => from === n)
        .map(([, to]) =>
          streamingTransport(`http://127.0.0.1:${ports[to]}/sync`, {
            headers: () => ({ authorization: TOKEN }),
            reconnect: 20,
          }),
        );
      if (peers.length === 0) continue;
      const syncer = createSyncer(node.node, { peers, interval: 60_000, minRetry: 20 });
      syncers.push(syncer);
      running.push(syncer.start());
    }
    await nodes[0]?.sql("INSERT INTO documents (id, title) VALUES ('shared', 'shared')");
    const all = async (sql: string, ...params: string[]) =>
      (await Promise.all(nodes.map((node) => node.row(sql, ...params)))).every((row) => row !== undefined);
    await until(() => all("SELECT 1 AS one FROM documents WHERE id = 'shared'"));
    for (let n = 0; n < 10; n++) {
      for (const node of nodes) {
        await node.sql("INSERT INTO documents (id, title) VALUES (?, 't')", `${node.id}-${n}`);
        await node.sql("UPDATE documents SET view_count = view_count + 1 WHERE id = 'shared'");
      }
    }
    const written = 10 * nodes.length;
    const has = "SELECT 1 AS one FROM documents WHERE id = 'shared' AND view_count = ?";
    await until(async () => {
      const counts = await Promise.all(
        nodes.map((node) => node.row<{ n: bigint }>("SELECT count(*) AS n FROM documents")),
      );
      return counts.every((row) => Number(row?.n) === written + 1) && (await all(has, String(written)));
    }, 20_000);
    for (const syncer of syncers) await syncer.flush();
    await expectEqual(...nodes);
  });
});

test("every shape is connected, so that each could end equal", () => {
  for (const [names, connects] of Object.values(shapes)) {
    const reached = new Set([0]);
    for (const _ of names)
      for (const [from, to] of connects) {
        if (reached.has(from)) reached.add(to);
        if (reached.has(to)) reached.add(from);
      }
    expect(reached.size).toBe(names.length);
  }
});
