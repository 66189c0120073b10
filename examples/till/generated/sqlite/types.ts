// Made by grove-crdt from the Drizzle schema. Do not edit: change the schema and run `npx grove-crdt generate`.
// Rows, states and changes of each table, typed by column.

import type { TableChange, TableState } from "grove-crdt";
import type { products, sales } from "../../schema.js";

/** A row of products, as Drizzle reads it. */
export type ProductsRow = typeof products.$inferSelect;

/** The annotated columns of products, with their values on the wire. */
type ProductsFields = {
  lww: { name: string; price: number | string; colour: string };
  counter: "stock";
};

/** The key of products, with its values on the wire. */
export type ProductsKey = readonly [id: string];

/** The merge state of one row of products. */
export type ProductsState = TableState<"products", ProductsFields, ProductsKey>;

/** One field's change in products. */
export type ProductsChange = TableChange<"products", ProductsFields, ProductsKey>;

/** A row of sales, as Drizzle reads it. */
export type SalesRow = typeof sales.$inferSelect;

/** The annotated columns of sales, with their values on the wire. */
type SalesFields = {
  lww: { till: string; at: string; lines: SalesRow["lines"]; total: number | string };
};

/** The key of sales, with its values on the wire. */
export type SalesKey = readonly [id: string];

/** The merge state of one row of sales. */
export type SalesState = TableState<"sales", SalesFields, SalesKey>;

/** One field's change in sales. */
export type SalesChange = TableChange<"sales", SalesFields, SalesKey>;

/** The row of each table, by its name in the database. */
export interface Tables {
  products: ProductsRow;
  sales: SalesRow;
}

/** The merge state of each table's rows, by the table's name in the database. */
export interface States {
  products: ProductsState;
  sales: SalesState;
}

/** One field's change of each table, by the table's name in the database. */
export interface Changes {
  products: ProductsChange;
  sales: SalesChange;
}
