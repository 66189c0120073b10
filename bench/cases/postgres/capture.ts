// What capture costs the writer on Postgres: inserts and updates by one statement, and single rows from eight connections.
import { type Case, stopwatch } from "../../harness";
import { insertRows, updateRows } from "../../postgres-tables";
import { itemsTable, makeRows } from "../../tables";
import { onPostgres } from "./server";

export const captureInsert: Case = {
  id: "capture-insert.postgres",
  goal: 1.6,
  better: "lower",
  unit: "µs/row",
  about: "insert rows by one statement, captured / plainly",
  run: onPostgres(async (bench, server) => {
    const rows = makeRows(itemsTable, bench.size(50_000, 5_000));
    const ours = await server.node();
    const plain = await server.plain();
    const side = async (sql: typeof plain) => {
      await sql`DELETE FROM items`;
      await sql`VACUUM items`;
      return ((await stopwatch(() => insertRows(sql, rows))) * 1000) / rows.length;
    };
    return bench.interleave(
      async () => {
        const time = await side(ours.sql);
        await ours.node.fold();
        return time;
      },
      () => side(plain),
    );
  }),
};

export const captureUpdate: Case = {
  id: "capture-update.postgres",
  goal: 1.8,
  better: "lower",
  unit: "µs/row",
  about: "update one column of all rows by one statement, captured / plainly",
  run: onPostgres(async (bench, server) => {
    const rows = makeRows(itemsTable, bench.size(50_000, 5_000));
    const ours = await server.node();
    const plain = await server.plain();
    for (const sql of [ours.sql, plain]) await insertRows(sql, rows);
    let round = 0;
    const side = async (sql: typeof plain) => {
      await sql`VACUUM ANALYZE items`;
      const text = `Written in round ${round++}`;
      return ((await stopwatch(() => updateRows(sql, text))) * 1000) / rows.length;
    };
    return bench.interleave(
      async () => {
        await ours.node.fold();
        return side(ours.sql);
      },
      () => side(plain),
    );
  }),
};

const CONNECTIONS = 8;

export const captureCommit: Case = {
  id: "capture-commit.postgres",
  goal: 1.15,
  better: "lower",
  unit: "µs/row",
  about: "update rows, each in a transaction of its own, from 8 connections, captured / plainly",
  run: onPostgres(async (bench, server) => {
    const rows = makeRows(itemsTable, bench.size(8_000, 800));
    const ours = await server.node();
    const plain = await server.plain();
    for (const sql of [ours.sql, plain]) await insertRows(sql, rows);
    let round = 0;
    const side = async (sql: typeof plain) => {
      const text = `Written in round ${round++}`;
      const writer = async (first: number) => {
        for (let n = first; n < rows.length; n += CONNECTIONS)
          await sql.unsafe("UPDATE items SET name = $1 WHERE id = $2", [text, rows[n]?.[0] as string], {
            prepare: true,
          });
      };
      const time = await stopwatch(() => Promise.all(Array.from({ length: CONNECTIONS }, (_, n) => writer(n))));
      return (time * 1000) / rows.length;
    };
    return bench.interleave(
      async () => {
        await ours.node.fold();
        return side(ours.sql);
      },
      () => side(plain),
    );
  }),
};
