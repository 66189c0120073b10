// Databases of this worker on the run's one Postgres server: made from templates, emptied and lent again where nothing
// but rows has changed, dropped else. A test never sees what another one wrote.
import { createHash } from "node:crypto";
import client, { type Sql } from "postgres";
import { inject } from "vitest";
import { awaitAtEnd } from "./each-file";

/** Whoever holds it is alone in it. */
export interface Lease {
  readonly name: string;
  /** The application's connection. */
  readonly application: Sql;
  /** What a database has to be to serve the same purpose again; undefined = it is dropped. */
  readonly purpose?: string;
}

/** Values go in and come out as the server's own text. */
const asText = {
  to: 25,
  from: [16, 20, 21, 23, 114, 700, 701, 1082, 1114, 1184, 1700, 3802],
  serialize: (value: unknown) => value,
  parse: (value: string) => value,
};

/** @param name null for the database in which others are made */
export function connect(name: string | null, options: object = {}): Sql {
  const { url, error } = inject("postgres");
  if (url === null) throw new Error(`the tests' Postgres could not be started: ${error}`);
  const target = new URL(url);
  if (name !== null) target.pathname = `/${name}`;
  return client(target.href, { onnotice: () => {}, ...options });
}

const lease = (name: string, purpose?: string): Lease => ({
  name,
  purpose,
  application: connect(name, { max: 1, types: { asText }, connection: { TimeZone: "UTC" } }),
});

let administration: Sql | undefined;
/** Makes and drops databases. */
const administer = (): Sql => (administration ??= connect(null, { max: 2 }));

let count = 0;
const nextName = (): string => `${inject("postgres").prefix}${process.pid}_${++count}`;

async function create(from: string): Promise<string> {
  const name = nextName();
  // Copying files takes half the time of writing a log of them.
  await administer().unsafe(`CREATE DATABASE "${name}" TEMPLATE "${from}" STRATEGY file_copy`);
  return name;
}

const templates = new Map<string, Promise<string>>();

/** The name of a database with these tables, made once in a run by whichever file needs it first. */
function template(ddl: readonly string[]): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify(ddl)).digest("hex").slice(0, 20);
  const name = templates.get(hash) ?? makeTemplate(hash, ddl);
  templates.set(hash, name);
  return name;
}

async function makeTemplate(hash: string, ddl: readonly string[]): Promise<string> {
  const name = `${inject("postgres").prefix}template_${hash}`;
  // Test files run side by side; a lock belongs to its session.
  const session = await administer().reserve();
  try {
    await session`SELECT pg_advisory_lock(hashtext(${name}))`;
    const known = await session`SELECT 1 FROM pg_database WHERE datname = ${name}`;
    if (known.length === 0) {
      const making = nextName();
      await session.unsafe(`CREATE DATABASE "${making}" TEMPLATE template0 ENCODING 'UTF8' STRATEGY file_copy`);
      const sql = connect(making, { max: 1 });
      for (const statement of ddl) await sql.unsafe(statement);
      await sql.end();
      await session.unsafe(`ALTER DATABASE "${making}" RENAME TO "${name}"`);
    }
    await session`SELECT pg_advisory_unlock(hashtext(${name}))`;
  } finally {
    session.release();
  }
  return name;
}

const spares: Lease[] = [];
/** What the catalog of a database says right after its capture was installed, by purpose. */
const pristine = new Map<string, string>();

/** A database with these tables; with `capture`, one in which that may be installed already. */
export async function lend(ddl: readonly string[], capture?: string): Promise<Lease> {
  const from = await template(ddl);
  const purpose = capture && `${from} ${capture}`;
  const spare = purpose ? spares.findIndex((known) => known.purpose === purpose) : -1;
  return spare >= 0 ? (spares.splice(spare, 1)[0] as Lease) : lease(await create(from), purpose);
}

/** A copy of what is in another database, which nobody may be connected to. */
export const copy = async (from: string): Promise<Lease> => lease(await create(from));
/** Another connection, for another process, to a database that somebody holds. */
export const share = (name: string): Lease => lease(name);

const CATALOG = `SELECT md5(string_agg(line, e'\\n' ORDER BY line)) AS catalog FROM (
  SELECT concat_ws(' ', attrelid::regclass, attname, atttypid, attnotnull, attisdropped) AS line
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'public'::regnamespace AND attnum > 0
  UNION ALL SELECT concat_ws(' ', tgrelid::regclass, tgname, tgenabled, tgfoid::regproc) FROM pg_trigger
  UNION ALL SELECT concat_ws(' ', oid::regprocedure, md5(prosrc)) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace) AS lines`;

async function catalogOf({ application }: Lease): Promise<string> {
  const [row] = await application.unsafe(CATALOG);
  return row?.catalog;
}

/** Remembers what a database looks like whose capture was just installed. */
export async function rememberCatalog(lent: Lease): Promise<void> {
  if (lent.purpose && !pristine.has(lent.purpose)) pristine.set(lent.purpose, await catalogOf(lent));
}

/** Takes a database back whose holder has disconnected. */
export async function giveBack(lent: Lease): Promise<void> {
  if (lent.purpose && pristine.has(lent.purpose) && spares.length < 10) {
    const kept = await empty(lent).catch(() => false);
    if (kept) return void spares.push(lent);
  }
  drop(lent);
}

async function empty(lent: Lease): Promise<boolean> {
  const { application } = lent;
  // A transaction that a test left open; and whoever still works for it, on a connection that was closed.
  await application.unsafe(
    `ROLLBACK; SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  );
  if ((await catalogOf(lent)) !== pristine.get(lent.purpose as string)) return false;
  const [row] = await application.unsafe(
    `SELECT string_agg(oid::regclass::text, ', ') AS filled FROM pg_class
     WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > 0`,
  );
  // As a replica, so that no trigger looks.
  if (row?.filled)
    await application.unsafe(
      `SET session_replication_role = replica; TRUNCATE ${row.filled} RESTART IDENTITY CASCADE; RESET ALL`,
    );
  return true;
}

/** Nobody waits for it but the end of the file. Spares stay for the next one, until the whole run ends. */
function drop({ name, application }: Lease): void {
  awaitAtEnd(
    application
      .end({ timeout: 0 })
      .then(() => administer().unsafe(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`))
      .catch(() => {}),
  );
}
