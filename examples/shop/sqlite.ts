// What a node on SQLite does all day: plain Drizzle. Nothing in this file knows that others write too.
import { and, eq, sql } from "drizzle-orm";
import type { BetterSQLite3Database } from "drizzle-orm/better-sqlite3";
import { inventory, orders } from "../../schema/sqlite";

type Order = typeof orders.$inferInsert;
type Article = typeof inventory.$inferInsert;

const place = (store: string, sku: string) => and(eq(inventory.store, store), eq(inventory.sku, sku));

export const openShop = (db: BetterSQLite3Database) => ({
  async stock(article: Article) {
    await db.insert(inventory).values(article);
  },
  /** An order for later: nothing leaves the shelf yet. */
  async order(order: Order) {
    await db.insert(orders).values(order);
  },
  /** An order and what it takes off the shelf, in one transaction. */
  async sell(order: Order, store: string, sku: string, count: number) {
    // better-sqlite3 is synchronous: `run` instead of `await`.
    db.transaction((tx) => {
      tx.insert(orders).values(order).run();
      tx.update(inventory)
        .set({ quantity: sql`${inventory.quantity} - ${count}` })
        .where(place(store, sku))
        .run();
    });
  },
  async deliver(store: string, sku: string, count: number) {
    await db
      .update(inventory)
      .set({ quantity: sql`${inventory.quantity} + ${count}` })
      .where(place(store, sku));
  },
  async describe(store: string, sku: string, article: Partial<Article>) {
    await db.update(inventory).set(article).where(place(store, sku));
  },
  async change(id: string, order: Partial<Order>) {
    await db.update(orders).set(order).where(eq(orders.id, id));
  },
  async withdraw(id: string) {
    await db.delete(orders).where(eq(orders.id, id));
  },
  async list() {
    return { orders: await db.select().from(orders), inventory: await db.select().from(inventory) };
  },
});
