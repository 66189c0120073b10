// Postgres for the behaviour tests: a database of its own for each node. The node has a pool of connections, its
// application one of its own.
import { canonicalize, type Json, type TableModel } from "@grove-crdt/core";
import { drizzle } from "drizzle-orm/postgres-js";
import type { NodeOptions } from "grove-crdt";
import type { Sql } from "postgres";
import { registry } from "../../generated/postgres";
import { withKit } from "../../packages/drizzle/test/versions";
import { postgresBuilders } from "./builders";
import type { Image, Param, Row, TestDatabase, TestDialect } from "./dialect";
import { openNow } from "./each-file";
import { connect, copy, giveBack, type Lease, lend, rememberCatalog, share } from "./postgres-databases";
import { columnToWire, resultToWire } from "./postgres-values";
import type { Recorder } from "./statements";

/** What drizzle-kit makes of schema/postgres.ts. */
const referenceTables = [
  `CREATE TABLE documents (id text PRIMARY KEY NOT NULL, title text NOT NULL, body text DEFAULT '' NOT NULL,
     view_count bigint DEFAULT 0 NOT NULL, tags text[] DEFAULT '{}' NOT NULL)`,
  `CREATE TABLE inventory (store text NOT NULL, sku text NOT NULL, name text NOT NULL,
     quantity bigint DEFAULT 0 NOT NULL, shelf text, PRIMARY KEY(store, sku))`,
  `CREATE TABLE orders (id text PRIMARY KEY NOT NULL, status text DEFAULT 'open' NOT NULL, note text,
     total bigint NOT NULL, placed_at timestamp with time zone NOT NULL)`,
  `CREATE TABLE plans (id text PRIMARY KEY NOT NULL, steps text[] DEFAULT '{}' NOT NULL,
     cards jsonb DEFAULT '[]'::jsonb NOT NULL, data jsonb DEFAULT '{}'::jsonb NOT NULL)`,
];

export const postgres: TestDialect = {
  ...postgresBuilders,
  name: "postgres",
  registry,
  referenceTables,
  statements: { merge: 8, fold: 5 },
  diskError: () => Object.assign(new Error("could not write to file"), { code: "58030" }),
  thorough: false,
  open: async ({ ddl = referenceTables, capture } = {}) => new PostgresTestDatabase(await lend(ddl, capture)),
  emitTables: async (exports, from = {}) => {
    // Loading it takes a second, and many test files do without.
    const { generateDrizzleJson: read, generateMigration: migrate } = await import("drizzle-kit/api");
    const snapshot = (some: object) => withKit({ ...some }, () => read({ ...some }));
    return migrate(await snapshot(from), await snapshot(exports));
  },
  textsOf: (...items) => `{${items.map((item) => `"${item.replaceAll(/["\\]/g, "\\$&")}"`).join(",")}}`,
  append: (column, item) => `array_append(${column}, ${item})`,
  time: (milliseconds) => `'${new Date(milliseconds).toISOString()}'::timestamptz`,
  // A trigger of SQLite does not fire itself; here it has to be said.
  trigger: ({ name, event, when = "true", body }) => [
    `CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$`,
    `CREATE TRIGGER ${name} ${event} FOR EACH ROW WHEN (pg_trigger_depth() = 0 AND (${when})) EXECUTE FUNCTION ${name}()`,
  ],
  dropTrigger: (name, table) => `DROP TRIGGER ${name} ON ${table}`,
  refuse: (message) => `RAISE EXCEPTION '${message}';`,
};

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

class PostgresTestDatabase implements TestDatabase {
  readonly dialect = postgres;
  readonly db: NodeOptions["db"];
  readonly #pool: Sql;
  readonly #application: Sql;
  readonly #scope = openNow();
  readonly #others: TestDatabase[] = [];
  readonly #lease: Lease;

