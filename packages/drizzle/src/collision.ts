// Names: our tables and indexes stand beside the user's, in one namespace with them.
import { cellsTable, logTable, shadowTable } from "@grove-crdt/core";
import type { TableSource } from "./source";

const SYSTEM_PREFIX = "_grove_";

/** Columns by which one of our own tables is known when the schema exports it, by the end of its name. */
const ownColumns: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^_.+_log$/s, ["seq", "at", "op", "mask"]],
  [/^_.+_crdt$/s, ["id", "cl", "hlc", "born", "clocks"]],
  [/^_.+_crdt_cells$/s, ["id", "row", "field", "key", "state"]],
  [/^_grove_node$/, ["node", "clock", "seq"]],
  [/^_grove_incarnations$/, ["ordinal", "id", "first"]],
  [/^_grove_nodes$/, ["id", "node"]],
  [/^_grove_shapes$/, ["id", "fields"]],
  [/^_grove_peers$/, ["peer", "pull_cursor"]],
  [/^_grove_parked$/, ["tbl", "pk", "code"]],
  [/^_grove_capture$/, ["tbl", "fields"]],
  [/^_grove_hidden_keys$/, ["name", "tbl", "pk"]],
  [/^_grove_trees$/, ["tbl", "tree", "shape"]],
  [/^_grove_tree_groups$/, ["sum", "leaves"]],
  [/^_grove_tree_rows$/, ["leaf", "pk", "sum"]],
  [/^_grove_collection$/, ["upto", "rounds"]],
  [/^_grove_elsewhere$/, ["tbl", "state", "via"]],
  [/^_grove_history$/, ["tbl", "at", "kind", "change"]],
  [/^_grove_lock$/, ["id"]],
];

/** True for a table of the generated shadow.ts, which the schema may list or export again. */
export const isShadowTable = (name: string, columns: ReadonlySet<string>): boolean =>
  ownColumns.some(([pattern, needed]) => pattern.test(name) && needed.every((column) => columns.has(column)));

/** How a dialect's database tells names apart. */
export interface NameRules<Source extends TableSource> {
  /** What makes two spellings of one name equal. */
  fold(name: string): string;
  /** Names in the namespace of tables that a table takes besides its own and its indexes'. */
  constraints(source: Source): readonly string[];
  /** What we put beside table `t`, besides what every dialect has. */
  beside(t: string): readonly string[];
}

/** What we put beside table `t`: tables and what stands in one namespace with them. */
export const besideTable = <Source extends TableSource>(t: string, rules: NameRules<Source>): string[] => [
  logTable(t),
  shadowTable(t),
  cellsTable(t),
  `${shadowTable(t)}_seq`,
  `${cellsTable(t)}_row`,
  ...rules.beside(t),
];

/** @param all every table of the schema but our own, annotated or not */
export function checkNames<Source extends TableSource>(
  annotated: readonly Source[],
  all: readonly Source[],
  rules: NameRules<Source>,
): void {
  const { fold } = rules;
  for (const { name, report } of all) {
    if (!fold(name).startsWith(SYSTEM_PREFIX)) continue;
    report({
      code: "reserved_name",
      problem: `its name begins with ${SYSTEM_PREFIX}, as our own tables' do`,
      cure: "Rename the table.",
    });
  }
  const taken = new Map<string, string>();
  for (const source of all) {
    taken.set(fold(source.name), `the table ${source.name}`);
    for (const { config: index } of source.config.indexes) {
      if (index.name !== undefined) taken.set(fold(index.name), `the index ${index.name}`);
    }
    for (const name of rules.constraints(source)) taken.set(fold(name), `the constraint ${name}`);
  }
  for (const { name, report } of annotated) {
    for (const ours of besideTable(name, rules)) {
      const other = taken.get(fold(ours));
      taken.set(fold(ours), `what grove-crdt puts beside the table ${name}`);
      if (other === undefined) continue;
      report({
        code: "name_collision",
        problem: `its ${ours} would have the name of ${other}`,
        cure: "Rename one of the two.",
      });
    }
  }
}
