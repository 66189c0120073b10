import type { Bench, Case } from "../harness";
import { fillNode, nameRows, pulling, someOf } from "../large";
import { itemsTable as table } from "../tables";

/** A node with `size` rows, and the time of a pull of 100 changes by a reader that has all else. */
async function open(bench: Bench, size: number): Promise<() => Promise<number>> {
  const ours = await bench.node(table);
  const ids = await fillNode(ours, size);
  return pulling(ours.node, (round) => nameRows(ours, someOf(ids, round), `Written in round ${round}`));
}

export const pullScaling: Case = {
  id: "pull-scaling.sqlite",
  goal: 1.2,
  better: "lower",
  unit: "ms",
  about: "pull 100 changes among 1,000,000 rows / among 10,000 rows",
  async run(bench) {
    const large = await open(bench, bench.size(1_000_000, 100_000));
    const small = await open(bench, 10_000);
    return bench.interleave(large, small, bench.size(15, 5));
  },
};
