import { type Case, timed } from "../harness";
import { mergePages, PEER, parsePage, pullAll } from "../pages";
import { insertAll, makeRows, runAll, itemsTable as table } from "../tables";

export const mergeUpdate: Case = {
  id: "merge-update.sqlite",
  goal: null,
  better: "lower",
  unit: "µs/row",
  about: "merge pages with one changed column per row / parse them and update plainly",
  async run(bench) {
    const rows = makeRows(table, bench.size(10_000, 3_000));
    const update = `UPDATE ${table.name} SET name = ? WHERE id = ?`;
    const peer = await bench.node(table, PEER);
    insertAll(peer.database, table, rows);
    const first: string[] = [];
    const texts: string[] = [];
    const cursor = await pullAll(peer.node, null, (text) => first.push(text));
    const named = (text: string) =>
      runAll(
        peer.database,
        update,
        rows.map(([id]) => [text, id as string]),
      );
    named("Written by the peer");
    await pullAll(peer.node, cursor, (text) => texts.push(text));
    const perRow = (milliseconds: number) => (milliseconds * 1000) / rows.length;
    return bench.interleave(
      async () => {
        const { database, node } = await bench.node(table);
        await mergePages(node, first);
        return perRow(await timed(database, () => mergePages(node, texts)));
      },
      async () => {
        const database = bench.plain(table);
        insertAll(database, table, rows);
        const work = () => {
          for (const text of texts) {
            runAll(
              database,
              update,
              parsePage(text).map(({ pk, lww }) => [lww?.name?.[0] as string, pk[0] as string]),
            );
          }
        };
        return perRow(await timed(database, work));
      },
    );
  },
};
