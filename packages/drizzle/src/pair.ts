// Two schemas of one database, one for each dialect, written by hand: every name, kind and rule on which nodes must agree,
// held against each other. What they disagree on would reject rows, or keep them out, on one side only.
import type { ColumnModel, FieldModel, TableModel, ValueKind } from "@grove-crdt/core";
import { type Diagnostic, type DiagnosticCode, schemaError } from "./diagnostics";
import { annotationOf } from "./mark";

/** One side: its models, and the file that each table stands in, as it is to be shown. */
export interface Side {
  readonly tables: readonly TableModel[];
  readonly fileOf: (table: string) => string;
}

/** Kinds whose values are text in one form on the wire. */
const textual: ReadonlySet<ValueKind> = new Set(["text", "numeric", "timestamp"]);

const agree = (a: ValueKind, b: ValueKind): boolean =>
  a === b || (textual.has(a) && textual.has(b) && (a === "text" || b === "text"));

/** @throws GroveError `schema_invalid` with every disagreement */
export function checkPair(first: Side, second: Side): void {
  const diagnostics: Diagnostic[] = [];
  const seconds = new Map(second.tables.map((table) => [table.name, table]));
  for (const table of first.tables) {
    const other = seconds.get(table.name);
    seconds.delete(table.name);
    if (other === undefined) diagnostics.push(missing(table.name, first, second));
    else diagnostics.push(...compareTables(table, other, first.fileOf(table.name), second.fileOf(table.name)));
  }
  for (const name of seconds.keys()) diagnostics.push(missing(name, second, first));
  if (diagnostics.length > 0) throw schemaError(diagnostics);
}

const missing = (table: string, has: Side, lacks: Side): Diagnostic => ({
  table,
  code: "pair_table",
  problem: `${has.fileOf(table)} annotates it and ${lacks.fileOf(table)} does not`,
  cure: "Add it there, or take the annotations off here.",
});

function compareTables(a: TableModel, b: TableModel, aFile: string, bFile: string): Diagnostic[] {
  const found: Diagnostic[] = [];
  const differ = (code: DiagnosticCode, one: string, other: string, cure: string, column?: string) => {
    if (one === other) return;
    const problem = `${aFile} says ${one}, ${bFile} says ${other}`;
    found.push({ table: a.name, ...(column !== undefined && { column }), code, problem, cure });
  };
  const names = (table: TableModel) => `the key (${table.key.map(({ name }) => name).join(", ")})`;
  differ("pair_key", names(a), names(b), "Give both the same key columns in the same order.");
  const columnsOf = ({ key, fields }: TableModel) =>
    new Map<string, ColumnModel | FieldModel>([...key, ...fields].map((column) => [column.name, column]));
  const [ours, theirs] = [columnsOf(a), columnsOf(b)];
  for (const name of new Set([...ours.keys(), ...theirs.keys()])) {
    const [one, other] = [ours.get(name), theirs.get(name)];
    if (one === undefined || other === undefined) {
      const what = (column: ColumnModel | undefined, table: TableModel) =>
        column ? `a ${wordOf(column)} column` : table.local.includes(name) ? "a local column" : "no such column";
      differ(
        "pair_column",
        what(one, a),
        what(other, b),
        "Declare it on both sides alike, under the same name in the database.",
        name,
      );
      continue;
    }
    differ("pair_type", wordOf(one), wordOf(other), "Annotate it alike.", name);
    if (wordOf(one) === wordOf(other))
      differ("pair_options", optionsOf(one), optionsOf(other), "Give both the same key or shape.", name);
    if (!agree(one.kind, other.kind))
      differ("pair_kind", one.kind, other.kind, "Give both columns types of one kind.", name);
    differ("pair_null", nullable(one), nullable(other), "Make both NOT NULL, or neither.", name);
    differ("pair_default", defaultOf(one), defaultOf(other), "Give both the same default.", name);
  }
  const uniques = ({ uniques }: TableModel) => list(uniques.map((names) => `(${[...names].sort().join(", ")})`));
  differ(
    "pair_unique",
    `the unique keys ${uniques(a)}`,
    `the unique keys ${uniques(b)}`,
    "Declare the same unique keys.",
  );
  const references = (table: TableModel) => list((table.references ?? []).map(referenceText));
  differ(
    "pair_reference",
    `the references ${references(a)}`,
    `the references ${references(b)}`,
    "Declare the same foreign keys, with the same actions.",
  );
  return found;
}

const wordOf = (column: ColumnModel | FieldModel): string => ("type" in column ? annotationOf(column) : "key");
function optionsOf(column: ColumnModel | FieldModel): string {
  if (!("type" in column)) return "nothing";
  const { type, itemKey, paths = [] } = column;
  const keyed = (key: string | undefined) => (key === undefined ? "" : ` by ${JSON.stringify(key)}`);
  const parts = paths.map(({ path, type, itemKey }) => `${JSON.stringify(path)} a ${type}${keyed(itemKey)}`);
  return type === "document" ? `the shape ${list(parts)}` : `a ${type}${keyed(itemKey)}`;
}
const nullable = ({ notNull }: ColumnModel): string => (notNull ? "NOT NULL" : "that it may be NULL");
const defaultOf = (column: ColumnModel | FieldModel): string =>
  "default" in column && column.default !== undefined ? `the default ${JSON.stringify(column.default)}` : "no default";
const list = (items: readonly string[]): string => (items.length === 0 ? "(none)" : [...items].sort().join(", "));

function referenceText({
  columns,
  table,
  parent,
  onDelete,
  onUpdate,
}: NonNullable<TableModel["references"]>[number]): string {
  const pairs = columns.map((name, n) => `${name} to ${table}.${parent[n]}`).sort();
  return `${pairs.join(" and ")} on delete ${onDelete} on update ${onUpdate}`;
}
