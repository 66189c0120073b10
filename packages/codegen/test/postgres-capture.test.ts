// The SQL matrix on Postgres: what each way of writing to a table leaves in its log.
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Captured, usePostgres } from "./postgres-database";
import { model } from "./postgres-model";

usePostgres();

const create = `
  CREATE TABLE docs (id text PRIMARY KEY, title text, body text DEFAULT '', views bigint NOT NULL DEFAULT 0,
    tags jsonb NOT NULL DEFAULT '[]', shelf text)`;
const [TITLE, BODY, VIEWS, TAGS] = [1, 2, 4, 8];
let docs: Captured;

beforeAll(async () => {
  docs = await Captured.create(create, model("docs", ["id"], ["title", "body", "counter views", "set tags"]));
});
beforeEach(async () => {
  await docs.run(`DELETE FROM docs`, `INSERT INTO docs (id, title) VALUES ('a', 'A'), ('b', 'B')`);
});

describe("an insert", () => {
  test("of one row logs its key", async () => {
    expect(await docs.log(`INSERT INTO docs (id) VALUES ('c')`)).toEqual([
      { op: "I", key: ["c"], mask: null, before: null },
    ]);
  });
  test("of many rows logs each", async () => {
    expect(await docs.ops(`INSERT INTO docs (id) VALUES ('c'), ('d')`)).toEqual(["I c", "I d"]);
    expect(await docs.ops(`INSERT INTO docs (id) SELECT 'x' || id FROM docs`)).toHaveLength(4);
    expect(await docs.ops(`INSERT INTO docs (id) SELECT n::text FROM generate_series(1, 5000) AS n`)).toHaveLength(
      5000,
    );
  });
  test("of no row or one that fails logs nothing", async () => {
    expect(await docs.ops(`INSERT INTO docs (id) SELECT 'c' WHERE false`)).toEqual([]);
    await expect(docs.run(`INSERT INTO docs (id) VALUES ('c'), ('a')`)).rejects.toThrow(/docs_pkey/);
    expect(await docs.logged()).toEqual([]);
  });
  test("by COPY logs each row", async () => {
    await docs.run(`DELETE FROM _docs_log`);
    const stream = await docs.sql`COPY docs (id, title) FROM STDIN`.writable();
    await new Promise<void>((resolve, reject) => {
      stream.on("finish", resolve).on("error", reject);
      stream.end("c\tC\nd\t\\N\n");
    });
    expect((await docs.logged()).map(({ op, key }) => op + key[0])).toEqual(["Ic", "Id"]);
  });
});

describe("an update", () => {
  test("logs the columns that changed and no others", async () => {
    expect(await docs.log(`UPDATE docs SET title = 'X', body = body WHERE id = 'a'`)).toEqual([
      { op: "U", key: ["a"], mask: TITLE, before: null },
    ]);
    expect((await docs.log(`UPDATE docs SET title = 'Y', body = 'y'`)).map(({ mask }) => mask)).toEqual([3, 3]);
  });
  test("that changes nothing logs nothing, also beside one that does", async () => {
    expect(await docs.log(`UPDATE docs SET title = title, views = views + 0, tags = tags`)).toEqual([]);
    expect(await docs.ops(`UPDATE docs SET title = 'A'`)).toEqual(["U b"]);
    expect(await docs.log(`UPDATE docs SET title = 'Q' WHERE false`)).toEqual([]);
  });
  test("of a column that is not annotated logs nothing", async () => {
    expect(await docs.log(`UPDATE docs SET shelf = 'left'`)).toEqual([]);
  });
  test("to NULL and from NULL is a change", async () => {
    expect((await docs.log(`UPDATE docs SET title = NULL WHERE id = 'a'`))[0]?.mask).toBe(TITLE);
    expect(await docs.log(`UPDATE docs SET title = NULL WHERE id = 'a'`)).toEqual([]);
    expect((await docs.log(`UPDATE docs SET title = 'A' WHERE id = 'a'`))[0]?.mask).toBe(TITLE);
  });
  test("keeps the old value of counters and sets that changed, as text and each digit of it", async () => {
    await docs.run(
      `UPDATE docs SET views = 9007199254740993, tags = '["x", 12345678901234567890, null]' WHERE id = 'a'`,
    );
    expect(await docs.log(`UPDATE docs SET views = views - 1 WHERE id = 'a'`)).toEqual([
      { op: "U", key: ["a"], mask: VIEWS, before: { views: "9007199254740993" } },
    ]);
    expect(await docs.log(`UPDATE docs SET tags = '[]', title = 'T' WHERE id = 'a'`)).toEqual([
      { op: "U", key: ["a"], mask: TAGS + TITLE, before: { tags: '["x", 12345678901234567890, null]' } },
    ]);
    expect(await docs.log(`UPDATE docs SET views = 5, tags = '[1]', body = 'b' WHERE id = 'a'`)).toEqual([
      { op: "U", key: ["a"], mask: VIEWS + TAGS + BODY, before: { views: "9007199254740992", tags: "[]" } },
    ]);
  });
  test("of many rows keeps each row's own old value", async () => {
    await docs.run(
      `INSERT INTO docs (id, views) SELECT n::text, n FROM generate_series(1, 3000) AS n`,
      `DELETE FROM docs WHERE id IN ('a', 'b')`,
    );
    const log = await docs.log(`UPDATE docs SET views = views + 1`);
    expect(log).toHaveLength(3000);
    expect(log.every(({ key, before }) => (before as { views: string }).views === key[0])).toBe(true);
  });
  test("of many rows takes no longer per row after one of a single row in the same session", async () => {
    await docs.run(
      `UPDATE docs SET title = 'one' WHERE id = 'a'`,
      `INSERT INTO docs (id) SELECT n::text FROM generate_series(1, 20000) AS n`,
    );
    const start = performance.now();
    expect(await docs.ops(`UPDATE docs SET title = 'all'`)).toHaveLength(20002);
    expect(performance.now() - start).toBeLessThan(8000);
  });
  test("of many rows by UPDATE FROM logs each row once", async () => {
    expect(
      await docs.ops(`UPDATE docs SET title = v.x FROM (VALUES ('a', '1'), ('b', '2'), ('b', '2')) AS v (id, x)
        WHERE docs.id = v.id`),
    ).toEqual(["U a", "U b"]);
  });
});

