// Random writes that say what is meant, by Drizzle and the helpers: what is there otherwise stays, whatever was merged meanwhile.

import {
  add,
  append,
  deletePath,
  increment,
  insertAt,
  move,
  remove,
  removeAt,
  setPath,
} from "@grove-crdt/drizzle/intent";
import type BetterSqlite3 from "better-sqlite3";
import { and, eq } from "drizzle-orm";
import { type BetterSQLite3Database, drizzle } from "drizzle-orm/better-sqlite3";
import { documents, inventory, plans } from "../../../../schema/sqlite";
import type { Random } from "../random";

export type Database = BetterSqlite3.Database;
export interface Card {
  readonly id: string;
  readonly text?: string;
}

const opened = new WeakMap<Database, BetterSQLite3Database>();
function dbOf(database: Database): BetterSQLite3Database {
  const db = opened.get(database) ?? drizzle({ client: database });
  opened.set(database, db);
  return db;
}

export class Intents {
  constructor(
    private readonly draw: () => Random,
    private readonly fresh: () => string,
  ) {}

  private get random(): Random {
    return this.draw();
  }

  stock(database: Database, store: string, sku: string, delta: number): void {
    dbOf(database)
      .update(inventory)
      .set({ quantity: increment(inventory.quantity, delta) })
      .where(and(eq(inventory.store, store), eq(inventory.sku, sku)))
      .run();
  }

  views(database: Database, id: string, delta: number): void {
    const viewCount = increment(documents.viewCount, delta);
    dbOf(database).update(documents).set({ viewCount }).where(eq(documents.id, id)).run();
  }

  tags(database: Database, id: string, tag: string): void {
    const tags = this.random.chance(0.6) ? add(documents.tags, tag) : remove(documents.tags, tag);
    dbOf(database).update(documents).set({ tags }).where(eq(documents.id, id)).run();
  }

  #plan(
    database: Database,
    id: string,
    values: Parameters<ReturnType<BetterSQLite3Database["update"]>["set"]>[0],
  ): void {
    dbOf(database).update(plans).set(values).where(eq(plans.id, id)).run();
  }

  steps(database: Database, id: string, length: number): void {
    this.#plan(database, id, { steps: this.#items(plans.steps, length, this.fresh) });
  }

  cards(database: Database, id: string, length: number): void {
    // The simulator's own ids are texts, so that none is made twice.
    const make = () => ({ id: this.fresh() }) as unknown as { id: number };
    this.#plan(database, id, { cards: this.#items(plans.cards, length, make) });
  }

  #items<Item>(list: typeof plans.steps | typeof plans.cards, length: number, make: () => Item) {
    const { random } = this;
    const column = list as typeof plans.steps;
    const fresh = () => make() as unknown as string;
    // One past the end, too.
    const at = () => random.below(length + 1);
    switch (random.below(5)) {
      case 0:
        return append(column, fresh());
      case 1:
        return insertAt(column, at(), fresh(), fresh());
      case 2:
        return removeAt(column, at());
      default:
        return move(column, at(), at());
    }
  }

  planViews(database: Database, id: string, delta: number): void {
    this.#plan(database, id, { data: increment(plans.data, ["stats", "views"], delta) });
  }

  /** Beside the counter: the owner, lists and sets as wholes, and paths that nobody declared. */
  data(database: Database, id: string): void {
    const { random } = this;
    const any = plans.data as never;
    const path = random.pick([["a"], ["a", "b"], ["a", "b", "c"], ["stats", "owner"], ["labels"], ["stops"]]);
    const typed = path[0] === "labels" || path[0] === "stops";
    const value = typed ? [this.fresh(), "x"] : random.pick<unknown>([1, "text", {}, { b: 2, d: [3] }, null]);
    const data = random.chance(0.3) ? deletePath(any, path as never) : setPath(any, path as never, value as never);
    this.#plan(database, id, { data });
  }
}
