// What the same work costs in tables of 1,000 to 1,000,000 rows: the points of bench/plots. One hub and one edge grow together.
import type { GroveNode } from "@grove-crdt/sync";
import { createSyncer } from "@grove-crdt/sync";
import { onPostgres } from "./cases/postgres";
import { comparing, transportTo } from "./comparing";
import { type Bench, stopwatch } from "./harness";
import { drain, namePostgresRows, nameRows, pulling, someOf } from "./large";
import { pullRequest } from "./pages";
import { insertRows } from "./postgres-tables";
import { insertAll, itemsTable, makeRows, type Values } from "./tables";

export type Dialect = "sqlite" | "postgres";

export interface Point {
  /** `merge`, `fold`, `serve`: microseconds a row; `pull`, `verify`: milliseconds. */
  readonly what: string;
  readonly rows: number;
  readonly value: number;
}

/** A node and what its application writes. */
interface Grown {
  readonly node: GroveNode;
  insert(rows: readonly Values[]): unknown;
  name(ids: readonly string[], name: string): unknown;
}

const PAGE = 1_000;
const PART = 50_000;
const TIMES = 5;

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;

async function grow(hub: Grown, edge: GroveNode, sizes: readonly number[]): Promise<Point[]> {
  const points: Point[] = [];
  const ids: string[] = [];
  let written = 0;
  const insert = async (count: number) => {
    const rows = makeRows(itemsTable, count);
    for (const [id] of rows) ids.push(id as string);
    await hub.insert(rows);
    await hub.node.fold();
  };
  const syncer = createSyncer(edge, { peers: [transportTo(hub.node)] });
  const sync = async () => {
    for (const { error } of await syncer.sync()) if (error) throw error;
  };
  for (const size of sizes) {
    while (ids.length < size) {
      await insert(Math.min(PART, size - ids.length));
      await sync();
    }
    let cursor = await drain(hub.node);
    const times = { fold: [] as number[], serve: [] as number[], merge: [] as number[] };
    const perRow = (milliseconds: number) => (milliseconds * 1000) / PAGE;
    for (let n = 0; n < TIMES; n++) {
      times.fold.push(perRow(await stopwatch(() => insert(PAGE))));
      let page: Awaited<ReturnType<GroveNode["pull"]>> | undefined;
      times.serve.push(
        perRow(
          await stopwatch(async () => {
            page = await hub.node.pull(pullRequest(cursor));
          }),
        ),
      );
      if (page?.rows.length !== PAGE) throw new Error(`The page has ${page?.rows.length} rows.`);
      const { rows } = page;
      cursor = page.cursor;
      times.merge.push(perRow(await stopwatch(() => edge.merge(hub.node.id, rows))));
    }
    for (const [what, values] of Object.entries(times)) points.push({ what, rows: size, value: median(values) });
    await sync();
    const change = (round: number) => hub.name(someOf(ids, round), `Written as number ${++written}`);
    for (const [what, time] of [
      ["pull", await pulling(hub.node, change)],
      ["verify", await comparing(hub.node, edge, ids.length, change, 1)],
    ] as const) {
      const values: number[] = [];
      for (let n = 0; n < TIMES; n++) values.push(await time());
      points.push({ what, rows: size, value: median(values) });
    }
  }
  return points;
}

const sizesOf = (bench: Bench) => (bench.options.quick ? [1_000, 2_000] : [1_000, 10_000, 100_000, 1_000_000]);

async function onSqlite(bench: Bench): Promise<Point[]> {
  const hub = await bench.node(itemsTable, "hub");
  const edge = await bench.node(itemsTable, "edge");
  const grown: Grown = {
    node: hub.node,
    insert: (rows) => insertAll(hub.database, itemsTable, rows),
    name: (ids, name) => nameRows(hub, ids, name),
  };
  return grow(grown, edge.node, sizesOf(bench));
}

const postgres = onPostgres(async (bench, server) => {
  const { sql, node } = await server.node("hub");
  const edge = await server.node("edge");
  const grown: Grown = {
    node,
    insert: (rows) => insertRows(sql, rows),
    name: (ids, name) => namePostgresRows(sql, ids, name),
  };
  return grow(grown, edge.node, sizesOf(bench));
});

export const sizes: Readonly<Record<Dialect, (bench: Bench) => Promise<Point[]>>> = { sqlite: onSqlite, postgres };
