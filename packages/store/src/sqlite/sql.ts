// Quoting for the SQL that is put together at run time. Names come from the registry and never from a request.

/** A quoted identifier. */
export const ident = (name: string): string => `"${name.replaceAll('"', '""')}"`;

export const list = (names: readonly string[], prefix = ""): string =>
  names.map((name) => prefix + ident(name)).join(", ");

/** The column of our tables that holds key column `name`. */
export const keyColumn = (name: string): string => `pk_${name}`;

export const placeholders = (count: number): string => Array(count).fill("?").join(", ");
