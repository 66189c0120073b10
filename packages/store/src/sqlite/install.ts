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

/** A trigger that an older generator made and the present one does not: by name, and because it asks for our switch. */
const isOldCapture = (table: string, trigger: string, sql: string): boolean =>
  trigger.startsWith(`_${table}_`) && sql.includes('FROM "_grove_node"');

/**
 * Tables, triggers and the order of the mask's bits; all in the caller's transaction.
 *
 * @returns the tables whose writes were not captured until now: they may hold rows that the shadow does not know
 */
export function installCapture(statements: Statements, registry: Registry, tables: readonly Table[]): Table[] {
  const uncaptured: Table[] = [];
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
    if (!before || absent.length > 0) uncaptured.push(table);
    statements.run(
      "INSERT INTO _grove_capture (tbl, fields) VALUES (?, ?) ON CONFLICT (tbl) DO UPDATE SET fields = excluded.fields",
      name,
      JSON.stringify(fields.map((field) => field.name)),
    );
  }
  return uncaptured;
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

/** Refuses rows that a guard trigger would not have let in: nothing could be counted in or added to them. */
function refuseUnfit(statements: Statements, table: Table): void {
  for (const { name, type } of table.multi) {
    const column = ident(name);
    const unfit =
      type === "counter"
        ? `typeof(${column}) <> 'integer'`
        : `NOT iif(json_valid(${column}), json_type(${column}) = 'array', 0)`;
    const [count, example] = statements.row(
      `SELECT count(*), min(${list(table.model.key.map((key) => key.name))
        .split(", ")
        .join(" || ', ' || ")}) FROM ${table.name} WHERE ${unfit}`,
    ) as [number, unknown];
    if (count === 0) continue;
    const what = type === "counter" ? "no whole number" : "no JSON array";
    throw new GroveError(
      "bad_value",
      `${table.model.name}.${name} holds ${what} in ${count} row${count === 1 ? "" : "s"}, for example in ${JSON.stringify(example)}. Mend the values, then call node.ensureShadowTables() again. Nothing was changed.`,
      { details: { table: table.model.name, column: name, rows: count } },
    );
  }
}

/** Gives a shadow to rows that have none: they count as the oldest possible writes. The log must be empty. */
export function adoptRows(session: Session, table: Table): void {
  refuseUnfit(session.statements, table);
  const { key } = table.model;
  const keys = key.map(({ name }) => keyColumn(name));
  const same = key.map(({ name }) => `s.${ident(keyColumn(name))} = b.${ident(name)}`).join(" AND ");
  const columns = list(
    key.map(({ name }) => name),
    "b.",
  );
  const before = session.next - 1;
  const adopted = session.statements.run(
    `INSERT INTO ${table.shadow} (${list(keys)}, id, cl, hlc, node, born, seq)
SELECT ${columns}, ? + row_number() OVER (), 1, 0, 0, ? + row_number() OVER (), ? + row_number() OVER ()
FROM ${table.name} b WHERE NOT EXISTS (SELECT 1 FROM ${table.shadow} s WHERE ${same})`,
    before,
    before,
    before,
  );
  if (adopted > 0) session.take(adopted);
}