describe("a change of primary key", () => {
  test("logs both keys, once each", async () => {
    const log = await docs.log(`UPDATE docs SET id = 'z', title = 'Z' WHERE id = 'a'`);
    expect(log.sort((x, y) => (x.op < y.op ? -1 : 1))).toEqual([
      { op: "D", key: ["a"], mask: null, before: null },
      { op: "I", key: ["z"], mask: null, before: null },
    ]);
  });
  test("to the same key is an update", async () => {
    expect(await docs.ops(`UPDATE docs SET id = id, title = 'Z' WHERE id = 'a'`)).toEqual(["U a"]);
  });
  test("for some rows leaves the others updates", async () => {
    expect(await docs.ops(`UPDATE docs SET id = CASE id WHEN 'a' THEN 'z' ELSE id END, title = 'Z'`)).toEqual([
      "D a",
      "I z",
      "U b",
    ]);
  });
  test("that swaps two keys in one statement logs what each key says now", async () => {
    await docs.run(
      `ALTER TABLE docs DROP CONSTRAINT docs_pkey, ADD CONSTRAINT docs_pkey PRIMARY KEY (id) DEFERRABLE`,
      `UPDATE docs SET views = CASE id WHEN 'a' THEN 1 ELSE 2 END`,
    );
    const log = await docs.log(`UPDATE docs SET id = CASE id WHEN 'a' THEN 'b' ELSE 'a' END`);
    expect(log.sort((x, y) => (String(x.key) < String(y.key) ? -1 : 1))).toEqual([
      { op: "U", key: ["a"], mask: TITLE + VIEWS, before: { views: "1" } },
      { op: "U", key: ["b"], mask: TITLE + VIEWS, before: { views: "2" } },
    ]);
    expect(await docs.ops(`UPDATE docs SET id = CASE id WHEN 'a' THEN 'b' ELSE 'c' END`)).toEqual([
      "D a",
      "I c",
      "U b",
    ]);
    await docs.run(`ALTER TABLE docs DROP CONSTRAINT docs_pkey, ADD CONSTRAINT docs_pkey PRIMARY KEY (id)`);
  });
});

describe("a delete", () => {
  test("logs each key", async () => {
    expect(await docs.log(`DELETE FROM docs WHERE id = 'a'`)).toEqual([
      { op: "D", key: ["a"], mask: null, before: null },
    ]);
    expect(await docs.ops(`DELETE FROM docs`)).toEqual(["D b"]);
    expect(await docs.ops(`DELETE FROM docs`)).toEqual([]);
  });
});

describe("an upsert", () => {
  test("that updates logs the update", async () => {
    const upsert = `INSERT INTO docs (id, title) VALUES ('a', 'N') ON CONFLICT (id) DO UPDATE SET title = excluded.title`;
    expect(await docs.log(upsert)).toEqual([{ op: "U", key: ["a"], mask: TITLE, before: null }]);
    expect(await docs.log(upsert)).toEqual([]);
  });
  test("that inserts logs the insert, that does both logs both, that does nothing logs nothing", async () => {
    const upsert = (id: string) => `INSERT INTO docs (id) VALUES ('${id}') ON CONFLICT DO NOTHING`;
    expect(await docs.ops(upsert("a"))).toEqual([]);
    expect(await docs.ops(upsert("c"))).toEqual(["I c"]);
    expect(
      await docs.ops(`INSERT INTO docs (id, title) VALUES ('a', 'N'), ('d', 'N')
        ON CONFLICT (id) DO UPDATE SET title = excluded.title`),
    ).toEqual(["I d", "U a"]);
  });
  test("by MERGE logs what it did", async () => {
    expect(
      await docs.ops(`
        MERGE INTO docs USING (VALUES ('a', NULL), ('b', 'N'), ('c', 'N')) AS v (id, title) ON docs.id = v.id
        WHEN MATCHED AND v.title IS NULL THEN DELETE
        WHEN MATCHED THEN UPDATE SET title = v.title
        WHEN NOT MATCHED THEN INSERT (id, title) VALUES (v.id, v.title)`),
    ).toEqual(["D a", "I c", "U b"]);
  });
  test("by a statement that writes in several places logs each", async () => {
    expect(
      await docs.ops(`WITH gone AS (DELETE FROM docs WHERE id = 'a' RETURNING *)
        INSERT INTO docs (id, title) SELECT 'z', title FROM gone`),
    ).toEqual(["D a", "I z"]);
  });
});

