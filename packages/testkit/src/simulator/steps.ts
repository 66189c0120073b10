// What each kind of step does.
import { isGroveError } from "@grove-crdt/core";
import type { PeerReport } from "@grove-crdt/sync";
import { createRandom } from "../random";
import { cancel, collect, isAboutCollections, noteForgotten, rejoin } from "./collecting";
import { COLLECTION_POINTS, Crash } from "./crash";
import type { Machine } from "./machine";
import type { Step } from "./plan";
import type { World } from "./world";

/** Exchanges with one peer, or with all at once. */
export async function sync(world: World, machine: Machine, peer: number | null): Promise<void> {
  world.network.forked = null;
  const peers = machine.peers.filter((one) => peer === null || one === peer);
  const chosen = machine.syncers.filter((_, n) => peer === null || machine.peers[n] === peer);
  const reports = await Promise.all(chosen.map((syncer) => syncer.sync()));
  for (const [n, [report]] of reports.entries())
    if (report?.error) await heed(world, machine, peers[n] as number, report.error);
}

/** What a syncer says went wrong: most is meant to. */
async function heed(
  world: World,
  machine: Machine,
  peer: number,
  error: NonNullable<PeerReport["error"]>,
): Promise<void> {
  // Whoever is gone says nothing that counts.
  if (!machine.process.alive || error.code === "transport" || error.code === "aborted") return;
  if (isAboutCollections(world, error.code)) {
    world.count(`refused: ${error.code}`);
    world.log(`${machine.label}: ${error.code}`);
    // Somebody looks at it, sooner or later.
    const isSoon = world.network.isHealed || world.random.chance(0.7);
    if (error.code === "struck_off" && isSoon) await rejoin(world, machine, world.machines[peer] as Machine);
    return;
  }
  // `not_adopted`: what waited for a column was refused for the clock.
  if (world.plan.drifting && (error.code === "clock_drift" || error.code === "not_adopted")) {
    world.count("refused for its clock");
    return;
  }
  // Of two databases under one name, the one that took another answers by it from then on.
  if (error.code === "wrong_node" && world.copied.size > 0) return;
  if (error.code === "forked") {
    const found = world.network.forked ?? machine;
    // Whoever knows it by its former id is told once more.
    if (found.hasForked) return;
    // Both may be refused, one after the other: then both take another id, as the message says.
    if (world.copied.has(found.id)) {
      world.count("copies found");
      world.log(`${found.label} is one of two`);
      await found.fork(`${found.id}-${found.index}`);
      return;
    }
  }
  world.fail(error);
}

/** Dead programs start again. */
export async function revive(world: World): Promise<void> {
  for (const machine of world.present) {
    if (machine.process.alive) continue;
    world.count(`crash: ${machine.process.died}`);
    world.log(`${machine.label} died at ${machine.process.died} and starts again`);
    machine.restart();
    await noteForgotten(world, machine);
  }
}

/** Runs something in which a program may die. */
async function risk(world: World, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Crash) && !(error instanceof Error && error.cause instanceof Crash)) throw error;
  }
  await revive(world);
}

async function crash(world: World, machine: Machine, { point, passes }: Step & { do: "crash" }): Promise<void> {
  const { random, plan, workload } = world;
  const kind = () => random.pick(plan.kinds);
  if (point === "log" && random.chance(0.5)) {
    workload.interrupt(machine);
    world.count("crash: log");
    machine.restart();
    return;
  }
  // Something to do for whoever it is.
  await workload.write(machine, kind());
  const callers = world.present.filter(({ peers }) => peers.includes(machine.index));
  const caller = callers.length > 0 ? random.pick(callers) : null;
  if (caller) await workload.write(caller, kind());
  machine.process.arm(point, passes);
  await risk(world, async () => {
    if (point === "frame") {
      const reader = caller && random.chance(0.5) ? caller : machine;
      const peer = reader === machine ? (machine.peers[0] ?? null) : machine.index;
      if (peer !== null) await stream(world, reader, peer, 3);
    } else if (point === "send" || point === "acknowledge") await sync(world, machine, null);
    else if (point === "fold" && random.chance(0.3)) await machine.node.fold();
    else if (caller && random.chance(0.5)) await sync(world, caller, machine.index);
    else await sync(world, machine, null);
  });
  // To those it comes later, if ever.
  if (!COLLECTION_POINTS.includes(point)) machine.process.disarm();
}

