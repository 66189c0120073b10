// Adopting a full table, against one statement that copies its keys into a table with the same primary key.

import { createNode } from "@grove-crdt/sync";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { drizzle as drizzlePostgres } from "drizzle-orm/postgres-js";
import { type Bench, type Case, stopwatch, timed } from "../harness";
import { insertRows, postgresItems } from "../postgres-tables";
import { insertAll, makeRows, itemsTable as table } from "../tables";
import { onPostgres } from "./postgres";

const ROWS = 1_000_000;
const PART = 50_000;
const roundsOf = (bench: Bench) => Math.min(bench.options.rounds, 3);

async function inParts(size: number, insert: (rows: ReturnType<typeof makeRows>) => unknown): Promise<void> {
  for (let from = 0; from < size; from += PART) await insert(makeRows(table, Math.min(PART, size - from)));
}

const about = "give 1,000,000 rows their shadow / copy their keys by one statement";

export const adopt: Case = {
  id: "adopt.sqlite",
  goal: 2.0,
  better: "lower",
  unit: "µs/row",
  about,
  async run(bench) {
    const size = bench.size(ROWS, 20_000);
    const full = bench.plain(table);
    await inParts(size, (rows) => insertAll(full, table, rows));
    const perRow = (milliseconds: number) => (milliseconds * 1000) / size;
    return bench.interleave(
      async () => {
        const database = bench.copy(full);
        const { registry, name } = table;
        const node = createNode({ db: drizzle({ client: database }), registry, tables: [name], nodeId: "ours" });
        return perRow(await timed(database, () => node.ensureShadowTables()));
      },
      async () => {
        const database = bench.copy(full);
        database.exec("CREATE TABLE keys (id text PRIMARY KEY NOT NULL)");
        return perRow(await timed(database, () => database.exec("INSERT INTO keys SELECT id FROM items")));
      },
      roundsOf(bench),
    );
  },
};

export const adoptPostgres: Case = {
  ...adopt,
  id: "adopt.postgres",
  about,
  run: onPostgres(async (bench, server) => {
    const size = bench.size(ROWS, 10_000);
    const full = await server.plain();
    await inParts(size, (rows) => insertRows(full, rows));
    await full`VACUUM ANALYZE`;
    const perRow = (milliseconds: number) => (milliseconds * 1000) / size;
    return bench.interleave(
      async () => {
        const sql = await server.copy(full);
        const node = createNode({
          db: drizzlePostgres({ client: sql }),
          registry: postgresItems.registry,
          nodeId: "ours",
        });
        return perRow(await stopwatch(() => node.ensureShadowTables()));
      },
      async () => {
        const sql = await server.copy(full);
        await sql`CREATE TABLE keys (id uuid PRIMARY KEY)`;
        return perRow(await stopwatch(() => sql`INSERT INTO keys SELECT id FROM items`));
      },
      roundsOf(bench),
    );
  }),
};
