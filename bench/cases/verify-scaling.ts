import { comparing } from "../comparing";
import type { Bench, Case } from "../harness";
import { fillNode, nameRows, someOf } from "../large";
import { itemsTable as table } from "../tables";

/** Two nodes with the same `size` rows, and the time of their comparison once 100 of them were changed and exchanged. */
async function open(bench: Bench, size: number): Promise<() => Promise<number>> {
  const [hub, edge] = [await bench.node(table, "hub"), await bench.node(table, "edge")];
  const ids = await fillNode(hub, size);
  return comparing(hub.node, edge.node, size, (round) =>
    nameRows(hub, someOf(ids, round), `Written in round ${round}`),
  );
}

export const verifyScaling: Case = {
  id: "verify-scaling.sqlite",
  goal: 1.5,
  better: "lower",
  unit: "ms",
  about: "compare two nodes after 100 changes among 100,000 rows / among 10,000 rows",
  async run(bench) {
    const large = await open(bench, bench.size(100_000, 30_000, 1_000_000));
    const small = await open(bench, 10_000);
    return bench.interleave(large, small, bench.size(9, 3));
  },
};
