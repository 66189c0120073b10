// schemas.ts: zod schemas of states and changes, typed for each table. They are made when the file is imported, so index.ts
// leaves it out: most apps never take in states by themselves.
import type { TableModel } from "@grove-crdt/core";
import type { Names } from "../names";
import { docText, header } from "./text";

export function emitSchemasFile(tables: readonly TableModel[], names: ReadonlyMap<string, Names>): string {
  const named = tables.map((table) => ({ table, names: names.get(table.name) as Names }));
  const models = named.map(({ names }) => names.model).join(", ");
  const types = named.flatMap(({ names: { pascal } }) => [`${pascal}Change`, `${pascal}State`]).join(", ");
  return `${header("Schemas of states and changes that come from elsewhere: `documentsStateSchema.parse(json)`.")}
import { changeSchema, stateSchema } from "grove-crdt";
import type { ZodType } from "zod";
import { ${models} } from "./registry.js";
import type { ${types} } from "./types.js";

${named.map(({ table, names }) => emitTable(table, names)).join("\n")}`;
}

function emitTable(table: TableModel, { base, pascal, model }: Names): string {
  const about = docText(table.name);
  return `/** The merge state of one row of ${about}. */
export const ${base}StateSchema = stateSchema(${model}) as unknown as ZodType<${pascal}State>;

/** One field's change in ${about}. */
export const ${base}ChangeSchema = changeSchema(${model}) as unknown as ZodType<${pascal}Change>;
`;
}
