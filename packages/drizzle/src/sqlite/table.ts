// One Drizzle table to its model. Each part reads what it is about and reports what stands in the way; a table with
// problems still goes through every part, so that all of them are told.
import type { TableModel } from "@grove-crdt/core";
import type { getTableConfig, SQLiteColumn } from "drizzle-orm/sqlite-core";
import { checkCounters } from "../check";
import { describe, readFields } from "../field";
import { readKey } from "../key";
import type * as source from "../source";
import { printSql } from "../versions";
import { fieldRules } from "./field";
import { checkKeyColumn } from "./key";
import { readType } from "./kinds";
import { readUniques } from "./unique";

export type ReadColumn = source.ReadColumn<SQLiteColumn>;
/** A Drizzle table being read. */
export type TableSource = source.TableSource<SQLiteColumn, ReturnType<typeof getTableConfig>>;

export function readTable(source: TableSource): TableModel {
  const key = readKey(source, checkKeyColumn);
  const { fields, local } = readFields(source, key, fieldRules);
  checkCounters(source, fields, (value) => printSql("sqlite", value, source.options.casing).sql);
  const uniques = readUniques(source, key, fields);
  return {
    name: source.name,
    exportName: source.exportName,
    // Where the type is unknown, which was reported, anything stands in.
    key: key.map((read) => describe(read, readType(read.column) ?? { kind: "text", storage: "text", sqlType: "" })),
    fields,
    local,
    uniques,
  };
}
