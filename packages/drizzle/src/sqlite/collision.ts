// Names: our tables and indexes stand beside the user's in one namespace, in which SQLite ignores the case of letters.
import { cellsTable, logTable, shadowTable } from "@grove-crdt/core";
import { getTableColumns } from "drizzle-orm";
import { getTableConfig, type SQLiteTable } from "drizzle-orm/sqlite-core";
import type { TableSource } from "./table";

const SYSTEM_PREFIX = "_grove_";

/** Columns by which one of our own tables is known when the schema exports it, by the end of its name. */
const ownColumns: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^_.+_log$/s, ["seq", "at", "op", "mask"]],
  [/^_.+_crdt$/s, ["id", "cl", "hlc", "born", "clocks"]],
  [/^_.+_crdt_cells$/s, ["id", "row", "field", "key", "state"]],
  [/^_grove_node$/, ["node", "clock", "seq", "capture"]],
  [/^_grove_incarnations$/, ["ordinal", "id", "first"]],
  [/^_grove_nodes$/, ["id", "node"]],
  [/^_grove_shapes$/, ["id", "fields"]],
  [/^_grove_peers$/, ["peer", "pull_cursor"]],
  [/^_grove_parked$/, ["tbl", "pk", "code"]],
  [/^_grove_capture$/, ["tbl", "fields"]],
];

/** True for a table of the generated shadow.ts, which the schema may list or export again. */
export function isShadowTable(table: SQLiteTable): boolean {
  const { name } = getTableConfig(table);
  const columns = new Set(Object.values(getTableColumns(table)).map((column) => column.name));
  return ownColumns.some(([pattern, needed]) => pattern.test(name) && needed.every((column) => columns.has(column)));
}

/** What we put beside table `t`, tables and indexes. */
const beside = (t: string): string[] => [
  logTable(t),
  shadowTable(t),
  cellsTable(t),
  `${shadowTable(t)}_pk`,
  `${shadowTable(t)}_seq`,
  `${cellsTable(t)}_row`,
];

/** @param all every table of the schema but our own, annotated or not */
export function checkNames(annotated: readonly TableSource[], all: readonly TableSource[]): void {
  for (const { name, report } of all) {
    if (!name.toLowerCase().startsWith(SYSTEM_PREFIX)) continue;
    report({
      code: "reserved_name",
      problem: `its name begins with ${SYSTEM_PREFIX}, as our own tables' do`,
      cure: "Rename the table.",
    });
  }
  const taken = new Map<string, string>();
  for (const { name, config } of all) {
    taken.set(name.toLowerCase(), `the table ${name}`);
    for (const { config: index } of config.indexes) taken.set(index.name.toLowerCase(), `the index ${index.name}`);
  }
  for (const { name, report } of annotated) {
    for (const ours of beside(name)) {
      const other = taken.get(ours.toLowerCase());
      taken.set(ours.toLowerCase(), `what grove-crdt puts beside the table ${name}`);
      if (other === undefined) continue;
      report({
        code: "name_collision",
        problem: `its ${ours} would have the name of ${other}`,
        cure: "Rename one of the two.",
      });
    }
  }
}
