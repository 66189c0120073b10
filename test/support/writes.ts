// Ways in which an application writes: each is run on one of two nodes that hold the same rows, and both are held against
// the writer's own table.
import { counter, local, lww, set } from "grove-crdt/schema";
import { beforeAll, expect, test } from "vitest";
import { contents, expectEqual } from "./comparison";
import type { TestDialect } from "./dialect";
import type { Suite } from "./dialects";
import { settle, sync } from "./network";
import type { TestNode } from "./node";
import type { TestSchema } from "./schemas";

/** One or more statements, by what they are. */
export type Writes = Readonly<Record<string, string | readonly string[]>>;

export const seed = ({ textsOf }: TestDialect): string => `
  INSERT INTO accounts VALUES ('1', 'one@x', 'One', 1, '${textsOf("a")}', 'd1'), ('2', 'two@x', 'Two', 2, '${textsOf("b")}', 'd2'), ('3', NULL, 'Three', 3, '${textsOf()}', NULL);
  INSERT INTO places VALUES (1, 'first', 'A'), (2, 'second', 'B'), (3, 'third', NULL)`;

/** A table with a unique key and every kind of column, one with an integer key, and one that refers to an unannotated one. */
export function exportsOf({ table, text, integer, texts, uniqueIndex }: TestDialect) {
  const accounts = table(
    "accounts",
    {
      id: text("id").primaryKey(),
      email: lww(text("email")),
      name: lww(text("name")),
      visits: counter(integer("visits").notNull().default(0)),
      tags: set(texts("tags").notNull().default([])),
      draft: local(text("draft")),
    },
    (t) => [uniqueIndex("accounts_email").on(t.email)],
  );
  const places = table(
    "places",
    { number: integer("number").primaryKey(), name: lww(text("name")), code: lww(text("code")) },
    (t) => [uniqueIndex("places_code").on(t.code)],
  );
  const folders = table("folders", { id: text("id").primaryKey(), title: text("title") });
  const files = table("files", {
    id: text("id").primaryKey(),
    folder: lww(text("folder").references(() => folders.id, { onDelete: "cascade", onUpdate: "cascade" })),
  });
  return { accounts, places, folders, files };
}

/** The schema for a suite's tests, and two nodes with the seeded rows. */
export function accountsOn({ dialect, openNode, makeSchema }: Suite) {
  let made: TestSchema;
  beforeAll(async () => {
    made = await makeSchema(exportsOf(dialect));
  });
  return {
    schema: (): TestSchema => made,
    pair: async (extra: readonly string[] = []): Promise<[TestNode, TestNode]> => {
      const a = await openNode("a", made);
      const b = await openNode("b", { ...made, clock: a.clock });
      await a.sql(seed(dialect));
      await settle([a, b]);
      a.clock.advance(1000);
      for (const sql of extra) await a.sql(sql);
      return [a, b];
    },
  };
}

export interface WriteOptions {
  /** Goes into the tests' names. */
  readonly also?: string;
  readonly extra?: readonly string[];
  /** A statement that may fail and still has written. */
  readonly mayFail?: (sql: string) => boolean;
}

/** Whatever was written, the other node ends with what the writer's table says, and the writer's table stays as written. */
export function testWrites(
  writes: Writes,
  pair: (extra?: readonly string[]) => Promise<[TestNode, TestNode]>,
  { also = "", extra = [], mayFail = () => false }: WriteOptions = {},
): void {
  for (const [name, sql] of Object.entries(writes)) {
    test(`faults 20: ${name}${also}`, async () => {
      const [a, b] = await pair(extra);
      for (const statement of typeof sql === "string" ? [sql] : sql) {
        await a.sql(statement).catch((error: unknown) => {
          if (!mayFail(statement)) throw error;
        });
      }
      const written = await contents(a);
      expect(await sync(a, b)).toMatchObject({ rejected: 0, parked: 0, error: null });
      expect(await contents(a)).toEqual(written);
      expect(await contents(b)).toEqual(written);
      await expectEqual(a, b);
      const second = "SELECT draft FROM accounts WHERE id = '2' AND email = 'two@x' AND name = 'Two'";
      const drafts = await a.rows<{ draft: string }>(second);
      expect(drafts.every(({ draft }) => ["d2", "mine"].includes(draft))).toBe(true);
    });
  }
}

/** What every dialect understands, on the seeded rows. */
export const commonWrites = ({ append, textsOf }: TestDialect): Writes => ({
  "upsert that inserts":
    "INSERT INTO accounts (id, name) VALUES ('9', 'Nine') ON CONFLICT (id) DO UPDATE SET name = excluded.name",
  "upsert that updates":
    "INSERT INTO accounts (id, name) VALUES ('1', 'Uno') ON CONFLICT (id) DO UPDATE SET name = excluded.name, visits = accounts.visits + 5",
  "upsert through another unique key": `INSERT INTO accounts (id, email, name) VALUES ('9', 'one@x', 'Uno') ON CONFLICT (email) DO UPDATE SET name = excluded.name, tags = '${textsOf("a", "z")}'`,
  "upsert with a condition that does not hold":
    "INSERT INTO accounts (id, name) VALUES ('1', 'Uno') ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE accounts.visits > 100",
  "upsert that does nothing": "INSERT INTO accounts (id, name) VALUES ('1', 'Uno') ON CONFLICT DO NOTHING",
  "upsert of several, some of which do nothing":
    "INSERT INTO accounts (id, email, name) VALUES ('1', 'x', 'Uno'), ('9', 'one@x', 'Nine'), ('8', 'eight@x', 'Eight') ON CONFLICT DO NOTHING",
  "a changed primary key": "UPDATE accounts SET id = '9' WHERE id = '1'",
  "a changed primary key together with fields": `UPDATE accounts SET id = '9', name = 'Nine', visits = visits + 1, tags = '${textsOf("n")}' WHERE id = '1'`,
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
  "all integer keys moved": "UPDATE places SET number = number + 10, name = name || number",
  "UPDATE FROM another table":
    "UPDATE accounts SET name = places.name FROM places WHERE places.number = accounts.visits",
  "UPDATE of all rows": `UPDATE accounts SET name = upper(name), visits = visits * 2, tags = ${append("tags", "'all'")}`,
  "UPDATE that changes nothing": "UPDATE accounts SET name = name, visits = visits, tags = tags, email = email",
  "UPDATE of a local column alone": "UPDATE accounts SET draft = 'mine'",
  "INSERT from SELECT": `INSERT INTO accounts (id, name, tags) SELECT 'p' || number, name, ${append(`'${textsOf()}'`, "coalesce(code, 'none')")} FROM places`,
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
    `INSERT INTO accounts (id, visits, tags) VALUES ('9', 7, '${textsOf("x", "y")}')`,
    `UPDATE accounts SET visits = visits + 1, tags = '${textsOf("y")}' WHERE id = '9'`,
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
});
