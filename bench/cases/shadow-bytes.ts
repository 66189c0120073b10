import type { Bench, Case, Round } from "../harness";
import { insertAll, makeRows, runAll, itemsTable as table } from "../tables";

/** Bytes per row of all that stands beside the table, once each of its columns was written on its own or not. */
async function run(bench: Bench, worn: boolean, allowed: number): Promise<Round[]> {
  const rows = makeRows(table, bench.size(50_000, 10_000));
  const { database, node } = await bench.node(table);
  insertAll(database, table, rows);
  await node.fold();
  for (const column of worn ? table.columns.slice(1) : []) {
    runAll(
      database,
      `UPDATE ${table.name} SET ${column} = ${column} || 1 WHERE id = ?`,
      rows.map(([id]) => [id as string]),
    );
    await node.fold();
  }
  const sizes = database.prepare(
    `SELECT coalesce(sum(pgsize), 0) AS bytes FROM dbstat WHERE name LIKE '\\_${table.name}\\_%' ESCAPE '\\' AND aggregate = 1`,
  );
  const { bytes } = sizes.get() as { bytes: number };
  return [{ ours: bytes / rows.length, floor: allowed }];
}

export const shadowBytes: Case = {
  id: "shadow-bytes.sqlite",
  goal: 1.0,
  better: "lower",
  unit: "bytes/row",
  about: "size of shadow table, cells, log and their indexes, rows inserted once / 120 bytes a row",
  run: (bench) => run(bench, false, 120),
};

export const shadowBytesWorn: Case = {
  ...shadowBytes,
  id: "shadow-bytes-worn.sqlite",
  about: "the same after five separate writes / 240 bytes a row",
  run: (bench) => run(bench, true, 240),
};
