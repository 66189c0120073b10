// Refusals: a row that a constraint keeps out of one node's table waits there; it is merged and relayed all the same, its
// neighbours are not held back, and it shows as soon as it can. A change that is no good is kept at its origin.
import { lww } from "grove-crdt/schema";
import { beforeAll, describe, expect, test } from "vitest";
import { expectEqual, metadata } from "./support/comparison";
import { describeOnEach } from "./support/dialects";
import { link, settle, sync, type Tamper } from "./support/network";
import type { TestNode } from "./support/node";
import type { TestSchema } from "./support/schemas";

describeOnEach("refusals", ({ dialect, openNode, makeSchema }) => {
  const orders = async (node: TestNode) =>
    (await node.rows<{ id: string }>("SELECT id FROM orders ORDER BY id")).map(({ id }) => id);
  const order = (node: TestNode, id: string, total: number, note: string | null = "n") =>
    node.sql(`INSERT INTO orders (id, total, note, placed_at) VALUES (?, ?, ?, ${dialect.time(0)})`, id, total, note);

  /** What the database says of a statement that it refuses. */
  async function refusalOf(node: TestNode, sql: string): Promise<string> {
    try {
      await node.sql("BEGIN");
      await node.sql(sql);
    } catch (error) {
      return (error as Error).message;
    } finally {
      await node.sql("ROLLBACK");
    }
    throw new Error(`the database takes: ${sql}`);
  }

  /** The reference schema with one more demand on orders. */
  const demanding = (demand: string) =>
    dialect.referenceTables.map((sql) =>
      sql.includes("orders") ? sql.replace(/total \w+ NOT NULL/, `$& ${demand}`) : sql,
    );
  const notNull = dialect.referenceTables.map((sql) => sql.replace("note text,", "note text NOT NULL,"));

  /** A node whose table takes everything, a strict one that only it talks to, and one behind the strict one. */
  async function chain(ddl: readonly string[]): Promise<[TestNode, TestNode, TestNode]> {
    const origin = await openNode("origin");
    const strict = await openNode("strict", { clock: origin.clock, ddl });
    const beyond = await openNode("beyond", { clock: origin.clock });
    return [origin, strict, beyond];
  }

  describe("a row that a constraint keeps out", () => {
    const cases = [
      {
        name: "CHECK",
        ddl: demanding("CHECK (total >= 0)"),
        bad: ["bad", -5, "n"] as const,
        cure: "UPDATE orders SET total = 5 WHERE id = 'bad'",
        attempt: `INSERT INTO orders (id, total, note, placed_at) VALUES ('bad', -5, 'n', ${dialect.time(0)})`,
      },
      {
        name: "NOT NULL",
        ddl: notNull,
        bad: ["bad", 5, null] as const,
        cure: "UPDATE orders SET note = 'at last' WHERE id = 'bad'",
        attempt: `INSERT INTO orders (id, total, note, placed_at) VALUES ('bad', 5, NULL, ${dialect.time(0)})`,
      },
    ];
    for (const { name, ddl, bad, cure, attempt } of cases) {
      test(`${name}: it is parked with the database's message, its neighbours show, it is relayed, and it shows once it can`, async () => {
        const [origin, strict, beyond] = await chain(ddl);
        await order(origin, "a", 1);
        await order(origin, bad[0], bad[1], bad[2]);
        await order(origin, "z", 2);
        expect(await sync(origin, strict)).toMatchObject({
          pushed: 3,
          applied: 2,
          parked: 1,
          rejected: 0,
          error: null,
        });
        expect(await orders(strict)).toEqual(["a", "z"]);
        expect(await strict.node.parked()).toEqual([
          { table: "orders", pk: ["bad"], code: "constraint", message: await refusalOf(strict, attempt) },
        ]);

        await sync(beyond, strict);
        expect(await orders(beyond)).toEqual(["a", "bad", "z"]);
        expect(await metadata(strict)).toEqual(await metadata(origin));
        await expectEqual(origin, beyond);

        // A change of another field is merged while the row waits.
        await origin.sql("UPDATE orders SET status = 'paid' WHERE id = 'bad'");
        await settle([origin, strict], [beyond, strict]);
        expect(await orders(strict)).toEqual(["a", "z"]);
        await expectEqual(origin, beyond);

        await beyond.sql(cure);
        await settle([beyond, strict], [origin, strict]);
        expect(await orders(strict)).toEqual(["a", "bad", "z"]);
        expect(await strict.node.parked()).toEqual([]);
        expect(await strict.row("SELECT status FROM orders WHERE id = 'bad'")).toEqual({ status: "paid" });
        await expectEqual(origin, strict, beyond);
      });
    }

    test("a row that shows and is changed into one that cannot be is taken out, and comes back when it is mended", async () => {
      const [origin, strict, beyond] = await chain(demanding("CHECK (total >= 0)"));
      await order(origin, "a", 1);
      await settle([origin, strict], [beyond, strict]);
      await origin.sql("UPDATE orders SET total = -1, note = 'negative' WHERE id = 'a'");
      expect(await sync(origin, strict)).toMatchObject({ parked: 1 });
      expect(await orders(strict)).toEqual([]);
      await sync(beyond, strict);
      expect(await beyond.row("SELECT total, note, status FROM orders")).toEqual({
        total: -1,
        note: "negative",
        status: "open",
      });
      await expectEqual(origin, beyond);
      // That it is not shown is no delete of anybody's.
      expect(await settle([origin, strict], [beyond, strict])).toBe(1);
      await beyond.sql("UPDATE orders SET total = 7");
      await settle([beyond, strict], [origin, strict]);
      expect(await strict.row("SELECT total, note, status FROM orders")).toEqual({
        total: 7,
        note: "negative",
        status: "open",
      });
      await expectEqual(origin, strict, beyond);
    });

    test("a parked row that is deleted elsewhere waits no longer, and one inserted again begins anew", async () => {
      const [origin, strict, beyond] = await chain(demanding("CHECK (total >= 0)"));
      await order(origin, "a", -1);
      await settle([origin, strict], [beyond, strict]);
      await beyond.sql("DELETE FROM orders");
      await settle([beyond, strict], [origin, strict]);
      expect(await strict.node.parked()).toEqual([]);
      expect(await orders(origin)).toEqual([]);
      await order(origin, "a", 3);
      await settle([origin, strict], [beyond, strict]);
      expect(await orders(strict)).toEqual(["a"]);
      await expectEqual(origin, strict, beyond);
    });

    test("a trigger of the user that refuses is a constraint like others", async () => {
      const [origin, strict, beyond] = await chain([
        ...dialect.referenceTables,
        ...dialect.trigger({
          name: "no_friday",
          event: "BEFORE INSERT ON orders",
          when: "NEW.note = 'friday'",
          body: dialect.refuse("not on a friday"),
        }),
      ]);
      await order(origin, "a", 1, "friday");
      await order(origin, "b", 1, "monday");
      expect(await sync(origin, strict)).toMatchObject({ applied: 1, parked: 1 });
      expect(await strict.node.parked()).toMatchObject([{ pk: ["a"], code: "constraint", message: "not on a friday" }]);
      await sync(beyond, strict);
      expect(await orders(beyond)).toEqual(["a", "b"]);
      await origin.sql("UPDATE orders SET note = 'tuesday' WHERE id = 'a'");
      await sync(origin, strict);
      expect(await orders(strict)).toEqual(["a", "b"]);
    });

    test("many rows that cannot show do not keep those from showing whose obstacle is gone", async () => {
      const [origin, strict] = await chain(demanding("CHECK (total >= 0)"));
      for (let n = 0; n < 450; n++) await order(origin, `stuck ${n}`, -1);
      for (let n = 0; n < 5; n++) await order(origin, `freed ${n}`, -1);
      await sync(origin, strict);
      expect((await strict.node.parked()).length).toBe(455);
      // Some of them get their values right, all in one write.
      await origin.sql("UPDATE orders SET total = 1 WHERE id LIKE 'freed%'");
      await sync(origin, strict);
      expect((await orders(strict)).filter((id) => id.startsWith("freed")).length).toBe(5);
      expect((await strict.node.parked()).length).toBe(450);
    });
  });

  describe("a unique key that two rows claim", () => {
    const { table, text } = dialect;
    const users = table("users", {
      id: text("id").primaryKey(),
      email: lww(text("email").unique()),
      name: lww(text("name")),
    });
    let schema: TestSchema;
    beforeAll(async () => {
      schema = await makeSchema({ users });
    });
    const ids = async (node: TestNode) =>
      (await node.rows<{ id: string }>("SELECT id FROM users ORDER BY id")).map(({ id }) => id);

    async function claimed(): Promise<[TestNode, TestNode, TestNode]> {
      const a = await openNode("a", schema);
      const [b, c] = [
        await openNode("b", { ...schema, clock: a.clock }),
        await openNode("c", { ...schema, clock: a.clock }),
      ];
      await b.sql("INSERT INTO users VALUES ('first', 'x@example.org', 'First')");
      await b.node.fold();
      a.clock.advance(1000);
      await a.sql(
        "INSERT INTO users VALUES ('second', 'x@example.org', 'Second'), ('other', 'y@example.org', 'Other')",
      );
      expect(await sync(a, b)).toMatchObject({ rejected: 0, error: null });
      return [a, b, c];
    }

    test("UNIQUE: the later row is parked, its neighbour shows, and it is relayed to a third node", async () => {
      const [, b, c] = await claimed();
      expect(await ids(b)).toEqual(["first", "other"]);
      expect(await b.node.parked()).toMatchObject([
        { table: "users", pk: ["second"], code: "unique", message: expect.stringMatching(/./) },
      ]);
      await sync(c, b);
      expect(Object.keys(await metadata(c))).toEqual(Object.keys(await metadata(b)));
      expect(await metadata(c)).toEqual(await metadata(b));
      expect(await ids(c)).toEqual(["first", "other"]);
      expect(await c.node.parked()).toMatchObject([{ table: "users", pk: ["second"] }]);
    });

    for (const [how, sql] of [
      ["is deleted", "DELETE FROM users WHERE id = 'first'"],
      ["takes another value", "UPDATE users SET email = 'z@example.org' WHERE id = 'first'"],
      ["gives it up for NULL", "UPDATE users SET email = NULL WHERE id = 'first'"],
    ] as const) {
      test(`UNIQUE: the parked row shows on every node when the row that holds the key ${how}`, async () => {
        const [a, b, c] = await claimed();
        await settle([c, b], [a, b]);
        await b.sql(sql);
        await settle([c, b], [a, b]);
        for (const node of [a, b, c]) {
          expect(await ids(node)).toContain("second");
          expect(await node.node.parked()).toEqual([]);
        }
        await expectEqual(a, b, c);
      });
    }

    test("UNIQUE: the parked row shows when it is inserted again with another value, where it does not show", async () => {
      const [a, b, c] = await claimed();
      await settle([c, b]);
      expect(await ids(c)).toEqual(["first", "other"]);
      await c.sql("INSERT INTO users VALUES ('second', 'second@example.org', 'Third')");
      await settle([c, b], [a, b]);
      for (const node of [a, b, c]) {
        expect(await ids(node)).toEqual(["first", "other", "second"]);
        expect(await node.node.parked()).toEqual([]);
      }
      await expectEqual(a, b, c);
    });

    test("UNIQUE: hundreds of rows that cannot show do not keep those from showing whose obstacle is gone", async () => {
      const [a, b] = [await openNode("a", schema), await openNode("b", schema)];
      for (let n = 0; n < 450; n++)
        await b.sql("INSERT INTO users VALUES (?, ?, 'holds')", `holder ${n}`, `${n}@example.org`);
      await b.node.fold();
      a.clock.advance(1000);
      b.clock.advance(1000);
      for (let n = 0; n < 450; n++)
        await a.sql("INSERT INTO users VALUES (?, ?, 'waits')", `waiting ${n}`, `${n}@example.org`);
      await sync(a, b);
      expect((await b.node.parked()).length).toBe(450);
      await b.sql("DELETE FROM users WHERE id IN ('holder 1', 'holder 448', 'holder 449')");
      await b.node.fold();
      expect(await b.rows("SELECT id FROM users WHERE name = 'waits' ORDER BY id")).toEqual([
        { id: "waiting 1" },
        { id: "waiting 448" },
        { id: "waiting 449" },
      ]);
    });
  });

  describe("a change that is no good", () => {
    test("lineage 9: a page with a bad row is taken but for that row, which is kept with its reason, and the cursor moves on", async () => {
      const [hub, edge] = [await openNode("hub"), await openNode("edge")];
      for (const id of ["1", "2", "3"]) await order(edge, id, 5);
      // The peer spoils one row on its way, as a broken client would.
      const spoil: Tamper = (path, body, forward) => {
        if (path === "/pull") return forward(path, body);
        const message = JSON.parse(body);
        message.rows[1].lww.total = [{ not: "a number" }];
        return forward(path, JSON.stringify(message));
      };
      const [report] = await link(edge, hub, {}, spoil).sync();
      expect(report).toMatchObject({ pushed: 3, applied: 2, rejected: 1, error: null });
      expect(await orders(hub)).toEqual(["1", "3"]);
      const kept = await edge.rows<{ code: string; peer: string; change: string }>(
        "SELECT code, peer, change FROM _grove_parked",
      );
      expect(kept).toMatchObject([{ code: "bad_value", peer: "hub" }]);
      expect(JSON.parse(kept[0]!.change).change).toMatchObject({ table: "orders", pk: ["2"] });
      // It is not sent again by itself, and what comes after it is not held back.
      await order(edge, "4", 5);
      expect(await sync(edge, hub)).toMatchObject({ pushed: 1, applied: 1, rejected: 0 });
      expect(await orders(hub)).toEqual(["1", "3", "4"]);
    });

    test("lineage 9: a bad row in a pulled page is kept with its reason, and its neighbours are applied", async () => {
      const [hub, edge] = [await openNode("hub"), await openNode("edge")];
      for (const id of ["1", "2", "3"]) await order(hub, id, 5);
      const spoil: Tamper = async (path, body, forward) => {
        const response = await forward(path, body);
        if (path === "/push" || JSON.parse(body).rows === 0) return response;
        const page = (await response.json()) as { rows: { pk: string[]; cl: unknown }[] };
        for (const row of page.rows) if (row.pk[0] === "2") row.cl = "one";
        return Response.json(page);
      };
      const [report] = await link(edge, hub, {}, spoil).sync();
      expect(report).toMatchObject({ pulled: 3, applied: 2, rejected: 1, error: null });
      expect(await orders(edge)).toEqual(["1", "3"]);
      expect(await edge.rows("SELECT code, peer, pk FROM _grove_parked")).toEqual([
        { code: "bad_change", peer: "hub", pk: '["2"]' },
      ]);
      expect(await sync(edge, hub)).toMatchObject({ pulled: 0, error: null });
    });
  });
});
