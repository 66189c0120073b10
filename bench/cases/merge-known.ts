import type { Case } from "../harness";
import { itemsTable } from "../tables";
import { run } from "./merge-page";

export const mergeKnown: Case = {
  id: "merge-known.sqlite",
  goal: 0.7,
  better: "lower",
  unit: "µs/row",
  about: "merge pages that the node knows already / parse them and upsert plainly",
  run: (bench) => run(bench, itemsTable, true),
};
