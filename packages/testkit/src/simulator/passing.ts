// Rows that come and go and never come again, each under a key of its own: of them it is known without the code under test who must
// be there in the end. Collections forget them one after the other.
import { canonicalize, isAlive, type RowChange, type RowKey } from "@grove-crdt/core";
import type { Database } from "./intents";
import type { Machine } from "./machine";
import type { Seen } from "./seen";
import { run, type Writing } from "./writing";

interface Fate {
  readonly key: RowKey;
  /** `gone`: whoever knew of it was put back to a time before. */
  is: "alive" | "dead" | "gone";
  /** The collection that forgot it. */
  forgotten: number | null;
}

export class Passing {
  readonly #fates = new Map<string, Fate>();

  inserted(table: string, id: string): void {
    this.#fates.set(`${table} ${id}`, { key: [table, [id]], is: "alive", forgotten: null });
  }
  /** By somebody in whose table it showed. */
  deleted(table: string, id: string): void {
    const fate = this.#fates.get(`${table} ${id}`);
    if (fate) fate.is = "dead";
  }

  get keys(): readonly RowKey[] {
    return [...this.#fates.values()].map(({ key }) => key);
  }

  collected(before: Seen, after: Seen): void {
    for (const [row, fate] of this.#fates) {
      const state = before.states.get(row);
      if (state && !isAlive(state) && !after.states.get(row)) fate.forgotten ??= after.level;
    }
  }

  /** What nobody knows any more has not happened. @param left what all databases hold now, or have on record */
  lose(left: readonly Seen[]): void {
    for (const [row, fate] of this.#fates) {
      const { forgotten } = fate;
      const states = left.flatMap((one) => one.states.get(row) ?? []);
      const isForgotten = forgotten !== null && left.some(({ level }) => level >= forgotten);
      const isDead = fate.is === "dead" && (isForgotten || states.some((state) => !isAlive(state)));
      if (fate.is === "gone" || isDead) continue;
      // What was written to a deleted row may be on record yet.
      const isThere = fate.is === "alive" || left.some((one) => one.level >= 0 && one.states.get(row));
      fate.is = states.length === 0 ? "gone" : isThere ? "alive" : "dead";
    }
  }

  /** What is wrong with what is left in the end; null when nothing is. */
  problem(states: ReadonlyMap<string, RowChange>): string | null {
    for (const [row, { key, is }] of this.#fates) {
      const state = states.get(`${key[0]} ${canonicalize([...key[1]])}`);
      const lives = state !== undefined && isAlive(state);
      if (is === "alive" && !lives) return `${row} is ${state ? "dead" : "gone"}, and nobody deleted it`;
      if (is === "dead" && lives) return `${row} was deleted, and is back`;
      if (is === "gone" && state) return `${row} is known, and nobody had it any more`;
    }
    return null;
  }

  /** The rows that must be there. */
  living(): readonly string[] {
    return [...this.#fates].flatMap(([row, { is }]) => (is === "alive" ? [row] : []));
  }
}

const TABLES = ["documents", "documents", "orders"] as const;
const shownIn = (database: Database, table: string) =>
  database.prepare(`SELECT id FROM ${table} WHERE id LIKE 'p-%' ORDER BY id`).pluck().all() as string[];

export function writePassing({ random, fresh, oracle: { passing } }: Writing, { database }: Machine): void {
  const table = random.pick(TABLES);
  const shown = shownIn(database, table);
  const roll = random.next();
  if (shown.length === 0 || roll < 0.45) {
    const id = `p-${fresh()}`;
    if (table === "orders") run(database, "INSERT INTO orders (id, total, placed_at) VALUES (?, 1, 1700000000000)", id);
    else run(database, "INSERT INTO documents (id, title, view_count) VALUES (?, ?, ?)", id, id, random.pick([0, 3]));
    passing.inserted(table, id);
    return;
  }
  const id = random.pick(shown);
  if (roll < 0.8) {
    run(database, `DELETE FROM ${table} WHERE id = ?`, id);
    passing.deleted(table, id);
  } else if (table === "orders") run(database, "UPDATE orders SET total = total + 1 WHERE id = ?", id);
  else run(database, "UPDATE documents SET title = ?, view_count = view_count + 1 WHERE id = ?", fresh(), id);
}
