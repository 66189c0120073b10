// Postgres array literals, as their type's output function writes them: `{a,"b,c",NULL,{…}}`.
// https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO

export type ArrayValue = readonly (string | null | ArrayValue)[];

/** Undefined for what is no plain literal: bounds of their own (`[0:1]={…}`) have no place in JSON. */
export function parseArray(text: string): ArrayValue | undefined {
  if (text[0] !== "{") return undefined;
  const stack: (string | null | ArrayValue)[][] = [];
  const token = /([{}])|"((?:[^"\\]|\\.)*)"|([^{},"]+)|,/gs;
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const [, brace, quoted, bare] = match;
    const top = stack[stack.length - 1];
    if (brace === "{") {
      const nested: (string | null | ArrayValue)[] = [];
      top?.push(nested);
      stack.push(nested);
    } else if (brace === "}") {
      if (stack.length === 1) return token.lastIndex === text.length ? top : undefined;
      stack.pop();
    } else if (quoted !== undefined) top?.push(quoted.replace(/\\(.)/gs, "$1"));
    else if (bare !== undefined) top?.push(bare.toUpperCase() === "NULL" ? null : bare);
  }
  return undefined;
}

export const printArray = (values: ArrayValue): string =>
  `{${values
    .map((value) =>
      value === null
        ? "NULL"
        : typeof value === "string"
          ? `"${value.replaceAll(/["\\]/g, "\\$&")}"`
          : printArray(value),
    )
    .join(",")}}`;

/**
 * Whether an array is `depth` deep and as long everywhere, as Postgres can store it and will give it back. Postgres itself
 * takes arrays of any depth in any column, and the empty array has none.
 */
export const isRegular = (values: readonly unknown[], depth: number): boolean =>
  values.length === 0 || lengthsOf(values, depth) !== undefined;

/** The length at each depth; undefined where they differ, or where something is empty. */
function lengthsOf(values: readonly unknown[], depth: number): string | undefined {
  if (values.length === 0) return undefined;
  if (depth === 1) return String(values.length);
  const [first, ...others] = values.map((value) => (Array.isArray(value) ? lengthsOf(value, depth - 1) : undefined));
  return first !== undefined && others.every((other) => other === first) ? `${values.length} ${first}` : undefined;
}
