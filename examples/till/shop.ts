// What a till does all day: plain Drizzle. Nothing in this file knows that other tills sell too.
import { asc, desc, eq, inArray } from "drizzle-orm";
import type { BetterSQLite3Database } from "drizzle-orm/better-sqlite3";
import { increment } from "grove-crdt";
import { products, type SaleLine, sales } from "./schema";

export interface Order {
  /** Made by the page, so that a request that is sent twice sells once. */
  readonly id: string;
  readonly lines: readonly { readonly product: string; readonly count: number }[];
}

/** Receipts that a page shows. */
const SHOWN = 50;

export const openShop = (db: BetterSQLite3Database, till: string) => ({
  products: () => db.select().from(products).orderBy(asc(products.name)).all(),
  sales: () => db.select().from(sales).orderBy(desc(sales.at), desc(sales.id)).limit(SHOWN).all(),

  /**
   * A receipt and what it takes off the shelves, in one transaction. A stock of 0 stops nobody: what lies on the counter is there,
   * whatever the shelves are said to hold.
   *
   * @returns false if a product is not there
   */
  sell({ id, lines }: Order): boolean {
    return db.transaction((tx) => {
      const names = lines.map(({ product }) => product);
      const known = new Map(
        tx
          .select()
          .from(products)
          .where(inArray(products.id, names))
          .all()
          .map((row) => [row.id, row]),
      );
      const receipt: SaleLine[] = [];
      for (const { product, count } of lines) {
        const { name, price } = known.get(product) ?? {};
        if (name === undefined || price === undefined) return false;
        receipt.push({ product, name, count, price });
      }
      const total = receipt.reduce((sum, { count, price }) => sum + count * price, 0);
      const values = { id, till, at: new Date(), lines: receipt, total };
      const { changes } = tx.insert(sales).values(values).onConflictDoNothing().run();
      // Sold already: the page did not hear of it.
      if (changes === 0) return true;
      for (const { product, count } of receipt)
        tx.update(products)
          .set({ stock: increment(products.stock, -count) })
          .where(eq(products.id, product))
          .run();
      return true;
    });
  },
});
export type Shop = ReturnType<typeof openShop>;
