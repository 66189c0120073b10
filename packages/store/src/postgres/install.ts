// Installing and verifying capture on Postgres, and the checks of what stands in the way. Which rows and columns have yet to
// be adopted is recorded here; adoption.ts does it.
import { GroveError, type Registry } from "@grove-crdt/core";
import { decideIdentity } from "../identity";
import { moveMasks } from "../mask";
import type { CaptureProblem } from "../store";
import { readUnadopted } from "./adoption";
import type { PostgresTransaction } from "./driver";
import { ident, toParams } from "./sql";
import { Table } from "./table";
import { anyWaiting } from "./waiting";

export const OLDEST_VERSION = 14;

const textList = (names: readonly string[]): string =>
  toParams(
    1,
    names.map((name) => [name]),
  )[0] as string;

/** Between `$grove$` and `$grove$`: what Postgres keeps as the function's source. */
const bodyOf = (sql: string): string => sql.split("$grove$")[1] ?? "";

/** A trigger's definition without what differs between versions and search paths: quotes, the schema, layout. */
const definition = (sql: string): string =>
  sql
    .replaceAll('"', "")
    .replaceAll(/\bpublic\./g, "")
    .replaceAll(/--[^\n]*/g, "")
    .replaceAll(/\s+/g, " ")
    .replaceAll(/;?\s*$/g, "")
    .replaceAll("EXECUTE PROCEDURE", "EXECUTE FUNCTION")
    .trim();

/** Compares tables, functions and triggers in the database with the generated ones. */
export async function verifyCapture(tx: PostgresTransaction, registry: Registry): Promise<CaptureProblem | null> {
  await refuseDatabase(tx);
  const captures = registry.tables.map(({ name }) => [name, registry.capture.tables[name]] as const);
  const functions = new Map(captures.flatMap(([, capture]) => Object.entries(capture?.functions ?? {})));
  const tables = [
    "_grove_node",
    "_grove_lock",
    "_grove_hidden_keys",
    "_grove_capture",
    "_grove_trees",
    "_grove_tree_groups",
    "_grove_tree_rows",
    "_grove_elsewhere",
    ...(registry.tables.some((table) => table.history) ? ["_grove_history"] : []),
    ...registry.tables.flatMap(({ name }) => [`_${name}_log`, `_${name}_crdt`, `_${name}_crdt_cells`]),
  ];
  const present = new Set(
    (
      await tx.rows(
        "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname = ANY($1::text::text[])",
        [textList(tables)],
      )
    ).map(([name]) => name as string),
  );
  const sources = new Map(
    (
      await tx.rows(
        "SELECT p.proname, p.prosrc || CASE WHEN p.prosecdef AND 'search_path=pg_catalog, public, pg_temp' = ANY (p.proconfig) THEN '' ELSE ' (not as generated)' END FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.proname = ANY($1::text::text[])",
        [textList([...functions.keys()])],
      )
    ).map(([name, source]) => [name as string, source as string]),
  );
  const installed = await installedTriggers(
    tx,
    registry.tables.map(({ name }) => name),
  );
  const missing = tables.filter((name) => !present.has(name));
  const stale: string[] = [];
  for (const [name, sql] of functions) {
    if (!sources.has(name)) missing.push(`${name}()`);
    else if (sources.get(name) !== bodyOf(sql)) stale.push(`${name}()`);
  }
  for (const [table, capture] of captures) {
    for (const [name, sql] of Object.entries(capture?.triggers ?? {})) {
      const trigger = installed.get(table)?.get(name);
      if (!trigger) missing.push(name);
      else if (!trigger.enabled) stale.push(`${name} (disabled)`);
      else if (definition(trigger.sql) !== definition(sql)) stale.push(name);
    }
  }
  if (missing.length > 0) return { code: "capture_missing", names: [...missing, ...stale] };
  await refuseTables(tx, registry);
  const recorded = await recordedFields(tx);
  for (const { name, fields } of registry.tables) {
    const before = recorded.get(name);
    if (before?.join("\n") !== fields.map((field) => field.name).join("\n")) stale.push(`_grove_capture of ${name}`);
  }
  if (stale.length > 0) return { code: "capture_stale", names: stale };
  const unadopted = await readUnadopted(
    tx,
    registry.tables.map((model) => new Table(model)),
  );
  return unadopted.length > 0 ? { code: "not_adopted", names: unadopted.map(({ table }) => table.model.name) } : null;
}

interface InstalledTrigger {
  readonly sql: string;
  readonly enabled: boolean;
}

