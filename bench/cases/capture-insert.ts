import { type Bench, type Case, type Round, timed } from "../harness";
import { type BenchTable, documentsTable, insertAll, itemsTable, makeRows } from "../tables";

async function run(bench: Bench, table: BenchTable): Promise<Round[]> {
  const rows = makeRows(table, bench.size(50_000, 5_000));
  const side = async (open: () => Promise<{ database: ReturnType<Bench["plain"]> }>) => {
    const { database } = await open();
    return ((await timed(database, () => insertAll(database, table, rows))) * 1000) / rows.length;
  };
  return bench.interleave(
    () => side(() => bench.node(table)),
    () => side(async () => ({ database: bench.plain(table) })),
  );
}

export const captureInsert: Case = {
  id: "capture-insert.sqlite",
  goal: 1.7,
  better: "lower",
  unit: "µs/row",
  about: "insert rows in one transaction, captured / plainly",
  run: (bench) => run(bench, itemsTable),
};

export const captureInsertDocuments: Case = {
  ...captureInsert,
  id: "capture-insert-documents.sqlite",
  about: "the same on documents",
  run: (bench) => run(bench, documentsTable),
};
