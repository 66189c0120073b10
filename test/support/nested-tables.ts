// A table with a column of each of the five types in both dialects, and its columns written and read as plain SQL does.
import * as pg from "drizzle-orm/pg-core";
import * as lite from "drizzle-orm/sqlite-core";
import { counter, document, list, lww, set } from "grove-crdt/schema";
import { dialects } from "./dialects";
import { openNode, type TestNode } from "./node";
import { makeSchema } from "./schemas";

export interface Card {
  id: number;
  text?: string;
}
export interface Meta {
  stats?: { views?: number; owner?: string };
  tags?: string[];
  steps?: string[];
}
const shape = { stats: { views: counter() }, tags: set(), steps: list() };

const onSqlite = {
  plans: lite.sqliteTable("plans", {
    id: lite.text("id").primaryKey(),
    title: lww(lite.text("title").notNull().default("")),
    count: counter(lite.integer("count").notNull().default(0)),
    tags: set(lite.text("tags", { mode: "json" }).$type<string[]>().notNull().default([])),
    steps: list(lite.text("steps", { mode: "json" }).$type<string[]>().notNull().default([])),
    cards: list(lite.text("cards", { mode: "json" }).$type<Card[]>().notNull().default([]), { key: "id" }),
    data: document(lite.text("data", { mode: "json" }).$type<Meta>().notNull().default({}), shape),
  }),
};
const onPostgres = {
  plans: pg.pgTable("plans", {
    id: pg.text("id").primaryKey(),
    title: lww(pg.text("title").notNull().default("")),
    count: counter(pg.bigint("count", { mode: "number" }).notNull().default(0)),
    tags: set(pg.jsonb("tags").$type<string[]>().notNull().default([])),
    steps: list(pg.text("steps").array().notNull().default([])),
    cards: list(pg.jsonb("cards").$type<Card[]>().notNull().default([]), { key: "id" }),
    data: document(pg.jsonb("data").$type<Meta>().notNull().default({}), shape),
  }),
};
export type Column = "title" | "count" | "tags" | "steps" | "cards" | "data";
export const tables = { sqlite: onSqlite, postgres: onPostgres };

/** @param before statements that run before anything is captured */
export const open = async (
  dialect: keyof typeof dialects,
  id: string,
  clock?: TestNode["clock"],
  before: readonly string[] = [],
): Promise<TestNode> =>
  openNode(dialects[dialect], id, {
    ...(await makeSchema(tables[dialect], dialects[dialect])),
    ...(clock && { clock }),
    before,
  });

/** A value as the column's own SQL takes it. */
export const literal = (node: TestNode, column: Column, value: unknown): string => {
  if (column === "count") return String(value);
  const json = `'${(column === "title" ? String(value) : JSON.stringify(value)).replaceAll("'", "''")}'`;
  if (node.registry.dialect === "sqlite" || column === "title") return json;
  return column === "steps" ? `ARRAY(SELECT jsonb_array_elements_text(${json}::jsonb))` : `${json}::jsonb`;
};
export const insert = (node: TestNode, id: string, values: Partial<Record<Column, unknown>>) => {
  const names = Object.keys(values) as Column[];
  const texts = names.map((name) => literal(node, name, values[name]));
  return node.sql(
    `INSERT INTO plans (id${names.map((n) => `, ${n}`).join("")}) VALUES ('${id}'${texts.map((t) => `, ${t}`).join("")})`,
  );
};
export const write = (node: TestNode, column: Column, value: unknown, id = "p") =>
  node.sql(`UPDATE plans SET ${column} = ${literal(node, column, value)} WHERE id = '${id}'`);
export async function read<T = never>(node: TestNode, column: Column, id = "p"): Promise<T> {
  const [row] = await node.rows(`SELECT ${column} AS v FROM plans WHERE id = '${id}'`);
  const { v } = row as { v: unknown };
  return (typeof v === "string" ? JSON.parse(v) : v) as T;
}