/** The triggers that are on each table. */
async function installedTriggers(
  tx: PostgresTransaction,
  tables: readonly string[],
): Promise<Map<string, Map<string, InstalledTrigger>>> {
  const rows = await tx.rows(
    `SELECT c.relname, t.tgname, pg_get_triggerdef(t.oid), (t.tgenabled IN ('O', 'A'))::int
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE NOT t.tgisinternal AND c.relnamespace = 'public'::regnamespace AND c.relname = ANY($1::text::text[])`,
    [textList(tables)],
  );
  const found = new Map<string, Map<string, InstalledTrigger>>();
  for (const [table, name, sql, enabled] of rows) {
    const triggers = found.get(table as string) ?? new Map<string, InstalledTrigger>();
    found.set(table as string, triggers);
    triggers.set(name as string, { sql: sql as string, enabled: Number(enabled) === 1 });
  }
  return found;
}

/** @throws GroveError `unsupported_database` */
async function refuseDatabase(tx: PostgresTransaction): Promise<void> {
  const [row] = await tx.rows("SELECT current_setting('server_version_num'), current_setting('server_encoding')");
  const [version, encoding] = row as [string, string];
  if (Number(version) < OLDEST_VERSION * 10_000) {
    throw new GroveError(
      "unsupported_database",
      `This server is Postgres ${Math.floor(Number(version) / 10_000)}; grove-crdt needs ${OLDEST_VERSION} or later. Upgrade the server.`,
    );
  }
  if (encoding !== "UTF8") {
    throw new GroveError(
      "unsupported_database",
      `The database's encoding is ${encoding}; rows from other nodes may hold any Unicode text. Create the database with ENCODING 'UTF8'.`,
    );
  }
}

/** Refuses tables that capture cannot see all writes of, and a role that may not read and write them all. */
async function refuseTables(tx: PostgresTransaction, registry: Registry): Promise<void> {
  const names = registry.tables.map(({ name }) => name);
  const rows = await tx.rows(
    `SELECT c.relname, c.relkind, c.relispartition::int,
  (EXISTS (SELECT 1 FROM pg_inherits i WHERE i.inhrelid = c.oid OR i.inhparent = c.oid))::int,
  (c.relrowsecurity AND row_security_active(c.oid))::int,
  (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE'))::int,
  current_user
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY($1::text::text[])`,
    [textList(names)],
  );
  const found = new Map(rows.map((row) => [row[0] as string, row]));
  const absent = names.filter((name) => !found.has(name));
  if (absent.length > 0) {
    throw new GroveError(
      "capture_missing",
      `${absent.map((name) => JSON.stringify(name)).join(", ")}: no such table in the schema public of this database. Run your migrations first, then node.ensureShadowTables().`,
      { details: { names: absent } },
    );
  }
  const problems: string[] = [];
  for (const name of names) {
    const shown = JSON.stringify(name);
    const row = found.get(name) as readonly unknown[];
    const [, kind, isPartition, inherits, hidden, allowed, role] = row as [string, string, ...unknown[]];
    if (kind === "p" || Number(isPartition) === 1)
      problems.push(
        `The table ${shown} is partitioned: writes straight to a partition would not be captured. Sync an unpartitioned table.`,
      );
    else if (kind !== "r") problems.push(`${shown} is no ordinary table. Annotate the table behind it instead.`);
    else if (Number(inherits) === 1)
      problems.push(
        `The table ${shown} takes part in inheritance: writes to a child would not be captured. Take it out of the inheritance.`,
      );
    if (Number(hidden) === 1)
      problems.push(
        `Row level security hides rows of ${shown} from the role ${JSON.stringify(role)}. Connect as the table's owner, or ALTER ROLE … BYPASSRLS.`,
      );
    if (Number(allowed) !== 1)
      problems.push(
        `The role ${JSON.stringify(role)} may not read and write ${shown}. GRANT SELECT, INSERT, UPDATE, DELETE ON it, or connect as its owner.`,
      );
  }
  if (problems.length > 0) {
    throw new GroveError("unsupported_table", `Not everything can be synced as it is:\n  ${problems.join("\n  ")}`, {
      details: problems,
    });
  }
}

/** The fields of each table in the order of the mask's bits, as the installed triggers have them. */
const recordedFields = async (tx: PostgresTransaction): Promise<Map<string, string[]>> =>
  new Map(
    (await tx.rows("SELECT tbl, fields FROM public._grove_capture")).map(([name, fields]) => [
      name as string,
      JSON.parse(fields as string) as string[],
    ]),
  );

const namesOf = ({ model }: Table): string[] => model.fields.map(({ name }) => name);

