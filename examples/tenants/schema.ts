// Tables of tenants that share a cluster: each tenant has its own, told apart by their names.
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { counter, lww, set } from "grove-crdt/schema";

/** A tenant's tables: `tenant_acme_documents` and so on. */
const tablesOf = <Tenant extends string>(tenant: Tenant) => ({
  documents: sqliteTable(`tenant_${tenant}_documents`, {
    id: text("id").primaryKey(),
    title: lww(text("title").notNull()),
    viewCount: counter(integer("view_count").notNull().default(0)),
    tags: set(text("tags", { mode: "json" }).$type<string[]>().notNull().default([])),
  }),
});

export const { documents: acmeDocuments } = tablesOf("acme");
export const { documents: globexDocuments } = tablesOf("globex");
