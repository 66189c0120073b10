// What SQLite asks of a key's columns.
import { is } from "drizzle-orm";
import { SQLiteBaseInteger } from "drizzle-orm/sqlite-core";
import { autoincrementCure } from "../key";
import { readType } from "./kinds";
import type { ReadColumn, TableSource } from "./table";

/** Kinds of which one value has one stored form. */
const keyKinds = new Set(["text", "integer", "boolean", "timestamp", "bytes"]);

export function checkKeyColumn({ report }: TableSource, { column, name }: ReadColumn): void {
  if (is(column, SQLiteBaseInteger) && column.autoIncrement) {
    report({
      column: name,
      code: "autoincrement_key",
      problem: "it is an auto-increment key, of which two nodes draw the same number for different rows",
      cure: autoincrementCure,
    });
  }
  if (!column.notNull && !column.primary) {
    report({
      column: name,
      code: "key_nullable",
      problem: "it is part of the primary key and may be NULL, of which SQLite allows many",
      cure: "Add `.notNull()`.",
    });
  }
  const type = readType(column);
  if (type === undefined || !keyKinds.has(type.kind)) {
    report({
      column: name,
      code: "key_kind",
      problem: `it is part of the primary key and ${type?.kind ?? column.columnType}, of which one value has several stored forms`,
      cure: "Use a text, integer, timestamp or blob column as key.",
    });
  }
  if (!/^[a-z_][\w ]*(\( *\d+ *(, *\d+ *)?\))?[\w ]*$/i.test(column.getSQLType())) {
    report({
      column: name,
      code: "key_type",
      problem: `it is part of the primary key, and its declared type ${column.getSQLType()} is more than a type`,
      cure: "Declare a type of words, with a length at most: our tables repeat it.",
    });
  }
  if (/\bcollate\b/i.test(column.getSQLType())) {
    report({
      column: name,
      code: "collation",
      problem: "it is part of the primary key and compared under a collation",
      cure: "Leave the collation out of the key; put it into the queries that need it.",
    });
  }
}
