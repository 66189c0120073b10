// Column builders of both dialects under common names, so that a test's schema is written once.
import * as pg from "drizzle-orm/pg-core";
import * as sqlite from "drizzle-orm/sqlite-core";

export const sqliteBuilders = {
  table: sqlite.sqliteTable,
  uniqueIndex: sqlite.uniqueIndex,
  primaryKey: sqlite.primaryKey,
  text: (name: string) => sqlite.text(name),
  /** 64 bits, in mode number. */
  integer: (name: string) => sqlite.integer(name),
  json: (name: string) => sqlite.text(name, { mode: "json" }),
  /** A list of texts: what a set of texts is stored in. */
  texts: (name: string) => sqlite.text(name, { mode: "json" }).$type<string[]>(),
};
export type Builders = typeof sqliteBuilders;

/**
 * The types are SQLite's: one text is checked against one of the dialects, and what a test makes of these builders only
 * goes to readSchema and drizzle-kit, which take either. That both infer the same row types is for the type tests.
 */
export const postgresBuilders = {
  table: pg.pgTable,
  uniqueIndex: pg.uniqueIndex,
  primaryKey: pg.primaryKey,
  text: (name: string) => pg.text(name),
  integer: (name: string) => pg.bigint(name, { mode: "number" }),
  json: (name: string) => pg.jsonb(name),
  texts: (name: string) => pg.text(name).array(),
} satisfies Record<keyof Builders, unknown> as unknown as Builders;
