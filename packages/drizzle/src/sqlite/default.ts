// A column's default, as drizzle-kit writes it for SQLite and as Drizzle itself hands it to the driver with an insert.
import type { Json } from "@grove-crdt/core";
import { is, SQL } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import { decideDefault } from "../default";
import type { ColumnType } from "../field";
import type { Casing } from "../names";
import { printSql } from "../versions";
import { parseLiteral, printLiteral, type Stored } from "./literal";
import type { ReadColumn, TableSource } from "./table";
import { storedToWire } from "./wire";

/** The default in canonical form; undefined when there is none, and when it was reported as unfit. */
export const readDefault = (
  { options, report }: TableSource,
  { column, name }: ReadColumn,
  type: ColumnType,
): Json | undefined =>
  decideDefault<Exclude<Stored, null>>(
    column,
    { name, kind: type.kind },
    {
      clause: defaultClause(column, options.casing),
      parse: parseLiteral,
      toWire: (stored) => storedToWire(stored, type),
      driverValue: () => driverValue(column),
      print: printLiteral,
    },
    report,
  );

/** The text that drizzle-kit puts after DEFAULT; null where it cannot. */
function defaultClause(column: SQLiteColumn, casing: Casing): string | null {
  const value = column.default as unknown;
  if (is(value, SQL)) {
    const query = printSql("sqlite", value, casing);
    return query.params.length === 0 ? query.sql : null;
  }
  if (typeof value === "string") return `'${value.replaceAll("'", "''")}'`;
  if (typeof value === "object") return `'${JSON.stringify(value)}'`;
  return typeof value === "bigint" ? null : String(value);
}

/** What Drizzle hands to the driver for the default; undefined where the column's own mapping fails on it. */
function driverValue(column: SQLiteColumn): Stored | undefined {
  try {
    const value = column.mapToDriverValue(column.default as never) as unknown;
    if (typeof value === "boolean") return value ? 1 : 0;
    const isStored =
      value === null || ["number", "bigint", "string"].includes(typeof value) || value instanceof Uint8Array;
    return isStored ? (value as Stored) : undefined;
  } catch {
    return undefined;
  }
}
