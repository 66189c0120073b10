// Made by grove-crdt from the Drizzle schema. Do not edit: change the schema and run `npx grove-crdt generate`.
// Rows, states and changes of each table, typed by column.

import type { TableChange, TableState } from "grove-crdt";
import type { articles } from "../../schema.js";

/** A row of articles, as Drizzle reads it. */
export type ArticlesRow = typeof articles.$inferSelect;

/** The annotated columns of articles, with their values on the wire. */
type ArticlesFields = {
  lww: { name: string; price: number | string };
  counter: "stock";
};

/** The key of articles, with its values on the wire. */
export type ArticlesKey = readonly [id: string];

/** The merge state of one row of articles. */
export type ArticlesState = TableState<"articles", ArticlesFields, ArticlesKey>;

/** One field's change in articles. */
export type ArticlesChange = TableChange<"articles", ArticlesFields, ArticlesKey>;

/** The row of each table, by its name in the database. */
export interface Tables {
  articles: ArticlesRow;
}

/** The merge state of each table's rows, by the table's name in the database. */
export interface States {
  articles: ArticlesState;
}

/** One field's change of each table, by the table's name in the database. */
export interface Changes {
  articles: ArticlesChange;
}
