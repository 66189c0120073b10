// One simulation: a world, random writes and syncs under faults, then healing, then the verdict.
import { canonicalize, crdtTypes, type Json, mergeStates, type Registry, type RowChange } from "@grove-crdt/core";
import { createRandom, type Random } from "../random";
import { Oracle } from "./oracle";
import { expectShown } from "./shown";
import { withLinkedTables } from "./tables";
import { KEPT, STOCK, Workload } from "./workload";
import { type SimulatedNode, World } from "./world";

export interface SimulationResult {
  readonly seed: number;
  /** What is wrong; null when nothing is. */
  readonly problem: string | null;
  readonly nodes: number;
  readonly writes: number;
  readonly rowsSent: number;
  readonly trace: readonly string[];
}

/** Who has whom as a peer: star, chain, ring or mesh. */
function drawTopology(random: Random, count: number): { peers: number[][]; hops: number } {
  const shape = random.pick(["star", "chain", "ring", "mesh"]);
  const peers = Array.from({ length: count }, (_, n): number[] => {
    if (shape === "star") return n === 0 ? [] : [0];
    if (shape === "chain") return n === 0 ? [] : [n - 1];
    if (shape === "ring") return [(n + 1) % count];
    return Array.from({ length: count }, (_, other) => other).filter((other) => other !== n);
  });
  return { peers, hops: count };
}

async function sync(world: World, simulated: SimulatedNode): Promise<number> {
  const before = world.rowsSent;
  for (const report of await simulated.syncer.sync()) {
    if (!report.error) continue;
    const lost = report.error.cause instanceof Error && /lost/.test(report.error.cause.message);
    if (!lost) world.fail(report.error);
  }
  return world.rowsSent - before;
}

type States = Map<string, RowChange>;

/** Every row that the node's shadow knows, dead ones included, in one normal form. */
async function readStates(world: World, { database, node }: SimulatedNode): Promise<States> {
  const states: States = new Map();
  for (const model of world.registry.tables) {
    const keys = model.key.map(({ name }) => `"pk_${name}"`).join(", ");
    for (const pk of database.prepare(`SELECT ${keys} FROM "_${model.name}_crdt"`).raw().all() as Json[][]) {
      const state = (await node.inspect(model.name, pk)) as RowChange;
      states.set(`${model.name} ${canonicalize(pk)}`, mergeStates(model, state, state));
    }
  }
  return states;
}

function baseProblem(world: World, { database, name }: SimulatedNode, states: States): string | null {
  const expected = expectShown(world.registry, states.values());
  for (const model of world.registry.tables) {
    const columns = [...model.key, ...model.fields];
    const shown = new Map<string, unknown>();
    const list = columns
      .map((column) =>
        "type" in column && column.type === "counter" ? `CAST("${column.name}" AS TEXT)` : `"${column.name}"`,
      )
      .join(", ");
    for (const row of database.prepare(`SELECT ${list} FROM "${model.name}"`).raw().all() as unknown[][]) {
      shown.set(`${model.name} ${canonicalize(row.slice(0, model.key.length) as Json[])}`, row.slice(model.key.length));
    }
    for (const [key, state] of states) {
      if (state.table !== model.name) continue;
      const values = expected.shown.get(key);
      const row = shown.get(key) as unknown[] | undefined;
      shown.delete(key);
      if (!values !== !row)
        return `${name}: ${key} ${values ? "must show and is not in the table" : "must not show and is in the table"}`;
      if (!values || !row) continue;
      for (const [n, field] of model.fields.entries()) {
        // A deleted row that shows keeps no entries of what was empty from the start.
        const value = values[field.name] ?? (field.type === "lww" ? null : (field.default ?? null));
        const wanted =
          field.kind === "json"
            ? JSON.stringify(value)
            : field.kind === "timestamp"
              ? Date.parse(value as string)
              : value;
        if (row[n] !== wanted)
          return `${name}: ${key}.${field.name} is ${JSON.stringify(row[n])} in the table and ${JSON.stringify(wanted)} by the shadow`;
      }
    }
    for (const key of shown.keys()) return `${name}: ${key} is in the table and unknown to the shadow`;
  }
  const parked = database.prepare("SELECT tbl || ' ' || pk FROM _grove_parked WHERE peer IS NULL").pluck().all();
  if (canonicalize(parked.sort() as Json) !== canonicalize([...expected.parked].sort()))
    return `${name}: parked are ${parked.join(", ")} and must be ${expected.parked.join(", ")}`;
  const broken = database.pragma("foreign_key_check") as object[];
  if (broken.length > 0) return `${name}: broken references ${JSON.stringify(broken)}`;
  return null;
}

function oracleProblem(oracle: Oracle, states: States): string | null {
  for (const [store, sku] of STOCK) {
    const state = states.get(`inventory ${canonicalize([store, sku])}`);
    const expected = String(oracle.counted.get(`inventory ${store} ${sku}`) ?? 0);
    const value = state && sum(state, "quantity");
    if (value !== expected) return `inventory ${store} ${sku}: counted ${value}, acknowledged ${expected}`;
  }
  for (const id of KEPT) {
    const state = states.get(`documents ${canonicalize([id])}`);
    if (!state) return `documents ${id} is lost`;
    const expected = String(oracle.counted.get(`documents ${id}`) ?? 0);
    if (sum(state, "view_count") !== expected)
      return `documents ${id}: counted ${sum(state, "view_count")}, acknowledged ${expected}`;
    const written = oracle.value(`documents ${id}`);
    const title = state.lww?.title?.[0];
    if (written && title !== written.value)
      return `documents ${id}.title is ${JSON.stringify(title)}; the latest write was ${JSON.stringify(written.value)}`;
    const present = new Set<string>();
    for (const [element, hlc, , removed] of state.set?.tags ?? [])
      if (removed === undefined || removed < hlc) present.add(JSON.stringify(element));
    const tags = [...present].sort();
    const wanted = oracle.elements(`documents ${id}`);
    if (canonicalize(tags) !== canonicalize(wanted))
      return `documents ${id}.tags are ${tags.join()}; by the adds and removals they must be ${wanted.join()}`;
    const problem = planProblem(oracle, `plans ${id}`, states.get(`plans ${canonicalize([id])}`));
    if (problem) return `plans ${id}: ${problem}`;
  }
  return null;
}