/** Also what there is to adopt, now that the triggers are there: of an empty table, nothing. */
async function recordFields(
  tx: PostgresTransaction,
  table: Table,
  before: readonly string[] | undefined,
  uncaptured: boolean,
): Promise<void> {
  const { name } = table.model;
  const names = namesOf(table);
  await tx.rows(
    "INSERT INTO public._grove_capture (tbl, fields) VALUES ($1::text, $2::text) ON CONFLICT (tbl) DO UPDATE SET fields = excluded.fields",
    [name, JSON.stringify(names)],
  );
  const added = before ? names.filter((field) => !before.includes(field)) : [];
  if (!uncaptured && added.length === 0) return;
  const isEmpty = (await tx.rows(`SELECT 1 FROM ${table.name} LIMIT 1`)).length === 0;
  if (isEmpty && (added.length === 0 || !(await anyWaiting(tx, table)))) return;
  if (uncaptured) await tx.rows("UPDATE public._grove_capture SET adopted = 0 WHERE tbl = $1::text", [name]);
  if (added.length > 0)
    await tx.rows(
      "UPDATE public._grove_capture SET added = (coalesce(added, '[]')::jsonb || $2::text::jsonb)::text WHERE tbl = $1::text",
      [name, JSON.stringify(added)],
    );
}

/** Only one process installs at a time; the number is ours alone. */
const INSTALL_LOCK = "SELECT pg_advisory_xact_lock(7305, 1)";

/**
 * Tables, functions, triggers and the order of the mask's bits; all in the caller's transaction.
 *
 * @throws GroveError `capture_missing`, `unsupported_database`, `unsupported_table`, `forbidden`
 */
export async function installCapture(
  tx: PostgresTransaction,
  registry: Registry,
  tables: readonly Table[],
): Promise<void> {
  await tx.rows(INSTALL_LOCK);
  await refuseDatabase(tx);
  await refuseTables(tx, registry);
  try {
    await tx.exec(registry.capture.system.join(";\n"));
    const installed = await installedTriggers(
      tx,
      tables.map(({ model }) => model.name),
    );
    const stored = await recordedFields(tx);
    for (const table of tables) {
      const { name } = table.model;
      const capture = registry.capture.tables[name];
      const statements = [...(capture?.tables ?? []), ...Object.values(capture?.functions ?? {})];
      const present = installed.get(name) ?? new Map<string, InstalledTrigger>();
      for (const [trigger, { sql, enabled }] of present) {
        const wanted = capture?.triggers[trigger];
        const isOurs = wanted !== undefined || (trigger.startsWith(`_${name}_`) && sql.includes(`_${name}_`));
        if (isOurs && (wanted === undefined || !enabled || definition(wanted) !== definition(sql))) {
          statements.push(`DROP TRIGGER ${ident(trigger)} ON ${table.name}`);
          present.delete(trigger);
        }
      }
      const absent = Object.entries(capture?.triggers ?? {}).filter(([trigger]) => !present.has(trigger));
      for (const [, sql] of absent) statements.push(sql);
      await tx.exec(statements.map((sql) => sql.replace(/;\s*$/, "")).join(";\n"));
      const before = stored.get(name);
      const moved = before ? moveMasks(before, namesOf(table)) : [];
      if (moved.length > 0) await tx.exec(`UPDATE ${table.log} SET ${moved.join(", ")} WHERE op = 'U'`);
      await recordFields(tx, table, before, !before || absent.length > 0);
    }
  } catch (error) {
    if ((error as { code?: unknown }).code !== "42501") throw error;
    throw new GroveError(
      "forbidden",
      `The role may not create the shadow tables and triggers: ${(error as Error).message}. Call node.ensureShadowTables() as the tables' owner with CREATE on the schema public, or run the generated migrations as that role.`,
      { cause: error },
    );
  }
}

/** The node id: settled, and stored. @throws GroveError `node_id_invalid`, `node_id_mismatch` */
export async function settleIdentity(
  tx: PostgresTransaction,
  configured: string | undefined,
  random: () => number,
): Promise<string> {
  const [row] = await tx.rows("SELECT node FROM public._grove_node WHERE id = 1");
  const stored = (row?.[0] ?? null) as string | null;
  const id = decideIdentity(stored, configured, random);
  if (id === stored) return id;
  await tx.rows(
    "INSERT INTO public._grove_node (id, node) VALUES (1, $1::text) ON CONFLICT (id) DO UPDATE SET node = excluded.node",
    [id],
  );
  // The node's own short integer is the smallest, since most rows carry it.
  await tx.rows("INSERT INTO public._grove_nodes (id, node) VALUES (1, $1::text) ON CONFLICT DO NOTHING", [id]);
  return id;
}