  /** @param first whether it is the one that the database goes with */
  constructor(
    lease: Lease,
    readonly first = true,
  ) {
    this.#lease = lease;
    this.#application = lease.application;
    this.#pool = connect(lease.name, { max: 5 });
    this.db = drizzle({ client: this.#pool });
    this.#scope.add(this);
  }

  recorded({ wrapClient }: Recorder): NodeOptions["db"] {
    return { $client: wrapClient(this.#pool) };
  }
  async isEmpty(): Promise<boolean> {
    const tables = "SELECT 1 FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LIMIT 1";
    return (await this.#application.unsafe(tables)).length === 0;
  }
  async run(text: string, params: readonly Param[] = []): Promise<number> {
    return (await this.#query(text, params)).count;
  }
  #query(text: string, params: readonly Param[]) {
    // Without parameters several statements may stand in one text.
    if (params.length === 0) return this.#application.unsafe(text);
    let n = 0;
    const values = params.map((value) => (value === null || value instanceof Uint8Array ? value : String(value)));
    return this.#application.unsafe(
      text.replaceAll("?", () => `$${++n}`),
      values as string[],
    );
  }
  async rows(text: string, params: readonly Param[]): Promise<Row[]> {
    const result = await this.#query(text, params);
    const types = result.columns.map(({ name, type }) => [name as string, type] as const);
    return result.map((row) => Object.fromEntries(types.map(([name, type]) => [name, resultToWire(type, row[name])])));
  }

  async contents(model: TableModel): Promise<string[]> {
    const columns = [...model.key, ...model.fields];
    const shown = columns.map(({ name, storage }) =>
      storage === "array" ? `to_jsonb(${quote(name)})::text` : `${quote(name)}::text`,
    );
    const rows = await this.#application.unsafe(`SELECT ${shown.join(", ")} FROM public.${quote(model.name)}`).values();
    return rows.map((row) => canonicalize(columns.map((column, n) => columnToWire(column, row[n]) as Json))).sort();
  }
  async dump(leaveOut: readonly string[] = []): Promise<string> {
    const [objects] = await this.#application.unsafe(
      `SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace) + (SELECT count(*) FROM pg_trigger)
         + (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace) AS n`,
    );
    const tables = await this.#application.unsafe(
      "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname",
    );
    const parts = tables
      .filter(({ relname }) => !leaveOut.includes(relname))
      .map(async ({ relname }) => {
        const rows = await this.#application
          .unsafe(`SELECT t::text FROM public.${quote(relname)} t ORDER BY 1`)
          .values();
        return `${relname}\n${JSON.stringify(rows.flat())}`;
      });
    return [`${objects?.n} objects`, ...(await Promise.all(parts))].join("\n");
  }

  async installed(): Promise<void> {
    await rememberCatalog(this.#lease);
  }
  async image(): Promise<Image> {
    await this.#disconnect();
    const image = await copy(this.#lease.name);
    await image.application.end();
    return { restore: async () => new PostgresTestDatabase(await copy(image.name)) };
  }
  /** A database with connections cannot be copied. Those of a pool come back by themselves, once it has heard of it. */
  async #disconnect(): Promise<void> {
    const sql = connect(null, { max: 1 });
    await sql`SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = ${this.#lease.name}`;
    await sql.end();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  async reopen(): Promise<TestDatabase> {
    this.#scope.delete(this);
    await Promise.all([this.#pool.end({ timeout: 0 }), this.#application.end({ timeout: 0 })]);
    return new PostgresTestDatabase(share(this.#lease.name));
  }
  async beside(): Promise<TestDatabase> {
    const other = new PostgresTestDatabase(share(this.#lease.name), false);
    this.#others.push(other);
    return other;
  }

  readonly users = new Set<() => Promise<unknown>>();
  async close(): Promise<void> {
    if (!this.#scope.delete(this)) return;
    await Promise.all([...this.users].map((end) => end()));
    await Promise.all(this.#others.map((other) => other.close()));
    await this.#pool.end({ timeout: 0 });
    if (this.first) await giveBack(this.#lease);
    else await this.#application.end({ timeout: 0 });
  }
}