async function stream(world: World, machine: Machine, peer: number, frames: number): Promise<void> {
  const syncer = machine.syncers[machine.peers.indexOf(peer)];
  if (!syncer) return;
  world.streaming = frames;
  const stop = new AbortController();
  world.network.forked = null;
  const errors: NonNullable<PeerReport["error"]>[] = [];
  machine.onReport = ({ error }) => {
    // After one failure there is no second try in this step.
    if (!error) return;
    errors.push(error);
    stop.abort();
  };
  await syncer.stream({ signal: stop.signal });
  machine.onReport = () => {};
  for (const error of errors) await heed(world, machine, peer, error);
}

async function restore(world: World, machine: Machine): Promise<void> {
  // The first time there is none yet.
  machine.backup ??= { image: await machine.image(), isOld: machine.isOld };
  if (machine.isTainted) return;
  const before = await world.workload.seen(machine);
  machine.restore();
  world.network.forget();
  world.count("restored");
  world.oracle.lose([before], await world.seen());
}

/** What waits for the new columns may be of a time that a clock behind does not take: then it goes on once that is right. */
async function migrate(world: World, machine: Machine): Promise<void> {
  try {
    await machine.migrate();
  } catch (error) {
    if (!world.plan.drifting || !isGroveError(error) || error.code !== "clock_drift") throw error;
    world.count("refused for its clock");
  }
}

/** Everybody exchanges with everybody, in turn. */
async function gather(world: World): Promise<void> {
  for (const machine of world.present) await risk(world, () => sync(world, machine, null));
}

export async function take(world: World, step: Step): Promise<unknown> {
  const machine = world.machines[step.node];
  if (!machine) return undefined;
  world.time += step.wait;
  world.random = createRandom(step.seed);
  const { network } = world;
  if (step.do !== "write" && step.do !== "sync") world.log(`${machine.label}: ${describe(step)}`);
  switch (step.do) {
    case "write":
      return world.workload.write(machine, step.kind);
    case "sync":
      return risk(world, () => sync(world, machine, step.peer));
    case "fold":
      return machine.node.fold();
    case "restart":
      world.count("restarted");
      return machine.restart();
    case "crash":
      return crash(world, machine, step);
    case "stream":
      return risk(world, () => stream(world, machine, step.peer, step.frames));
    case "late":
      return risk(world, () => network.deliverLate(false));
    case "cut":
      return network.cut(step.node, step.to, step.how);
    case "join":
      return network.join(step.node, step.to);
    case "clock":
      if (typeof step.change === "object" && step.node === world.plan.drifting?.node) machine.isTainted = true;
      world.count(typeof step.change === "string" ? `clock: ${step.change}` : "clock: set");
      return machine.clock.change(step.change);
    case "collect":
      // No two of them are of the very same time.
      world.time += 1;
      return risk(world, () => collect(world, machine, step));
    case "cancel":
      return risk(world, () => cancel(world, machine));
    case "gather":
      return gather(world);
    case "backup":
      if (machine.rejoins) return undefined;
      machine.backup = { image: await machine.image(), isOld: machine.isOld };
      return undefined;
    case "restore":
      if (machine.rejoins) return undefined;
      return restore(world, machine);
    case "copy": {
      // One at a time, and not of whose stamps may change.
      if (machine.isTainted || world.machines.length > world.plan.nodes.length) return undefined;
      world.copied.add(machine.id);
      const copy = await world.copy(machine);
      network.forget();
      world.count("copied");
      return world.log(`${copy.label} has the database of ${machine.label}`);
    }
    case "migrate":
      if (!machine.isOld) return undefined;
      world.count("migrated");
      return migrate(world, machine);
    case "widen":
      if (machine.narrowed === null) return undefined;
      world.count("widened");
      return machine.widen();
  }
}

const describe = ({ seed: _, wait: __, node: ___, ...own }: Step): string => JSON.stringify(own);
