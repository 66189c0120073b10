// What all writes of the simulated application share: few keys and values, so that writes meet, and statements prepared once.
import type BetterSqlite3 from "better-sqlite3";
import type { Random } from "../random";
import type { Database, Intents } from "./intents";
import type { Oracle } from "./oracle";

export interface Writing {
  readonly random: Random;
  readonly oracle: Oracle;
  readonly intents: Intents;
  /** How many rows of each kind there are. */
  readonly rows: number;
  /** A text that nobody wrote before. */
  fresh(): string;
}

/** Rows with these keys are never deleted, so the oracle can say what they must become. */
const KEPT = ["k1", "k2"] as const;
/** Rows with these keys come, go, come again and change their key. */
const FLEETING = ["d1", "d2", "d3", "d4"] as const;
const STOCK = [
  ["north", "apple"],
  ["north", "pear"],
  ["south", "apple"],
] as const;
export const WORDS = ["alpha", "beta", "gamma", "", "ünï", "😀"];
export const TAGS = ["x", "y", "z"];

export const keptIds = (rows: number): readonly string[] => KEPT.slice(0, rows);
export const fleetingIds = (rows: number): readonly string[] => FLEETING.slice(0, rows + 1);
export const stockKeys = (rows: number): readonly (readonly [store: string, sku: string])[] => STOCK.slice(0, rows);

type Statement = BetterSqlite3.Statement<unknown[]>;
const prepared = new WeakMap<Database, Map<string, Statement>>();

function statement(database: Database, sql: string): Statement {
  let known = prepared.get(database);
  if (!known) {
    known = new Map();
    prepared.set(database, known);
  }
  let found = known.get(sql);
  if (!found) {
    found = database.prepare<unknown[]>(sql);
    known.set(sql, found);
  }
  return found;
}

/** A statement of the application. Returns how many rows it changed. */
export const run = (database: Database, sql: string, ...params: unknown[]): number =>
  statement(database, sql).run(...params).changes;
/** The first row that it reads. */
export const first = (database: Database, sql: string, ...params: unknown[]): unknown =>
  statement(database, sql).get(...params);

/** What a look returns while nothing is merged: several exchanges are under way at once. */
export async function settled<T>(database: Database, look: () => Promise<T>): Promise<T> {
  const seq = () => (first(database, "SELECT seq FROM _grove_node") as { seq: number }).seq;
  for (;;) {
    const before = seq();
    const seen = await look();
    if (seq() === before) return seen;
  }
}

/** Inserts one, takes one away, moves one, or gives one another value. */
export function changeItems<T>(
  { random, fresh }: Writing,
  items: readonly T[],
  make: (fresh: string, old?: T) => T,
): T[] {
  const text = fresh();
  const kind = random.next();
  const rest = [...items];
  const at = random.below(items.length + 1);
  if (kind < 0.4 || items.length === 0) rest.splice(at, 0, make(text));
  else if (kind < 0.55) rest.splice(at, 1);
  else if (kind < 0.85) rest.splice(at, 0, ...rest.splice(random.below(items.length), 1));
  else {
    const own = random.below(items.length);
    rest[own] = make(text, items[own]);
  }
  return rest;
}
