// The SQL matrix: what each way of writing to a table leaves in its log.
import { beforeEach, describe, expect, test } from "vitest";
import { Captured, model } from "./database";

const create = `CREATE TABLE docs (
  id text PRIMARY KEY NOT NULL, title text, body text DEFAULT '', views integer NOT NULL DEFAULT 0,
  tags text NOT NULL DEFAULT '[]', shelf text)`;
const [TITLE, BODY, VIEWS, TAGS] = [1, 2, 4, 8];
let docs: Captured;

beforeEach(() => {
  docs = new Captured(create, model("docs", ["id"], ["title", "body", "counter views", "set tags"]));
  docs.db.exec(`INSERT INTO docs (id, title) VALUES ('a', 'A'), ('b', 'B')`);
});

describe("an insert", () => {
  test("of one row logs its key", () => {
    expect(docs.log(`INSERT INTO docs (id) VALUES ('c')`)).toEqual([{ op: "I", key: ["c"], mask: null, before: null }]);
  });
  test("of many rows logs each", () => {
    expect(docs.ops(`INSERT INTO docs (id) VALUES ('c'), ('d')`)).toEqual(["I c", "I d"]);
    expect(docs.ops(`INSERT INTO docs (id) SELECT 'x' || id FROM docs`)).toEqual(["I xa", "I xb", "I xc", "I xd"]);
  });
  test("that fails logs nothing", () => {
    expect(docs.ops(`INSERT OR IGNORE INTO docs (id) VALUES ('a')`)).toEqual([]);
    expect(() => docs.db.exec(`INSERT INTO docs (id) VALUES ('c'), ('a')`)).toThrow(/UNIQUE/);
    expect(docs.db.prepare(`SELECT count(*) FROM _docs_log WHERE pk_id = 'c'`).pluck().get()).toBe(0);
  });
});

describe("an update", () => {
  test("logs the columns that changed and no others", () => {
    expect(docs.log(`UPDATE docs SET title = 'X', body = body WHERE id = 'a'`)).toEqual([
      { op: "U", key: ["a"], mask: TITLE, before: null },
    ]);
    expect(docs.log(`UPDATE docs SET title = 'Y', body = 'y'`).map(({ mask }) => mask)).toEqual([3, 3]);
  });
  test("that changes nothing logs nothing", () => {
    expect(docs.log(`UPDATE docs SET title = title, views = views + 0, tags = tags`)).toEqual([]);
  });
  test("of a column that is not annotated logs nothing", () => {
    expect(docs.log(`UPDATE docs SET shelf = 'left'`)).toEqual([]);
  });
  test("to NULL and from NULL is a change", () => {
    expect(docs.log(`UPDATE docs SET title = NULL WHERE id = 'a'`)[0]?.mask).toBe(TITLE);
    expect(docs.log(`UPDATE docs SET title = NULL WHERE id = 'a'`)).toEqual([]);
    expect(docs.log(`UPDATE docs SET title = 'A' WHERE id = 'a'`)[0]?.mask).toBe(TITLE);
  });
  test("keeps the old value of counters and sets that changed, each digit of it", () => {
    docs.db.exec(`UPDATE docs SET views = 9007199254740993, tags = '["x", 12345678901234567890]' WHERE id = 'a'`);
    expect(docs.log(`UPDATE docs SET views = views - 1 WHERE id = 'a'`)).toEqual([
      { op: "U", key: ["a"], mask: VIEWS, before: { views: "9007199254740993" } },
    ]);
    expect(docs.log(`UPDATE docs SET tags = '[]', title = 'T' WHERE id = 'a'`)[0]?.mask).toBe(TAGS + TITLE);
    expect(docs.db.prepare(`SELECT before FROM _docs_log`).pluck().get()).toBe('{"tags":["x", 12345678901234567890]}');
    expect(docs.log(`UPDATE docs SET views = 5, tags = '[1]', body = 'b' WHERE id = 'a'`)).toEqual([
      { op: "U", key: ["a"], mask: VIEWS + TAGS + BODY, before: { views: "9007199254740992", tags: [] } },
    ]);
  });
  test("of a value that was wrong before capture can mend it", () => {
    docs.db.exec(
      `INSERT INTO _grove_node (id, capture) VALUES (1, 0); UPDATE docs SET views = 'many', tags = '{' WHERE id = 'a'`,
    );
    docs.db.exec(`UPDATE _grove_node SET capture = 1`);
    expect(docs.log(`UPDATE docs SET views = 1, tags = '[]' WHERE id = 'a'`)[0]?.before).toEqual({
      views: "0",
      tags: null,
    });
  });
});

