// The primary key: what names a row on every node. Keys are replicated as they are, so they must be drawn apart by the
// app and have one spelling only.
import { is } from "drizzle-orm";
import { SQLiteBaseInteger } from "drizzle-orm/sqlite-core";
import { readKind } from "./kinds";
import type { ReadColumn, TableSource } from "./table";

/** Kinds of which one value has one stored form. */
const keyKinds = new Set(["text", "integer", "boolean", "timestamp", "bytes"]);

/** The key's columns in key order; empty where there is none, which is reported. */
export function readKey(source: TableSource): ReadColumn[] {
  const key = keyColumns(source);
  if (key.length === 0) {
    source.report({
      code: "no_primary_key",
      problem: "it has no primary key",
      cure: 'Add one that the app draws apart on every node: `id: text("id").primaryKey().$defaultFn(() => crypto.randomUUID())`.',
    });
  }
  for (const column of key) checkKeyColumn(source, column);
  return key;
}

function keyColumns({ columns, config }: TableSource): ReadColumn[] {
  const composite = config.primaryKeys.flatMap((primaryKey) => primaryKey.columns as unknown[]);
  const inline = columns.filter(({ column }) => column.primary);
  const listed = composite.flatMap((column) => columns.find((read) => read.column === column) ?? []);
  return [...new Set([...listed, ...inline])];
}

function checkKeyColumn({ report }: TableSource, read: ReadColumn): void {
  const { column, name, mark } = read;
  if (is(column, SQLiteBaseInteger) && column.autoIncrement) {
    report({
      column: name,
      code: "autoincrement_key",
      problem: "it is an auto-increment key, of which two nodes draw the same number for different rows",
      cure: "Use a text key with a UUID, or an integer that the app supplies and that no other node can draw.",
    });
  }
  if (mark.annotation === "local") {
    report({
      column: name,
      code: "key_local",
      problem: "it is part of the primary key and marked local()",
      cure: "Take local() off: without its key a row cannot be replicated.",
    });
  } else if (mark.annotation !== undefined || mark.conflicting !== undefined) {
    report({
      column: name,
      code: "key_annotated",
      problem: `it is part of the primary key and marked ${mark.annotation ?? mark.conflicting}()`,
      cure: "Take the annotation off: a key is replicated as it is and never merged.",
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
  const kind = readKind(column);
  if (kind === undefined || !keyKinds.has(kind.kind)) {
    report({
      column: name,
      code: "key_kind",
      problem: `it is part of the primary key and ${kind?.kind ?? column.columnType}, of which one value has several stored forms`,
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
