// PGlite, Postgres inside the process: a further engine of ours, in memory, with the cases and floors of the Postgres server.
import { PGlite } from "@electric-sql/pglite";
import { createNode } from "@grove-crdt/sync";
import { drizzle } from "drizzle-orm/pglite";
import { type Bench, type Case, type Round, stopwatch } from "../harness";
import { mergePages, pagesOf, parsePage, pullAll } from "../pages";
import { insertRows, plainRow, postgresItems, type Runs, upsertRows } from "../postgres-tables";
import { makeRows, itemsTable as table } from "../tables";

interface Engine {
  readonly client: PGlite;
  readonly runs: Runs;
}

async function openPlain(): Promise<Engine> {
  const client = await PGlite.create();
  await client.exec(postgresItems.create);
  const unsafe = (text: string, params: unknown[]) => client.query(text, params);
  return { client, runs: { unsafe } as unknown as Runs };
}

async function openOurs() {
  const engine = await openPlain();
  const { registry } = postgresItems;
  const node = createNode({ db: drizzle({ client: engine.client }), registry, nodeId: "ours" });
  await node.ensureShadowTables();
  return { ...engine, node };
}

/** Microseconds a row that `work` takes on an engine that is closed afterwards. */
async function side<E extends Engine>(open: () => Promise<E>, rows: number, work: (engine: E) => unknown) {
  const engine = await open();
  const time = await stopwatch(() => work(engine));
  await engine.client.close();
  return (time * 1000) / rows;
}

const count = (bench: Bench) => bench.size(10_000, 500);
const rounds = (bench: Bench) => bench.size(5, 1);

const pgliteCase = (name: string, about: string, run: (bench: Bench) => Promise<Round[]>): Case => ({
  id: `${name}.pglite`,
  goal: null,
  better: "lower",
  unit: "µs/row",
  about,
  run,
});

export const pgliteCases: readonly Case[] = [
  pgliteCase("capture-insert", "insert rows by one statement, captured / plainly", (bench) => {
    const rows = makeRows(table, count(bench));
    const insert = ({ runs }: Engine) => insertRows(runs, rows);
    return bench.interleave(
      () => side(openOurs, rows.length, insert),
      () => side(openPlain, rows.length, insert),
      rounds(bench),
    );
  }),
  pgliteCase("fold-lww", "insert rows of five LWW columns and fold them / insert them plainly", (bench) => {
    const rows = makeRows(table, count(bench));
    return bench.interleave(
      () =>
        side(openOurs, rows.length, async ({ runs, node }) => {
          await insertRows(runs, rows);
          await node.fold();
        }),
      () => side(openPlain, rows.length, ({ runs }) => insertRows(runs, rows)),
      rounds(bench),
    );
  }),
  pgliteCase(
    "merge-page",
    "merge pages of new rows / parse them and upsert by one statement per page",
    async (bench) => {
      const rows = makeRows(table, count(bench));
      const texts = await pagesOf(bench, table, rows);
      return bench.interleave(
        () => side(openOurs, rows.length, ({ node }) => mergePages(node, texts)),
        () =>
          side(openPlain, rows.length, async ({ runs }) => {
            for (const text of texts) await upsertRows(runs, parsePage(text).map(plainRow));
          }),
        rounds(bench),
      );
    },
  ),
  pgliteCase(
    "serve-page",
    "serve all rows page by page, as text / select all rows and stringify them",
    async (bench) => {
      const rows = makeRows(table, count(bench));
      const [ours, plain] = [await openOurs(), await openPlain()];
      await insertRows(ours.runs, rows);
      await ours.node.fold();
      await insertRows(plain.runs, rows);
      const perRow = (milliseconds: number) => (milliseconds * 1000) / rows.length;
      const found = await bench.interleave(
        async () => perRow(await stopwatch(() => pullAll(ours.node, null, () => {}))),
        async () =>
          perRow(
            await stopwatch(async () => JSON.stringify(await plain.runs.unsafe("SELECT * FROM items ORDER BY id"))),
          ),
        rounds(bench),
      );
      for (const { client } of [ours, plain]) await client.close();
      return found;
    },
  ),
];
