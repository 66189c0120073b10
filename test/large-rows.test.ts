// A row larger than the peer takes must not stop the queue: pages shrink until only that row is left out, and it is
// kept as rejected at its origin (lineage 9, 23).
import { syncRouter } from "grove-crdt";
import { expect, test } from "vitest";
import { contents } from "./support/comparison";
import { describeOnEach } from "./support/dialects";
import { sync } from "./support/network";
import type { TestNode } from "./support/node";

describeOnEach("large rows", ({ openNodes }) => {
  const LIMIT = 20_000;

  async function nodes() {
    const [hub, edge] = (await openNodes(["hub", "edge"])) as [TestNode, TestNode];
    const small = { ...hub, app: syncRouter(hub.node, { authenticate: () => "peer", limits: { body: LIMIT } }) };
    const insert = (id: string, size: number) =>
      edge.sql("INSERT INTO documents (id, title, body) VALUES (?, 't', ?)", id, "x".repeat(size));
    return { hub, edge, small, insert };
  }

  test("rows that fit travel in smaller pages", async () => {
    const { hub, edge, small, insert } = await nodes();
    for (let n = 0; n < 40; n++) await insert(`d${n}`, 2_000);
    expect(await sync(edge, small)).toMatchObject({ pushed: 40, applied: 40, rejected: 0, error: null });
    expect(await contents(hub)).toEqual(await contents(edge));
    expect(await hub.row("SELECT count(*) AS n FROM documents")).toEqual({ n: 40 });
  });

  test("a row that never fits is rejected with a record, and those before and after it arrive", async () => {
    const { hub, edge, small, insert } = await nodes();
    for (const [id, size] of [
      ["a", 10],
      ["huge", 2 * LIMIT],
      ["z", 10],
    ] as const)
      await insert(id, size);
    expect(await sync(edge, small)).toMatchObject({ pushed: 3, applied: 2, rejected: 1, error: null });
    expect(await hub.rows("SELECT id FROM documents ORDER BY id")).toEqual([{ id: "a" }, { id: "z" }]);
    expect(await edge.rows("SELECT tbl, pk, code, peer FROM _grove_parked")).toEqual([
      { tbl: "documents", pk: '["huge"]', code: "payload_too_large", peer: "hub" },
    ]);
    // It is not sent blindly again; once it fits, the new write is.
    expect(await sync(edge, small)).toMatchObject({ pushed: 0, error: null });
    await edge.sql("UPDATE documents SET body = 'short' WHERE id = 'huge'");
    expect(await sync(edge, small)).toMatchObject({ pushed: 1, applied: 1 });
  });
});
