// What a till knows: the products with their stock, and what was sold. The same tables on every till and on the hub.
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { counter, fixed, lww } from "grove-crdt/schema";

/** One line of a receipt, as it was on that day. */
export interface SaleLine {
  readonly product: string;
  readonly name: string;
  readonly count: number;
  /** In cents, for one. */
  readonly price: number;
}

export const products = sqliteTable("products", {
  id: text("id").primaryKey(),
  name: lww(text("name").notNull()),
  /** In cents. */
  price: lww(integer("price").notNull()),
  colour: lww(text("colour").notNull()),
  /** What every till sells is taken off, and all of it counts. */
  stock: counter(integer("stock").notNull().default(0)),
});

/** A receipt is never changed. */
export const sales = sqliteTable("sales", {
  id: text("id").primaryKey(),
  till: fixed(text("till").notNull()),
  at: fixed(integer("at", { mode: "timestamp_ms" }).notNull()),
  lines: fixed(text("lines", { mode: "json" }).$type<SaleLine[]>().notNull()),
  /** In cents. */
  total: fixed(integer("total").notNull()),
});
