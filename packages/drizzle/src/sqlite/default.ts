// A column's default, as the database fills it in when a row or the column itself is added. Drizzle writes the same value
// with an insert; where drizzle-kit would write another one into the migration, nodes would differ, so it is refused.
import type { Json } from "@grove-crdt/core";
import { is, SQL } from "drizzle-orm";
import { type SQLiteColumn, SQLiteSyncDialect } from "drizzle-orm/sqlite-core";
import type { Report } from "../diagnostics";
import type { Casing } from "../names";
import type { Kind } from "./kinds";
import { parseLiteral, printLiteral, type Stored } from "./literal";
import { storedToWire } from "./wire";

/** The default in canonical form; undefined when there is none, and when it was reported as unfit. */
export function readDefault(
  column: SQLiteColumn,
  name: string,
  kind: Kind,
  casing: Casing,
  report: Report,
): Json | undefined {
  if (column.default === undefined) return undefined;
  const clause = defaultClause(column, casing);
  const stored = clause === null ? undefined : parseLiteral(clause);
  if (is(column.default, SQL)) {
    if (stored === undefined) {
      report({
        column: name,
        code: "volatile_default",
        problem: `its default ${clause ?? ""} is computed by the database`.replace("  ", " "),
        cure: "Use a constant, or compute it in the app with `.$defaultFn(() => …)`.",
      });
      return undefined;
    }
    if (stored === null) return undefined;
    const wire = storedToWire(stored, kind);
    if (wire === undefined) {
      report({
        column: name,
        code: "default_invalid",
        problem: `its default ${clause} is no ${kind.kind} as the column stores it`,
        cure: "Write the value as Drizzle stores it, or leave the default out.",
      });
    }
    return wire;
  }
  const written = driverValue(column);
  const meant = written === null || written === undefined ? undefined : storedToWire(written, kind);
  const got = stored === null || stored === undefined ? undefined : storedToWire(stored, kind);
  if (meant !== undefined && JSON.stringify(meant) === JSON.stringify(got)) return meant;
  report({
    column: name,
    code: "default_invalid",
    problem: `drizzle-kit writes its default as ${clause ?? "nothing"}, which the column does not read back as it was given`,
    cure:
      meant === undefined
        ? "Give a default that fits the column."
        : `Write it as \`.default(sql\`${printLiteral(written as Stored)}\`)\`.`,
  });
  return undefined;
}

/** The text that drizzle-kit puts after DEFAULT; null where it cannot. */
function defaultClause(column: SQLiteColumn, casing: Casing): string | null {
  const value = column.default as unknown;
  if (is(value, SQL)) {
    const query = new SQLiteSyncDialect({ casing }).sqlToQuery(value);
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
