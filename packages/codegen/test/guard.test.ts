// Values that could not be folded are refused where they are written.
import { beforeEach, describe, expect, test } from "vitest";
import { Captured, model } from "./database";

let t: Captured;
beforeEach(() => {
  t = new Captured(
    `CREATE TABLE t (id text PRIMARY KEY NOT NULL, n integer NOT NULL DEFAULT 0, s text NOT NULL DEFAULT '[]', x)`,
    model("t", ["id"], ["counter n", "set s", "x"]),
  );
  t.db.exec(`INSERT INTO t (id) VALUES ('a')`);
});

describe("a counter", () => {
  test.each(["'many'", "1.5", "X'01'", "9223372036854775808"])("is refused as %s", (value) => {
    expect(() => t.db.exec(`INSERT INTO t (id, n) VALUES ('b', ${value})`)).toThrow(
      "grove-crdt: t.n must be an integer",
    );
    expect(() => t.db.exec(`UPDATE t SET n = ${value}`)).toThrow("grove-crdt: t.n must be an integer");
    expect(t.db.prepare(`SELECT count(*) FROM t`).pluck().get()).toBe(1);
  });
  test.each(["'5'", "5.0", "-9223372036854775808"])("is taken as %s, which the column makes an integer", (value) => {
    t.db.exec(`UPDATE t SET n = ${value}`);
    expect(t.db.prepare(`SELECT typeof(n) FROM t`).pluck().get()).toBe("integer");
  });
  test("cannot overflow unnoticed", () => {
    t.db.exec(`UPDATE t SET n = 9223372036854775807`);
    expect(() => t.db.exec(`UPDATE t SET n = n + 1`)).toThrow("grove-crdt: t.n must be an integer");
  });
});

describe("a set", () => {
  test.each(["'x'", "''", "'{}'", "'null'", "'[1,'", "'[1] '' '", "5", "X'5b5d'", "jsonb('[]')"])(
    "is refused as %s",
    (value) => {
      expect(() => t.db.exec(`INSERT INTO t (id, s) VALUES ('b', ${value})`)).toThrow(
        "grove-crdt: t.s must be a JSON array",
      );
      expect(() => t.db.exec(`UPDATE t SET s = ${value}`)).toThrow("grove-crdt: t.s must be a JSON array");
    },
  );
  test.each([`'[]'`, `' [1, "a", {"b": null}] '`, `json_array(1)`])("is taken as %s", (value) => {
    t.db.exec(`UPDATE t SET s = ${value}`);
  });
});

test("what is written after all is judged, not what an upsert or a default puts aside", () => {
  t.db.exec(`INSERT INTO t (id, n) VALUES ('a', 'bad') ON CONFLICT (id) DO UPDATE SET x = 1`);
  t.db.exec(`INSERT OR IGNORE INTO t (id, n) VALUES ('a', 'bad')`);
  t.db.exec(`INSERT OR REPLACE INTO t (id, n) VALUES ('c', NULL)`);
  expect(t.db.prepare(`SELECT id, n FROM t`).raw().all()).toEqual([
    ["a", 0],
    ["c", 0],
  ]);
});

test("other columns of a row that was wrong before capture can still be written", () => {
  t.db.exec(`INSERT INTO _grove_node (id, capture) VALUES (1, 0)`);
  t.db.exec(`UPDATE t SET n = 'bad'; UPDATE _grove_node SET capture = 1`);
  expect(t.ops(`UPDATE t SET x = 1`)).toEqual(["U a"]);
  expect(t.ops(`UPDATE t SET n = 'bad'`)).toEqual([]);
});
