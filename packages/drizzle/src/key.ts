// The primary key: what names a row on every node. Keys are replicated as they are, so they must be drawn apart by the
// app and have one spelling only.
import type { Column } from "drizzle-orm";
import { findColumn, type ReadColumn, type TableConfig, type TableSource } from "./source";

/**
 * The key's columns in key order; empty where there is none, which is reported.
 *
 * @param checkColumn what the dialect asks of a key column besides
 */
export function readKey<C extends Column, Config extends TableConfig>(
  source: TableSource<C, Config>,
  checkColumn: (source: TableSource<C, Config>, read: ReadColumn<C>) => void,
): ReadColumn<C>[] {
  const composite = source.config.primaryKeys.flatMap((primaryKey) => primaryKey.columns);
  const listed = composite.flatMap((column) => findColumn(source, column) ?? []);
  const inline = source.columns.filter(({ column }) => column.primary);
  const key = [...new Set([...listed, ...inline])];
  if (key.length === 0) {
    source.report({
      code: "no_primary_key",
      problem: "it has no primary key",
      cure: 'Add one that the app draws apart on every node: `id: text("id").primaryKey().$defaultFn(() => crypto.randomUUID())`.',
    });
  }
  for (const read of key) {
    checkMark(source, read, key);
    checkColumn(source, read);
  }
  return key;
}

function checkMark(
  { columns, name: table, report }: TableSource,
  { name, mark }: ReadColumn,
  key: readonly unknown[],
): void {
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
      cure: columns.every((column) => key.includes(column))
        ? `Take the annotation off. A table that is all key takes part by its name: \`groveCrdt({ tables: [${JSON.stringify(table)}] })\`.`
        : "Take the annotation off: a key is replicated as it is and never merged.",
    });
  }
}

export const autoincrementCure =
  "Use a text key with a UUID, or an integer that the app supplies and that no other node can draw.";
