import { type Bench, type Case, stopwatch } from "../harness";
import { pullRequest } from "../pages";
import { insertAll, runAll, itemsTable as table } from "../tables";

const CHANGES = 100;
/** Pulls that a round adds up: one alone is so short that any other process disturbs it. */
const PULLS = 5;
const SMALL = 10_000;

/** A node with `size` rows, a reader that has them all, and the time of its pull once 100 of them were changed and folded. */
async function open(bench: Bench, size: number): Promise<() => Promise<number>> {
  const { database, node } = await bench.node(table);
  const ids: string[] = [];
  function* rows(from: number) {
    for (let n = from; n < Math.min(from + 50_000, size); n++) {
      const row = table.row(n);
      ids.push(row[0] as string);
      yield row;
    }
  }
  for (let from = 0; from < size; from += 50_000) {
    insertAll(database, table, rows(from));
    await node.fold();
  }
  let cursor = "";
  for (let next: string | null = null, more = true; more; next = cursor)
    ({ cursor, more } = await node.pull({ ...pullRequest(next), rows: 10_000 }));
  let round = 0;
  const pull = async () => {
    const text = `Written in round ${round++}`;
    const changed = Array.from({ length: CHANGES }, (_, n) => [
      text,
      ids[(n * 7919 + round * 104_729) % size] as string,
    ]);
    runAll(database, `UPDATE ${table.name} SET name = ? WHERE id = ?`, changed);
    await node.fold();
    let served = 0;
    const time = await stopwatch(async () => {
      const page = await node.pull(pullRequest(cursor));
      served = page.rows.length;
      cursor = page.cursor;
    });
    if (served !== CHANGES) throw new Error(`The pull gave ${served} rows instead of ${CHANGES}.`);
    return time;
  };
  return async () => {
    let time = 0;
    for (let n = 0; n < PULLS; n++) time += await pull();
    return time / PULLS;
  };
}

export const pullScaling: Case = {
  id: "pull-scaling.sqlite",
  goal: 1.2,
  better: "lower",
  unit: "ms",
  about: "pull 100 changes among 1,000,000 rows / among 10,000 rows",
  async run(bench) {
    const large = await open(bench, bench.size(1_000_000, 100_000));
    const small = await open(bench, SMALL);
    return bench.interleave(large, small, bench.size(15, 5));
  },
};