describe("a change of primary key", () => {
  test("logs both keys, once each", () => {
    expect(docs.log(`UPDATE docs SET id = 'z', title = 'Z' WHERE id = 'a'`)).toEqual([
      { op: "D", key: ["a"], mask: null, before: null },
      { op: "I", key: ["z"], mask: null, before: null },
    ]);
  });
  test("to the same key is an update", () => {
    expect(docs.ops(`UPDATE docs SET id = id, title = 'Z' WHERE id = 'a'`)).toEqual(["U a"]);
  });
  test("onto another row's key, with OR REPLACE, logs that key as well", () => {
    expect(docs.ops(`UPDATE OR REPLACE docs SET id = 'b' WHERE id = 'a'`)).toEqual(["D a", "I b"]);
  });
});

describe("a delete", () => {
  test("logs each key", () => {
    expect(docs.log(`DELETE FROM docs`)).toEqual([
      { op: "D", key: ["a"], mask: null, before: null },
      { op: "D", key: ["b"], mask: null, before: null },
    ]);
  });
});

describe("an upsert", () => {
  test("that updates logs the update", () => {
    const upsert = `INSERT INTO docs (id, title) VALUES ('a', 'N') ON CONFLICT (id) DO UPDATE SET title = excluded.title`;
    expect(docs.log(upsert)).toEqual([{ op: "U", key: ["a"], mask: TITLE, before: null }]);
    expect(docs.log(upsert)).toEqual([]);
  });
  test("that inserts logs the insert, that does nothing logs nothing", () => {
    const upsert = (id: string) => `INSERT INTO docs (id) VALUES ('${id}') ON CONFLICT DO NOTHING`;
    expect(docs.ops(upsert("a"))).toEqual([]);
    expect(docs.ops(upsert("c"))).toEqual(["I c"]);
  });
  test("INSERT OR REPLACE logs the key", () => {
    expect(docs.ops(`INSERT OR REPLACE INTO docs (id) VALUES ('a'), ('c')`)).toEqual(["I a", "I c"]);
  });
});

describe("a trigger of the user's", () => {
  test("that updates the same row is captured as well", () => {
    docs.db.exec(`CREATE TRIGGER touch AFTER UPDATE OF title ON docs BEGIN
      UPDATE docs SET body = 'touched', views = views + 1 WHERE id = NEW.id; END`);
    const log = docs.log(`UPDATE docs SET title = 'T' WHERE id = 'a'`);
    expect(log.map(({ mask }) => mask).sort()).toEqual([TITLE, BODY + VIEWS]);
    expect(log.find(({ mask }) => mask === BODY + VIEWS)?.before).toEqual({ views: "0" });
  });
});

describe("the switch", () => {
  test("on or never set, writes are captured; off, they are not", () => {
    expect(docs.ops(`INSERT INTO docs (id) VALUES ('c')`)).toEqual(["I c"]);
    docs.db.exec(`INSERT INTO _grove_node (id) VALUES (1)`);
    expect(docs.ops(`INSERT INTO docs (id) VALUES ('d')`)).toEqual(["I d"]);
    docs.db.exec(`UPDATE _grove_node SET capture = 0`);
    expect(
      docs.ops(
        `INSERT INTO docs (id) VALUES ('e')`,
        `UPDATE docs SET title = 'T'`,
        `UPDATE docs SET id = 'f' WHERE id = 'e'`,
        `INSERT OR REPLACE INTO docs (id) VALUES ('a')`,
        `DELETE FROM docs`,
      ),
    ).toEqual([]);
  });
});

test("the time of a write is in microseconds, and a test can set it", () => {
  const before = Date.now() - 1;
  docs.log(`DELETE FROM docs WHERE id = 'a'`);
  const at = docs.db.prepare(`SELECT at FROM _docs_log`).pluck().get() as number;
  expect(at / 1000).toBeGreaterThanOrEqual(before);
  expect(at / 1000).toBeLessThanOrEqual(Date.now() + 1);
  docs.db.function("unixepoch", { varargs: true }, () => 12.000345);
  docs.log(`DELETE FROM docs WHERE id = 'b'`);
  expect(docs.db.prepare(`SELECT at FROM _docs_log`).pluck().get()).toBe(12_000_345);
});
