// One simulation: a world, random writes and exchanges under faults; then the network heals and all must come to rest; then
// the verdict.
import type { Registry } from "@grove-crdt/core";
import { createRandom } from "../random";
import { giveUp, giveUpLost, openRound, REFUSALS } from "./collecting";
import { collectLast } from "./last-collection";
import { drawPlan, type Plan } from "./plan";
import { revive, sync, take } from "./steps";
import { diameterOf } from "./topology";
import { judge } from "./verdict";
import { World } from "./world";

export interface SimulationResult {
  readonly seed: number;
  /** What is wrong; null when nothing is. */
  readonly problem: string | null;
  readonly nodes: number;
  readonly writes: number;
  readonly rowsSent: number;
  /** How often each fault happened. */
  readonly faults: Readonly<Record<string, number>>;
  /** Writes by kind. */
  readonly kinds: Readonly<Record<string, number>>;
  readonly trace: readonly string[];
}

/** Runs one seed. Never throws for a fault of the system: what is wrong stands in the result. */
export const simulate = (seed: number, registry: Registry): Promise<SimulationResult> =>
  simulatePlan(drawPlan(seed), registry);

/** Runs a plan, which need not be what its seed stands for any more. */
export async function simulatePlan(plan: Plan, registry: Registry): Promise<SimulationResult> {
  const world = new World(plan, registry);
  let problem: string | null;
  try {
    problem = await run(world);
  } catch (error) {
    problem = `threw: ${(error as Error).stack}`;
  }
  const nodes = world.present.length;
  world.close();
  return {
    seed: plan.seed,
    problem,
    nodes,
    writes: Object.values(world.writes).reduce((sum, count) => sum + count, 0),
    rowsSent: world.network.rowsSent,
    faults: world.faults,
    kinds: world.writes,
    trace: world.trace,
  };
}

async function run(world: World): Promise<string | null> {
  await world.build();
  if (world.plan.collects) await meet(world);
  for (const step of world.plan.steps) {
    await take(world, step);
    if (world.failure) return failed(world);
  }
  await heal(world);
  const restless = await settle(world);
  if (world.failure) return failed(world);
  const problem = restless ?? (await judge(world));
  if (problem !== null || !world.plan.collects) return problem;
  const unended = await collectLast(world, 4 * diameterIn(world) + 2);
  if (world.failure) return failed(world);
  return unended ?? (await judge(world));
}

/** Two groups that never met cannot collect each by itself. */
async function meet(world: World): Promise<void> {
  world.network.isHealed = true;
  for (const machine of world.present) await sync(world, machine, null);
  world.network.isHealed = false;
}

const failed = ({ failure }: World): string => `failed: ${(failure as Error).stack ?? String(failure)}`;

/** No more faults: all clocks are right, all schemas are the same, and all ask for everything. */
async function heal(world: World): Promise<void> {
  const { network, plan } = world;
  world.log("all heals");
  world.random = createRandom(plan.seed + 1);
  network.heal();
  for (const { process } of world.present) process.disarm();
  await revive(world);
  for (const machine of world.present) {
    const own = plan.nodes[machine.index];
    machine.clock.change({ offset: own?.skew ?? 0 });
    if (machine.isOld) await machine.migrate();
    else if (plan.drifting) await machine.node.ensureShadowTables();
    if (machine.narrowed !== null) machine.widen();
  }
  if (plan.collects) await giveUp(world);
  await network.deliverLate(true);
  if (plan.collects) await giveUpLost(world);
}

/** The most links between two machines. */
function diameterIn({ present }: World): number {
  const indices = present.map(({ index }) => index);
  const links = present.flatMap(({ index, peers }) => peers.map((peer) => [index, peer] as const));
  return diameterOf(indices, links) ?? 0;
}

/**
 * Exchanges until nothing travels any more, and no collection is under way. Returns what is wrong if that takes longer than two
 * rounds for each hop; a collection needs six, and who begins anew does so first.
 */
async function settle(world: World): Promise<string | null> {
  const { network, plan } = world;
  const diameter = diameterIn(world);
  const bound = (plan.collects ? 8 : 2) * diameter + 1;
  let left = bound;
  for (let round = 1; ; round++) {
    const before = network.rowsSent;
    const count = (fault: string) => world.faults[fault] ?? 0;
    const refusals = () =>
      count("refused for its clock") + REFUSALS.reduce((sum, code) => sum + count(`refused: ${code}`), 0);
    const [found, refused] = [count("copies found"), refusals()];
    for (const machine of world.present) await sync(world, machine, null);
    if (world.failure) return null;
    const travelled = network.rowsSent - before;
    world.log(`round ${round}: ${travelled} rows`);
    const open = plan.collects ? await openRound(world) : null;
    // With a name of its own, a copy begins anew with all.
    if (count("copies found") > found) left = bound + 1;
    else if (travelled === 0 && refusals() === refused && open === null) {
      return null;
    }
    if (--left < 0)
      return `not quiet after ${round} rounds (diameter ${diameter}): ${travelled} rows still travel${open ? `, ${open}` : ""}`;
  }
}
