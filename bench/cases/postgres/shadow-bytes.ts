import type { Bench, Case, Round } from "../../harness";
import type { Postgres } from "../../postgres";
import { insertRows } from "../../postgres-tables";
import { makeRows, itemsTable as table } from "../../tables";
import { onPostgres } from "./server";

/** Bytes per row of all that stands beside the table, without what VACUUM FULL gives back. */
async function run(bench: Bench, server: Postgres, worn: boolean, allowed: number): Promise<Round[]> {
  const rows = makeRows(table, bench.size(50_000, 10_000));
  const { sql, node } = await server.node();
  await insertRows(sql, rows);
  await node.fold();
  for (const column of worn ? table.columns.slice(1) : []) {
    const value = column === "price" || column === "quantity" ? `${column} + 1` : `${column} || '1'`;
    await sql.unsafe(`UPDATE ${table.name} SET ${column} = ${value}`);
    await node.fold();
  }
  const names = await sql.unsafe("SELECT tablename FROM pg_tables WHERE tablename LIKE '\\_items\\_%'");
  let bytes = 0;
  for (const { tablename } of names) {
    await sql.unsafe(`VACUUM FULL ${tablename}`);
    const [row] = await sql.unsafe(`SELECT pg_total_relation_size('${tablename}') AS n`);
    bytes += Number(row?.n);
  }
  return [{ ours: bytes / rows.length, floor: allowed }];
}

export const shadowBytes: Case = {
  id: "shadow-bytes.postgres",
  goal: 1.0,
  better: "lower",
  unit: "bytes/row",
  about: "size of shadow table, cells, log and their indexes, rows inserted once / 200 bytes a row",
  run: onPostgres((bench, server) => run(bench, server, false, 200)),
};

export const shadowBytesWorn: Case = {
  ...shadowBytes,
  id: "shadow-bytes-worn.postgres",
  about: "the same after five separate writes / 360 bytes a row",
  run: onPostgres((bench, server) => run(bench, server, true, 360)),
};
