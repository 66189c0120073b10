// What Postgres asks of a key's columns.
import { autoincrementCure } from "../key";
import { defaultClause } from "./default";
import { draws } from "./field";
import { isExact, readType } from "./kinds";
import type { ReadColumn, TableSource } from "./table";

export function checkKeyColumn({ report, options }: TableSource, { column, name }: ReadColumn): void {
  if (draws(column) || /\bnextval\s*\(/i.test(defaultClause(column, options.casing) ?? "")) {
    report({
      column: name,
      code: "autoincrement_key",
      problem: "it is a key drawn from a sequence, of which two nodes draw the same number for different rows",
      cure: autoincrementCure,
    });
  }
  if (column.generated !== undefined) {
    report({
      column: name,
      code: "generated_annotated",
      problem: "it is part of the primary key and a generated column, which cannot be written",
      cure: "Let the app supply the key.",
    });
  }
  const type = readType(column);
  if (type === undefined) {
    report({
      column: name,
      code: "key_type",
      problem: `it is part of the primary key, and its declared type ${column.getSQLType()} is more than a type`,
      cure: "Declare a type's name, with a length at most: our tables repeat it.",
    });
    return;
  }
  if (/^(bit|varbit)$/.test(type.base.name)) {
    // Without a length, which an incoming key may exceed, drizzle-kit's `bit` is one bit.
    report({
      column: name,
      code: "key_type",
      problem: `it is part of the primary key and ${type.base.name}, which our tables cannot repeat without a length`,
      cure: "Use text or bytea as key.",
    });
  } else if (!isExact(type)) {
    report({
      column: name,
      code: "key_kind",
      problem: `it is part of the primary key and ${type.sqlType}, of which one value has several stored forms`,
      cure: "Use text, varchar, uuid, an integer or a timestamp of full precision as key.",
    });
  }
  if (type.base.collated) {
    report({
      column: name,
      code: "collation",
      problem: "it is part of the primary key and compared under a collation",
      cure: "Leave the collation out of the key; put it into the queries that need it.",
    });
  }
}
