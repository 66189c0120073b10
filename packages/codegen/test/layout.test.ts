// shadow.ts and capture.ts make the same tables, by drizzle-kit's migration or by `ensureShadowTables()`.
import Database from "better-sqlite3";
import { generateSQLiteDrizzleJson, generateSQLiteMigration } from "drizzle-kit/api";
import { describe, expect, test } from "vitest";
import { registry } from "../../../generated/sqlite/index";
import * as shadow from "../../../generated/sqlite/shadow";
import { withKit } from "../../drizzle/test/versions";
import { createRegistry, emitFiles } from "../src/index";
import { Captured, model } from "./database";

/** Everything that the database knows of its tables and indexes but the text that made them. */
function describeTables(db: Database.Database): unknown {
  const names = db
    .prepare(`SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`)
    .pluck()
    .all() as string[];
  return names.map((name) => ({
    name,
    columns: db.pragma(`table_xinfo("${name}")`),
    indexes: (db.pragma(`index_list("${name}")`) as { name: string; unique: number; partial: number }[])
      .map(({ name, unique, partial }) => ({ name, unique, partial, columns: db.pragma(`index_xinfo("${name}")`) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
  }));
}

test("drizzle-kit's migration and our own statements make the same tables and indexes", async () => {
  const [migrated, ensured] = [new Database(":memory:"), new Database(":memory:")];
  const empty = await generateSQLiteDrizzleJson({});
  const json = await withKit(shadow, () => generateSQLiteDrizzleJson({ ...shadow }));
  for (const statement of await generateSQLiteMigration(empty, json)) migrated.exec(statement);
  const { system, tables } = registry.capture;
  for (const statement of [...system, ...Object.values(tables).flatMap((own) => own.tables)]) ensured.exec(statement);
  expect(describeTables(ensured)).toEqual(describeTables(migrated));
  // And once more changes nothing, over what drizzle-kit made too.
  for (const statement of [...system, ...Object.values(tables).flatMap((own) => own.tables)]) migrated.exec(statement);
  expect(describeTables(migrated)).toEqual(describeTables(ensured));
});

test("shadow.ts imports drizzle and nothing else", () => {
  const files = emitFiles({ dialect: "sqlite", tables: [model("t", ["id"], ["x"])], sources: new Map() });
  expect(files["shadow.ts"]?.match(/from "[^"]*"/g)).toEqual(['from "drizzle-orm/sqlite-core"']);
});

describe("key columns have the declared type of the user's", () => {
  test.each(["integer", "text", "blob", "real", "numeric", "text(36)", "varchar(10)", "decimal(10, 5)"])(
    "%s",
    (type) => {
      const table = model("t", ["id"], ["x"], [], type);
      const { db } = new Captured(`CREATE TABLE t (id ${type} PRIMARY KEY NOT NULL, x)`, table);
      for (const name of ["_t_log", "_t_crdt"]) {
        const columns = db.pragma(`table_info(${name})`) as { name: string; type: string }[];
        expect(columns.find((column) => column.name === "pk_id")?.type.toLowerCase()).toBe(type);
      }
      expect(emitFiles({ dialect: "sqlite", tables: [table], sources: new Map() })["shadow.ts"]).toContain('"pk_id"');
    },
  );
  test("which must be a type and nothing more", () => {
    const table = model("t", ["id"], ["x"], [], "text) ; DROP TABLE t --");
    expect(() => createRegistry("sqlite", [table])).toThrow(RangeError);
  });
});

describe("the mask", () => {
  test("goes on in a second column after 52 fields, and stays exact", () => {
    const fields = Array.from({ length: 54 }, (_, n) => `f${n}`);
    const { db } = new Captured(
      `CREATE TABLE t (id text PRIMARY KEY NOT NULL, ${fields.map((name) => `${name} text`).join(", ")})`,
      model("t", ["id"], fields),
    );
    db.exec(`INSERT INTO t (id) VALUES ('a'); UPDATE t SET f0 = 1, f51 = 1, f53 = 1`);
    expect(db.prepare(`SELECT mask, mask1 FROM _t_log WHERE op = 'U'`).raw().get()).toEqual([2 ** 51 + 1, 2]);
  });
});
