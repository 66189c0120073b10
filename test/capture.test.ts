// Capture: whatever way SQL has to change a row, the other nodes end with what the writer's table says, and the writer's
// table stays as it was written. The table itself is the oracle.
import { describe, expect, test } from "vitest";
import { contents, expectEqual } from "./support/comparison";
import { describeOnEach } from "./support/dialects";
import { settle, sync } from "./support/network";
import { accountsOn, commonWrites, seed, testWrites } from "./support/writes";

describeOnEach("capture", (suite) => {
  const { dialect, openNode } = suite;
  const { schema, pair } = accountsOn(suite);
  const writes = commonWrites(dialect);

  describe("the matrix of writes", () => {
    testWrites(writes, pair);

    test("faults 20: a write that changes nothing is folded to nothing", async () => {
      const [a, b] = await pair();
      const { seq } = await a.node.store.position();
      for (const name of [
        "UPDATE that changes nothing",
        "UPDATE of a local column alone",
        "upsert that does nothing",
        "a transaction rolled back",
      ])
        await a.sql(writes[name] as string);
      // The triggers cannot know that the row which holds the key stays: the fold looks.
      await a.sql("INSERT INTO accounts (id, email) VALUES ('9', 'one@x') ON CONFLICT (email) DO NOTHING");
      await expect(a.sql("INSERT INTO accounts (id, email) VALUES ('9', 'one@x')")).rejects.toThrow(/unique/i);
      expect(await sync(a, b)).toMatchObject({ pushed: 0 });
      expect((await a.node.store.position()).seq).toBe(seq);
    });

    test("faults 20: a row that an upsert meets through another unique key keeps its life, and what others wrote to it", async () => {
      const [a, b] = await pair();
      await a.sql(
        `INSERT INTO accounts (id, email) VALUES ('9', 'one@x') ON CONFLICT (email) DO UPDATE SET tags = '${dialect.textsOf("kept")}'`,
      );
      await b.sql("UPDATE accounts SET name = 'edited', visits = visits + 1 WHERE id = '1'");
      await settle([a, b]);
      expect(await a.row("SELECT name, visits, tags FROM accounts WHERE id = '1'")).toEqual({
        name: "edited",
        visits: 2,
        tags: ["kept"],
      });
      expect((await a.node.inspect("accounts", ["1"]))?.cl).toBe(1);
      await expectEqual(a, b);
    });

    test("faults 20: what was counted before a delete is no count of the life after it", async () => {
      const [a, b] = await pair();
      await a.sql("UPDATE accounts SET visits = visits + 50 WHERE id = '1'");
      for (const [node, visits] of [
        [a, 7],
        [b, 100],
      ] as const) {
        await node.sql("DELETE FROM accounts WHERE id = '1'");
        await node.sql(`INSERT INTO accounts (id, visits) VALUES ('1', ${visits})`);
        await node.sql("UPDATE accounts SET visits = visits + 2 WHERE id = '1'");
        await node.node.fold();
        node.clock.advance(1);
      }
      await settle([a, b]);
      // Born with the later one's 100, and two more on each node.
      expect(await a.row("SELECT visits FROM accounts WHERE id = '1'")).toEqual({ visits: 104 });
      await expectEqual(a, b);
    });
  });

  describe("writes by triggers and references", () => {
    test("faults 20: rows that a trigger of the user deletes in another table are deleted on the other node", async () => {
      const trigger = dialect.trigger({
        name: "tidy",
        event: "AFTER DELETE ON accounts",
        body: "DELETE FROM places WHERE name = OLD.name; UPDATE accounts SET visits = visits + 1;",
      });
      const [a, b] = await pair(["UPDATE places SET name = 'One' WHERE number < 3", ...trigger]);
      await a.sql("DELETE FROM accounts WHERE id = '1'");
      const written = await contents(a);
      expect(written.places?.length).toBe(1);
      await sync(a, b);
      expect(await contents(b)).toEqual(written);
      expect(await b.rows("SELECT visits FROM accounts ORDER BY id")).toEqual([{ visits: 3 }, { visits: 4 }]);
      await expectEqual(a, b);
    });

    test("faults 20: a cascade from a table that is not replicated deletes and changes the rows on the other node", async () => {
      const a = await openNode("a", schema());
      const b = await openNode("b", { ...schema(), clock: a.clock });
      for (const node of [a, b])
        await node.sql("INSERT INTO folders VALUES ('f1', 'one'), ('f2', 'two'), ('f3', 'three')");
      await a.sql("INSERT INTO files VALUES ('x', 'f1'), ('y', 'f1'), ('z', 'f2')");
      await settle([a, b]);
      await b.sql("INSERT INTO folders VALUES ('f9', 'nine')");
      await a.sql("DELETE FROM folders WHERE id = 'f1'");
      await a.sql("UPDATE folders SET id = 'f9' WHERE id = 'f2'");
      await settle([a, b]);
      expect(await b.rows("SELECT * FROM files")).toEqual([{ id: "z", folder: "f9" }]);
      await expectEqual(a, b);
    });

    for (const [when, event] of [
      ["after an update", "AFTER UPDATE OF name ON accounts"],
      ["after an insert and an update", "AFTER INSERT ON accounts"],
    ] as const) {
      test(`faults 48: a user's trigger that changes the same row ${when} is captured, and its value is the last`, async () => {
        const body =
          "UPDATE accounts SET name = trim(NEW.name), email = lower(NEW.email), visits = visits + 1 WHERE id = NEW.id;";
        const [a, b] = await pair(dialect.trigger({ name: "polish", event, body }));
        await a.sql("UPDATE accounts SET name = '  Uno ', email = 'UNO@x' WHERE id = '1'");
        await a.sql("INSERT INTO accounts (id, name, email) VALUES ('9', ' Nine ', 'NINE@x')");
        await a.sql("UPDATE accounts SET name = ' Neun ' WHERE id = '9'");
        const written = await contents(a);
        await sync(a, b);
        expect(await contents(a)).toEqual(written);
        expect(await contents(b)).toEqual(written);
        await expectEqual(a, b);
      });
    }

    for (const order of ["before", "after"] as const) {
      test(`faults 48: a trigger made ${order} ours that brings a deleted row back, or takes an inserted one away, is the last word`, async () => {
        const triggers = [
          ...dialect.trigger({
            name: "revive",
            event: "AFTER DELETE ON accounts",
            body: "INSERT INTO accounts (id, name) VALUES (OLD.id, 'revived');",
          }),
          ...dialect.trigger({
            name: "once",
            event: "AFTER INSERT ON places",
            when: "NEW.name = 'once'",
            body: "DELETE FROM places WHERE number = NEW.number;",
          }),
        ];
        const a = await openNode("a", {
          ...schema(),
          before: order === "before" ? triggers : [],
        });
        const b = await openNode("b", { ...schema(), clock: a.clock });
        await a.sql(seed(dialect));
        await settle([a, b]);
        if (order === "after") for (const trigger of triggers) await a.sql(trigger);
        // Nested triggers write the log in another order than the rows were written in.
        await a.sql("DELETE FROM accounts WHERE id = '1'");
        await a.sql("INSERT INTO places (number, name) VALUES (7, 'once')");
        await a.sql("UPDATE accounts SET id = '8' WHERE id = '2'");
        const written = await contents(a);
        await sync(a, b);
        expect(await contents(a)).toEqual(written);
        expect(await contents(b)).toEqual(written);
        expect(await b.row("SELECT name FROM accounts WHERE id = '1'")).toEqual({ name: "revived" });
        expect(await b.row("SELECT 1 FROM places WHERE number = 7")).toBeUndefined();
        await expectEqual(a, b);
      });
    }

    test("faults 48: a trigger before the update that deletes and inserts the row again is captured", async () => {
      const trigger = dialect.trigger({
        name: "odd",
        event: "AFTER UPDATE OF name ON accounts",
        when: "NEW.name = 'reborn'",
        body: "DELETE FROM accounts WHERE id = NEW.id; INSERT INTO accounts (id, name) VALUES (NEW.id, 'born again');",
      });
      const [a, b] = await pair(trigger);
      await a.sql("UPDATE accounts SET name = 'reborn', visits = visits + 5 WHERE id = '1'");
      await sync(a, b);
      expect(await b.row("SELECT name, visits, tags FROM accounts WHERE id = '1'")).toEqual({
        name: "born again",
        visits: 0,
        tags: [],
      });
      await expectEqual(a, b);
    });

    test("faults 48: on a node whose trigger changes what a merge writes, the sender's value is what others get", async () => {
      const [a, b] = await pair();
      const c = await openNode("c", { ...schema(), clock: a.clock });
      const shout = dialect.trigger({
        name: "shout",
        event: "AFTER UPDATE OF name ON accounts",
        body: "UPDATE accounts SET name = upper(NEW.name) WHERE id = NEW.id;",
      });
      for (const sql of shout) await b.sql(sql);
      await a.sql("UPDATE accounts SET name = 'quiet' WHERE id = '1'");
      await settle([a, b], [c, b]);
      expect(await c.row("SELECT name FROM accounts WHERE id = '1'")).toEqual({ name: "quiet" });
      expect(await a.row("SELECT name FROM accounts WHERE id = '1'")).toEqual({ name: "quiet" });
    });
  });

  test("a long fold goes in passes, and others have their turn between them", async () => {
    const { node, sql } = await openNode("hub");
    await sql(
      "INSERT INTO documents (id, title) WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < 5000) SELECT 'd' || n, 't' FROM k",
    );
    const folded: number[] = [];
    const folding = node.fold();
    let ended = false;
    void folding.finally(() => {
      ended = true;
    });
    while (!ended) {
      await new Promise((resolve) => setImmediate(resolve));
      folded.push((await node.store.position()).seq);
    }
    expect(await folding).toBe(5000);
    expect(new Set(folded.filter((seq) => seq > 0 && seq < 5000)).size).toBeGreaterThan(1);
  });
});
