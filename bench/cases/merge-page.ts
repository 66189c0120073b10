import { type Bench, type Case, type Round, timed } from "../harness";
import { mergePages, pagesOf, parsePage } from "../pages";
import { type BenchTable, documentsTable, itemsTable, makeRows, plainValues, upsertAll } from "../tables";

/** Merges pages into a node and upserts them into a plain table; `known`: both have seen them before. */
export async function run(bench: Bench, table: BenchTable, known: boolean): Promise<Round[]> {
  const rows = makeRows(table, bench.size(10_000, 3_000));
  const texts = await pagesOf(bench, table, rows);
  const upsert = (database: ReturnType<Bench["plain"]>) => {
    for (const text of texts)
      upsertAll(
        database,
        table,
        parsePage(text).map((change) => plainValues(table, change)),
      );
  };
  const perRow = (milliseconds: number) => (milliseconds * 1000) / rows.length;
  return bench.interleave(
    async () => {
      const { database, node } = await bench.node(table);
      if (known) await mergePages(node, texts);
      return perRow(await timed(database, () => mergePages(node, texts)));
    },
    async () => {
      const database = bench.plain(table);
      if (known) upsert(database);
      return perRow(await timed(database, () => upsert(database)));
    },
  );
}

export const mergePage: Case = {
  id: "merge-page.sqlite",
  goal: 2.0,
  better: "lower",
  unit: "µs/row",
  about: "merge pages of new rows / parse them and upsert plainly",
  run: (bench) => run(bench, itemsTable, false),
};

export const mergePageDocuments: Case = {
  ...mergePage,
  id: "merge-page-documents.sqlite",
  goal: null,
  about: "the same on documents with two tags",
  run: (bench) => run(bench, documentsTable, false),
};
