// A hub that has folded nothing yet and an edge that has nothing, each a process of its own, over a socket: how much memory each
// needs until the edge has all rows, and how long its event loop was held up.
import { bundled, Child } from "../child";
import type { Bench, Case } from "../harness";
import { startPostgres } from "../postgres";
import { insertRows } from "../postgres-tables";
import type { Message, Needs, Task } from "../processes/syncing";
import type { Dialect } from "../sizes";
import { insertAll, itemsTable, makeRows } from "../tables";

const PART = 50_000;
type Place = Pick<Task, "dialect" | "database">;
type Pair = Readonly<Record<"hub" | "edge", Needs>>;

/** Runs the two processes on databases that are prepared. */
async function run(hubAt: Place, edgeAt: Place, rows: number): Promise<Pair> {
  return bundled("syncing", async (file) => {
    const hub = new Child<Message>(file, { ...hubAt, nodeId: "hub" } satisfies Task);
    try {
      const url = `http://127.0.0.1:${await portOf(hub)}/sync`;
      const edge = new Child<Message>(file, { ...edgeAt, nodeId: "edge", hub: url, rows } satisfies Task);
      try {
        const found = await needsOf(edge);
        hub.send("needs");
        return { edge: found, hub: await needsOf(hub) };
      } finally {
        await edge.stop();
      }
    } finally {
      await hub.stop();
    }
  });
}

export async function portOf(child: Child<Message>): Promise<number> {
  const message = await child.next();
  if (!("port" in message)) throw new Error("A hub did not say where it listens.");
  return message.port;
}

export async function needsOf(child: Child<Message>): Promise<Needs> {
  const message = await child.next();
  if (!("needs" in message)) throw new Error("A process did not say what it needed.");
  return message.needs;
}

async function onSqlite(bench: Bench, rows: number): Promise<Pair> {
  const [hub, edge] = [await bench.node(itemsTable, "hub"), await bench.node(itemsTable, "edge")];
  for (let from = 0; from < rows; from += PART)
    insertAll(hub.database, itemsTable, makeRows(itemsTable, Math.min(PART, rows - from)));
  const place = (database: string): Place => ({ dialect: "sqlite", database });
  hub.database.pragma("wal_checkpoint(TRUNCATE)");
  return run(place(hub.database.name), place(edge.database.name), rows);
}

async function onPostgres(_bench: Bench, rows: number): Promise<Pair> {
  const server = await startPostgres();
  try {
    const [hub, edge] = [await server.node("hub"), await server.node("edge")];
    for (let from = 0; from < rows; from += PART)
      await insertRows(hub.sql, makeRows(itemsTable, Math.min(PART, rows - from)));
    const place = ({ sql }: typeof hub): Place => ({ dialect: "postgres", database: server.url(sql) });
    return await run(place(hub), place(edge), rows);
  } finally {
    await server.stop();
  }
}

/** Measured once for the cases that look at it. */
const measured = new Map<string, Promise<Pair>>();
function pairOf(dialect: Dialect, bench: Bench, rows: number): Promise<Pair> {
  const name = `${dialect} ${rows}`;
  const known = measured.get(name) ?? (dialect === "sqlite" ? onSqlite : onPostgres)(bench, rows);
  measured.set(name, known);
  return known;
}

const MEMORY = 150;
const BLOCKED = 50;
const large = (bench: Bench) => bench.size(1_000_000, 5_000);
const small = (bench: Bench) => bench.size(100_000, 2_000);

const casesOf = (dialect: Dialect, who: "hub" | "edge"): Case[] => [
  {
    id: `memory-${who}.${dialect}`,
    goal: 1,
    better: "lower",
    unit: "MiB",
    about: `most memory of ${who === "hub" ? "a hub that folds and serves" : "an edge that pulls"} 1,000,000 rows / ${MEMORY} MiB`,
    run: async (bench) => [{ ours: (await pairOf(dialect, bench, large(bench)))[who].peak, floor: MEMORY }],
  },
  {
    id: `memory-growth-${who}.${dialect}`,
    goal: 1.1,
    better: "lower",
    unit: "MiB",
    about: "the same / the same with 100,000 rows",
    run: async (bench) => [
      {
        ours: (await pairOf(dialect, bench, large(bench)))[who].peak,
        floor: (await pairOf(dialect, bench, small(bench)))[who].peak,
      },
    ],
  },
  {
    id: `event-loop-${who}.${dialect}`,
    goal: 1,
    better: "lower",
    unit: "ms",
    about: `how long its event loop is held up meanwhile, 99th percentile / ${BLOCKED} ms`,
    run: async (bench) => [{ ours: (await pairOf(dialect, bench, large(bench)))[who].delay, floor: BLOCKED }],
  },
];

export const syncingCases: readonly Case[] = (["sqlite", "postgres"] as const).flatMap((dialect) =>
  (["edge", "hub"] as const).flatMap((who) => casesOf(dialect, who)),
);
