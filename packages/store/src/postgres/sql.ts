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

/** Types whose arrays are read faster than their items are cast one by one. Others have a length, or are arrays themselves. */
const LISTED = new Set(["text", "bigint", "integer", "smallint", "boolean", "uuid", "double precision"]);

/** As which type the items of a list travel; what uses them casts them to their own. */
export const listed = (sqlType: string): string => (LISTED.has(sqlType) ? sqlType : "text");

/** A column of a list that comes as a parameter: its name and the type of its items, see {@link listed}. */
export type ListColumn = readonly [name: string, type: string];

/** Rows from parameters `$1`, `$2` …, one array for each column; `place` counts them from 1. An array that ends early ends in NULLs. */
export const rowsFrom = (alias: string, columns: readonly ListColumn[], params?: readonly number[]): string =>
  `unnest(${columns.map(([, type], n) => `$${params?.[n] ?? n + 1}::text::${type}[]`).join(", ")}) WITH ORDINALITY AS ${alias}(${list(columns.map(([name]) => name))}, place)`;

/** An item of a list. */
export type Item = string | number | null;

/** Twice as fast as a pattern. */
const isSpecial = (text: string): boolean => text.includes('"') || text.includes("\\");

const item = (value: Item | undefined): string => {
  if (typeof value !== "string") return String(value ?? "NULL");
  return `"${isSpecial(value) ? value.replaceAll(/["\\]/g, "\\$&") : value}"`;
};

/** An array literal. Columns of plain texts, of numbers or of NULLs alone, as most are, are joined as they are. */
function toList(values: readonly (Item | undefined)[], first: boolean): string {
  let [texts, numbers, nulls] = [true, true, true];
  for (const value of values) {
    const type = typeof value;
    texts &&= type === "string" && !isSpecial(value as string);
    numbers &&= type === "number";
    nulls &&= (value ?? null) === null;
  }
  if (numbers) return `{${values.join(",")}}`;
  if (texts) return `{"${values.join('","')}"}`;
  // The first list is as long as there are rows, and shorter ones are filled up with NULLs.
  if (nulls && !first) return "{}";
  return `{${values.map(item).join(",")}}`;
}

/** The parameters of {@link rowsFrom} for rows of `width` columns. */
export function toParams(width: number, rows: readonly (readonly Item[])[]): string[] {
  return Array.from({ length: width }, (_, n) =>
    toList(
      rows.map((row) => row[n]),
      n === 0,
    ),
  );
}

/** A list of whole numbers as one parameter. */
export const numbers = (values: readonly number[]): string => `{${values.join(",")}}`;