function planProblem(oracle: Oracle, row: string, state: RowChange | undefined): string | null {
  if (!state) return "is lost";
  const value = (type: "list" | "document", column: string) =>
    crdtTypes[type].materialize(crdtTypes[type].decode((state[type]?.[column] ?? (type === "list" ? [] : {})) as Json));
  const cards = oracle.cardsProblem(row, value("list", "cards") as unknown as { id: string }[]);
  if (cards) return `cards ${cards}`;
  const { views } = (value("document", "data") as { stats: { views: number } }).stats;
  const expected = oracle.counted.get(row) ?? 0;
  if (views !== expected) return `data.stats.views is ${views}, acknowledged ${expected}`;
  return oracle.listsProblem(row, state);
}

function sum(state: RowChange, field: string): string {
  const { birth, totals = [] } = state.counter?.[field] ?? {};
  return String(totals.reduce((value, [, , up, down]) => value + BigInt(up) - BigInt(down), BigInt(birth?.[0] ?? 0)));
}

/** Runs one seed. Never throws for a fault of the system: what is wrong stands in the result. */
export async function simulate(seed: number, registry: Registry): Promise<SimulationResult> {
  const random = createRandom(seed);
  const count = random.between(2, 5);
  // A part of the faults is off each time, so that some runs are calm enough to reach deep states.
  const fault = (most: number) => (random.chance(0.5) ? 0 : random.next() * most);
  const faults = { requestLost: fault(0.3), answerLost: fault(0.3), doubled: fault(0.5), late: fault(0.5) };
  const pages = { rows: random.pick([1, 2, 3, 7, 1000]), bytes: random.pick([1, 300, 1_000_000]) };
  const world = new World(random, withLinkedTables(registry), faults, pages);
  const oracle = new Oracle();
  const workload = new Workload(world, oracle);
  const { peers, hops } = drawTopology(random, count);
  const adopted = random.chance(0.3);
  let writes = 0;

  const verdict = async (): Promise<string | null> => {
    for (let n = 0; n < count; n++) {
      const skew = random.between(-20_000_000, 20_000_000);
      await world.addNode(`node-${n}`, skew, peers[n] as number[], (database) => {
        if (adopted) workload.adopt({ database, name: `node-${n}` });
      });
    }
    if (!adopted) for (const simulated of world.nodes) await workload.seed(simulated);
    let depth = 0;
    world.between = async () => {
      if (world.healed || depth > 0 || !random.chance(0.15)) return;
      depth++;
      await workload.write(random.pick(world.nodes));
      writes++;
      depth--;
    };

    const steps = random.between(20, 60);
    for (let step = 0; step < steps && !world.failure; step++) {
      world.time += random.pick([0, 0, 1, 1000, 2_000_000]);
      const simulated = random.pick(world.nodes);
      const dice = random.next();
      if (dice < 0.6) {
        await workload.write(simulated);
        writes++;
      } else if (dice < 0.9) await sync(world, simulated);
      else if (dice < 0.95) world.restart(simulated);
      else if (dice < 0.98) await world.deliverLate(false);
      else await simulated.node.fold();
    }

    world.healed = true;
    await world.deliverLate(true);
    const rounds = 2 * hops + 2;
    let travelled = 1;
    for (let round = 0; round < rounds && travelled > 0 && !world.failure; round++) {
      travelled = 0;
      for (const simulated of world.nodes) travelled += await sync(world, simulated);
    }
    if (world.failure) return `failed: ${(world.failure as Error).stack ?? String(world.failure)}`;
    if (travelled > 0) return `not quiet after ${rounds} rounds: ${travelled} rows still travel`;

    const all = await Promise.all(world.nodes.map((simulated) => readStates(world, simulated)));
    const [first] = all as [States];
    for (const [n, simulated] of world.nodes.entries()) {
      const states = all[n] as States;
      const problem =
        difference(world.nodes[0]!.name, first, simulated.name, states) ?? baseProblem(world, simulated, states);
      if (problem) return problem;
    }
    return oracleProblem(oracle, first);
  };

  let problem: string | null;
  try {
    problem = await verdict();
  } catch (error) {
    problem = `threw: ${(error as Error).stack}`;
  }
  for (const { database } of world.nodes) database.close();
  return { seed, problem, nodes: count, writes, rowsSent: world.rowsSent, trace: world.trace };
}

function difference(a: string, left: States, b: string, right: States): string | null {
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const one = JSON.stringify(left.get(key) ?? null);
    const other = JSON.stringify(right.get(key) ?? null);
    if (one !== other) return `${key} differs:\n  ${a}: ${one}\n  ${b}: ${other}`;
  }
  return null;
}
