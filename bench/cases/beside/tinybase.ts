// TinyBase's MergeableStore, kept in a SQLite file by its persister for better-sqlite3: the same rows, stored as durably.
import type Database from "better-sqlite3";
import { createMergeableStore, type MergeableStore } from "tinybase";
import { createBetterSqlite3Persister } from "tinybase/persisters/persister-better-sqlite3";
import { type Bench, type Case, timed } from "../../harness";
import { mergePages, pagesOf } from "../../pages";
import { insertAll, makeRows, itemsTable as table, type Values } from "../../tables";

const cells = (row: Values) => Object.fromEntries(table.columns.slice(1).map((name, n) => [name, row[n + 1]]));

function open(bench: Bench, name: string) {
  const database: Database.Database = bench.plain(table);
  const store: MergeableStore = createMergeableStore(name);
  return { database, store, persister: createBetterSqlite3Persister(store, database, "tinybase") };
}

const put = (store: MergeableStore, rows: readonly Values[]) =>
  store.transaction(() => {
    for (const row of rows) store.setRow(table.name, row[0] as string, cells(row) as Record<string, string | number>);
  });

const rowsOf = (bench: Bench) => makeRows(table, bench.size(10_000, 500));

export const besideTinyBaseInsert: Case = {
  id: "beside-insert.tinybase",
  goal: null,
  better: "lower",
  unit: "ms",
  about: "insert 10,000 rows in one transaction and fold them / set them in one transaction and save the store",
  run(bench) {
    const rows = rowsOf(bench);
    return bench.interleave(
      async () => {
        const { database, node } = await bench.node(table);
        return timed(database, () => {
          insertAll(database, table, rows);
          return node.fold();
        });
      },
      async () => {
        const { database, store, persister } = open(bench, "ours");
        const time = await timed(database, () => {
          put(store, rows);
          return persister.save();
        });
        await persister.destroy();
        return time;
      },
    );
  },
};

const WRITES = 20;

export const besideTinyBaseWrite: Case = {
  ...besideTinyBaseInsert,
  id: "beside-write.tinybase",
  about: "write one column of one of 10,000 rows and fold it / set the cell and save the store",
  async run(bench) {
    const rows = rowsOf(bench);
    const ours = await bench.node(table);
    insertAll(ours.database, table, rows);
    await ours.node.fold();
    const update = ours.database.prepare("UPDATE items SET name = ? WHERE id = ?");
    const theirs = open(bench, "theirs");
    put(theirs.store, rows);
    await theirs.persister.save();
    let round = 0;
    const each = async (write: (id: string, text: string) => Promise<unknown>) => {
      for (let n = 0; n < WRITES; n++) await write(rows[(n * 31) % rows.length]?.[0] as string, `Written ${round++}`);
    };
    return bench.interleave(
      async () =>
        (await timed(ours.database, () =>
          each(async (id, text) => {
            update.run(text, id);
            await ours.node.fold();
          }),
        )) / WRITES,
      async () =>
        (await timed(theirs.database, () =>
          each(async (id, text) => {
            theirs.store.setCell(table.name, id, "name", text);
            await theirs.persister.save();
          }),
        )) / WRITES,
    );
  },
};

export const besideTinyBaseMerge: Case = {
  ...besideTinyBaseInsert,
  id: "beside-merge.tinybase",
  about: "parse and merge 10,000 new rows by pages / parse them, apply them to a store and save it",
  async run(bench) {
    const rows = rowsOf(bench);
    const texts = await pagesOf(bench, table, rows);
    const origin = createMergeableStore("origin");
    put(origin, rows);
    const text = JSON.stringify(origin.getMergeableContent());
    return bench.interleave(
      async () => {
        const { database, node } = await bench.node(table);
        return timed(database, () => mergePages(node, texts));
      },
      async () => {
        const { database, store, persister } = open(bench, "ours");
        const time = await timed(database, () => {
          store.applyMergeableChanges(JSON.parse(text));
          return persister.save();
        });
        if (store.getRowCount(table.name) !== rows.length) throw new Error("TinyBase's store lacks rows.");
        await persister.destroy();
        return time;
      },
    );
  },
};
