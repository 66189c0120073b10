// Articles, which every node writes, and the trail of what became of them, which each node keeps for itself.
import { integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { counter, lww } from "grove-crdt/schema";

export const articles = sqliteTable("articles", {
  id: text("id").primaryKey(),
  name: lww(text("name").notNull()),
  /** In cents. */
  price: lww(integer("price").notNull()),
  stock: counter(integer("stock").notNull().default(0)),
});

/** Nothing in it is annotated: it is an ordinary table, and never leaves its node. */
export const trail = sqliteTable(
  "trail",
  {
    id: integer("id").primaryKey(),
    at: integer("at", { mode: "timestamp_ms" }).notNull(),
    /**
     * `changed`: the table says something else now; written by a trigger. `signed`: somebody at this node says why.
     * `offered`, `merged`, `refused`: what became of a peer's change; written by hooks.
     */
    what: text("what", { enum: ["changed", "signed", "offered", "merged", "refused"] }).notNull(),
    /** The article. */
    pk: text("pk"),
    /** Of what was offered: the column, the node that wrote it, and when it did so, in microseconds. */
    field: text("field"),
    node: text("node"),
    hlc: integer("hlc"),
    /** Who brought it, as the hub knows them; or who signed. */
    principal: text("principal"),
    before: text("before", { mode: "json" }),
    after: text("after", { mode: "json" }),
    note: text("note"),
  },
  // A change that is brought again, because its answer was lost, is offered once.
  (table) => [uniqueIndex("trail_change").on(table.what, table.pk, table.field, table.node, table.hlc)],
);
