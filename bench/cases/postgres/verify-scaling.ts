import { comparing } from "../../comparing";
import type { Case } from "../../harness";
import { fillPostgresNode, namePostgresRows, someOf } from "../../large";
import type { Postgres } from "../../postgres";
import { onPostgres } from "./server";

/** Two nodes with the same `size` rows, and the time of their comparison once 100 of them were changed and exchanged. */
async function open(server: Postgres, size: number): Promise<() => Promise<number>> {
  const [hub, edge] = [await server.node("hub"), await server.node("edge")];
  const ids = await fillPostgresNode(hub.sql, hub.node, size);
  return comparing(hub.node, edge.node, size, (round) =>
    namePostgresRows(hub.sql, someOf(ids, round), `Written in round ${round}`),
  );
}

export const verifyScaling: Case = {
  id: "verify-scaling.postgres",
  goal: 1.5,
  better: "lower",
  unit: "ms",
  about: "compare two nodes after 100 changes among 100,000 rows / among 10,000 rows",
  run: onPostgres(async (bench, server) => {
    const large = await open(server, bench.size(100_000, 20_000));
    const small = await open(server, 10_000);
    return bench.interleave(large, small, bench.size(9, 3));
  }),
};
