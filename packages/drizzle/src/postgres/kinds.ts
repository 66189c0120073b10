// What each Drizzle column type of Postgres means on the wire, and how the database stores it.
import type { Storage, ValueKind } from "@grove-crdt/core";
import { is } from "drizzle-orm";
import { type PgColumn, PgEnumColumn, PgEnumObjectColumn } from "drizzle-orm/pg-core";
import type { ColumnType } from "../field";
import { elementOf } from "../versions";
import { parseType, type SqlType } from "./type";

/** A column's type with what defaults and keys are judged by: of an array, its elements'. */
export interface PostgresType extends ColumnType {
  readonly base: Pick<SqlType, "name" | "modifiers" | "collated" | "serial"> & {
    readonly kind: ValueKind;
    /** An enum's labels. */
    readonly labels?: readonly string[];
  };
  readonly dimensions: number;
}

/** By the type's name; every other type travels as Postgres's own text form of it. */
const kinds: Readonly<Record<string, ValueKind>> = {
  smallint: "integer",
  integer: "integer",
  bigint: "integer",
  numeric: "numeric",
  real: "real",
  "double precision": "real",
  boolean: "boolean",
  timestamp: "timestamp",
  "timestamp with time zone": "timestamp",
  json: "json",
  jsonb: "json",
  bytea: "bytes",
};

/** By Drizzle's `columnType`: where a mode says what the app means, the kind follows the mode. */
const modes: Readonly<Record<string, ValueKind>> = {
  PgTimestampString: "text",
  PgDate: "timestamp",
};

/** Undefined for a column whose declared type is more than a type. */
export function readType(column: PgColumn): PostgresType | undefined {
  const { element, dimensions: nested } = elementOf(column);
  const labels = enumOf(element);
  const type: SqlType | undefined = labels?.type ?? parseType(element.getSQLType());
  if (type === undefined) return undefined;
  const kind = modes[element.columnType] ?? kinds[type.name] ?? "text";
  const storage: Storage = type.name === "json" || type.name === "jsonb" ? type.name : "native";
  const base = { ...type, kind, ...(labels && { labels: labels.values }) };
  const dimensions = nested + type.dimensions;
  const single = { kind, storage, sqlType: type.text };
  if (dimensions === 0) return { ...single, base, dimensions };
  return {
    kind: "json",
    storage: "array",
    sqlType: type.text + "[]".repeat(dimensions),
    element: single,
    base,
    dimensions,
  };
}

/** An enum is named with its schema: what looks it up may have any search_path. */
function enumOf(column: PgColumn): { type: SqlType; values: readonly string[] } | undefined {
  if (!is(column, PgEnumColumn) && !is(column, PgEnumObjectColumn)) return undefined;
  const { enumName, schema, enumValues } = column.enum;
  const text = `${quote(schema ?? "public")}.${quote(enumName)}`;
  const type = { name: "enum", text, modifiers: [], dimensions: 0, collated: false, serial: false };
  return { type, values: enumValues as readonly string[] };
}

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Types of which Postgres writes one value in one way only, however it was given. */
const exactNames = new Set([
  ..."text varchar uuid enum smallint integer bigint boolean bytea date inet cidr macaddr macaddr8 bit varbit".split(
    " ",
  ),
  "time",
  "time with time zone",
  "timestamp",
  "timestamp with time zone",
]);

/** Whether equal values are equal in their canonical form too, and come out of the column as they went in. */
export function isExact({ base, dimensions }: PostgresType): boolean {
  if (dimensions > 0 || !exactNames.has(base.name)) return false;
  // A date that stands for an instant loses the time of the day; a precision rounds what another node sends.
  if (base.name === "date") return base.kind === "text";
  return !base.name.startsWith("time") || base.modifiers.length === 0 || base.modifiers[0] === "6";
}
