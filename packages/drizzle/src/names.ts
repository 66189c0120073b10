// Column names in the database, which depend on the `casing` of drizzle.config.ts.
import type { Column } from "drizzle-orm";
import { toCamelCase, toSnakeCase } from "drizzle-orm/casing";
import { isNamed } from "./versions";

export type Casing = "snake_case" | "camelCase" | undefined;

/** As drizzle-kit and a Drizzle database with the same `casing` write it. */
export function columnName(column: Column, casing: Casing): string {
  if (!column.keyAsName || isNamed(column) || casing === undefined) return column.name;
  return casing === "camelCase" ? toCamelCase(column.name) : toSnakeCase(column.name);
}
