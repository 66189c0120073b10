import { DEFAULT_PAGE_ROWS } from "@grove-crdt/core";
import { type Bench, type Case, type Round, timed } from "../harness";
import { pullAll } from "../pages";
import { type BenchTable, documentsTable, insertAll, itemsTable, makeRows } from "../tables";

async function run(bench: Bench, table: BenchTable): Promise<Round[]> {
  const rows = makeRows(table, bench.size(20_000, 5_000));
  const ours = await bench.node(table);
  const plain = bench.plain(table);
  for (const { database } of [ours, { database: plain }]) insertAll(database, table, rows);
  await ours.node.fold();
  const perRow = (milliseconds: number) => (milliseconds * 1000) / rows.length;
  const page = plain.prepare(`SELECT rowid, * FROM ${table.name} WHERE rowid > ? ORDER BY rowid LIMIT ?`);
  const readAll = () => {
    for (let after = 0; ; ) {
      const found = page.all(after, DEFAULT_PAGE_ROWS) as { rowid: number }[];
      JSON.stringify({ rows: found });
      if (found.length < DEFAULT_PAGE_ROWS) return;
      after = found[found.length - 1]?.rowid as number;
    }
  };
  return bench.interleave(
    async () => perRow(await timed(ours.database, () => pullAll(ours.node, null, () => {}))),
    async () => perRow(await timed(plain, readAll)),
  );
}

export const servePage: Case = {
  id: "serve-page.sqlite",
  goal: 1.5,
  better: "lower",
  unit: "µs/row",
  about: "serve all rows page by page, as text / select the rows by pages and stringify them",
  run: (bench) => run(bench, itemsTable),
};

export const servePageDocuments: Case = {
  ...servePage,
  id: "serve-page-documents.sqlite",
  goal: null,
  about: "the same on documents with two tags",
  run: (bench) => run(bench, documentsTable),
};

export const serveRate: Case = {
  id: "serve-rate.sqlite",
  goal: null,
  better: "higher",
  unit: "rows/s",
  about: "rows served per second / rows selected and stringified per second",
  async run(bench) {
    const rounds = await run(bench, itemsTable);
    return rounds.map(({ ours, floor }) => ({ ours: 1e6 / ours, floor: 1e6 / floor }));
  },
};
