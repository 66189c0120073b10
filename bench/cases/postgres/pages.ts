// Pages merged and served on Postgres; what a program does that overwrites, or reads its rows in the order of their keys.
import { DEFAULT_PAGE_ROWS } from "@grove-crdt/core";
import { type Bench, type Case, type Round, stopwatch } from "../../harness";
import { mergePages, pagesOf, parsePage, pullAll } from "../../pages";
import type { Postgres } from "../../postgres";
import { insertRows, plainRow, type Runs, upsertRows } from "../../postgres-tables";
import { itemsTable, makeRows } from "../../tables";
import { onPostgres } from "./server";

async function merge(bench: Bench, server: Postgres, known: boolean): Promise<Round[]> {
  const rows = makeRows(itemsTable, bench.size(10_000, 2_000));
  const texts = await pagesOf(bench, itemsTable, rows);
  const perRow = (milliseconds: number) => (milliseconds * 1000) / rows.length;
  const upsert = async (sql: Runs) => {
    for (const text of texts) await upsertRows(sql, parsePage(text).map(plainRow));
  };
  return bench.interleave(
    async () => {
      const { node } = await server.node();
      if (known) await mergePages(node, texts);
      return perRow(await stopwatch(() => mergePages(node, texts)));
    },
    async () => {
      const sql = await server.plain();
      if (known) await upsert(sql);
      return perRow(await stopwatch(() => upsert(sql)));
    },
    bench.size(7, 3),
  );
}

export const mergePage: Case = {
  id: "merge-page.postgres",
  goal: 2.0,
  better: "lower",
  unit: "µs/row",
  about: "merge pages of new rows / parse them and upsert by one statement per page",
  run: onPostgres((bench, server) => merge(bench, server, false)),
};

export const mergeKnown: Case = {
  ...mergePage,
  id: "merge-known.postgres",
  goal: 0.7,
  about: "merge pages that the node knows already / parse them and upsert by one statement per page",
  run: onPostgres((bench, server) => merge(bench, server, true)),
};

const FIRST = "SELECT * FROM items ORDER BY id LIMIT $1";
const NEXT = "SELECT * FROM items WHERE id > $2 ORDER BY id LIMIT $1";

export const servePage: Case = {
  id: "serve-page.postgres",
  goal: 1.5,
  better: "lower",
  unit: "µs/row",
  about: "serve all rows page by page, as text / select the rows by pages and stringify them",
  run: onPostgres(async (bench, server) => {
    const rows = makeRows(itemsTable, bench.size(20_000, 5_000));
    const ours = await server.node();
    const plain = await server.plain();
    for (const sql of [ours.sql, plain]) await insertRows(sql, rows);
    await ours.node.fold();
    for (const sql of [ours.sql, plain]) await sql`VACUUM ANALYZE`;
    const perRow = (milliseconds: number) => (milliseconds * 1000) / rows.length;
    const readAll = async () => {
      for (let after: string | null = null; ; ) {
        const found: readonly Record<string, unknown>[] = await plain.unsafe(
          after === null ? FIRST : NEXT,
          after === null ? [DEFAULT_PAGE_ROWS] : [DEFAULT_PAGE_ROWS, after],
          { prepare: true },
        );
        JSON.stringify({ rows: found });
        if (found.length < DEFAULT_PAGE_ROWS) return;
        after = found[found.length - 1]?.id as string;
      }
    };
    return bench.interleave(
      async () => perRow(await stopwatch(() => pullAll(ours.node, null, () => {}))),
      async () => perRow(await stopwatch(readAll)),
    );
  }),
};
