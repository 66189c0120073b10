// What is done at a node, by somebody who signs for it: the change and its signature are one transaction.
import { eq } from "drizzle-orm";
import type { BetterSQLite3Database } from "drizzle-orm/better-sqlite3";
import { increment } from "grove-crdt";
import { articles, trail } from "./schema";

export interface Signature {
  readonly by: string;
  readonly why: string;
}
type Article = typeof articles.$inferInsert;

export const openOffice = (db: BetterSQLite3Database) => ({
  stock(article: Article, { by, why }: Signature): void {
    db.transaction((tx) => {
      tx.insert(articles).values(article).run();
      tx.insert(trail).values({ at: new Date(), what: "signed", pk: article.id, principal: by, note: why }).run();
    });
  },
  /** @param approved false = it is taken back at the end, and with it everything that told of it */
  price(id: string, price: number, { by, why }: Signature, approved = true): void {
    try {
      db.transaction((tx) => {
        tx.update(articles).set({ price }).where(eq(articles.id, id)).run();
        tx.insert(trail).values({ at: new Date(), what: "signed", pk: id, principal: by, note: why }).run();
        if (!approved) tx.rollback();
      });
    } catch (error) {
      if (approved) throw error;
    }
  },
  sell(id: string, count: number): void {
    db.update(articles)
      .set({ stock: increment(articles.stock, -count) })
      .where(eq(articles.id, id))
      .run();
  },
  articles: () => db.select().from(articles).orderBy(articles.id).all(),
  trail: () => db.select().from(trail).orderBy(trail.id).all(),
});
export type Office = ReturnType<typeof openOffice>;
export type TrailLine = ReturnType<Office["trail"]>[number];
