// What Postgres asks of annotated columns.
import type { PgColumn } from "drizzle-orm/pg-core";
import type { FieldRules } from "../field";
import { readDefault } from "./default";
import { readType } from "./kinds";
import type { TableSource } from "./table";

export const fieldRules: FieldRules<PgColumn, TableSource> = {
  typeOf: readType,
  typesFrom: "drizzle-orm/pg-core",
  draws,
  readDefault,
  checkType({ report }, { name, column }, crdt, { storage, sqlType }) {
    if (crdt === "counter" && sqlType !== "bigint") {
      const narrow = sqlType === "integer" || sqlType === "smallint";
      report({
        column: name,
        code: "counter_kind",
        problem: narrow
          ? `it is a counter stored as ${sqlType}, which overflows when counts from many nodes add up`
          : `it is a counter stored as ${sqlType}`,
        cure: 'Use `bigint("…", { mode: "number" })`, or mode "bigint" for counts past 2^53.',
      });
    }
    if (crdt === "lww" || crdt === "counter" || storage === "jsonb") return;
    if (crdt !== "document" && storage === "array" && readType(column)?.dimensions === 1) return;
    report({
      column: name,
      code: `${crdt}_kind`,
      problem: `it is a ${crdt} stored as ${sqlType}`,
      cure:
        crdt === "document"
          ? 'Use `jsonb("…").$type<T>()`.'
          : 'Use `jsonb("…").$type<T[]>()`, or an array of one dimension such as `text("…").array()`.',
    });
  },
};

/** From a sequence, in any of Postgres's ways. */
export function draws(column: PgColumn): boolean {
  return column.generatedIdentity !== undefined || readType(column)?.base.serial === true;
}
