// Whether the databases are what they have to be: each holds what the ledger says, so they are equal.
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { Ledger, Listing } from "./ledger";

/** Rows by table and key, without the column that each node keeps to itself. */
function rowsByKey({ orders, inventory }: Listing): Map<string, Record<string, unknown>> {
  return new Map<string, Record<string, unknown>>([
    ...orders.map((order) => [`orders ${order.id}`, order] as const),
    ...inventory.map(({ shelf, ...article }) => [`inventory ${article.store} ${article.sku}`, article] as const),
  ]);
}

/** One sentence for each thing that is not as it has to be, by the nodes' names. */
export function findProblems(listings: ReadonlyMap<string, Listing>, ledger: Ledger): string[] {
  const written = rowsByKey(ledger.list());
  const problems: string[] = [];
  for (const [name, listing] of listings) {
    const rows = rowsByKey(listing);
    for (const [key, expected] of written) {
      const row = rows.get(key);
      if (!row) problems.push(`${name} lacks ${key}`);
      for (const [column, value] of Object.entries(row ?? {})) {
        if (!isDeepStrictEqual(value, expected[column]))
          problems.push(
            `${key}.${column} is ${JSON.stringify(value)} at ${name}; it must be ${JSON.stringify(expected[column])}`,
          );
      }
    }
    for (const key of rows.keys()) if (!written.has(key)) problems.push(`${name} has ${key}, which was withdrawn`);
  }
  return problems;
}

/** Milliseconds between two looks. */
const LOOK = 50;
/** Milliseconds in which something has to move, before it is said what is wrong. */
const PATIENCE = Number(process.env.GROVE_PATIENCE ?? 8_000);

export interface Listed {
  readonly name: string;
  readonly shop: { list(): Promise<Listing> };
}

export async function look(nodes: readonly Listed[]): Promise<Map<string, Listing>> {
  return new Map(await Promise.all(nodes.map(async ({ name, shop }) => [name, await shop.list()] as const)));
}

/** Looks until all is as it has to be, and still is a moment later; or until nothing has moved for `patience` milliseconds. */
export async function settle(nodes: readonly Listed[], ledger: Ledger, patience = PATIENCE): Promise<string[]> {
  let listings = await look(nodes);
  for (let still = 0; still * LOOK < patience; ) {
    await sleep(LOOK);
    const before = listings;
    listings = await look(nodes);
    still = isDeepStrictEqual(before, listings) ? still + 1 : 0;
    if (still >= 5 && findProblems(listings, ledger).length === 0) break;
  }
  return findProblems(listings, ledger);
}
