// The reference schema: every kind of annotation once. The demo, the tests and the benchmark run on it.

import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { counter, document, list, local, lww, set } from "grove-crdt/schema";

export const documents = sqliteTable("documents", {
  id: text("id").primaryKey(),
  title: lww(text("title").notNull()),
  body: lww(text("body").notNull().default("")),
  viewCount: counter(integer("view_count").notNull().default(0)),
  tags: set(text("tags", { mode: "json" }).$type<string[]>().notNull().default([])),
});

export const orders = sqliteTable("orders", {
  id: text("id").primaryKey(),
  status: lww(
    text("status", { enum: ["open", "paid", "shipped", "cancelled"] })
      .notNull()
      .default("open"),
  ),
  note: lww(text("note")),
  /** In cents. */
  total: lww(integer("total").notNull()),
  placedAt: lww(integer("placed_at", { mode: "timestamp_ms" }).notNull()),
});

export const inventory = sqliteTable(
  "inventory",
  {
    store: text("store").notNull(),
    sku: text("sku").notNull(),
    name: lww(text("name").notNull()),
    quantity: counter(integer("quantity").notNull().default(0)),
    /** Each store's own reminder where the article lies. */
    shelf: local(text("shelf")),
  },
  (table) => [primaryKey({ columns: [table.store, table.sku] })],
);

export interface Card {
  id: number;
  text?: string;
}
export interface Facts {
  stats?: { views?: number; owner?: string };
  labels?: string[];
  stops?: string[];
}

export const plans = sqliteTable("plans", {
  id: text("id").primaryKey(),
  steps: list(text("steps", { mode: "json" }).$type<string[]>().notNull().default([])),
  cards: list(text("cards", { mode: "json" }).$type<Card[]>().notNull().default([]), { key: "id" }),
  data: document(text("data", { mode: "json" }).$type<Facts>().notNull().default({}), {
    stats: { views: counter() },
    labels: set(),
    stops: list(),
  }),
});
