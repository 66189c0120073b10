// What `generate` finds wrong with a schema: every problem is collected, and all are told at once with their cures.
import { GroveError } from "@grove-crdt/core";

/** What each code means. The documentation lists them in this order. */
export const diagnosticCodes = {
  no_annotated_table: "No table has an annotated column.",
  view: "A view cannot be replicated.",
  duplicate_table: "Two Drizzle tables have one name in the database.",
  reserved_name: "The table's name begins like our own tables'.",
  name_collision: "One of our tables or indexes would have the name of one of yours.",
  name_too_long: "Postgres would cut a name of ours, or a column's.",
  pg_schema: "The table is not in the schema public.",
  no_primary_key: "The table has no primary key.",
  autoincrement_key: "Two nodes would draw the same key for different rows.",
  key_annotated: "A key column is annotated; keys are replicated as they are and never merged.",
  key_local: "A key column is marked local.",
  key_nullable: "A key column may be NULL, and NULL is no key.",
  key_kind: "One key could be stored in several spellings.",
  key_type: "A key column's declared type holds more than a type.",
  unmarked: "A column is neither annotated nor local.",
  annotated_twice: "A column carries two annotations.",
  mark_lost: "The annotation sits on the array's element.",
  shared_builder: "One column builder was used for two columns.",
  local_required: "A local column must have a value that rows from other nodes cannot bring.",
  generated_annotated: "A generated column, or one GENERATED ALWAYS AS IDENTITY, cannot be written.",
  counter_nullable: "A counter may be NULL.",
  counter_kind: "A counter is not stored as an integer, in Postgres of 64 bits.",
  counter_check: "A CHECK constraint limits a counter, or one of a document, whose sum no single node controls.",
  set_nullable: "A set may be NULL.",
  set_kind: "A set is not stored as JSON text, in Postgres as jsonb or an array of one dimension.",
  list_nullable: "A list may be NULL.",
  list_kind: "A list is not stored as JSON text, in Postgres as jsonb or an array of one dimension.",
  list_key: "A list's items are told apart by what is no property of them.",
  document_nullable: "A document may be NULL.",
  document_kind: "A document is not stored as JSON text, in Postgres as jsonb.",
  document_shape: "A document's shape names something else than types.",
  kind_unsupported: "A column's type is unknown.",
  volatile_default: "A default is computed by the database, differently on each node.",
  default_invalid: "A default does not fit its column, or the database and Drizzle write it differently.",
  foreign_key: "A reference between annotated tables cannot be decided alike on all nodes.",
  unique_expression: "A unique index over an expression or with a condition cannot be decided alike on all nodes.",
  unique_unmergeable:
    "A unique key contains a column that has no register: a counter, a set, a list, a document or a local column.",
  unique_nulls: "A unique key takes two NULLs for equal.",
  unique_kind: "One value of a unique key could be stored in several spellings.",
  collation: "A key is compared under a collation that other nodes do not know.",
  no_such_table: "The config names a table that the schema does not have.",
  history_table: "History is asked for of a table that is not annotated.",
  edge_type: "No column of SQLite holds what this one does, with the same types for the app.",
  pair_table: "A table is annotated in one of the two schemas only.",
  pair_column: "A column is annotated in one of the two schemas only.",
  pair_key: "The two schemas have different keys.",
  pair_type: "The two schemas annotate a column differently.",
  pair_options: "The two schemas give a list different keys, or a document different shapes.",
  pair_kind: "The two schemas give a column types whose values travel in different forms.",
  pair_null: "A column may be NULL in one of the two schemas only.",
  pair_default: "The two schemas give a column different defaults.",
  pair_unique: "The two schemas have different unique keys.",
  pair_reference: "The two schemas have different references.",
} as const;

export type DiagnosticCode = keyof typeof diagnosticCodes;

export interface Diagnostic {
  /** The table's name in the database; empty where the problem is the schema's as a whole. */
  readonly table: string;
  /** The column's name in the database. */
  readonly column?: string;
  readonly code: DiagnosticCode;
  /** What is wrong, as a clause. */
  readonly problem: string;
  /** What to do about it, as an imperative. */
  readonly cure: string;
}

/** Tells one problem; bound to a table by the reader. */
export type Report = (diagnostic: Omit<Diagnostic, "table">) => void;

/** One error that names every problem; `details` is the list. */
export function schemaError(diagnostics: readonly Diagnostic[]): GroveError {
  const count = diagnostics.length === 1 ? "one problem" : `${diagnostics.length} problems`;
  const list = diagnostics.map((found) => {
    const place = [found.table, found.column].filter((name) => name !== undefined && name !== "").join(".");
    return `  ${place === "" ? "schema" : place}: ${found.problem} (${found.code})\n    ${found.cure}`;
  });
  return new GroveError("schema_invalid", `The schema has ${count}:\n${list.join("\n")}`, { details: diagnostics });
}
