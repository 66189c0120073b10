// Transactions: shadow and table change together or not at all, a merge never mixes with the application's own
// transaction, and nothing that was acknowledged is lost with it.
import { describe, expect, test } from "vitest";
import { dump, expectEqual } from "./support/comparison";
import { describeOnEach } from "./support/dialects";
import { settle, sync } from "./support/network";
import type { TestNode } from "./support/node";
import { type Execution, Recorder } from "./support/statements";

describeOnEach("transactions", ({ dialect, openNode }) => {
  const STAMP = 1_700_000_000_000_000;
  const row = (id: string, title: string) => ({
    table: "documents",
    pk: [id],
    cl: 1,
    life: [STAMP, "peer"],
    lww: { title: [title], body: [""] },
    counter: { view_count: { totals: [["i", "peer", "2", "0", STAMP]] } },
    set: { tags: [["t", STAMP, "peer"]] },
  });
  const ids = async (node: TestNode) =>
    (await node.rows<{ id: string }>("SELECT id FROM documents ORDER BY id")).map(({ id }) => id);

  describe("all or nothing", () => {
    test("lineage 2: a merged change is in the user's table at once, without any further call", async () => {
      const hub = await openNode("hub");
      expect((await hub.node.merge("peer", [row("1", "merged")])).outcomes).toEqual([{ outcome: "applied" }]);
      expect(await hub.rows("SELECT * FROM documents")).toEqual([
        { id: "1", title: "merged", body: "", view_count: 2, tags: ["t"] },
      ]);
      await hub.node.merge("peer", [{ ...row("1", ""), cl: 2, lww: undefined, counter: undefined, set: undefined }]);
      expect(await ids(hub)).toEqual([]);
    });

    test("lineage 2, fault 40: whichever statement of a merge fails, table, shadow and cursors are as before, and a retry succeeds", async () => {
      const recorder = new Recorder();
      const hub = await openNode("hub", { recorder });
      await hub.sql("INSERT INTO documents (id, title) VALUES ('0', 'known'), ('1', 'own')");
      await hub.node.fold();
      const rows = [
        row("1", "joined"),
        row("2", "new"),
        { ...row("0", ""), cl: 2, lww: undefined, counter: undefined, set: undefined },
        row("3", "new"),
      ];
      const save = () => ({ seen: { incarnation: "abc", seq: 7 } });
      const before = await dump(hub);
      let failures = 0;
      for (let place = 0; ; place++) {
        let count = 0;
        recorder.before = ({ sql }: Execution) => {
          if (/^(rollback|begin)/i.test(sql)) return;
          if (count++ === place) throw dialect.diskError();
        };
        const done = await hub.node.merge("peer", rows, save).then(
          () => true,
          (error: Error) => {
            expect(error).toMatchObject({ message: dialect.diskError().message });
            return false;
          },
        );
        recorder.before = () => {};
        if (done) break;
        failures++;
        // A failure while COMMIT is under way leaves the transaction to be rolled back.
        await expect(hub.sql("BEGIN; ROLLBACK")).resolves.toBeDefined();
        expect(await dump(hub)).toBe(before);
      }
      expect(failures).toBeGreaterThan(dialect.statements.merge);
      expect(await ids(hub)).toEqual(["1", "2", "3"]);
      expect((await hub.node.store.peer("peer"))?.seen).toEqual({ incarnation: "abc", seq: 7 });
      const reader = await openNode("reader", { clock: hub.clock });
      await settle([reader, hub]);
      await expectEqual(reader, hub);
    });

    test("lineage 2, fault 40: whichever statement of a fold fails, no write is lost and none is counted twice", async () => {
      const recorder = new Recorder();
      const edge = await openNode("edge", { recorder });
      const hub = await openNode("hub", { clock: edge.clock });
      await edge.sql("INSERT INTO documents (id, title) VALUES ('1', 'own')");
      await sync(edge, hub);
      const views = (node: TestNode) => node.row("SELECT view_count AS views FROM documents");
      let failures = 0;
      for (let done = false; !done; ) {
        await edge.sql(
          "UPDATE documents SET view_count = view_count + 1, tags = ?",
          dialect.textsOf(`tag ${failures}`),
        );
        const before = await dump(edge);
        let count = 0;
        recorder.before = ({ sql }) => {
          if (/^(rollback|begin)/i.test(sql)) return;
          if (count++ === failures) throw dialect.diskError();
        };
        done = await edge.node.fold().then(
          () => true,
          () => false,
        );
        recorder.before = () => {};
        if (done) break;
        failures++;
        // All or nothing: the very last statement looks whether there is more, when all is committed.
        const left = await edge.row<{ n: number }>("SELECT count(*) AS n FROM _documents_log");
        if (left!.n > 0) expect(await dump(edge)).toBe(before);
        await sync(edge, hub);
        expect(await views(hub)).toEqual({ views: failures });
        await expectEqual(edge, hub);
      }
      expect(failures).toBeGreaterThan(dialect.statements.fold);
      await sync(edge, hub);
      expect(await views(hub)).toEqual({ views: failures + 1 });
      await expectEqual(edge, hub);
    });
  });
});
