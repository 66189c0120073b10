// What each Drizzle column type of SQLite means on the wire, and how the database stores it.
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import type { ColumnType } from "../field";

export type Kind = Pick<ColumnType, "kind" | "storage">;

/** By Drizzle's `columnType`. A timestamp's storage and a custom type's kind depend on how it was declared. */
const kinds: Readonly<Record<string, Kind>> = {
  SQLiteText: { kind: "text", storage: "text" },
  SQLiteTextJson: { kind: "json", storage: "text" },
  SQLiteInteger: { kind: "integer", storage: "integer" },
  SQLiteBoolean: { kind: "boolean", storage: "integer" },
  SQLiteReal: { kind: "real", storage: "real" },
  SQLiteNumeric: { kind: "numeric", storage: "numeric" },
  SQLiteNumericNumber: { kind: "numeric", storage: "numeric" },
  SQLiteNumericBigInt: { kind: "numeric", storage: "numeric" },
  SQLiteBlobBuffer: { kind: "bytes", storage: "blob" },
  SQLiteBlobJson: { kind: "json", storage: "blob" },
  SQLiteBigInt: { kind: "integer", storage: "blob" },
};

/** SQLite's own rules, in its order: https://sqlite.org/datatype3.html#determination_of_column_affinity */
const affinities: readonly (readonly [RegExp, Kind])[] = [
  [/int/i, { kind: "integer", storage: "integer" }],
  [/char|clob|text/i, { kind: "text", storage: "text" }],
  [/blob|^\s*$/i, { kind: "bytes", storage: "blob" }],
  [/real|floa|doub/i, { kind: "real", storage: "real" }],
  [/^/, { kind: "numeric", storage: "numeric" }],
];

/** Undefined for a column type that this version does not know. */
export function readType(column: SQLiteColumn): ColumnType | undefined {
  const kind = readKind(column);
  return kind && { ...kind, sqlType: column.getSQLType() };
}

function readKind(column: SQLiteColumn): Kind | undefined {
  if (column.columnType === "SQLiteTimestamp") {
    const { mode } = column as SQLiteColumn & { mode?: string };
    return { kind: "timestamp", storage: mode === "timestamp_ms" ? "milliseconds" : "seconds" };
  }
  if (column.columnType === "SQLiteCustomColumn") {
    return affinities.find(([pattern]) => pattern.test(column.getSQLType()))?.[1];
  }
  return kinds[column.columnType];
}
