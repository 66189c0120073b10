// Installing and verifying capture on SQLite. Which rows and columns have yet to be adopted is recorded here; adoption.ts
// does it.
import { GroveError, type Registry } from "@grove-crdt/core";
import { decideIdentity } from "../identity";
import { moveMasks } from "../mask";
import type { CaptureProblem } from "../store";
import { readUnadopted } from "./adoption";
import type { Statements } from "./driver";
import { ident } from "./sql";
import { Table } from "./table";
import { anyWaiting } from "./waiting";

const OURS = [
  "_grove_node",
  "_grove_hidden_keys",
  "_grove_trees",
  "_grove_tree_groups",
  "_grove_tree_rows",
  "_grove_elsewhere",
];

/** Compares the triggers and tables in the database with the generated ones, by their text. */
export function verifyCapture(statements: Statements, registry: Registry): CaptureProblem | null {
  const installed = new Map(
    statements
      .rows("SELECT name, sql FROM sqlite_schema WHERE type IN ('trigger', 'table')")
      .map(([name, sql]) => [name as string, sql as string | null]),
  );
  const missing: string[] = [];
  const stale: string[] = [];
  const history = registry.tables.some((table) => table.history) ? ["_grove_history"] : [];
  for (const ours of [...OURS, ...history]) if (!installed.has(ours)) missing.push(ours);
  for (const { name } of registry.tables) {
    for (const ours of [`_${name}_log`, `_${name}_crdt`, `_${name}_crdt_cells`])
      if (!installed.has(ours)) missing.push(ours);
    for (const [trigger, sql] of Object.entries(registry.capture.tables[name]?.triggers ?? {})) {
      if (!installed.has(trigger)) missing.push(trigger);
      // A migration that was checked out with other line ends captures alike.
      else if (installed.get(trigger)?.replaceAll("\r\n", "\n") !== sql) stale.push(trigger);
    }
  }
  if (!installed.has("_grove_capture")) missing.push("_grove_capture");
  else {
    const recorded = recordedFields(statements);
    for (const { name, fields } of registry.tables) {
      const before = recorded.get(name);
      // Migrations leave a table unrecorded that holds rows from before its capture, or before a column's.
      if (!before) missing.push(`_grove_capture of ${name}`);
      else if (before.join("\n") !== fields.map((field) => field.name).join("\n"))
        stale.push(`_grove_capture of ${name}`);
    }
  }
  if (missing.length > 0) return { code: "capture_missing", names: [...missing, ...stale] };
  if (stale.length > 0) return { code: "capture_stale", names: stale };
  const unadopted = readUnadopted(
    statements,
    registry.tables.map((model) => new Table(model)),
  );
  return unadopted.length > 0 ? { code: "not_adopted", names: unadopted.map(({ table }) => table.model.name) } : null;
}

/** The fields of each table in the order of the mask's bits, as the installed triggers have them. */
const recordedFields = (statements: Statements): Map<string, string[]> =>
  new Map(
    statements
      .rows("SELECT tbl, fields FROM _grove_capture")
      .map(([name, fields]) => [name as string, JSON.parse(fields as string) as string[]]),
  );

const namesOf = ({ model }: Table): string[] => model.fields.map(({ name }) => name);

/** A trigger that an older generator made and the present one does not: by name, and because it asks for our switch. */
const isOldCapture = (table: string, trigger: string, sql: string): boolean =>
  trigger.startsWith(`_${table}_`) && sql.includes('FROM "_grove_node"');

/**
 * Tables, triggers and the order of the mask's bits; all in the caller's transaction. Rows whose writes were not captured
 * until now, and columns that were not, are recorded as not adopted.
 */
export function installCapture(statements: Statements, registry: Registry, tables: readonly Table[]): void {
  for (const sql of registry.capture.system) statements.database.exec(sql);
  const stored = recordedFields(statements);
  for (const table of tables) {
    const { name } = table.model;
    if (!statements.row("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", name)) {
      throw new GroveError(
        "capture_missing",
        `The table ${JSON.stringify(name)} does not exist in this database. Run your migrations first, then node.ensureShadowTables().`,
      );
    }
    const capture = registry.capture.tables[name];
    for (const sql of capture?.tables ?? []) statements.database.exec(sql);
    const before = stored.get(name);
    const moved = before ? moveMasks(before, namesOf(table)) : [];
    if (moved.length > 0) statements.run(`UPDATE ${table.log} SET ${moved.join(", ")} WHERE op = 'U'`);
    const triggers = statements.rows(
      "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?",
      name,
    );
    const wanted = capture?.triggers ?? {};
    for (const [trigger, sql] of triggers) {
      const ours = Object.hasOwn(wanted, trigger as string) || isOldCapture(name, trigger as string, sql as string);
      if (ours && wanted[trigger as string] !== sql)
        statements.database.exec(`DROP TRIGGER ${ident(trigger as string)}`);
    }
    const present = new Set(
      statements
        .rows("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?", name)
        .map(([trigger]) => trigger as string),
    );
    const absent = Object.entries(wanted).filter(([trigger]) => !present.has(trigger));
    for (const [, sql] of absent) statements.database.exec(sql);
    recordFields(statements, table, before, !before || absent.length > 0);
  }
}

/** What an empty table has to adopt is nothing. */
function recordFields(
  statements: Statements,
  table: Table,
  before: readonly string[] | undefined,
  uncaptured: boolean,
): void {
  const { name } = table.model;
  const names = namesOf(table);
  statements.run(
    "INSERT INTO _grove_capture (tbl, fields) VALUES (?, ?) ON CONFLICT (tbl) DO UPDATE SET fields = excluded.fields",
    name,
    JSON.stringify(names),
  );
  const added = before ? names.filter((field) => !before.includes(field)) : [];
  const isEmpty = !statements.row(`SELECT 1 FROM ${table.name} LIMIT 1`);
  if (isEmpty && (added.length === 0 || !anyWaiting(statements, table))) return;
  if (uncaptured) statements.run("UPDATE _grove_capture SET adopted = 0 WHERE tbl = ?", name);
  for (const field of added)
    statements.run(
      "UPDATE _grove_capture SET added = json_insert(coalesce(added, '[]'), '$[#]', ?) WHERE tbl = ?",
      field,
      name,
    );
}

/** The node id: settled, and stored. @throws GroveError `node_id_invalid`, `node_id_mismatch` */
export function settleIdentity(statements: Statements, configured: string | undefined, random: () => number): string {
  const stored = (statements.row("SELECT node FROM _grove_node WHERE id = 1")?.[0] ?? null) as string | null;
  const id = decideIdentity(stored, configured, random);
  if (id === stored) return id;
  statements.run(
    "INSERT INTO _grove_node (id, node) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET node = excluded.node",
    id,
  );
  // The node's own short integer is the smallest, since most rows carry it.
  statements.run("INSERT INTO _grove_nodes (id, node) VALUES (1, ?) ON CONFLICT DO NOTHING", id);
  return id;
}
