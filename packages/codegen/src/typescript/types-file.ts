// types.ts: the row as the app sees it, and the row's state and changes as the wire carries them, typed by column.
import type { ColumnModel, FieldModel, TableModel } from "@grove-crdt/core";
import { byCodeUnit, type Names } from "../names";
import { docText, header, property, quote } from "./text";

/** Where the user's file with each table lies, seen from the generated file: by table name. */
export type Sources = ReadonlyMap<string, string>;

export function emitTypesFile(
  tables: readonly TableModel[],
  names: ReadonlyMap<string, Names>,
  sources: Sources,
): string {
  const named = tables.map((table) => ({ table, names: names.get(table.name) as Names }));
  const bindings = new Map<string, string[]>();
  for (const { table, names } of named) {
    const source = sources.get(table.name) ?? "";
    bindings.set(source, [...(bindings.get(source) ?? []), binding(table.exportName, names.base)]);
  }
  const imports = [...bindings.keys()]
    .sort(byCodeUnit)
    .map((source) => `import type { ${bindings.get(source)?.join(", ")} } from ${quote(source)};\n`);
  const map = (suffix: string) =>
    named.map(({ table, names: { pascal } }) => `  ${property(table.name)}: ${pascal}${suffix};\n`).join("");
  const used = ["Json", "TableChange", "TableState"].filter((name) => name !== "Json" || needsJson(tables));
  return `${header("Rows, states and changes of each table, typed by column.")}
import type { ${used.join(", ")} } from "grove-crdt";
${imports.join("")}
${named.map(({ table, names }) => emitTable(table, names)).join("\n")}
/** The row of each table, by its name in the database. */
export interface Tables {
${map("Row")}}

/** The merge state of each table's rows, by the table's name in the database. */
export interface States {
${map("State")}}

/** One field's change of each table, by the table's name in the database. */
export interface Changes {
${map("Change")}}
`;
}

/** An export may have any name, and then it must be quoted and renamed. */
function binding(exported: string, base: string): string {
  if (exported === base) return base;
  return `${/^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(exported) ? exported : quote(exported)} as ${base}`;
}

const needsJson = (tables: readonly TableModel[]): boolean =>
  tables.some(
    ({ key, fields }) =>
      key.some((column) => column.kind === "json") || fields.some(({ element }) => element?.kind === "json"),
  );

function emitTable(table: TableModel, { base, pascal }: Names): string {
  const of = (type: FieldModel["type"]) => table.fields.filter((field) => field.type === type);
  const row = `${pascal}Row`;
  const groups = [
    group(
      "lww",
      of("lww").map((field) => `${property(field.name)}: ${registerType(field, row)}`),
    ),
    names("counter", of("counter")),
    group(
      "set",
      of("set").map((field) => `${property(field.name)}: ${elementType(field, row)}`),
    ),
    group(
      "list",
      of("list").map((field) => `${property(field.name)}: ${elementType(field, row)}`),
    ),
    names("document", of("document")),
  ];
  const key = table.key.map((column, n) => `${label(column, n)}: ${wireType(column)}`).join(", ");
  const about = docText(table.name);
  return `/** A row of ${about}, as Drizzle reads it. */
export type ${row} = typeof ${base}.$inferSelect;

/** The annotated columns of ${about}, with their values on the wire. */
type ${pascal}Fields = {
${groups.join("")}};

/** The key of ${about}, with its values on the wire. */
export type ${pascal}Key = readonly [${key}];

/** The merge state of one row of ${about}. */
export type ${pascal}State = TableState<${quote(table.name)}, ${pascal}Fields, ${pascal}Key>;

/** One field's change in ${about}. */
export type ${pascal}Change = TableChange<${quote(table.name)}, ${pascal}Fields, ${pascal}Key>;
`;
}

const names = (name: string, fields: readonly FieldModel[]): string =>
  fields.length === 0 ? "" : `  ${name}: ${fields.map((field) => quote(field.name)).join(" | ")};\n`;

const group = (name: string, columns: readonly string[]): string =>
  columns.length === 0 ? "" : `  ${name}: { ${columns.join("; ")} };\n`;

/** A tuple's label: the column's property, where it can be one. */
const label = (column: ColumnModel, n: number): string =>
  /^[A-Za-z_$][\w$]*$/.test(column.property) ? column.property : `key${n + 1}`;

/** Elements of JSON are what the row says they are; those of a Postgres array are converted each. */
const elementType = (field: FieldModel, row: string): string =>
  field.element === undefined ? `${row}[${quote(field.property)}][number]` : wireType(field.element);

const registerType = (field: FieldModel, row: string): string => {
  if (field.element !== undefined) {
    const array = `readonly (${wireType(field.element)} | null)[]`;
    return field.notNull ? array : `${array} | null`;
  }
  if (field.kind === "json") return `${row}[${quote(field.property)}]`;
  return field.notNull ? wireType(field) : `${wireType(field)} | null`;
};

/** The JSON type of a value on the wire; docs/protocol.md gives its form. */
function wireType(column: Pick<ColumnModel, "kind" | "storage">): string {
  switch (column.kind) {
    case "boolean":
      return "boolean";
    case "real":
      return column.storage === "native" ? 'number | "NaN" | "Infinity" | "-Infinity"' : "number";
    case "integer":
      return "number | string";
    case "json":
      return "Json";
    default:
      return "string";
  }
}
