// Made by grove-crdt from the Drizzle schema. Do not edit: change the schema and run `npx grove-crdt generate`.
// Schemas of states and changes that come from elsewhere: `documentsStateSchema.parse(json)`.

import { changeSchema, stateSchema } from "grove-crdt";
import type { ZodType } from "zod";
import { articlesModel } from "./registry.js";
import type { ArticlesChange, ArticlesState } from "./types.js";

/** The merge state of one row of articles. */
export const articlesStateSchema = stateSchema(articlesModel) as unknown as ZodType<ArticlesState>;

/** One field's change in articles. */
export const articlesChangeSchema = changeSchema(articlesModel) as unknown as ZodType<ArticlesChange>;
