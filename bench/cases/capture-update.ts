import { type Bench, type Case, type Round, timed } from "../harness";
import { type BenchTable, documentsTable, insertAll, itemsTable, makeRows, runAll } from "../tables";

async function run(bench: Bench, table: BenchTable): Promise<Round[]> {
  const rows = makeRows(table, bench.size(50_000, 5_000));
  const ours = await bench.node(table);
  const plain = bench.plain(table);
  for (const { database } of [ours, { database: plain }]) insertAll(database, table, rows);
  const update = `UPDATE ${table.name} SET ${table.columns[1]} = ? WHERE id = ?`;
  let round = 0;
  const side = async (database: typeof plain) => {
    const text = `Written in round ${round++}`;
    const values = rows.map((row) => [text, row[0] as string]);
    return ((await timed(database, () => runAll(database, update, values))) * 1000) / rows.length;
  };
  return bench.interleave(
    async () => {
      await ours.node.fold();
      return side(ours.database);
    },
    () => side(plain),
  );
}

export const captureUpdate: Case = {
  id: "capture-update.sqlite",
  goal: 1.5,
  better: "lower",
  unit: "µs/row",
  about: "update one column of each row in one transaction, captured / plainly",
  run: (bench) => run(bench, itemsTable),
};

export const captureUpdateDocuments: Case = {
  ...captureUpdate,
  id: "capture-update-documents.sqlite",
  about: "the same on documents",
  run: (bench) => run(bench, documentsTable),
};
