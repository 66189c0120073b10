// Two nodes in one process that hold the same rows, and the time of their comparison after some were changed and exchanged.
import { createSyncer, type GroveNode, type Transport } from "@grove-crdt/sync";
import { stopwatch } from "./harness";

/** A node as a transport that needs no socket. */
export const transportTo = (node: GroveNode): Transport => ({
  url: "hub",
  pull: (request) => node.pull(request),
  push: (request) => node.push(request),
  digest: (request) => node.digest(request),
});

/**
 * Compares once, which reads all rows; then gives the time of a comparison after `change` was called and exchanged, each the
 * mean of `times`: one alone is so short that any other process disturbs it.
 */
export async function comparing(
  hub: GroveNode,
  edge: GroveNode,
  size: number,
  change: (round: number) => unknown,
  times = 3,
): Promise<() => Promise<number>> {
  const syncer = createSyncer(edge, { peers: [transportTo(hub)] });
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
    for (let n = 0; n < times; n++) {
      await change(round++);
      await syncer.sync();
      time += await stopwatch(verify);
    }
    return time / times;
  };
}
