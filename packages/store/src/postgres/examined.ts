// What a look at a Postgres database finds: its version, its clock, what the role may do, its migrations.
import { cellsTable, logTable, shadowTable } from "@grove-crdt/core";
import type { Examined, ExamineOptions } from "../examined";
import type { PostgresDriver } from "./driver";
import { OLDEST_VERSION } from "./install";
import { ROW_LOCK_TIMEOUT } from "./session";
import { ident, toParams } from "./sql";

type Reader = Pick<PostgresDriver, "rows">;
type Problem = Examined["problems"][number];

const FACTS = `SELECT current_setting('server_version_num')::int, split_part(current_setting('server_version'), ' ', 1),
  current_setting('server_encoding'), current_user, pg_is_in_recovery()::int,
  (current_setting('default_transaction_read_only') = 'on')::int,
  has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')::int,
  (SELECT setting::int FROM pg_catalog.pg_settings WHERE name = 'deadlock_timeout'),
  floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint`;

export async function examine(reader: Reader, tables: readonly string[], options: ExamineOptions): Promise<Examined> {
  const [facts] = await reader.rows(FACTS);
  const [number, version, encoding, role, standby, readOnly, control, deadlock, now] = facts as [
    unknown,
    string,
    string,
    string,
    ...unknown[],
  ];
  const problems: Problem[] = [];
  const add = (isThere: boolean, what: string, cure: string) => {
    if (isThere) problems.push({ what, cure });
  };
  add(
    Number(number) < OLDEST_VERSION * 10_000,
    `Postgres ${version} is older than ${OLDEST_VERSION}`,
    "Upgrade the server.",
  );
  add(
    encoding !== "UTF8",
    `the database's encoding is ${encoding}, and rows may hold any Unicode text`,
    "Create it with ENCODING 'UTF8'.",
  );
  add(Number(standby) === 1, "the server is a standby, which takes no writes", "Connect to the primary.");
  add(
    Number(readOnly) === 1,
    "transactions are read-only by default",
    "ALTER ROLE … SET default_transaction_read_only = off.",
  );
  add(
    Number(control) !== 1,
    `the role ${role} may not execute pg_control_system(), by which a restored database is recognized`,
    `GRANT EXECUTE ON FUNCTION pg_control_system() TO ${ident(role)}.`,
  );
  add(
    Number(deadlock) <= ROW_LOCK_TIMEOUT,
    `deadlock_timeout is ${deadlock} ms: an application's transaction could be ended for a merge's sake`,
    `Set it above ${ROW_LOCK_TIMEOUT} ms; 1 s is the server's own default.`,
  );
  problems.push(...(await refusedTables(reader, tables, role)));
  return { product: `Postgres ${version}`, now: Number(now), problems, applied: await readApplied(reader, options) };
}

/** Tables, the user's and ours, that the role may not read and write. */
async function refusedTables(reader: Reader, tables: readonly string[], role: string): Promise<Problem[]> {
  const names = tables.flatMap((name) => [name, logTable(name), shadowTable(name), cellsTable(name)]);
  const rows = await reader.rows(
    `SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
  AND (c.relname = ANY($1::text::text[]) OR c.relname LIKE '\\_grove\\_%')
  AND NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE'))
ORDER BY c.relname`,
    toParams(
      1,
      names.map((name) => [name]),
    ),
  );
  if (rows.length === 0) return [];
  const shown = rows.map(([name]) => name as string);
  const some = shown.length > 4 ? `${shown.slice(0, 4).join(", ")} and ${shown.length - 4} more` : shown.join(", ");
  return [
    {
      what: `the role ${role} may not read and write ${some}`,
      cure: `GRANT SELECT, INSERT, UPDATE, DELETE ON them TO ${ident(role)}, or connect as their owner.`,
    },
  ];
}

async function readApplied(reader: Reader, { migrations = {} }: ExamineOptions): Promise<readonly number[] | null> {
  const { table = "__drizzle_migrations", schema = "drizzle" } = migrations;
  const name = `${ident(schema)}.${ident(table)}`;
  const [found] = await reader.rows(
    "SELECT CASE WHEN to_regclass($1::text) IS NULL THEN 0 WHEN has_table_privilege(to_regclass($1::text), 'SELECT') THEN 1 ELSE 0 END",
    [name],
  );
  if (Number(found?.[0]) !== 1) return null;
  return (await reader.rows(`SELECT created_at FROM ${name} ORDER BY created_at`)).map(([at]) => Number(at));
}
