// Whether the two databases are what they have to be: equal, and in line with what was written.
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { Listing, Shops } from "./shops";
import type { Ledger } from "./story";

/** Rows by table and key, without the columns that each node keeps to itself. */
function rowsByKey({ orders, inventory }: Listing): Map<string, Record<string, unknown>> {
  return new Map<string, Record<string, unknown>>([
    ...orders.map((order) => [`orders ${order.id}`, order] as const),
    ...inventory.map(({ shelf, ...article }) => [`inventory ${article.store} ${article.sku}`, article] as const),
  ]);
}

/** One sentence for each thing that is not as it has to be. */
export function findProblems(cloud: Listing, edge: Listing, ledger: Ledger): string[] {
  const [ours, theirs] = [rowsByKey(cloud), rowsByKey(edge)];
  const problems: string[] = [];
  for (const key of new Set([...ours.keys(), ...theirs.keys()])) {
    const [our, their] = [ours.get(key), theirs.get(key)];
    if (!our || !their) problems.push(`${key} is missing ${our ? "at the edge" : "in the cloud"}`);
    else if (!isDeepStrictEqual(our, their))
      problems.push(`${key} is ${JSON.stringify(our)} in the cloud and ${JSON.stringify(their)} at the edge`);
  }
  const ids = new Set(cloud.orders.map(({ id }) => id));
  for (const id of ledger.orders) if (!ids.has(id)) problems.push(`the order ${id} is lost`);
  for (const id of ids) if (!ledger.orders.has(id)) problems.push(`the order ${id} is back`);
  for (const [sku, expected] of ledger.quantity) {
    const counted = cloud.inventory.find((article) => article.sku === sku)?.quantity;
    if (counted !== expected) problems.push(`the cloud counts ${counted} ${sku}; it must be ${expected}`);
  }
  return problems;
}

/** Looks until all is as it has to be, and still is some exchanges later; or until nothing has moved for five seconds. */
export async function settle({ cloud, edge }: Shops, ledger: Ledger): Promise<string[]> {
  const look = () => Promise.all([cloud.list(), edge.list()]);
  let listings = await look();
  for (let still = 0; still < 50; ) {
    await sleep(100);
    const before = listings;
    listings = await look();
    still = isDeepStrictEqual(before, listings) ? still + 1 : 0;
    if (still >= 4 && findProblems(...listings, ledger).length === 0) break;
  }
  return findProblems(...listings, ledger);
}
