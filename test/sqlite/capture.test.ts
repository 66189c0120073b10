// Capture of what only SQLite has: conflict clauses that remove other rows, keys through rowid, columns that hold any
// storage class. Everything else is in capture.test.ts.
import { describe, expect, test } from "vitest";
import { contents, expectEqual } from "../support/comparison";
import { describeOn } from "../support/dialects";
import { settle, sync } from "../support/network";
import { accountsOn, commonWrites, testWrites, type Writes } from "../support/writes";

const conflictClauses: Writes = {
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
  "an integer key changed through rowid": "UPDATE places SET rowid = 9 WHERE number = 1",
  "UPDATE OR REPLACE of rowid": "UPDATE OR REPLACE places SET rowid = 2 WHERE number = 1",
  "a statement that fails halfway": "UPDATE OR FAIL accounts SET email = 'same@x'",
};

describeOn("sqlite", "capture", (suite) => {
  const { pair } = accountsOn(suite);

  describe("the matrix of writes", () => {
    // UPDATE OR FAIL keeps the rows before the one that failed.
    const mayFail = (sql: string) => sql.includes("OR FAIL");
    testWrites(conflictClauses, pair, { mayFail });
    testWrites({ ...commonWrites(suite.dialect), ...conflictClauses }, pair, {
      mayFail,
      also: ", with recursive triggers",
      extra: ["PRAGMA recursive_triggers = ON"],
    });

    test("faults 20: a conflict clause that ignores what it was told to write is folded to nothing", async () => {
      const [a, b] = await pair();
      const { seq } = await a.node.store.position();
      // The triggers cannot know that the row which holds the key stays: the fold looks.
      await a.sql("INSERT OR IGNORE INTO accounts (id, email) VALUES ('9', 'one@x')");
      await a.sql("UPDATE OR IGNORE accounts SET email = 'one@x' WHERE id = '2'");
      expect(await sync(a, b)).toMatchObject({ pushed: 0 });
      expect((await a.node.store.position()).seq).toBe(seq);
    });

    test("faults 20: a row that REPLACE removes is dead on the other node, though that one has changed it meanwhile", async () => {
      const [a, b] = await pair();
      await b.sql("UPDATE accounts SET name = 'edited', visits = visits + 1 WHERE id = '1'");
      await a.sql("INSERT OR REPLACE INTO accounts (id, email, name) VALUES ('9', 'one@x', 'Nine')");
      await settle([a, b]);
      expect(await b.rows("SELECT id, name FROM accounts ORDER BY id")).toEqual([
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
        const before = await contents(a);
        await expect(a.sql(sql)).rejects.toThrow(/accounts\.(visits|tags) must be/);
        expect(await contents(a)).toEqual(before);
      }
    });
  });
});
