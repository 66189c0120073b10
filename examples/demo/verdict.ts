// Whether the three databases are what they have to be: equal, row by row, and in line with what was acknowledged.
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { DocumentsRow } from "../../generated/sqlite";
import type { Client, Ledger } from "./client";

export interface Database {
  readonly name: string;
  readonly rows: ReadonlyMap<string, DocumentsRow>;
}

/** One sentence for each thing that is not as it has to be. */
export function findProblems(databases: readonly Database[], ledger: Ledger): string[] {
  const [first, ...others] = databases as [Database, ...Database[]];
  const problems: string[] = [];
  for (const { name, rows } of databases) {
    for (const [id, views] of ledger.living) {
      const row = rows.get(id);
      if (!row) problems.push(`${name} lacks ${id}`);
      else if (row.viewCount !== views)
        problems.push(`${name} counts ${row.viewCount} views of ${id}; ${views} were acknowledged`);
    }
    for (const id of rows.keys()) if (!ledger.living.has(id)) problems.push(`${name} has ${id}, which was deleted`);
  }
  for (const { name, rows } of others) {
    for (const [id, row] of first.rows) {
      const other = rows.get(id);
      for (const field of Object.keys(row) as (keyof DocumentsRow)[]) {
        if (!other || isDeepStrictEqual(row[field], other[field])) continue;
        const [ours, theirs] = [row[field], other[field]].map((value) => JSON.stringify(value));
        problems.push(`${id}.${field} is ${ours} on ${first.name} and ${theirs} on ${name}`);
      }
    }
  }
  return problems;
}

export async function look(clients: readonly Client[]): Promise<Database[]> {
  return Promise.all(
    clients.map(async (client) => ({
      name: client.name,
      rows: new Map((await client.list()).map((row) => [row.id, row])),
    })),
  );
}

/** Milliseconds in which something has to move, before it is said what is wrong. */
const PATIENCE = Number(process.env.GROVE_PATIENCE ?? 5_000);

/** Looks until all is as it has to be, and still is some exchanges later; or until nothing has moved for too long. */
export async function settle(clients: readonly Client[], ledger: Ledger): Promise<Database[]> {
  let databases = await look(clients);
  for (let still = 0; still * 100 < PATIENCE; ) {
    await sleep(100);
    const before = databases;
    databases = await look(clients);
    still = isDeepStrictEqual(before, databases) ? still + 1 : 0;
    if (still >= 3 && findProblems(databases, ledger).length === 0) break;
  }
  return databases;
}
