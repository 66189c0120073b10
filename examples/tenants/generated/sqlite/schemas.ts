// Made by grove-crdt from the Drizzle schema. Do not edit: change the schema and run `npx grove-crdt generate`.
// Schemas of states and changes that come from elsewhere: `documentsStateSchema.parse(json)`.

import { changeSchema, stateSchema } from "grove-crdt";
import type { ZodType } from "zod";
import { acmeDocumentsModel, globexDocumentsModel } from "./registry.js";
import type { AcmeDocumentsChange, AcmeDocumentsState, GlobexDocumentsChange, GlobexDocumentsState } from "./types.js";

/** The merge state of one row of tenant_acme_documents. */
export const acmeDocumentsStateSchema = stateSchema(acmeDocumentsModel) as unknown as ZodType<AcmeDocumentsState>;

/** One field's change in tenant_acme_documents. */
export const acmeDocumentsChangeSchema = changeSchema(acmeDocumentsModel) as unknown as ZodType<AcmeDocumentsChange>;

/** The merge state of one row of tenant_globex_documents. */
export const globexDocumentsStateSchema = stateSchema(globexDocumentsModel) as unknown as ZodType<GlobexDocumentsState>;

/** One field's change in tenant_globex_documents. */
export const globexDocumentsChangeSchema = changeSchema(globexDocumentsModel) as unknown as ZodType<GlobexDocumentsChange>;
