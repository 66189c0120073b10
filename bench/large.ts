// Nodes with many rows, and which of them a round changes: some of them, all over the table.
import type { GroveNode } from "@grove-crdt/sync";
import type { Sql } from "postgres";
import { type OpenNode, stopwatch } from "./harness";
import { pullRequest } from "./pages";
import { insertRows } from "./postgres-tables";
import { insertAll, itemsTable, makeRows, runAll, type Values } from "./tables";

export const CHANGES = 100;
/** Rows of one transaction, and of one fold. */
const PART = 50_000;

async function fill(node: GroveNode, size: number, insert: (rows: readonly Values[]) => unknown): Promise<string[]> {
  const ids: string[] = [];
  for (let from = 0; from < size; from += PART) {
    const rows = makeRows(itemsTable, Math.min(PART, size - from));
    for (const [id] of rows) ids.push(id as string);
    await insert(rows);
    await node.fold();
  }
  return ids;
}

/** Inserts `size` items and folds them. Returns their keys. */
export const fillNode = ({ database, node }: OpenNode, size: number): Promise<string[]> =>
  fill(node, size, (rows) => insertAll(database, itemsTable, rows));

export async function fillPostgresNode(sql: Sql, node: GroveNode, size: number): Promise<string[]> {
  const ids = await fill(node, size, (rows) => insertRows(sql, rows));
  await sql`VACUUM ANALYZE`;
  return ids;
}

/** As many keys as a round changes, others each round. */
export const someOf = (ids: readonly string[], round: number): string[] =>
  Array.from({ length: CHANGES }, (_, n) => ids[(n * 7919 + round * 104_729) % ids.length] as string);

/** Writes a new name to these rows. */
export const nameRows = ({ database }: Pick<OpenNode, "database">, ids: readonly string[], name: string): void =>
  runAll(
    database,
    "UPDATE items SET name = ? WHERE id = ?",
    ids.map((id) => [name, id]),
  );

export const namePostgresRows = (sql: Sql, ids: readonly string[], name: string) =>
  sql.unsafe("UPDATE items SET name = $1 WHERE id IN (SELECT unnest($2::uuid[]))", [name, ids] as never);

/** The cursor of a reader that has everything. */
export async function drain(node: GroveNode): Promise<string> {
  let cursor: string | null = null;
  for (let more = true; more; ) ({ cursor, more } = await node.pull({ ...pullRequest(cursor), rows: 10_000 }));
  return cursor as string;
}

/**
 * A reader that has everything, and the time of its pull once `change` wrote {@link CHANGES} rows that were folded, the mean of
 * `times`: one alone is so short that any other process disturbs it.
 */
export async function pulling(
  node: GroveNode,
  change: (round: number) => unknown,
  times = 5,
): Promise<() => Promise<number>> {
  let cursor = await drain(node);
  let round = 0;
  return async () => {
    let time = 0;
    for (let n = 0; n < times; n++) {
      await change(round++);
      await node.fold();
      let served = 0;
      time += await stopwatch(async () => {
        const page = await node.pull(pullRequest(cursor));
        served = page.rows.length;
        cursor = page.cursor;
      });
      if (served !== CHANGES) throw new Error(`The pull gave ${served} rows instead of ${CHANGES}.`);
    }
    return time / times;
  };
}
