// What open streams cost a hub in a process of its own: memory for each that waits, processor time for each page that one gets.
import { bundled, Child } from "../child";
import { Edge, Reader } from "../crowd";
import type { Bench, Case } from "../harness";
import type { Message, Task } from "../processes/syncing";
import { itemsTable } from "../tables";
import { needsOf, portOf } from "./syncing";

const STREAMS = 1_000;
const CHANGES = 20;
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** For each stream. */
interface Streams {
  /** KiB while it waits. */
  readonly memory: number;
  /** Milliseconds of processor time to open it, and for each page that it gets. */
  readonly opening: number;
  readonly cpu: number;
}

async function measure(bench: Bench): Promise<Streams> {
  const { database } = await bench.node(itemsTable, "hub");
  const [streams, changes] = [bench.size(STREAMS, 20), bench.size(CHANGES, 3)];
  return bundled("syncing", async (file) => {
    const hub = new Child<Message>(file, { dialect: "sqlite", database: database.name, nodeId: "hub" } satisfies Task);
    try {
      const url = `http://127.0.0.1:${await portOf(hub)}/sync`;
      const needs = () => {
        hub.send("needs");
        return needsOf(hub);
      };
      const edge = new Edge(`${url}/push`, "writer");
      for (let n = 0; n < 50; n++) await edge.push();
      const alone = await needs();
      const readers = Array.from({ length: streams }, (_, n) => new Reader(url, `reader-${n}`));
      const until = async (pages: number) => {
        while (readers.some((reader) => reader.pages < pages)) await pause(20);
      };
      await until(1);
      const open = await needs();
      for (let n = 0; n < changes; n++) {
        await edge.push();
        await until(n + 2);
      }
      const cpu = (await needs()).cpu - open.cpu;
      for (const reader of readers) reader.close();
      edge.close();
      return {
        memory: ((open.now - alone.now) * 1024) / streams,
        opening: (open.cpu - alone.cpu) / streams,
        cpu: cpu / changes / streams,
      };
    } finally {
      await hub.stop();
    }
  });
}

let measured: ReturnType<typeof measure> | undefined;
const once = (bench: Bench) => {
  measured ??= measure(bench);
  return measured;
};

export const streamCases: readonly Case[] = [
  {
    id: "stream-memory.sqlite",
    goal: null,
    better: "lower",
    unit: "KiB",
    about: "memory of the hub's process for each of 1,000 open streams / 100 KiB",
    run: async (bench) => [{ ours: (await once(bench)).memory, floor: 100 }],
  },
  {
    id: "stream-cpu.sqlite",
    goal: null,
    better: "lower",
    unit: "ms",
    about: "processor time of the hub's process for each page of one change that a stream gets / 1 ms",
    run: async (bench) => [{ ours: (await once(bench)).cpu, floor: 1 }],
  },
  {
    id: "stream-open.sqlite",
    goal: null,
    better: "lower",
    unit: "ms",
    about: "processor time of the hub's process for each stream that is opened / 1 ms",
    run: async (bench) => [{ ours: (await once(bench)).opening, floor: 1 }],
  },
];
