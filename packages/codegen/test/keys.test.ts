// Keys of every sort, and rows that lose their place to another one through a unique key.
import { describe, expect, test } from "vitest";
import { Captured, model } from "./database";

describe("keys are logged as they are stored", () => {
  test("composite", () => {
    const t = new Captured(
      `CREATE TABLE t (a text NOT NULL, b integer NOT NULL, x, PRIMARY KEY (a, b))`,
      model("t", ["a", "b"], ["x"]),
    );
    expect(t.ops(`INSERT INTO t VALUES ('p', 1, 0), ('p', 2, 0)`)).toEqual(["I p/1", "I p/2"]);
    expect(t.ops(`UPDATE t SET x = 1 WHERE b = 2`)).toEqual(["U p/2"]);
    expect(t.ops(`UPDATE t SET b = 3, x = 2 WHERE b = 2`)).toEqual(["D p/2", "I p/3"]);
    expect(t.ops(`DELETE FROM t`)).toEqual(["D p/1", "D p/3"]);
  });
  test("integer, also past 2^53, and when the rowid is set by another of its names", () => {
    const create = `CREATE TABLE t (id integer PRIMARY KEY NOT NULL, x)`;
    const t = new Captured(create, model("t", ["id"], ["x"], [], "integer"));
    t.db.defaultSafeIntegers(true);
    expect(t.ops(`INSERT INTO t (id) VALUES (9007199254740993)`)).toEqual(["I 9007199254740993"]);
    expect(t.ops(`UPDATE t SET rowid = 5`)).toEqual(["D 9007199254740993", "I 5"]);
    expect(t.ops(`UPDATE t SET _rowid_ = 6, x = 1`)).toEqual(["D 5", "I 6"]);
    expect(t.ops(`UPDATE t SET id = id, x = 2`)).toEqual(["U 6"]);
    expect(t.ops(`INSERT INTO t (x) VALUES (1)`)).toEqual(["I 7"]);
  });
  test("blob", () => {
    const t = new Captured(`CREATE TABLE t (id blob PRIMARY KEY NOT NULL, x)`, model("t", ["id"], ["x"], [], "blob"));
    expect(t.log(`INSERT INTO t (id) VALUES (X'00ff')`)[0]?.key).toEqual([Buffer.from([0, 255])]);
    expect(t.log(`UPDATE t SET id = X'00'`).map(({ key }) => key[0])).toEqual([
      Buffer.from([0, 255]),
      Buffer.from([0]),
    ]);
  });
  test("text of digits stays text, also beside a key column of another type", () => {
    const t = new Captured(`CREATE TABLE t (id text PRIMARY KEY NOT NULL, x)`, model("t", ["id"], ["x"]));
    expect(t.log(`INSERT INTO t (id) VALUES ('007')`)[0]?.key).toEqual(["007"]);
  });
  test("a key column may be called like one of our own", () => {
    const t = new Captured(
      `CREATE TABLE t (seq text PRIMARY KEY NOT NULL, at, mask)`,
      model("t", ["seq"], ["at", "mask"]),
    );
    expect(t.log(`INSERT INTO t (seq) VALUES ('k')`, `UPDATE t SET mask = 1`)).toEqual([
      { op: "I", key: ["k"], mask: null, before: null },
      { op: "U", key: ["k"], mask: 2, before: null },
    ]);
  });
});

describe("OR REPLACE through another unique key", () => {
  const create = `CREATE TABLE u (id text PRIMARY KEY NOT NULL, email text UNIQUE, org text, seat integer, UNIQUE (org, seat))`;
  const fresh = () => {
    const u = new Captured(create, model("u", ["id"], ["email", "org", "seat"], [["email"], ["org", "seat"]]));
    u.db.exec(`INSERT INTO u VALUES ('a', 'a@x', 'o', 1), ('b', 'b@x', 'o', 2), ('c', NULL, NULL, 1)`);
    return u;
  };
  test("logs the rows that an insert removes", () => {
    expect(fresh().ops(`INSERT OR REPLACE INTO u VALUES ('n', 'a@x', 'o', 2)`)).toEqual(["R a", "R b", "I n"]);
    expect(fresh().ops(`REPLACE INTO u VALUES ('a', 'b@x', 'p', 1)`)).toEqual(["R b", "I a"]);
  });
  test("logs the rows that an update removes", () => {
    expect(fresh().ops(`UPDATE OR REPLACE u SET email = 'b@x' WHERE id = 'a'`)).toEqual(["R b", "U a"]);
    expect(fresh().ops(`UPDATE OR REPLACE u SET org = 'o' WHERE id = 'c'`)).toEqual(["R a", "U c"]);
  });
  test("logs nothing where nothing conflicts: NULLs, the row itself, other columns", () => {
    expect(fresh().ops(`INSERT OR REPLACE INTO u VALUES ('n', NULL, NULL, 1)`)).toEqual(["I n"]);
    expect(fresh().ops(`INSERT OR REPLACE INTO u VALUES ('a', 'a@x', 'o', 1)`)).toEqual(["I a"]);
    expect(fresh().ops(`UPDATE OR REPLACE u SET email = email, seat = 7 WHERE id = 'a'`)).toEqual(["U a"]);
  });
  test("every row that is gone was logged, whatever its key", () => {
    for (const insert of [`(1, 'b@x')`, `(NULL, 'b@x')`, `(-1, 'a@x')`]) {
      const u = new Captured(
        `CREATE TABLE u (id integer PRIMARY KEY NOT NULL, email text UNIQUE)`,
        model("u", ["id"], ["email"], [["email"]], "integer"),
      );
      u.db.exec(`INSERT INTO u VALUES (-1, 'a@x'), (2, 'b@x')`);
      const before = u.db.prepare(`SELECT id FROM u`).pluck().all();
      const logged = u.log(`INSERT OR REPLACE INTO u VALUES ${insert}`).map(({ key }) => key[0]);
      const gone = before.filter((id) => !u.db.prepare(`SELECT id FROM u`).pluck().all().includes(id));
      expect(logged, insert).toEqual(expect.arrayContaining(gone));
    }
  });
  test("logs both where the unique key contains a part of the primary key", () => {
    const t = new Captured(
      `CREATE TABLE t (a text NOT NULL, b text NOT NULL, x text, PRIMARY KEY (a, b), UNIQUE (a, x))`,
      model("t", ["a", "b"], ["x"], [["a", "x"]]),
    );
    t.db.exec(`INSERT INTO t VALUES ('p', '1', 'x'), ('q', '2', 'x')`);
    expect(t.ops(`UPDATE OR REPLACE t SET a = 'p' WHERE a = 'q'`)).toEqual(["R p/1", "D q/2", "I p/2"]);
  });
});
