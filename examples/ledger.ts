// Keeps count of what was written, wherever: what every database has to say in the end.
import type { openShop as openPostgresShop } from "./shop/postgres";
import type { openShop as openSqliteShop } from "./shop/sqlite";

/** What a node can be asked to do; the same in both dialects. */
export type Shop = ReturnType<typeof openPostgresShop> | ReturnType<typeof openSqliteShop>;
/** The rows of a node, as Drizzle reads them. */
export type Listing = Awaited<ReturnType<Shop["list"]>>;
export type Order = Listing["orders"][number];
export type Article = Listing["inventory"][number];
/** The acts that write. */
export type Writes = Omit<ReturnType<typeof openPostgresShop>, "list">;

const place = (store: string, sku: string) => `${store} ${sku}`;

/** A shop on paper. A deleted order stays deleted, whatever else is written to it; of two writes to one column the later stands. */
export class Ledger implements Record<keyof Writes, (...args: never[]) => void> {
  readonly orders = new Map<string, Order>();
  readonly articles = new Map<string, Article>();
  /** Rows written: an order and what it takes off the shelf are two. */
  writes = 0;

  stock(article: Parameters<Writes["stock"]>[0]): void {
    this.writes++;
    this.articles.set(place(article.store, article.sku), { quantity: 0, shelf: null, ...article });
  }
  order(order: Parameters<Writes["order"]>[0]): void {
    this.writes++;
    this.orders.set(order.id, { status: "open", note: null, ...order });
  }
  sell(order: Parameters<Writes["order"]>[0], store: string, sku: string, count: number): void {
    this.order(order);
    this.deliver(store, sku, -count);
  }
  deliver(store: string, sku: string, count: number): void {
    this.writes++;
    const article = this.articles.get(place(store, sku));
    if (article) article.quantity += count;
  }
  describe(store: string, sku: string, fields: Partial<Article>): void {
    this.writes++;
    Object.assign(this.articles.get(place(store, sku)) ?? {}, fields);
  }
  change(id: string, fields: Partial<Order>): void {
    this.writes++;
    Object.assign(this.orders.get(id) ?? {}, fields);
  }
  withdraw(id: string): void {
    this.writes++;
    this.orders.delete(id);
  }

  list(): Listing {
    return { orders: [...this.orders.values()], inventory: [...this.articles.values()] };
  }
}
