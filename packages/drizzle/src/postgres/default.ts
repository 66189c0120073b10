// A column's default, as drizzle-kit writes it for Postgres. Drizzle itself sends DEFAULT, so what the migration says is
// what every row gets; what Drizzle would send for the value tells whether the migration says what the schema means.
import type { Json } from "@grove-crdt/core";
import { is, SQL } from "drizzle-orm";
import type { PgColumn } from "drizzle-orm/pg-core";
import { decideDefault, reportVolatile } from "../default";
import type { ColumnType } from "../field";
import type { Casing } from "../names";
import { declaredType, printSql, toDriver } from "../versions";
import { readType } from "./kinds";
import { type Literal, parseLiteral, printLiteral } from "./literal";
import type { ReadColumn, TableSource } from "./table";
import { literalToWire } from "./wire";

/** The default in canonical form; undefined when there is none, and when it was reported as unfit. */
export function readDefault(
  { options, report }: TableSource,
  { column, name }: ReadColumn,
  { kind, sqlType }: ColumnType,
): Json | undefined {
  const type = readType(column);
  if (type === undefined) return undefined;
  if (column.generatedIdentity !== undefined || type.base.serial) {
    reportVolatile(name, "nextval(…)", report);
    return undefined;
  }
  return decideDefault<Literal>(
    column,
    { name, kind: kind === "text" ? sqlType : kind },
    {
      clause: defaultClause(column, options.casing),
      parse: (clause) => parseLiteral(clause, sqlType),
      toWire: (literal) => literalToWire(literal, type),
      driverValue: () => driverValue(column),
      print: printLiteral,
    },
    report,
  );
}

/** The text that drizzle-kit puts after DEFAULT; null where it cannot. */
export function defaultClause(column: PgColumn, casing: Casing): string | null {
  const value = column.default as unknown;
  if (value === undefined) return null;
  if (is(value, SQL)) {
    const query = printSql("postgres", value, casing);
    return query.params.length === 0 ? query.sql : null;
  }
  const declared = declaredType(column).toLowerCase();
  if (typeof value === "string") return `'${value.replaceAll("'", "''")}'`;
  if (declared === "json" || declared === "jsonb") return `'${JSON.stringify(value)}'::${declared}`;
  if (value instanceof Date) return `'${printDate(value, declared)}'`;
  if (Array.isArray(value) && /\[\d*\]/.test(declared)) {
    return `'${printArray(value, declared.split("[")[0] as string)}'`;
  }
  return typeof value === "bigint" ? null : String(value);
}

function printDate(date: Date, declared: string): string {
  const iso = date.toISOString();
  if (declared === "date") return iso.slice(0, 10);
  return declared === "timestamp" ? iso.replace("T", " ").slice(0, 23) : iso;
}

/** Without escaping, and NULL as text: the comparison with what was meant finds it. */
function printArray(values: readonly unknown[], declared: string): string {
  const items = values.map((value) => {
    if (Array.isArray(value)) return printArray(value, declared);
    if (value instanceof Date) return `"${printDate(value, declared)}"`;
    if (typeof value === "object") return `"${JSON.stringify(value).replaceAll('"', '\\"')}"`;
    return typeof value === "string" ? `"${value}"` : String(value);
  });
  return `{${items.join(",")}}`;
}

/** What Drizzle would hand to the driver for the default; undefined where the column's own mapping fails on it. */
function driverValue(column: PgColumn): Literal | undefined {
  try {
    const value = toDriver(column, column.default);
    if (typeof value === "string") return { text: value, bare: false };
    if (["number", "bigint", "boolean"].includes(typeof value)) return { text: String(value), bare: true };
    return value instanceof Uint8Array ? { text: `\\x${Buffer.from(value).toString("hex")}`, bare: false } : undefined;
  } catch {
    return undefined;
  }
}
