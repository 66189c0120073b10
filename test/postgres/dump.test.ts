// A dump is loaded as pg_restore does it: tables, then their rows, then the triggers. What was captured and not folded when it was
// made counts once (fault 28).
import { expect, test } from "vitest";
import { registry } from "../../generated/postgres";
import { Clock } from "../support/clock";
import type { TestDatabase } from "../support/dialect";
import { describeOn } from "../support/dialects";
import { settle } from "../support/network";
import type { TestNode } from "../support/node";
import { postgres as dialect } from "../support/postgres";

/** The rows of `from`, loaded into a new database. */
async function load(from: TestDatabase): Promise<TestDatabase> {
  const { capture } = registry;
  const to = await dialect.open({ ddl: dialect.referenceTables });
  const tables = Object.values(capture.tables);
  for (const sql of [...capture.system, ...tables.flatMap(({ tables: beside }) => beside)]) await to.run(sql);
  const names = await to.rows(
    "SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'",
    [],
    [],
  );
  for (const { name } of names) {
    const table = `public."${name}"`;
    const [rows] = await from.rows(`SELECT coalesce(json_agg(t), '[]')::text AS all FROM ${table} t`, [], []);
    await to.run(`DELETE FROM ${table}`);
    await to.run(
      `INSERT INTO ${table} OVERRIDING SYSTEM VALUE SELECT * FROM json_populate_recordset(NULL::${table}, ?::text::json)`,
      [rows?.all as never],
    );
  }
  // Numbers go on after those that were loaded.
  await to.run(`DO $$ DECLARE r record; BEGIN
    FOR r IN SELECT pg_get_serial_sequence(format('public.%I', c.relname), a.attname) AS s, c.relname, a.attname
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attidentity <> ''
    LOOP EXECUTE format('SELECT setval(%L, coalesce((SELECT max(%I) FROM public.%I), 0) + 1, false)', r.s, r.attname, r.relname); END LOOP; END $$`);
  for (const { functions = {}, triggers } of tables)
    for (const sql of [...Object.values(functions), ...Object.values(triggers)]) await to.run(String(sql));
  return to;
}

describeOn("postgres", "a dump", ({ openNode }) => {
  test("with writes that were not folded counts them once", async () => {
    const clock = new Clock();
    const [hub, edge] = [await openNode("hub", { clock }), await openNode("edge", { clock })];
    const raise = (by: number, id: string) =>
      [`UPDATE documents SET view_count = view_count + ? WHERE id = ?`, [by, id]] as const;
    for (const id of ["busy", "later"]) await edge.sql("INSERT INTO documents (id, title) VALUES (?, '')", id);
    await settle([edge, hub]);
    await edge.database.run(...raise(1, "busy"));
    const loaded = await load(edge.database);
    await edge.database.run(...raise(10, "busy"));
    await edge.database.run(...raise(7, "later"));
    await settle([edge, hub]);
    await loaded.run(...raise(100, "later"));
    clock.advance(1000);
    const restored: TestNode = await openNode("edge", { clock, database: loaded });
    await settle([restored, hub]);
    for (const node of [hub, restored])
      expect(await node.rows("SELECT id, view_count AS views FROM documents ORDER BY id"), node.id).toEqual([
        { id: "busy", views: 11 },
        { id: "later", views: 107 },
      ]);
  });
});
