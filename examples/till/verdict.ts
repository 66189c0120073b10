// Whether the three databases are what they have to be: the same rows everywhere, and of each product what was there less what was
// sold. Read from the files, past every node.
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import Database from "better-sqlite3";
import type { Client } from "./client";
import { goods } from "./goods";

interface Rows {
  readonly products: readonly { readonly id: string; readonly name: string; readonly stock: number }[];
  readonly sales: readonly { readonly id: string }[];
}

export function readDatabase(file: string): Rows {
  const client = new Database(file, { readonly: true });
  try {
    return {
      products: client.prepare("SELECT * FROM products ORDER BY id").all() as Rows["products"],
      sales: client.prepare("SELECT * FROM sales ORDER BY id").all() as Rows["sales"],
    };
  } finally {
    client.close();
  }
}

/** By product: what was delivered, less what the tills say that they sold. */
export const stockLeft = (tills: readonly Client[]): Map<string, number> =>
  new Map(goods.map(({ id, stock }) => [id, tills.reduce((left, { sold }) => left - (sold.get(id) ?? 0), stock)]));

/** One sentence for each thing that is not as it has to be. */
function findProblems(files: ReadonlyMap<string, string>, tills: readonly Client[]): string[] {
  const databases = [...files].map(([name, file]) => ({ name, ...readDatabase(file) }));
  const receipts = tills.flatMap((till) => [...till.receipts]).sort();
  const [first] = databases;
  return databases.flatMap(({ name, products, sales }) => {
    const problems = [...stockLeft(tills)].flatMap(([id, expected]) => {
      const stock = products.find((product) => product.id === id)?.stock;
      return stock === expected ? [] : [`${name} counts ${stock} ${id}; it must count ${expected}`];
    });
    const ids = sales.map(({ id }) => id);
    if (!isDeepStrictEqual(ids, receipts))
      problems.push(`${name} has ${ids.length} sales; it must have ${receipts.length}`);
    if (!isDeepStrictEqual([products, sales], [first?.products, first?.sales]))
      problems.push(`${name} and ${first?.name} have different rows`);
    return problems;
  });
}

/** Looks until all is as it has to be, or for so many milliseconds. */
const PATIENCE = Number(process.env.GROVE_PATIENCE ?? 10_000);

/** @param planted SQL that plants a difference at the last node, to see that it is found */
export async function settle(
  files: ReadonlyMap<string, string>,
  tills: readonly Client[],
  planted: string | undefined,
): Promise<string[]> {
  const last = [...files.values()].at(-1);
  if (planted && last) new Database(last).exec(planted).close();
  const end = performance.now() + PATIENCE;
  let problems = findProblems(files, tills);
  while (problems.length > 0 && performance.now() < end) {
    await sleep(50);
    problems = findProblems(files, tills);
  }
  return problems;
}
