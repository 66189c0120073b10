import { type Case, timed } from "../harness";
import { insertAll, makeRows, itemsTable as table } from "../tables";

export const captureCommit: Case = {
  id: "capture-commit.sqlite",
  goal: 1.35,
  better: "lower",
  unit: "µs/row",
  about: "update rows, each in a transaction of its own, captured / plainly",
  async run(bench) {
    const rows = makeRows(table, bench.size(10_000, 2_000));
    const ours = await bench.node(table);
    const plain = bench.plain(table);
    for (const { database } of [ours, { database: plain }]) insertAll(database, table, rows);
    let round = 0;
    const side = async (database: typeof plain) => {
      const text = `Written in round ${round++}`;
      const update = database.prepare(`UPDATE ${table.name} SET name = ? WHERE id = ?`);
      const work = () => {
        for (const [id] of rows) update.run(text, id);
      };
      return ((await timed(database, work)) * 1000) / rows.length;
    };
    return bench.interleave(
      async () => {
        await ours.node.fold();
        return side(ours.database);
      },
      () => side(plain),
    );
  },
};
