// The reference schema in Postgres: the same names and kinds as in schema/sqlite.ts, so that rows sync between the two.

import { bigint, jsonb, pgTable, primaryKey, text, timestamp } from "drizzle-orm/pg-core";
import { counter, document, list, local, lww, set } from "grove-crdt/schema";

export const documents = pgTable("documents", {
  id: text("id").primaryKey(),
  title: lww(text("title").notNull()),
  body: lww(text("body").notNull().default("")),
  viewCount: counter(bigint("view_count", { mode: "number" }).notNull().default(0)),
  tags: set(text("tags").array().notNull().default([])),
});

export const orders = pgTable("orders", {
  id: text("id").primaryKey(),
  status: lww(
    text("status", { enum: ["open", "paid", "shipped", "cancelled"] })
      .notNull()
      .default("open"),
  ),
  note: lww(text("note")),
  /** In cents. */
  total: lww(bigint("total", { mode: "number" }).notNull()),
  placedAt: lww(timestamp("placed_at", { withTimezone: true }).notNull()),
});

export const inventory = pgTable(
  "inventory",
  {
    store: text("store").notNull(),
    sku: text("sku").notNull(),
    name: lww(text("name").notNull()),
    quantity: counter(bigint("quantity", { mode: "number" }).notNull().default(0)),
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

export const plans = pgTable("plans", {
  id: text("id").primaryKey(),
  steps: list(text("steps").array().notNull().default([])),
  cards: list(jsonb("cards").$type<Card[]>().notNull().default([]), { key: "id" }),
  data: document(jsonb("data").$type<Facts>().notNull().default({}), {
    stats: { views: counter() },
    labels: set(),
    stops: list(),
  }),
});
