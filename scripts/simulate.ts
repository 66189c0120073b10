// npm run simulate -- --seeds N --from S: runs the simulator over a range of seeds; --trace prints one seed's trace.
import { parseArgs } from "node:util";
import { registry } from "../generated/sqlite/registry";
import { simulate } from "../packages/testkit/src/simulator/simulate";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "500" },
    from: { type: "string", default: "1" },
    trace: { type: "boolean", default: false },
  },
});
const from = Number(values.from);
const count = values.trace ? 1 : Number(values.seeds);
const started = Date.now();
let writes = 0;
let rows = 0;
const failed: number[] = [];
for (let seed = from; seed < from + count; seed++) {
  const result = await simulate(seed, registry);
  writes += result.writes;
  rows += result.rowsSent;
  if (result.problem) {
    failed.push(seed);
    console.log(`seed ${seed}: ${result.problem}`);
  }
  if (values.trace) console.log(result.trace.join("\n"));
  if ((seed - from + 1) % 100 === 0) console.log(`${seed - from + 1} of ${count} seeds, ${failed.length} failed`);
}
console.log(
  `${count} seeds from ${from}: ${writes} writes, ${rows} rows sent, ${failed.length} failed, ${Date.now() - started} ms`,
);
process.exitCode = failed.length > 0 ? 1 : 0;
