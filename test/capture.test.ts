// Capture: whatever way SQL has to change a row, the other nodes end with what the writer's table says, and the writer's
// table stays as it was written. The table itself is the oracle.
import { integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { counter, local, lww, set } from "grove-crdt/schema";
import { beforeAll, describe, expect, test } from "vitest";
import { contents, expectEqual, openNode, settle, sync, type TestNode } from "./support/nodes";
import { makeSchema, type TestSchema } from "./support/schemas";

const accounts = sqliteTable(
  "accounts",
  {
    id: text("id").primaryKey(),
    email: lww(text("email")),
    name: lww(text("name")),
    visits: counter(integer("visits").notNull().default(0)),
    tags: set(text("tags", { mode: "json" }).$type<string[]>().notNull().default([])),
    draft: local(text("draft")),
  },
  (t) => [uniqueIndex("accounts_email").on(t.email)],
);
const places = sqliteTable(
  "places",
  { number: integer("number").primaryKey(), name: lww(text("name")), code: lww(text("code")) },
  (t) => [uniqueIndex("places_code").on(t.code)],
);
const folders = sqliteTable("folders", { id: text("id").primaryKey(), title: text("title") });
const files = sqliteTable("files", {
  id: text("id").primaryKey(),
  folder: lww(text("folder").references(() => folders.id, { onDelete: "cascade", onUpdate: "cascade" })),
});

let schema: TestSchema;
beforeAll(async () => {
  schema = await makeSchema({ accounts, places, folders, files });
});

const seed = `
  INSERT INTO accounts VALUES ('1', 'one@x', 'One', 1, '["a"]', 'd1'), ('2', 'two@x', 'Two', 2, '["b"]', 'd2'), ('3', NULL, 'Three', 3, '[]', NULL);
  INSERT INTO places VALUES (1, 'first', 'A'), (2, 'second', 'B'), (3, 'third', NULL)`;

/** Two nodes with the same rows. */
async function pair(extra: readonly string[] = []): Promise<[TestNode, TestNode]> {
  const a = await openNode("a", schema);
  const b = await openNode("b", { ...schema, clock: a.clock });
  a.sql(seed);
  await settle([a, b]);
  a.clock.advance(1000);
  for (const sql of extra) a.sql(sql);
  return [a, b];
}

/** Statements that an application may run, each on the seeded rows. */
const statements: Record<string, string | readonly string[]> = {
  "upsert that inserts":
    "INSERT INTO accounts (id, name) VALUES ('9', 'Nine') ON CONFLICT (id) DO UPDATE SET name = excluded.name",
  "upsert that updates":
    "INSERT INTO accounts (id, name) VALUES ('1', 'Uno') ON CONFLICT (id) DO UPDATE SET name = excluded.name, visits = visits + 5",
  "upsert through another unique key":
    "INSERT INTO accounts (id, email, name) VALUES ('9', 'one@x', 'Uno') ON CONFLICT (email) DO UPDATE SET name = excluded.name, tags = '[\"a\",\"z\"]'",
  "upsert with a condition that does not hold":
    "INSERT INTO accounts (id, name) VALUES ('1', 'Uno') ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE visits > 100",
  "upsert that does nothing": "INSERT INTO accounts (id, name) VALUES ('1', 'Uno') ON CONFLICT DO NOTHING",
  "INSERT OR IGNORE":
    "INSERT OR IGNORE INTO accounts (id, email, name) VALUES ('1', 'x', 'Uno'), ('9', 'one@x', 'Nine'), ('8', 'eight@x', 'Eight')",
  "INSERT OR REPLACE of the same key": "INSERT OR REPLACE INTO accounts (id, email, name) VALUES ('1', 'one@x', 'Uno')",
  "INSERT OR REPLACE of the same key with the same values":
    "INSERT OR REPLACE INTO accounts SELECT * FROM accounts WHERE id = '1'",
  "INSERT OR REPLACE that removes a row through another unique key":
    "INSERT OR REPLACE INTO accounts (id, email, name, visits) VALUES ('9', 'one@x', 'Nine', 9)",
  "INSERT OR REPLACE that removes two rows":
    "INSERT OR REPLACE INTO accounts (id, email, name) VALUES ('1', 'two@x', 'Uno')",
  "REPLACE of many":
    "REPLACE INTO accounts (id, email, name) VALUES ('2', 'one@x', 'Dos'), ('1', 'two@x', 'Uno'), ('3', 'two@x', 'Tres')",
  "REPLACE into an integer key that is chosen by the database": "REPLACE INTO places (name, code) VALUES ('new', 'A')",
  "UPDATE OR REPLACE of a unique key": "UPDATE OR REPLACE accounts SET email = 'two@x' WHERE id = '1'",
  "UPDATE OR REPLACE of the primary key": "UPDATE OR REPLACE accounts SET id = '2' WHERE id = '1'",
  "UPDATE OR REPLACE of both keys": "UPDATE OR REPLACE accounts SET id = '3', email = 'two@x' WHERE id = '1'",
  "UPDATE OR IGNORE": "UPDATE OR IGNORE accounts SET email = 'two@x', name = name || '!'",
  "a changed primary key": "UPDATE accounts SET id = '9' WHERE id = '1'",
  "a changed primary key together with fields":
    "UPDATE accounts SET id = '9', name = 'Nine', visits = visits + 1, tags = '[\"n\"]' WHERE id = '1'",
  "a primary key changed and changed back": [
    "UPDATE accounts SET id = '9' WHERE id = '1'",
    "UPDATE accounts SET id = '1', name = 'Back' WHERE id = '9'",
  ],
  "two primary keys that change places": [
    "UPDATE accounts SET id = 'tmp' WHERE id = '1'",
    "UPDATE accounts SET id = '1' WHERE id = '2'",
    "UPDATE accounts SET id = '2' WHERE id = 'tmp'",
  ],
  "a primary key taken from a deleted row": [
    "DELETE FROM accounts WHERE id = '2'",
    "UPDATE accounts SET id = '2' WHERE id = '1'",
  ],
  "an integer key changed by its name": "UPDATE places SET number = 9 WHERE number = 1",
  "an integer key changed through rowid": "UPDATE places SET rowid = 9 WHERE number = 1",
  "UPDATE OR REPLACE of rowid": "UPDATE OR REPLACE places SET rowid = 2 WHERE number = 1",
  "all integer keys moved": "UPDATE places SET number = number + 10, name = name || number",
  "UPDATE FROM another table":
    "UPDATE accounts SET name = places.name FROM places WHERE places.number = accounts.visits",
  "UPDATE of all rows":
    "UPDATE accounts SET name = upper(name), visits = visits * 2, tags = json_insert(tags, '$[#]', 'all')",
  "UPDATE that changes nothing": "UPDATE accounts SET name = name, visits = visits, tags = tags, email = email",
  "UPDATE of a local column alone": "UPDATE accounts SET draft = 'mine'",
  "INSERT from SELECT":
    "INSERT INTO accounts (id, name, tags) SELECT 'p' || number, name, json_array(code) FROM places",
  "INSERT with RETURNING": "INSERT INTO accounts (id, name) VALUES ('9', 'Nine') RETURNING *",
  "DELETE of one row": "DELETE FROM accounts WHERE id = '2'",
  "DELETE of all rows": "DELETE FROM accounts",
  "a row inserted and deleted at once": [
    "INSERT INTO accounts (id) VALUES ('9')",
    "DELETE FROM accounts WHERE id = '9'",
  ],
  "a row deleted and inserted again": [
    "DELETE FROM accounts WHERE id = '1'",
    "INSERT INTO accounts (id, name) VALUES ('1', 'Again')",
  ],
  "a row deleted, inserted, changed and deleted": [
    "DELETE FROM accounts WHERE id = '1'",
    "INSERT INTO accounts (id, name) VALUES ('1', 'Again')",
    "UPDATE accounts SET visits = 5 WHERE id = '1'",
    "DELETE FROM accounts WHERE id = '1'",
  ],
  "a row inserted, counted and tagged": [
    "INSERT INTO accounts (id, visits, tags) VALUES ('9', 7, '[\"x\",\"y\"]')",
    "UPDATE accounts SET visits = visits + 1, tags = '[\"y\"]' WHERE id = '9'",
    "UPDATE accounts SET visits = visits - 3 WHERE id = '9'",
  ],
  "values swapped between rows": [
    "UPDATE accounts SET email = NULL WHERE id = '1'",
    "UPDATE accounts SET email = 'one@x' WHERE id = '2'",
    "UPDATE accounts SET email = 'two@x' WHERE id = '1'",
  ],
  "a field set to NULL": "UPDATE accounts SET email = NULL, name = NULL WHERE id = '1'",
  "a transaction": "BEGIN; UPDATE accounts SET name = 'T'; DELETE FROM places WHERE number = 2; COMMIT",
  "a transaction rolled back": "BEGIN; UPDATE accounts SET name = 'T', visits = 99; DELETE FROM places; ROLLBACK",
  "a savepoint rolled back":
    "BEGIN; UPDATE accounts SET name = 'kept'; SAVEPOINT s; UPDATE accounts SET name = 'lost', visits = 99; DELETE FROM places; ROLLBACK TO s; COMMIT",
  "a statement that fails halfway": "UPDATE OR FAIL accounts SET email = 'same@x'",
};

describe("the matrix of writes", () => {
  for (const recursive of [false, true]) {
    for (const [name, sql] of Object.entries(statements)) {
      test(`faults 20: ${name}${recursive ? ", with recursive triggers" : ""}`, async () => {
        const [a, b] = await pair();
        if (recursive) a.sql("PRAGMA recursive_triggers = ON");
        for (const statement of typeof sql === "string" ? [sql] : sql) {
          try {
            a.sql(statement);
          } catch (error) {
            // UPDATE OR FAIL keeps the rows before the one that failed.
            if (!statement.includes("OR FAIL")) throw error;
          }
        }
        const written = contents(a);
        expect(await sync(a, b)).toMatchObject({ rejected: 0, parked: 0, error: null });
        expect(contents(a)).toEqual(written);
        expect(contents(b)).toEqual(written);
        await expectEqual(a, b);
        expect(
          a
            .rows("SELECT draft FROM accounts WHERE id = '2' AND email = 'two@x' AND name = 'Two'")
            .every((row) => ["d2", "mine"].includes((row as { draft: string }).draft)),
        ).toBe(true);
      });
    }
  }

  test("faults 20: a write that changes nothing is folded to nothing", async () => {
    const [a, b] = await pair();
    const { seq } = await a.node.store.position();
    for (const name of [
      "UPDATE that changes nothing",
      "UPDATE of a local column alone",
      "upsert that does nothing",
      "a transaction rolled back",
    ])
      a.sql(statements[name] as string);
    // The triggers cannot know that the row which holds the key stays: the fold looks.
    a.sql("INSERT OR IGNORE INTO accounts (id, email) VALUES ('9', 'one@x')");
    a.sql("UPDATE OR IGNORE accounts SET email = 'one@x' WHERE id = '2'");
    expect(() => a.sql("INSERT INTO accounts (id, email) VALUES ('9', 'one@x')")).toThrow("UNIQUE");
    expect(await sync(a, b)).toMatchObject({ pushed: 0 });
    expect((await a.node.store.position()).seq).toBe(seq);
  });

  test("faults 20: a row that REPLACE might have removed and did not keeps its life, and what others wrote to it", async () => {
    const [a, b] = await pair();
    a.sql(
      "INSERT INTO accounts (id, email) VALUES ('9', 'one@x') ON CONFLICT (email) DO UPDATE SET tags = '[\"kept\"]'",
    );
    b.sql("UPDATE accounts SET name = 'edited', visits = visits + 1 WHERE id = '1'");
    await settle([a, b]);
    expect(a.row("SELECT name, visits, tags FROM accounts WHERE id = '1'")).toEqual({
      name: "edited",
      visits: 2,
      tags: '["kept"]',
    });
    expect((await a.node.inspect("accounts", ["1"]))?.cl).toBe(1);
    await expectEqual(a, b);
  });

  test("faults 20: what was counted before a delete is no count of the life after it", async () => {
    const [a, b] = await pair();
    a.sql("UPDATE accounts SET visits = visits + 50 WHERE id = '1'");
    for (const [node, visits] of [
      [a, 7],
      [b, 100],
    ] as const) {
      node.sql("DELETE FROM accounts WHERE id = '1'");
      node.sql(`INSERT INTO accounts (id, visits) VALUES ('1', ${visits})`);
      node.sql("UPDATE accounts SET visits = visits + 2 WHERE id = '1'");
      await node.node.fold();
      node.clock.advance(1);
    }
    await settle([a, b]);
    // Born with the later one's 100, and two more on each node.
    expect(a.row("SELECT visits FROM accounts WHERE id = '1'")).toEqual({ visits: 104 });
    await expectEqual(a, b);
  });

  test("faults 20: a row that REPLACE removes is dead on the other node, though that one has changed it meanwhile", async () => {
    const [a, b] = await pair();
    b.sql("UPDATE accounts SET name = 'edited', visits = visits + 1 WHERE id = '1'");
    a.sql("INSERT OR REPLACE INTO accounts (id, email, name) VALUES ('9', 'one@x', 'Nine')");
    await settle([a, b]);
    expect(b.rows("SELECT id, name FROM accounts ORDER BY id")).toEqual([
      { id: "2", name: "Two" },
      { id: "3", name: "Three" },
      { id: "9", name: "Nine" },
    ]);
    await expectEqual(a, b);
  });

  test("faults 20: a counter and a set that are no longer one are refused where they are written", async () => {
    const [a] = await pair();
    for (const sql of [
      "UPDATE accounts SET visits = 'many'",
      "UPDATE accounts SET visits = 1.5",
      "INSERT INTO accounts (id, visits) VALUES ('9', x'01')",
      "UPDATE accounts SET tags = 'no json'",
      "UPDATE accounts SET tags = '{}'",
      "INSERT INTO accounts (id, tags) VALUES ('9', '5')",
    ]) {
      const before = contents(a);
      expect(() => a.sql(sql)).toThrow(/accounts\.(visits|tags) must be/);
      expect(contents(a)).toEqual(before);
    }
  });
});

describe("writes by triggers and references", () => {
  test("faults 20: rows that a trigger of the user deletes in another table are deleted on the other node", async () => {
    const trigger =
      "CREATE TRIGGER tidy AFTER DELETE ON accounts BEGIN DELETE FROM places WHERE name = OLD.name; UPDATE accounts SET visits = visits + 1; END";
    const [a, b] = await pair(["UPDATE places SET name = 'One' WHERE number < 3", trigger]);
    a.sql("DELETE FROM accounts WHERE id = '1'");
    const written = contents(a);
    expect(written.places?.length).toBe(1);
    await sync(a, b);
    expect(contents(b)).toEqual(written);
    expect(b.rows("SELECT visits FROM accounts ORDER BY id")).toEqual([{ visits: 3 }, { visits: 4 }]);
    await expectEqual(a, b);
  });

  test("faults 20: a cascade from a table that is not replicated deletes and changes the rows on the other node", async () => {
    const a = await openNode("a", schema);
    const b = await openNode("b", { ...schema, clock: a.clock });
    for (const { db } of [a, b]) {
      db.pragma("foreign_keys = ON");
      db.exec("INSERT INTO folders VALUES ('f1', 'one'), ('f2', 'two'), ('f3', 'three')");
    }
    a.sql("INSERT INTO files VALUES ('x', 'f1'), ('y', 'f1'), ('z', 'f2')");
    await settle([a, b]);
    b.sql("INSERT INTO folders VALUES ('f9', 'nine')");
    a.sql("DELETE FROM folders WHERE id = 'f1'");
    a.sql("UPDATE folders SET id = 'f9' WHERE id = 'f2'");
    await settle([a, b]);
    expect(b.rows("SELECT * FROM files")).toEqual([{ id: "z", folder: "f9" }]);
    await expectEqual(a, b);
  });

  for (const [when, trigger] of [
    ["after an update", "AFTER UPDATE OF name ON accounts"],
    ["after an insert and an update", "AFTER INSERT ON accounts"],
  ] as const) {
    test(`faults 48: a user's trigger that changes the same row ${when} is captured, and its value is the last`, async () => {
      const create = `CREATE TRIGGER polish ${trigger} BEGIN UPDATE accounts SET name = trim(NEW.name), email = lower(NEW.email), visits = visits + 1 WHERE id = NEW.id; END`;
      const [a, b] = await pair([create]);
      a.sql("UPDATE accounts SET name = '  Uno ', email = 'UNO@x' WHERE id = '1'");
      a.sql("INSERT INTO accounts (id, name, email) VALUES ('9', ' Nine ', 'NINE@x')");
      a.sql("UPDATE accounts SET name = ' Neun ' WHERE id = '9'");
      const written = contents(a);
      await sync(a, b);
      expect(contents(a)).toEqual(written);
      expect(contents(b)).toEqual(written);
      await expectEqual(a, b);
    });
  }

  for (const order of ["before", "after"] as const) {
    test(`faults 48: a trigger made ${order} ours that brings a deleted row back, or takes an inserted one away, is the last word`, async () => {
      const triggers = [
        "CREATE TRIGGER revive AFTER DELETE ON accounts BEGIN INSERT INTO accounts (id, name) VALUES (OLD.id, 'revived'); END",
        "CREATE TRIGGER once AFTER INSERT ON places WHEN NEW.name = 'once' BEGIN DELETE FROM places WHERE number = NEW.number; END",
      ];
      const a = await openNode("a", {
        ...schema,
        before: (db) => {
          if (order === "before") for (const trigger of triggers) db.exec(trigger);
        },
      });
      const b = await openNode("b", { ...schema, clock: a.clock });
      a.sql(seed);
      await settle([a, b]);
      if (order === "after") for (const trigger of triggers) a.sql(trigger);
      // Nested triggers write the log in another order than the rows were written in.
      a.sql("DELETE FROM accounts WHERE id = '1'");
      a.sql("INSERT INTO places (number, name) VALUES (7, 'once')");
      a.sql("UPDATE accounts SET id = '8' WHERE id = '2'");
      const written = contents(a);
      await sync(a, b);
      expect(contents(a)).toEqual(written);
      expect(contents(b)).toEqual(written);
      expect(b.row("SELECT name FROM accounts WHERE id = '1'")).toEqual({ name: "revived" });
      expect(b.row("SELECT 1 FROM places WHERE number = 7")).toBeUndefined();
      await expectEqual(a, b);
    });
  }

  test("faults 48: a trigger before the update that deletes and inserts the row again is captured", async () => {
    const create =
      "CREATE TRIGGER odd AFTER UPDATE OF name ON accounts WHEN NEW.name = 'reborn' BEGIN DELETE FROM accounts WHERE id = NEW.id; INSERT INTO accounts (id, name) VALUES (NEW.id, 'born again'); END";
    const [a, b] = await pair([create]);
    a.sql("UPDATE accounts SET name = 'reborn', visits = visits + 5 WHERE id = '1'");
    await sync(a, b);
    expect(b.row("SELECT name, visits, tags FROM accounts WHERE id = '1'")).toEqual({
      name: "born again",
      visits: 0,
      tags: "[]",
    });
    await expectEqual(a, b);
  });

  test("faults 48: on a node whose trigger changes what a merge writes, the sender's value is what others get", async () => {
    const [a, b] = await pair();
    const c = await openNode("c", { ...schema, clock: a.clock });
    b.sql(
      "CREATE TRIGGER shout AFTER UPDATE OF name ON accounts BEGIN UPDATE accounts SET name = upper(NEW.name) WHERE id = NEW.id; END",
    );
    a.sql("UPDATE accounts SET name = 'quiet' WHERE id = '1'");
    await settle([a, b], [c, b]);
    expect(c.row("SELECT name FROM accounts WHERE id = '1'")).toEqual({ name: "quiet" });
    expect(a.row("SELECT name FROM accounts WHERE id = '1'")).toEqual({ name: "quiet" });
  });
});
