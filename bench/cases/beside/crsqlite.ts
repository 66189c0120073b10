// What cr-sqlite adds to its own build of SQLite, and what we add to better-sqlite3: both sides are ratios, both in memory.
import { createNode } from "@grove-crdt/sync";
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { CrSqlite } from "../../crsqlite";
import { type Case, stopwatch } from "../../harness";
import { mergePages, pagesOf, parsePage } from "../../pages";
import { insertAll, makeRows, plainValues, itemsTable as table, upsertAll } from "../../tables";

async function openOurs() {
  const database = openPlain();
  const node = createNode({ db: drizzle({ client: database }), registry: table.registry, tables: [table.name] });
  await node.ensureShadowTables();
  return { database, node };
}
function openPlain() {
  const database = new Database(":memory:");
  database.exec(table.create);
  return database;
}

/** The time of `work` on a database of cr-sqlite that is closed afterwards and must then have `count` rows. */
async function timeOf(
  replicated: boolean,
  count: number,
  work: (database: CrSqlite) => Promise<void>,
): Promise<number> {
  const database = await CrSqlite.open(replicated);
  const time = await stopwatch(() => work(database));
  const found = await database.count();
  await database.close();
  if (found !== count) throw new Error(`cr-sqlite has ${found} rows instead of ${count}.`);
  return time;
}

export const besideCrSqliteInsert: Case = {
  id: "beside-insert.crsqlite",
  goal: null,
  better: "lower",
  unit: "times",
  about:
    "insert rows and fold them, in times of a plain insert / insert them with cr-sqlite, in times of its own build",
  run(bench) {
    const rows = makeRows(table, bench.size(5_000, 300));
    return bench.interleave(
      async () => {
        const { database, node } = await openOurs();
        const captured = await stopwatch(() => {
          insertAll(database, table, rows);
          return node.fold();
        });
        return captured / (await stopwatch(() => insertAll(openPlain(), table, rows)));
      },
      async () => {
        const replicated = await timeOf(true, rows.length, (database) => database.insert(rows));
        return replicated / (await timeOf(false, rows.length, (database) => database.insert(rows)));
      },
      bench.size(5, 1),
    );
  },
};

export const besideCrSqliteMerge: Case = {
  ...besideCrSqliteInsert,
  id: "beside-merge.crsqlite",
  about:
    "merge rows, in times of parsing and upserting them / merge them with cr-sqlite, in times of upserts by its own build",
  async run(bench) {
    const rows = makeRows(table, bench.size(5_000, 300));
    const texts = await pagesOf(bench, table, rows);
    const origin = await CrSqlite.open(true);
    await origin.insert(rows);
    const changes = await origin.changes();
    await origin.close();
    const upsert = (database: Database.Database) => {
      for (const text of texts)
        upsertAll(
          database,
          table,
          parsePage(text).map((change) => plainValues(table, change)),
        );
    };
    return bench.interleave(
      async () => {
        const { node } = await openOurs();
        const merged = await stopwatch(() => mergePages(node, texts));
        return merged / (await stopwatch(() => upsert(openPlain())));
      },
      async () => {
        const merged = await timeOf(true, rows.length, (database) => database.merge(changes));
        return merged / (await timeOf(false, rows.length, (database) => database.upsert(rows)));
      },
      bench.size(5, 1),
    );
  },
};
