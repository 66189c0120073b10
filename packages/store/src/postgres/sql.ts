// Quoting for the SQL that is put together at run time, and lists as parameters: one array literal for each column, so
// that a statement's text does not depend on how many rows it gets. Names come from the registry and never from a request.

/** A quoted identifier. */
export const ident = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A table of the schema in which all tables of ours and all annotated ones live. */
export const qualified = (name: string): string => `public.${ident(name)}`;

export const list = (names: readonly string[], prefix = ""): string =>
  names.map((name) => prefix + ident(name)).join(", ");

/** The column of our tables that holds key column `name`. */
export const keyColumn = (name: string): string => `pk_${name}`;

/** A column of a list that comes as a parameter: its name and the type of its items. */
export type ListColumn = readonly [name: string, type: "text" | "bigint" | "integer"];

/** Rows from parameters `$1`, `$2` …, one array for each column; `place` counts them from 1. */
export const rowsFrom = (alias: string, columns: readonly ListColumn[]): string =>
  `unnest(${columns.map(([, type], n) => `$${n + 1}::text::${type}[]`).join(", ")}) WITH ORDINALITY AS ${alias}(${list(columns.map(([name]) => name))}, place)`;

type Item = string | number | null;

const item = (value: Item): string => {
  if (value === null || value === undefined) return "NULL";
  if (typeof value === "number") return String(value);
  return `"${/["\\]/.test(value) ? value.replaceAll(/["\\]/g, "\\$&") : value}"`;
};

/** The parameters of {@link rowsFrom} for rows of `width` columns. */
export function toParams(width: number, rows: readonly (readonly Item[])[]): string[] {
  return Array.from({ length: width }, (_, n) => `{${rows.map((row) => item(row[n] as Item)).join(",")}}`);
}

/** A list of whole numbers as one parameter. */
export const numbers = (values: readonly number[]): string => `{${values.join(",")}}`;
