// Writes to `plans`: lists and documents that are read whole, changed and written whole, as applications do, or changed by
// helpers.
import type { Card, Database } from "./intents";
import type { Machine } from "./machine";
import { changeItems, first, fleetingIds, keptIds, run, settled, TAGS, WORDS, type Writing } from "./writing";

/** A row of `plans` as its application has it. */
interface Plan {
  steps: string[];
  cards: Card[];
  data: Record<string, unknown>;
}
const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function readPlan(database: Database, id: string): Plan | undefined {
  const row = first(database, "SELECT steps, cards, data FROM plans WHERE id = ?", id);
  if (!row) return undefined;
  const { steps, cards, data } = row as Record<keyof Plan, string>;
  return { steps: JSON.parse(steps), cards: JSON.parse(cards), data: JSON.parse(data) };
}

const writePlan = (database: Database, id: string, { steps, cards, data }: Plan): number =>
  run(
    database,
    "UPDATE plans SET steps = ?, cards = ?, data = ? WHERE id = ?",
    JSON.stringify(steps),
    JSON.stringify(cards),
    JSON.stringify(data),
    id,
  );

/** A row that is never deleted. */
export async function writeKeptPlan(writing: Writing, { database, node }: Machine): Promise<void> {
  const { random, oracle } = writing;
  const id = random.pick(keptIds(writing.rows));
  const row = `plans ${id}`;
  const before = await settled(database, () => node.inspect("plans", [id]));
  for (let n = random.pick([1, 1, 1, 3]); n > 0; n--) {
    const plan = readPlan(database, id) as Plan;
    if (random.chance(0.4)) {
      meanPlan(writing, database, id, plan);
      continue;
    }
    switch (random.below(4)) {
      case 0:
        plan.steps = changeItems(writing, plan.steps, (fresh) => fresh);
        break;
      case 1: {
        const cards = changeItems(writing, plan.cards, (fresh, old) => ({ id: old?.id ?? fresh, text: fresh }));
        oracle.carded(row, plan.cards, cards);
        plan.cards = cards;
        break;
      }
      case 2: {
        const delta = random.between(-3, 5);
        const stats = plan.data.stats as { views: number };
        plan.data.stats = { ...stats, views: stats.views + delta };
        oracle.count(row, delta);
        break;
      }
      default:
        changeData(writing, plan.data);
    }
    writePlan(database, id, plan);
  }
  oracle.listed(row, before, await node.inspect("plans", [id]));
}

function meanPlan({ random, oracle, intents }: Writing, database: Database, id: string, plan: Plan): void {
  const row = `plans ${id}`;
  switch (random.below(4)) {
    case 0:
      intents.steps(database, id, plan.steps.length);
      break;
    case 1:
      intents.cards(database, id, plan.cards.length);
      oracle.carded(row, plan.cards, (readPlan(database, id) as Plan).cards);
      break;
    case 2: {
      const delta = random.between(-3, 5);
      oracle.count(row, delta);
      intents.planViews(database, id, delta);
      break;
    }
    default:
      intents.data(database, id);
  }
}

/** A row that comes and goes, and whose values may be of any shape for a while. */
export async function writeFleetingPlan(writing: Writing, { database }: Machine): Promise<void> {
  const { random, intents } = writing;
  const id = random.pick(fleetingIds(writing.rows));
  const plan = readPlan(database, id);
  if (plan && random.chance(0.3)) {
    intents.steps(database, id, plan.steps.length);
    intents.cards(database, id, plan.cards.length);
    intents.data(database, id);
    intents.planViews(database, id, 1);
  } else if (!plan || random.chance(0.1)) {
    run(
      database,
      "INSERT OR REPLACE INTO plans (id, steps, data) VALUES (?, ?, ?)",
      id,
      random.pick(["[]", '["x", "y"]']),
      random.pick(["{}", '{"a":{"b":1},"stops":["x"]}']),
    );
  } else if (random.chance(0.2)) run(database, "DELETE FROM plans WHERE id = ?", id);
  else {
    plan.steps = changeItems(writing, plan.steps, () => random.pick(TAGS));
    plan.cards = changeItems(writing, plan.cards, (fresh) =>
      random.chance(0.2) ? ("no card" as unknown as Card) : { id: fresh },
    );
    changeData(writing, plan.data);
    // What is counted, collected and listed may be something else for a while.
    if (random.chance(0.2)) plan.data[random.pick(["stats", "labels", "stops"])] = random.pick([1, "text", {}, [1]]);
    if (random.chance(0.1)) delete plan.data[random.pick(["stats", "labels", "stops"])];
    if (random.chance(0.2)) plan.data.stats = { views: random.below(9) };
    writePlan(database, id, plan);
  }
}

/** Beside the paths with types, anything may come and go. */
function changeData(writing: Writing, data: Plan["data"]): void {
  const { random, fresh } = writing;
  const listed = (name: string) => (Array.isArray(data[name]) ? (data[name] as string[]) : []);
  switch (random.below(5)) {
    case 0:
      data.stops = changeItems(writing, listed("stops"), (text) => text);
      break;
    case 1: {
      const tag = random.pick(TAGS);
      const labels = listed("labels");
      data.labels = labels.includes(tag) ? labels.filter((other) => other !== tag) : [...labels, tag];
      break;
    }
    case 2:
      if (random.chance(0.5)) delete data.a;
      else data.a = random.pick<unknown>([1, {}, { b: 2 }, { b: { c: 3 }, d: 4 }, [5]]);
      break;
    case 3:
      data.a = { ...(isObject(data.a) ? data.a : {}), [random.pick(["b", "d", "e.f", ""])]: fresh() };
      break;
    default:
      if (isObject(data.stats)) data.stats = { ...data.stats, owner: random.pick(WORDS) };
  }
}
