// A hub in a process of its own, and 1,000 edges that each push one change a second, without streams.
import { bundled, Child } from "../child";
import { type Latencies, pushFromMany } from "../crowd";
import type { Bench, Case } from "../harness";
import { startPostgres } from "../postgres";
import type { Message, Task } from "../processes/syncing";
import type { Dialect } from "../sizes";
import { itemsTable } from "../tables";
import { needsOf, portOf } from "./syncing";

interface Crowded extends Latencies {
  /** Milliseconds of the hub's processor time for each push. */
  readonly cpu: number;
}

const EDGES = 1_000;
const LIMIT = 250;

async function push(bench: Bench, place: Pick<Task, "dialect" | "database">): Promise<Crowded> {
  return bundled("syncing", async (file) => {
    const hub = new Child<Message>(file, { ...place, nodeId: "hub" } satisfies Task);
    try {
      const url = `http://127.0.0.1:${await portOf(hub)}/sync`;
      const used = async () => {
        hub.send("needs");
        return (await needsOf(hub)).cpu;
      };
      let before: Promise<number> | undefined;
      const found = await pushFromMany(url, bench.size(EDGES, 20), bench.size(30, 2), () => {
        before = used();
      });
      return { ...found, cpu: ((await used()) - ((await before) ?? 0)) / found.pushes };
    } finally {
      await hub.stop();
    }
  });
}

async function onSqlite(bench: Bench): Promise<Crowded> {
  const { database } = await bench.node(itemsTable, "hub");
  return push(bench, { dialect: "sqlite", database: database.name });
}

async function onPostgres(bench: Bench): Promise<Crowded> {
  const server = await startPostgres();
  try {
    const { sql } = await server.node("hub");
    return await push(bench, { dialect: "postgres", database: server.url(sql) });
  } finally {
    await server.stop();
  }
}

/** Measured once for the cases that look at it. */
const measured = new Map<Dialect, Promise<Crowded>>();
function crowded(dialect: Dialect, bench: Bench): Promise<Crowded> {
  const known = measured.get(dialect) ?? (dialect === "sqlite" ? onSqlite : onPostgres)(bench);
  measured.set(dialect, known);
  return known;
}

export const hubCases: readonly Case[] = (["sqlite", "postgres"] as const).flatMap((dialect): Case[] => [
  {
    id: `hub-p99.${dialect}`,
    goal: 1,
    better: "lower",
    unit: "ms",
    about: `a push to a hub with 1,000 edges that push once a second each, 99th percentile / ${LIMIT} ms`,
    run: async (bench) => [{ ours: (await crowded(dialect, bench)).p99, floor: LIMIT }],
  },
  {
    id: `hub-cpu.${dialect}`,
    goal: null,
    better: "lower",
    unit: "ms",
    about: "processor time of the hub's process for each such push / 1 ms, with which one core would be full",
    run: async (bench) => [{ ours: (await crowded(dialect, bench)).cpu, floor: 1 }],
  },
]);
