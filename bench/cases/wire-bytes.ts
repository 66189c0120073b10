// Bytes on the wire: a page of 1,000 new rows against the rows themselves as JSON, both compressed.
import { gzipSync } from "node:zlib";
import type { GroveNode } from "@grove-crdt/sync";
import type { Case, Round } from "../harness";
import { pullRequest } from "../pages";
import { insertRows } from "../postgres-tables";
import { insertAll, makeRows, itemsTable as table } from "../tables";
import { onPostgres } from "./postgres";

const ROWS = 1_000;

async function measure(node: GroveNode, rows: ReturnType<typeof makeRows>): Promise<Round[]> {
  const page = await node.pull(pullRequest(null));
  if (page.rows.length !== rows.length) throw new Error(`The page has ${page.rows.length} rows.`);
  const plain = rows.map((row) => Object.fromEntries(table.columns.map((name, n) => [name, row[n]])));
  const size = (value: unknown) => gzipSync(JSON.stringify(value)).length / rows.length;
  return [{ ours: size(page), floor: size(plain) }];
}

export const wireBytes: Case = {
  id: "wire-bytes.sqlite",
  goal: 1.8,
  better: "lower",
  unit: "bytes/row",
  about: "gzip of a pull's answer with 1,000 rows / gzip of the rows as JSON",
  async run(bench) {
    const rows = makeRows(table, ROWS);
    const { database, node } = await bench.node(table);
    insertAll(database, table, rows);
    return measure(node, rows);
  },
};

export const wireBytesPostgres: Case = {
  ...wireBytes,
  id: "wire-bytes.postgres",
  run: onPostgres(async (_bench, server) => {
    const rows = makeRows(table, ROWS);
    const { sql, node } = await server.node();
    await insertRows(sql, rows);
    return measure(node, rows);
  }),
};