describe("TRUNCATE", () => {
  test("is refused, with what to do instead", async () => {
    await expect(docs.run(`TRUNCATE docs`)).rejects.toMatchObject({
      code: "0A000",
      message: expect.stringContaining("TRUNCATE of docs cannot be replicated"),
      hint: expect.stringContaining("DELETE FROM"),
    });
    await docs.run(
      `CREATE TABLE parent (id text PRIMARY KEY)`,
      `ALTER TABLE docs ADD FOREIGN KEY (shelf) REFERENCES parent`,
    );
    await expect(docs.run(`TRUNCATE parent CASCADE`)).rejects.toMatchObject({ code: "0A000" });
    await expect(
      docs.sql.begin(async (tx) => {
        await tx.unsafe(`SELECT set_config('grove.capture', 'off', true)`);
        await tx.unsafe(`TRUNCATE docs`);
      }),
    ).rejects.toMatchObject({ code: "0A000" });
    await docs.run(`ALTER TABLE docs DROP CONSTRAINT docs_shelf_fkey`, `DROP TABLE parent`);
    expect(await docs.column(`SELECT count(*)::integer FROM docs`)).toEqual([2]);
  });
});

describe("the switch", () => {
  test("is off for one transaction and on again after it", async () => {
    await docs.run(`DELETE FROM _docs_log`);
    await docs.sql.begin(async (tx) => {
      await tx.unsafe(`INSERT INTO docs (id) VALUES ('c')`);
      await tx.unsafe(`SELECT set_config('grove.capture', 'off', true)`);
      await tx.unsafe(`INSERT INTO docs (id) VALUES ('d')`);
      await tx.unsafe(`UPDATE docs SET title = 'off'`);
      await tx.unsafe(`UPDATE docs SET id = 'e' WHERE id = 'd'`);
      await tx.unsafe(`DELETE FROM docs WHERE id = 'b'`);
      await tx.unsafe(`SELECT set_config('grove.capture', 'on', true)`);
      await tx.unsafe(`DELETE FROM docs WHERE id = 'a'`);
      await tx.unsafe(`SELECT set_config('grove.capture', 'off', true)`);
    });
    await docs.run(`DELETE FROM docs WHERE id = 'c'`);
    expect((await docs.logged()).map(({ op, key }) => op + key[0])).toEqual(["Ic", "Da", "Dc"]);
  });
  test("set in a transaction that is rolled back leaves capture on", async () => {
    await docs.sql
      .begin(async (tx) => {
        await tx.unsafe(`SELECT set_config('grove.capture', 'off', true)`);
        throw new Error("no");
      })
      .catch(() => {});
    expect(await docs.ops(`DELETE FROM docs WHERE id = 'a'`)).toEqual(["D a"]);
  });
});

describe("a trigger of the user's", () => {
  test("that updates the same row is captured as well", async () => {
    await docs.run(
      `CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        UPDATE docs SET body = 'touched', views = views + 1 WHERE id = NEW.id; RETURN NULL; END $$`,
      `CREATE TRIGGER "!touch" AFTER UPDATE OF title ON docs FOR EACH ROW EXECUTE FUNCTION touch()`,
    );
    const log = await docs.log(`UPDATE docs SET title = 'T' WHERE id = 'a'`);
    await docs.run(`DROP TRIGGER "!touch" ON docs`, `DROP FUNCTION touch`);
    expect(log.map(({ mask }) => mask).sort()).toEqual([TITLE, BODY + VIEWS]);
    expect(log.find(({ mask }) => mask === BODY + VIEWS)?.before).toEqual({ views: "0" });
  });
});

test("the time of a write is in microseconds, and one for all rows of a statement", async () => {
  const before = Date.now() - 1;
  await docs.log(`DELETE FROM docs`);
  const at = (await docs.column(`SELECT DISTINCT at FROM _docs_log`)).map(Number);
  expect(at).toHaveLength(1);
  expect((at[0] as number) / 1000).toBeGreaterThanOrEqual(before);
  expect((at[0] as number) / 1000).toBeLessThanOrEqual(Date.now() + 1);
});

test("a column can be dropped and its type changed while the triggers are there", async () => {
  await docs.run(`ALTER TABLE docs ALTER COLUMN body TYPE varchar(50)`, `ALTER TABLE docs DROP COLUMN shelf`);
  expect(await docs.ops(`UPDATE docs SET body = 'short'`)).toEqual(["U a", "U b"]);
  await docs.run(`ALTER TABLE docs ALTER COLUMN body TYPE text`, `ALTER TABLE docs ADD COLUMN shelf text`);
});
