// Made by grove-crdt from the Drizzle schema. Do not edit: change the schema and run `npx grove-crdt generate`.
// Rows, states and changes of each table, typed by column.

import type { TableChange, TableState } from "grove-crdt";
import type { documents, inventory, orders, plans } from "../../schema/sqlite.js";

/** A row of documents, as Drizzle reads it. */
export type DocumentsRow = typeof documents.$inferSelect;

/** The annotated columns of documents, with their values on the wire. */
type DocumentsFields = {
  lww: { title: string; body: string };
  counter: "view_count";
  set: { tags: DocumentsRow["tags"][number] };
};

/** The key of documents, with its values on the wire. */
export type DocumentsKey = readonly [id: string];

/** The merge state of one row of documents. */
export type DocumentsState = TableState<"documents", DocumentsFields, DocumentsKey>;

/** One field's change in documents. */
export type DocumentsChange = TableChange<"documents", DocumentsFields, DocumentsKey>;

/** A row of inventory, as Drizzle reads it. */
export type InventoryRow = typeof inventory.$inferSelect;

/** The annotated columns of inventory, with their values on the wire. */
type InventoryFields = {
  lww: { name: string };
  counter: "quantity";
};

/** The key of inventory, with its values on the wire. */
export type InventoryKey = readonly [store: string, sku: string];

/** The merge state of one row of inventory. */
export type InventoryState = TableState<"inventory", InventoryFields, InventoryKey>;

/** One field's change in inventory. */
export type InventoryChange = TableChange<"inventory", InventoryFields, InventoryKey>;

/** A row of orders, as Drizzle reads it. */
export type OrdersRow = typeof orders.$inferSelect;

/** The annotated columns of orders, with their values on the wire. */
type OrdersFields = {
  lww: { status: string; note: string | null; total: number | string; placed_at: string };
};

/** The key of orders, with its values on the wire. */
export type OrdersKey = readonly [id: string];

/** The merge state of one row of orders. */
export type OrdersState = TableState<"orders", OrdersFields, OrdersKey>;

/** One field's change in orders. */
export type OrdersChange = TableChange<"orders", OrdersFields, OrdersKey>;

/** A row of plans, as Drizzle reads it. */
export type PlansRow = typeof plans.$inferSelect;

/** The annotated columns of plans, with their values on the wire. */
type PlansFields = {
  list: { steps: PlansRow["steps"][number]; cards: PlansRow["cards"][number] };
  document: "data";
};

/** The key of plans, with its values on the wire. */
export type PlansKey = readonly [id: string];

/** The merge state of one row of plans. */
export type PlansState = TableState<"plans", PlansFields, PlansKey>;

/** One field's change in plans. */
export type PlansChange = TableChange<"plans", PlansFields, PlansKey>;

/** The row of each table, by its name in the database. */
export interface Tables {
  documents: DocumentsRow;
  inventory: InventoryRow;
  orders: OrdersRow;
  plans: PlansRow;
}

/** The merge state of each table's rows, by the table's name in the database. */
export interface States {
  documents: DocumentsState;
  inventory: InventoryState;
  orders: OrdersState;
  plans: PlansState;
}

/** One field's change of each table, by the table's name in the database. */
export interface Changes {
  documents: DocumentsChange;
  inventory: InventoryChange;
  orders: OrdersChange;
  plans: PlansChange;
}
