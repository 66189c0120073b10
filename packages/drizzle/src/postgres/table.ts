// One Drizzle table to its model. Each part reads what it is about and reports what stands in the way; a table with
// problems still goes through every part, so that all of them are told.
import type { TableModel } from "@grove-crdt/core";
import type { getTableConfig, PgColumn } from "drizzle-orm/pg-core";
import { checkCounters } from "../check";
import { describe, readFields } from "../field";
import { readKey } from "../key";
import type * as source from "../source";
import { printSql } from "../versions";
import { fieldRules } from "./field";
import { checkKeyColumn } from "./key";
import { readType } from "./kinds";
import { readUniques } from "./unique";

export type ReadColumn = source.ReadColumn<PgColumn>;
/** A Drizzle table being read. */
export type TableSource = source.TableSource<PgColumn, ReturnType<typeof getTableConfig>>;

export function readTable(source: TableSource): TableModel {
  const key = readKey(source, checkKeyColumn);
  const { fields, local } = readFields(source, key, fieldRules);
  checkCounters(source, fields, (value) => printSql("postgres", value, source.options.casing).sql);
  const uniques = readUniques(source, key, fields);
  return {
    name: source.name,
    exportName: source.exportName,
    key: key.map((read) => ({
      // Where the type is unknown, which was reported, anything stands in.
      ...describe(read, readType(read.column) ?? { kind: "text", storage: "native", sqlType: "" }),
      // Postgres makes it so, also where a composite key does not say it.
      notNull: true,
    })),
    fields,
    local,
    uniques,
  };
}
