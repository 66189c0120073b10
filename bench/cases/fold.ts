import { type Bench, type Case, type Round, timed } from "../harness";
import { type BenchTable, documentsTable, insertAll, itemsTable, makeRows } from "../tables";

async function run(bench: Bench, table: BenchTable): Promise<Round[]> {
  const rows = makeRows(table, bench.size(30_000, 5_000));
  const perRow = (milliseconds: number) => (milliseconds * 1000) / rows.length;
  return bench.interleave(
    async () => {
      const { database, node } = await bench.node(table);
      const work = () => {
        insertAll(database, table, rows);
        return node.fold();
      };
      return perRow(await timed(database, work));
    },
    async () => {
      const database = bench.plain(table);
      return perRow(await timed(database, () => insertAll(database, table, rows)));
    },
  );
}

export const foldLww: Case = {
  id: "fold-lww.sqlite",
  goal: 2.6,
  better: "lower",
  unit: "µs/row",
  about: "insert rows of five LWW columns and fold them / insert them plainly",
  run: (bench) => run(bench, itemsTable),
};

export const foldDocuments: Case = {
  ...foldLww,
  id: "fold-documents.sqlite",
  goal: 4.0,
  about: "insert documents with two tags and fold them / insert them plainly",
  run: (bench) => run(bench, documentsTable),
};
