// What failed on its way out stays on record until the peer has it: while it is, the row goes whole.
import { createSyncer, httpTransport, type SyncHook } from "grove-crdt";
import { expect, test } from "vitest";
import { headersOf, linkAs, pullAs } from "./support/callers";
import { describeOnEach } from "./support/dialects";
import { openHooked, x } from "./support/hooks";

describeOnEach("the record of a change that failed on its way out", (suite) => {
  const insert = "INSERT INTO documents (id, title, body) VALUES ('1', 'title', 'body')";
  const failsOn = (broken: () => boolean): SyncHook => ({
    beforeOutboundChange: (change) => (broken() && change.field === "body" ? (undefined as never) : change),
  });

  test("stays when the rest of the row was pushed and taken", async () => {
    const edge = await openHooked(suite, "edge", { hooks: [failsOn(() => true)] });
    const hub = await openHooked(suite, "hub", { clock: edge.clock });
    await edge.sql(insert);
    await linkAs({ id: "edge" }, edge, hub).sync();
    expect(await hub.rows("SELECT title, body FROM documents")).toEqual([{ title: "title", body: "" }]);
    expect(await edge.node.rejected()).toMatchObject([{ sent: true, fields: ["body"], code: "hook_failed" }]);
  });

  test("stays when the push that would have settled it was lost", async () => {
    let broken = true;
    const edge = await openHooked(suite, "edge", { hooks: [failsOn(() => broken)] });
    const hub = await openHooked(suite, "hub", { clock: edge.clock });
    await edge.sql(insert);
    // The hub never takes the first push, so that the record is the hook's alone.
    const { rows } = await edge.node.pull({ protocol: 1, node: "hub", cursor: null });
    await hub.node.merge("edge", rows);
    broken = false;
    await edge.sql("UPDATE documents SET title = 'new'");
    const lost = httpTransport("http://peer", {
      headers: () => headersOf({ id: "edge" }),
      fetch: async (url, init) =>
        url.endsWith("/push")
          ? new Response("", { status: 503 })
          : hub.app.request(url.replace("http://peer", ""), init),
    });
    await createSyncer(edge.node, { peers: [lost] }).sync();
    expect(await edge.node.rejected()).toMatchObject([{ fields: ["body"] }]);
  });

  test("that an answer would have settled which was lost: the row goes whole again", async () => {
    let broken = true;
    const hub = await openHooked(suite, "hub", { hooks: [failsOn(() => broken)] });
    await hub.sql(insert);
    const { cursor } = await pullAs(x, hub);
    broken = false;
    await hub.sql("UPDATE documents SET title = 'new'");
    const lost = await pullAs(x, hub, { cursor });
    expect(Object.keys(lost.rows[0]?.lww ?? {})).toEqual(["title", "body"]);
    const again = await pullAs(x, hub, { cursor });
    expect(Object.keys(again.rows[0]?.lww ?? {})).toEqual(["title", "body"]);
    expect((await hub.node.rejected()).length).toBe(1);
    // The peer has it: it comes back with the cursor.
    await pullAs(x, hub, { cursor: again.cursor });
    expect(await hub.node.rejected()).toEqual([]);
  });
});
