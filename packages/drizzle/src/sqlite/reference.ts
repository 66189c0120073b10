// Foreign keys between annotated tables. Which rows may show is decided from the merged rows alone, and for references
// that decision is not built yet, so they are refused rather than left to break.
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import { columnName } from "../names";
import type { TableSource } from "./table";

export function checkReferences(source: TableSource, annotated: ReadonlySet<SQLiteTable>): void {
  for (const foreignKey of source.config.foreignKeys) {
    const { columns, foreignTable } = foreignKey.reference();
    if (!annotated.has(foreignTable)) continue;
    const names = columns.map((column) => columnName(column, source.options.casing));
    source.report({
      ...(names.length === 1 && { column: names[0] }),
      code: "foreign_key",
      problem: `the foreign key ${foreignKey.getName()} refers to another annotated table`,
      cure: "Leave the foreign key out of annotated tables for now; references are planned.",
    });
  }
}
