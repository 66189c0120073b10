// What history costs where it is asked for: bytes for each change that it keeps, and the time of folds and merges with it.
import { createRegistry } from "@grove-crdt/codegen";
import type { Registry } from "@grove-crdt/core";
import { type Bench, type Case, type Round, timed } from "../harness";
import { mergePages, pagesOf } from "../pages";
import { insertRows, type PostgresTable, postgresItems } from "../postgres-tables";
import { type BenchTable, insertAll, itemsTable, makeRows, runAll } from "../tables";
import { onPostgres } from "./postgres/server";

const kept = ({ dialect, tables }: Registry): Registry =>
  createRegistry(
    dialect,
    tables.map((model) => ({ ...model, history: {} })),
  );
const table: BenchTable = { ...itemsTable, registry: kept(itemsTable.registry) };
const onServer: PostgresTable = { ...postgresItems, registry: kept(postgresItems.registry) };
const perRow = (milliseconds: number, rows: number) => (milliseconds * 1000) / rows;

async function bytes(bench: Bench): Promise<Round[]> {
  const rows = makeRows(table, bench.size(20_000, 5_000));
  const { database, node } = await bench.node(table);
  insertAll(database, table, rows);
  await node.fold();
  const size = () => {
    database.exec("VACUUM");
    const sql = "SELECT sum(pgsize) AS bytes FROM dbstat WHERE name LIKE '\\_grove\\_history%' ESCAPE '\\'";
    return (database.prepare(sql).get() as { bytes: number }).bytes;
  };
  const before = size();
  runAll(
    database,
    "UPDATE items SET name = name || 1 WHERE id = ?",
    rows.map(([id]) => [id as string]),
  );
  await node.fold();
  return [{ ours: (size() - before) / rows.length, floor: before / rows.length }];
}

export const historyBytes: Case = {
  id: "history-bytes.sqlite",
  goal: null,
  better: "lower",
  unit: "bytes/row",
  about: "what history keeps of a change of one column / of an insert of five",
  run: bytes,
};

export const historyBytesPostgres: Case = {
  ...historyBytes,
  id: "history-bytes.postgres",
  run: onPostgres(async (bench, server) => {
    const rows = makeRows(itemsTable, bench.size(20_000, 5_000));
    const { sql, node } = await server.node("ours", onServer);
    await insertRows(sql, rows);
    await node.fold();
    const size = async () => {
      await sql.unsafe("VACUUM FULL _grove_history");
      return Number((await sql.unsafe("SELECT pg_total_relation_size('_grove_history') AS n"))[0]?.n);
    };
    const before = await size();
    await sql.unsafe("UPDATE items SET name = name || '1'");
    await node.fold();
    return [{ ours: ((await size()) - before) / rows.length, floor: before / rows.length }];
  }),
};

export const historyFold: Case = {
  id: "history-fold.sqlite",
  goal: null,
  better: "lower",
  unit: "µs/row",
  about: "fold inserts of five LWW columns, of a table with history / without",
  run(bench) {
    const rows = makeRows(table, bench.size(30_000, 5_000));
    const fold = (of: BenchTable) => async () => {
      const { database, node } = await bench.node(of);
      insertAll(database, of, rows);
      return perRow(await timed(database, () => node.fold()), rows.length);
    };
    return bench.interleave(fold(table), fold(itemsTable));
  },
};

export const historyMerge: Case = {
  ...historyFold,
  id: "history-merge.sqlite",
  about: "merge pages of new rows into a table with history / without",
  async run(bench) {
    const rows = makeRows(table, bench.size(10_000, 3_000));
    const texts = await pagesOf(bench, itemsTable, rows);
    const merge = (of: BenchTable) => async () => {
      const { database, node } = await bench.node(of);
      return perRow(await timed(database, () => mergePages(node, texts)), rows.length);
    };
    return bench.interleave(merge(table), merge(itemsTable));
  },
};
