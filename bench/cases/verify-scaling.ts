import { createSyncer, type Transport } from "@grove-crdt/sync";
import { type Bench, type Case, stopwatch } from "../harness";
import { insertAll, itemsTable, runAll } from "../tables";

const CHANGES = 100;
/** Comparisons that a round adds up: one alone is so short that any other process disturbs it. */
const TIMES = 3;
const SMALL = 10_000;

const table = itemsTable;

/** Two nodes with the same `size` rows, and the time of their comparison once 100 of them were changed and exchanged. */
async function open(bench: Bench, size: number): Promise<() => Promise<number>> {
  const [hub, edge] = [await bench.node(table, "hub"), await bench.node(table, "edge")];
  const ids: string[] = [];
  function* rows(from: number) {
    for (let n = from; n < Math.min(from + 50_000, size); n++) {
      const row = table.row(n);
      ids.push(row[0] as string);
      yield row;
    }
  }
  for (let from = 0; from < size; from += 50_000) {
    insertAll(hub.database, table, rows(from));
    await hub.node.fold();
  }
  const { node } = hub;
  const transport: Transport = {
    url: "hub",
    pull: (request) => node.pull(request),
    push: (request) => node.push(request),
    digest: (request) => node.digest(request),
  };
  const syncer = createSyncer(edge.node, { peers: [transport] });
  const verify = async () => {
    const [report] = await syncer.verify();
    if (report?.error) throw report.error;
    if (report?.rows !== size || report.differing.length > 0)
      throw new Error(`Compared ${report?.rows} rows instead of ${size}; ${report?.differing.length} differ.`);
  };
  await verify();
  let round = 0;
  return async () => {
    let time = 0;
    for (let n = 0; n < TIMES; n++) {
      const text = `Written in round ${round++}`;
      const changed = Array.from({ length: CHANGES }, (_, k) => [
        text,
        ids[(k * 7919 + round * 104_729) % size] as string,
      ]);
      runAll(hub.database, `UPDATE ${table.name} SET name = ? WHERE id = ?`, changed);
      await syncer.sync();
      time += await stopwatch(verify);
    }
    return time / TIMES;
  };
}

export const verifyScaling: Case = {
  id: "verify-scaling.sqlite",
  goal: 1.5,
  better: "lower",
  unit: "ms",
  about: "compare two nodes after 100 changes among 100,000 rows / among 10,000 rows",
  async run(bench) {
    const large = await open(bench, bench.size(100_000, 30_000, 1_000_000));
    const small = await open(bench, SMALL);
    return bench.interleave(large, small, bench.size(9, 3));
  },
};
