// What operators do about collections: begin one, strike off who is away, give it up, let a node begin anew that was struck off.
// And what a machine forgets, as it does: by it the oracle knows what is no longer told apart.
import { isGroveError } from "@grove-crdt/core";
import { Crash } from "./crash";
import type { Machine } from "./machine";
import type { Step } from "./plan";
import type { Seen } from "./seen";
import type { World } from "./world";

/** What an exchange is refused with while nodes have not forgotten the same. */
export const REFUSALS: readonly string[] = ["collecting", "not_collected", "struck_off"];

export const isAboutCollections = (world: World, code: string): boolean =>
  world.plan.collects && REFUSALS.includes(code);

/** Does it, unless a node says no. */
async function attempt(
  world: World,
  machine: Machine,
  what: string,
  codes: readonly string[],
  act: () => Promise<unknown>,
) {
  try {
    await act();
    return true;
  } catch (error) {
    if (!isGroveError(error)) throw error;
    world.log(`${machine.label} ${what}: ${error.code}`);
    if (!codes.includes(error.code) && machine.process.alive) world.fail(error);
    return false;
  }
}

/** Microseconds: what was deleted a while ago. */
const WHILE = 2_000_000;

export async function collect(world: World, machine: Machine, { strike, older }: Step & { do: "collect" }) {
  const struck = strike === null ? undefined : world.machines[strike];
  const names = struck && struck !== machine ? [struck.id] : [];
  const options = { strike: names, ...(older && { before: new Date((machine.clock.now() - WHILE) / 1000) }) };
  // One is under way; or it never met who is to be struck off.
  // Who begins anew has nothing to begin.
  const codes = ["collecting", "bad_request", "struck_off"];
  if (!(await attempt(world, machine, "collects", codes, () => machine.node.collect(options)))) return;
  world.count("collections begun");
  if (names.length > 0) world.count("struck off");
}

/** Gives up what this machine began. */
export async function cancel(world: World, machine: Machine): Promise<void> {
  if (await attempt(world, machine, "cancels", ["bad_request", "struck_off"], () => machine.node.cancelCollection()))
    world.count("collections cancelled");
}

/**
 * Operators give up what cannot end: what a clock ahead began waits until all others have come so far; and of two that strike off whom
 * the other waits for, each waits for ever.
 */
export async function giveUp(world: World): Promise<void> {
  const all = await Promise.all(world.present.map(({ node }) => node.collection()));
  const open = all.flatMap(({ rounds }) => rounds.filter(({ state }) => state === "open"));
  const areApart = new Set(open.map(({ by }) => by)).size > 1 && open.some(({ struck }) => struck.length > 0);
  for (const [n, machine] of world.present.entries()) {
    const began = all[n]?.rounds.some(({ by, state }) => by === machine.id && state === "open");
    if (began && (areApart || world.plan.drifting)) await cancel(world, machine);
  }
}

/** And what everybody carried out who was put back to a time before. */
export async function giveUpLost(world: World): Promise<void> {
  const level = Math.max(...world.present.map((one) => (one.isRejoining ? 0 : one.level)));
  for (const machine of world.present) {
    const { rounds } = await machine.node.store.collection();
    if (rounds.some(({ verdict, upTo }) => verdict && upTo > level)) await cancel(world, machine);
  }
}

/** One of two refuses the other, or is refused by it: whoever has to begin anew does. */
export async function rejoin(world: World, one: Machine, other: Machine): Promise<void> {
  if (!(await rejoinAt(world, one, other))) await rejoinAt(world, other, one);
}

/** Whom a collection waits for that is under way; null = none is. */
export async function openRound({ present }: World): Promise<string | null> {
  for (const { node, label } of present) {
    const open = (await node.collection()).rounds.find(({ state }) => state === "open");
    if (open)
      return `${label} knows of a collection that ${open.by} began and that waits for ${JSON.stringify(open.awaited)}`;
  }
  return null;
}

const levelOf = (machine: Machine) => `${machine.label} at ${machine.level}`;

async function rejoinAt(world: World, machine: Machine, at: Machine): Promise<boolean> {
  const { oracle, workload } = world;
  if (!machine.process.alive || !at.process.alive) return false;
  machine.beforeRejoin ??= await machine.process.spare(() => workload.seen(machine));
  machine.rejoins = true;
  // Nothing makes it necessary; it has to wait; or the peer itself begins anew.
  const codes = ["bad_request", "collecting", "struck_off", "not_collected", "transport"];
  if (world.plan.drifting) codes.push("clock_drift");
  const before = machine.level;
  const ended = await attempt(world, machine, `rejoins at ${at.label}`, codes, () =>
    machine.syncerTo(at.index).rejoin(),
  );
  if (!machine.process.alive) return true;
  machine.rejoins = machine.isRejoining;
  if (!ended) {
    if (!machine.rejoins) machine.beforeRejoin = null;
    return false;
  }
  world.log(`${levelOf(machine)} was at ${before} and has rejoined at ${levelOf(at)}`);
  world.count("rejoined");
  const seen = await world.seen();
  const own = machine.beforeRejoin as Seen;
  machine.beforeRejoin = null;
  const aside: Seen[] = [];
  for (const one of world.present) aside.push(...(await one.process.spare(() => workload.aside(one))));
  // What is on record may have come back by now.
  oracle.lose([own], [...seen, ...aside, own]);
  const was = oracle.summary();
  oracle.lose([own], [...seen, ...aside]);
  const left = oracle.summary();
  if (was !== left && !world.isMurky)
    world.fail(new Error(`${machine.label} lost in its rejoining what is on no record:\n  ${was}\n  ${left}`));
  // And what is on record is nowhere else.
  oracle.lose(aside, seen);
  return true;
}

/** Runs a step in rounds, and tells the oracle what is forgotten by it. */
export async function watchRound<T>(world: World, machine: Machine, step: () => Promise<T>): Promise<T> {
  if (!machine.process.alive) throw new Crash();
  const before = await machine.process.spare(() => world.workload.seen(machine));
  machine.watched.push(before);
  const result = await step();
  await noteForgotten(world, machine);
  return result;
}

/** What a machine has forgotten since it was looked at; also by a program that died of it. */
export async function noteForgotten(world: World, machine: Machine): Promise<void> {
  const before = machine.watched[0];
  if (before === undefined || machine.level === before.level) {
    machine.watched.length = 0;
    return;
  }
  const after = await machine.process.spare(() => world.workload.seen(machine));
  machine.watched.length = 0;
  if (!machine.isRejoining) world.noteCollected(before, after);
}
