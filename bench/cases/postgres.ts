// The cases of the other files on Postgres, over postgres.js; floors are single statements over arrays.
import { type Bench, type Case, type Round, stopwatch } from "../harness";
import { mergePages, pagesOf, parsePage, pullRequest } from "../pages";
import { insertRows, type Postgres, plainRow, startPostgres, updateRows, upsertRows } from "../postgres";
import { itemsTable, makeRows } from "../tables";

/** A case that runs on a server of its own. */
export const onPostgres =
  (run: (bench: Bench, server: Postgres) => Promise<Round[]>) =>
  async (bench: Bench): Promise<Round[]> => {
    const server = await startPostgres();
    try {
      return await run(bench, server);
    } finally {
      await server.stop();
    }
  };

const captureInsert: Case = {
  id: "capture-insert.postgres",
  goal: 1.8,
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

const captureUpdate: Case = {
  id: "capture-update.postgres",
  goal: 2.0,
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

const captureCommit: Case = {
  id: "capture-commit.postgres",
  goal: 1.25,
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

const mergePage: Case = {
  id: "merge-page.postgres",
  goal: 2.5,
  better: "lower",
  unit: "µs/row",
  about: "merge pages of new rows / parse them and upsert by one statement per page",
  run: onPostgres(async (bench, server) => {
    const rows = makeRows(itemsTable, bench.size(10_000, 2_000));
    const texts = await pagesOf(bench, itemsTable, rows);
    const perRow = (milliseconds: number) => (milliseconds * 1000) / rows.length;
    return bench.interleave(
      async () => {
        const { node } = await server.node();
        return perRow(await stopwatch(() => mergePages(node, texts)));
      },
      async () => {
        const sql = await server.plain();
        return perRow(
          await stopwatch(async () => {
            for (const text of texts) await upsertRows(sql, parsePage(text).map(plainRow));
          }),
        );
      },
      bench.size(7, 3),
    );
  }),
};

const foldLww: Case = {
  id: "fold-lww.postgres",
  goal: null,
  better: "lower",
  unit: "µs/row",
  about: "insert rows with capture and fold them / insert them plainly",
  run: onPostgres(async (bench, server) => {
    const rows = makeRows(itemsTable, bench.size(20_000, 3_000));
    const perRow = (milliseconds: number) => (milliseconds * 1000) / rows.length;
    return bench.interleave(
      async () => {
        const { sql, node } = await server.node();
        return perRow(
          await stopwatch(async () => {
            await insertRows(sql, rows);
            await node.fold();
          }),
        );
      },
      async () => {
        const sql = await server.plain();
        return perRow(await stopwatch(() => insertRows(sql, rows)));
      },
      bench.size(7, 3),
    );
  }),
};

const CHANGES = 100;
const PULLS = 5;

/** A node with `size` rows, a reader that has them all, and the time of its pull once 100 of them were changed and folded. */
async function openPull(
  { sql, node }: Awaited<ReturnType<Postgres["node"]>>,
  size: number,
): Promise<() => Promise<number>> {
  const ids: string[] = [];
  for (let from = 0; from < size; from += 50_000) {
    const rows = makeRows(itemsTable, Math.min(50_000, size - from));
    ids.push(...rows.map(([id]) => id as string));
    await insertRows(sql, rows);
    await node.fold();
  }
  await sql`VACUUM ANALYZE`;
  let cursor = "";
  for (let next: string | null = null, more = true; more; next = cursor)
    ({ cursor, more } = await node.pull({ ...pullRequest(next), rows: 10_000 }));
  let round = 0;
  return async () => {
    let time = 0;
    for (let n = 0; n < PULLS; n++) {
      round++;
      const changed = Array.from({ length: CHANGES }, (_, at) => ids[(at * 7919 + round * 104_729) % size] as string);
      await sql.unsafe("UPDATE items SET name = $1 WHERE id IN (SELECT unnest($2::uuid[]))", [
        `Written in round ${round}`,
        changed,
      ] as never);
      await node.fold();
      let served = 0;
      time += await stopwatch(async () => {
        const page = await node.pull(pullRequest(cursor));
        served = page.rows.length;
        cursor = page.cursor;
      });
      if (served !== CHANGES) throw new Error(`The pull gave ${served} rows instead of ${CHANGES}.`);
    }
    return time / PULLS;
  };
}

const pullScaling: Case = {
  id: "pull-scaling.postgres",
  goal: 1.2,
  better: "lower",
  unit: "ms",
  about: "pull 100 changes among 1,000,000 rows / among 10,000 rows",
  run: onPostgres(async (bench, server) => {
    const large = await openPull(await server.node(), bench.size(1_000_000, 50_000));
    const small = await openPull(await server.node(), 10_000);
    return bench.interleave(large, small, bench.size(15, 3));
  }),
};

export const postgresCases: readonly Case[] = [
  captureInsert,
  captureUpdate,
  captureCommit,
  foldLww,
  mergePage,
  pullScaling,
];
