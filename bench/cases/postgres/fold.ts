import { type Bench, type Case, type Round, stopwatch } from "../../harness";
import type { Postgres } from "../../postgres";
import {
  insertDocuments,
  insertRows,
  makeDocuments,
  type PostgresTable,
  postgresDocuments,
  postgresItems,
  type Runs,
} from "../../postgres-tables";
import { itemsTable, makeRows, type Values } from "../../tables";
import { onPostgres } from "./server";

interface Kind {
  readonly table: PostgresTable;
  make(count: number): Values[];
  insert(sql: Runs, rows: readonly Values[]): PromiseLike<unknown>;
}

const run = async (bench: Bench, server: Postgres, { table, make, insert }: Kind): Promise<Round[]> => {
  const rows = make(bench.size(20_000, 3_000));
  const perRow = (milliseconds: number) => (milliseconds * 1000) / rows.length;
  return bench.interleave(
    async () => {
      const { sql, node } = await server.node("ours", table);
      return perRow(
        await stopwatch(async () => {
          await insert(sql, rows);
          await node.fold();
        }),
      );
    },
    async () => {
      const sql = await server.plain(table);
      return perRow(await stopwatch(() => insert(sql, rows)));
    },
    bench.size(7, 3),
  );
};

export const foldLww: Case = {
  id: "fold-lww.postgres",
  goal: 2.6,
  better: "lower",
  unit: "µs/row",
  about: "insert rows of five LWW columns and fold them / insert them plainly",
  run: onPostgres((bench, server) =>
    run(bench, server, { table: postgresItems, make: (count) => makeRows(itemsTable, count), insert: insertRows }),
  ),
};

export const foldDocuments: Case = {
  ...foldLww,
  id: "fold-documents.postgres",
  goal: 4.0,
  about: "insert documents with two tags and fold them / insert them plainly",
  run: onPostgres((bench, server) =>
    run(bench, server, { table: postgresDocuments, make: makeDocuments, insert: insertDocuments }),
  ),
};
