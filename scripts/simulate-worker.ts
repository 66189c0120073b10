// A process of `npm run simulate`: runs the seeds that it is told, and tells what became of each.
import { registry } from "../generated/sqlite/registry";
import { simulate } from "../packages/testkit/src/simulator/simulate";

process.on("message", async (seeds: readonly number[]) => {
  for (const seed of seeds) {
    const { trace: _, nodes: __, ...report } = await simulate(seed, registry);
    process.send?.(report);
  }
});
process.on("disconnect", () => process.exit());
