// A collection when all is at rest: it ends, forgets every deletion that can be forgotten, and changes nothing that anybody sees.
import { collectable, isGroveError, type RowChange } from "@grove-crdt/core";
import type { Machine } from "./machine";
import { sync } from "./steps";
import type { World } from "./world";

/** Microseconds after which all that was written is older than what any clock says. */
const LONG = 120_000_000;

/** What the application sees. */
const shownOn = ({ database, registry }: Machine): string =>
  JSON.stringify(
    registry.tables.map(({ name }) => database.prepare(`SELECT * FROM "${name}" ORDER BY 1, 2`).raw().all()),
  );

/** @param rounds of exchanges in which it has to end */
export async function collectLast(world: World, rounds: number): Promise<string | null> {
  const { present, random, plan } = world;
  const [first] = present as [Machine];
  const page = await pageOf(first);
  const before = present.map(shownOn);
  const level = first.level;
  world.time += LONG;
  // Of a node whose clock was years ahead the stamps may still be.
  const able = present.filter(({ isTainted }) => !isTainted);
  const beginner = random.pick(able);
  const { rounds: begun } = await beginner.node.collect();
  world.log(`${beginner.label} collects last: ${begun.length} rounds`);
  for (let left = rounds; present.some((one) => one.level === level); left--) {
    if (left === 0)
      return `the last collection does not end: ${JSON.stringify((await beginner.node.collection()).rounds)}`;
    for (const machine of present) await sync(world, machine, null);
    if (world.failure) return null;
  }
  for (const [n, machine] of present.entries()) {
    if (machine.level !== first.level)
      return `${machine.label} collected up to ${machine.level}, and ${first.label} to ${first.level}`;
    if (shownOn(machine) !== before[n]) return `${machine.label} shows other rows since the last collection`;
    if (!plan.drifting) {
      const left = leftOn(machine, present.length);
      if (left) return `${machine.label} keeps after the last collection: ${left}`;
    }
  }
  // A page from before is of a time when causal lengths meant other things.
  try {
    await first.node.merge("stranger", page, undefined, { collected: level });
    return `${first.label} takes a page from before the last collection`;
  } catch (error) {
    if (!isGroveError(error) || error.code !== "not_collected") throw error;
  }
  return null;
}

const pageOf = async ({ node, database }: Machine): Promise<readonly RowChange[]> => {
  const ids = database.prepare("SELECT id FROM documents LIMIT 3").pluck().all() as string[];
  const states = await node.store.states(ids.map((id) => ["documents", [id]] as const));
  return states.flatMap((state) => state ?? []);
};

/** What could be forgotten and was not; null = nothing. */
function leftOn({ database, registry }: Machine, members: number): string | null {
  for (const model of registry.tables) {
    const fields = collectable(model);
    if (!fields) continue;
    const dead = database.prepare(`SELECT * FROM "_${model.name}_crdt" WHERE cl <> 1 LIMIT 1`).get();
    if (dead) return `${model.name} ${JSON.stringify(dead)}`;
    for (const field of fields) {
      const sql = `SELECT row, count(*) AS n FROM "_${model.name}_crdt_cells" WHERE field = ? AND key <> '' GROUP BY row HAVING n > ?`;
      // One of each member, and one in which the others stand together.
      const many = database.prepare(sql).get(field, members + 1);
      if (many) return `${model.name}.${field} ${JSON.stringify(many)}`;
    }
  }
  return null;
}
