// Made by grove-crdt from the Drizzle schema. Do not edit: change the schema and run `npx grove-crdt generate`.
// Rows, states and changes of each table, typed by column.

import type { TableChange, TableState } from "grove-crdt";
import type { acmeDocuments, globexDocuments } from "../../schema.js";

/** A row of tenant_acme_documents, as Drizzle reads it. */
export type AcmeDocumentsRow = typeof acmeDocuments.$inferSelect;

/** The annotated columns of tenant_acme_documents, with their values on the wire. */
type AcmeDocumentsFields = {
  lww: { title: string };
  counter: "view_count";
  set: { tags: AcmeDocumentsRow["tags"][number] };
};

/** The key of tenant_acme_documents, with its values on the wire. */
export type AcmeDocumentsKey = readonly [id: string];

/** The merge state of one row of tenant_acme_documents. */
export type AcmeDocumentsState = TableState<"tenant_acme_documents", AcmeDocumentsFields, AcmeDocumentsKey>;

/** One field's change in tenant_acme_documents. */
export type AcmeDocumentsChange = TableChange<"tenant_acme_documents", AcmeDocumentsFields, AcmeDocumentsKey>;

/** A row of tenant_globex_documents, as Drizzle reads it. */
export type GlobexDocumentsRow = typeof globexDocuments.$inferSelect;

/** The annotated columns of tenant_globex_documents, with their values on the wire. */
type GlobexDocumentsFields = {
  lww: { title: string };
  counter: "view_count";
  set: { tags: GlobexDocumentsRow["tags"][number] };
};

/** The key of tenant_globex_documents, with its values on the wire. */
export type GlobexDocumentsKey = readonly [id: string];

/** The merge state of one row of tenant_globex_documents. */
export type GlobexDocumentsState = TableState<"tenant_globex_documents", GlobexDocumentsFields, GlobexDocumentsKey>;

/** One field's change in tenant_globex_documents. */
export type GlobexDocumentsChange = TableChange<"tenant_globex_documents", GlobexDocumentsFields, GlobexDocumentsKey>;

/** The row of each table, by its name in the database. */
export interface Tables {
  tenant_acme_documents: AcmeDocumentsRow;
  tenant_globex_documents: GlobexDocumentsRow;
}

/** The merge state of each table's rows, by the table's name in the database. */
export interface States {
  tenant_acme_documents: AcmeDocumentsState;
  tenant_globex_documents: GlobexDocumentsState;
}

/** One field's change of each table, by the table's name in the database. */
export interface Changes {
  tenant_acme_documents: AcmeDocumentsChange;
  tenant_globex_documents: GlobexDocumentsChange;
}
