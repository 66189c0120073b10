// Installing and verifying capture on SQLite, and adopting rows that were there before it.
import { GroveError, maskColumns, NODE_ID, type Registry } from "@grove-crdt/core";
import type { CaptureProblem } from "../store";
import type { Statements } from "./driver";
import type { Session } from "./session";
import { ident, keyColumn, list } from "./sql";
import type { Table } from "./table";

/** Compares the triggers and tables in the database with the generated ones, by their text. */
export function verifyCapture(statements: Statements, registry: Registry): CaptureProblem | null {
  const installed = new Map(
    statements
      .rows("SELECT name, sql FROM sqlite_schema WHERE type IN ('trigger', 'table')")
      .map(([name, sql]) => [name as string, sql as string | null]),
  );
  const missing: string[] = [];
  const stale: string[] = [];
  if (!installed.has("_grove_node")) missing.push("_grove_node");
  for (const { name } of registry.tables) {
    for (const ours of [`_${name}_log`, `_${name}_crdt`, `_${name}_crdt_cells`])
      if (!installed.has(ours)) missing.push(ours);
    for (const [trigger, sql] of Object.entries(registry.capture.tables[name]?.triggers ?? {})) {
      if (!installed.has(trigger)) missing.push(trigger);
      else if (installed.get(trigger) !== sql) stale.push(trigger);
    }
  }
  if (missing.length > 0) return { code: "capture_missing", names: [...missing, ...stale] };
  return stale.length > 0 ? { code: "capture_stale", names: stale } : null;
}

/** Bits of log rows that older triggers wrote, moved to where the fields are now. */
function moveMasks(statements: Statements, table: Table, before: readonly string[]): void {
  const after = table.model.fields.map((field) => field.name);
  if (before.every((name, n) => after[n] === name)) return;
  const column = (index: number) => ({ mask: ident(maskColumns(index + 1).at(-1) as string), bit: index % 52 });
  const parts = new Map<string, string[]>();
  after.forEach((name, to) => {
    const from = before.indexOf(name);
    if (from < 0) return;
    const source = column(from);
    const target = column(to);
    const moved = `(((${source.mask} >> ${source.bit}) & 1) << ${target.bit})`;
    parts.set(target.mask, [...(parts.get(target.mask) ?? []), moved]);
  });
  const sets = [...parts].map(([mask, moved]) => `${mask} = ${moved.join(" | ")}`);
  if (sets.length > 0) statements.run(`UPDATE ${table.log} SET ${sets.join(", ")} WHERE op = 'U'`);
}

/** Tables, triggers and the order of the mask's bits; all in the caller's transaction. */
export function installCapture(statements: Statements, registry: Registry, tables: readonly Table[]): void {
  for (const sql of registry.capture.system) statements.database.exec(sql);
  const stored = new Map(
    statements
      .rows("SELECT tbl, fields FROM _grove_capture")
      .map(([name, fields]) => [name as string, JSON.parse(fields as string) as string[]]),
  );
  for (const table of tables) {
    const { name, fields } = table.model;
    if (!statements.row("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", name)) {
      throw new GroveError(
        "capture_missing",
        `The table ${JSON.stringify(name)} does not exist in this database. Run your migrations first, then node.ensureShadowTables().`,
      );
    }
    const capture = registry.capture.tables[name];
    for (const sql of capture?.tables ?? []) statements.database.exec(sql);
    const before = stored.get(name);
    if (before) moveMasks(statements, table, before);
    const triggers = statements.rows(
      "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?",
      name,
    );
    const wanted = capture?.triggers ?? {};
    for (const [trigger, sql] of triggers) {
      const ours = (trigger as string).startsWith(`_${name}_`);
      if (ours && wanted[trigger as string] !== sql)
        statements.database.exec(`DROP TRIGGER ${ident(trigger as string)}`);
    }
    const present = new Set(
      statements
        .rows("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?", name)
        .map(([trigger]) => trigger as string),
    );
    for (const [trigger, sql] of Object.entries(wanted)) if (!present.has(trigger)) statements.database.exec(sql);
    statements.run(
      "INSERT INTO _grove_capture (tbl, fields) VALUES (?, ?) ON CONFLICT (tbl) DO UPDATE SET fields = excluded.fields",
      name,
      JSON.stringify(fields.map((field) => field.name)),
    );
  }
}

/** The stored node id, or the configured one, or a drawn one. */
export function settleIdentity(statements: Statements, configured: string | undefined, random: () => number): string {
  if (configured !== undefined && !NODE_ID.test(configured)) {
    throw new GroveError(
      "node_id_invalid",
      `The node id ${JSON.stringify(configured)} is not valid: it must match [a-z0-9][a-z0-9._-]{0,62}.`,
    );
  }
  const stored = statements.row("SELECT node FROM _grove_node WHERE id = 1")?.[0] as string | null | undefined;
  if (stored && configured !== undefined && stored !== configured) {
    throw new GroveError(
      "node_id_mismatch",
      `This database is node ${JSON.stringify(stored)}, not ${JSON.stringify(configured)}. Leave nodeId out, or open the right file.`,
      {
        details: { stored, configured },
      },
    );
  }
  if (stored) return stored;
  const id = configured ?? `n-${Array.from({ length: 10 }, () => Math.floor(random() * 36).toString(36)).join("")}`;
  statements.run(
    "INSERT INTO _grove_node (id, node) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET node = excluded.node",
    id,
  );
  // The node's own short integer is the smallest, since most rows carry it.
  statements.run("INSERT INTO _grove_nodes (id, node) VALUES (1, ?) ON CONFLICT DO NOTHING", id);
  return id;
}

/**
 * Gives a shadow to rows that have none and no captured write waiting: they count as the oldest possible writes.
 *
 * @returns how many rows were adopted; at most `limit`
 */
export function adoptRows(session: Session, table: Table, limit: number): number {
  const { key } = table.model;
  const keys = key.map(({ name }) => keyColumn(name));
  const names = key.map(({ name }) => name);
  const on = (alias: string) =>
    key.map(({ name }) => `${alias}.${ident(keyColumn(name))} = b.${ident(name)}`).join(" AND ");
  const first = session.next;
  const adopted = session.statements.run(
    `INSERT INTO ${table.shadow} (${list(keys)}, id, cl, hlc, node, born, seq)
SELECT ${list(names)}, ? + n, 1, 0, 0, ? + n, ? + n FROM (
  SELECT ${list(names, "b.")}, row_number() OVER () - 1 AS n FROM ${table.name} b
  WHERE NOT EXISTS (SELECT 1 FROM ${table.shadow} s WHERE ${on("s")})
    AND NOT EXISTS (SELECT 1 FROM ${table.log} l WHERE ${on("l")}) LIMIT ?)`,
    first,
    first,
    first,
    limit,
  );
  for (let n = 0; n < adopted; n++) session.take();
  return adopted;
}
