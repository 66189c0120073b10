// hunt.ts FROM COUNT: seeds of the simulator until one fails, one line of JSON each. Runs in a copy of the repository.
import { registry } from "../../../generated/sqlite/registry";
import { simulate } from "../src/simulator/simulate";

const [from, count] = process.argv.slice(2).map(Number) as [number, number];
for (let seed = from; seed < from + count; seed++) {
  const { problem } = await simulate(seed, registry);
  console.log(JSON.stringify({ seed, problem }));
  if (problem !== null) break;
}
