import type { Case } from "../../harness";
import { fillPostgresNode, namePostgresRows, pulling, someOf } from "../../large";
import type { Postgres } from "../../postgres";
import { onPostgres } from "./server";

/** A node with `size` rows, and the time of a pull of 100 changes by a reader that has all else. */
async function open(server: Postgres, size: number): Promise<() => Promise<number>> {
  const { sql, node } = await server.node();
  const ids = await fillPostgresNode(sql, node, size);
  return pulling(node, (round) => namePostgresRows(sql, someOf(ids, round), `Written in round ${round}`));
}

export const pullScaling: Case = {
  id: "pull-scaling.postgres",
  goal: 1.2,
  better: "lower",
  unit: "ms",
  about: "pull 100 changes among 1,000,000 rows / among 10,000 rows",
  run: onPostgres(async (bench, server) => {
    const large = await open(server, bench.size(1_000_000, 50_000));
    const small = await open(server, 10_000);
    return bench.interleave(large, small, bench.size(15, 3));
  }),
};
