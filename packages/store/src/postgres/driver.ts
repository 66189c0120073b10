// The slices of postgres.js, node-postgres and PGlite that this store needs, behind one port of three methods. Every value
// goes in and comes out as text: Drizzle changes the parsers of the client that it is given, and users may too.
import { GroveError } from "@grove-crdt/core";

/** A row as arrays, in the order of the select list. Our SQL casts what is not a number or text to text. */
export type RawRow = readonly unknown[];

/** One connection inside one transaction. */
export interface PostgresTransaction {
  /** Runs one statement; parameters are text or NULL. */
  rows(text: string, params?: readonly (string | null)[]): Promise<RawRow[]>;
  /** Runs statements without parameters, several in one text. */
  exec(text: string): Promise<void>;
}

export interface PostgresDriver {
  /** One statement by itself, for reading our own tables. */
  rows(text: string, params?: readonly (string | null)[]): Promise<RawRow[]>;
  /** One transaction, on a connection that nobody else uses meanwhile. `begin` = statements after BEGIN, in one text. */
  transaction<T>(isolation: string, begin: string, work: (tx: PostgresTransaction) => Promise<T>): Promise<T>;
}

interface PostgresJsQuery {
  values(): Promise<readonly RawRow[]>;
}
interface PostgresJsConnection {
  unsafe(text: string, params?: unknown[], options?: { prepare?: boolean }): PostgresJsQuery;
}
/** The slice of postgres.js. */
export interface PostgresJsClient extends PostgresJsConnection {
  reserve(): Promise<PostgresJsConnection & { release(): void }>;
  readonly options?: { readonly fetch_types?: boolean };
}

interface NodePostgresConnection {
  query(config: {
    text: string;
    values?: unknown[];
    rowMode?: "array";
    types?: { getTypeParser(): (value: string) => unknown };
  }): Promise<{ rows: RawRow[] }>;
  release(error?: Error | boolean): void;
}
/** The slice of node-postgres: a `Pool`, since a lone `Client` may be inside the application's transaction. */
export interface NodePostgresPool {
  query(config: object): Promise<{ rows: RawRow[] }>;
  connect(): Promise<NodePostgresConnection>;
  readonly totalCount: number;
}

interface PGliteTransaction {
  query(text: string, params?: unknown[], options?: object): Promise<{ rows: unknown[] }>;
  exec(text: string): Promise<unknown>;
}
/** The slice of PGlite. */
export interface PGliteClient {
  query(text: string, params?: unknown[], options?: object): Promise<{ rows: unknown[] }>;
  transaction<T>(work: (tx: PGliteTransaction) => Promise<T>): Promise<T>;
  runExclusive<T>(work: () => Promise<T>): Promise<T>;
}

export type PostgresClient = PostgresJsClient | NodePostgresPool | PGliteClient;

const has = (client: unknown, ...methods: readonly string[]): boolean =>
  client !== null &&
  (typeof client === "object" || typeof client === "function") &&
  methods.every((method) => typeof (client as Record<string, unknown>)[method] === "function");

/** The driver behind a Drizzle database's `$client`; null when it is none of those that this store knows. */
export function postgresDriver(client: unknown): PostgresDriver | null {
  if (has(client, "unsafe", "reserve")) {
    // In postgres.js 3.4, `reserve()` waits for the array types before it hands out a new connection, and so for ever.
    if ((client as PostgresJsClient).options?.fetch_types === false) {
      throw new GroveError(
        "bad_request",
        "createNode: with `fetch_types: false`, postgres.js never answers reserve(), which the node needs. Leave the option out, or give the node a client of its own without it.",
      );
    }
    return postgresJs(client as PostgresJsClient);
  }
  if (has(client, "transaction", "runExclusive", "exec")) return pglite(client as PGliteClient);
  if (has(client, "connect", "query") && "totalCount" in (client as object))
    return nodePostgres(client as NodePostgresPool);
  if (has(client, "connect", "query")) {
    throw new GroveError(
      "bad_request",
      "createNode: `db` is a Drizzle database over a single node-postgres Client, on which the application's transactions and ours would mix. Pass drizzle({ client: new Pool(…) }).",
    );
  }
  return null;
}

/** Of a statement that came after the one that broke the transaction, and so says nothing of the cause. */
const IN_FAILED_TRANSACTION = "25P02";

/** A transaction whose statements may be sent ahead of the answers: none goes out once it is over, and its cause of failure is known. */
class Guarded implements PostgresTransaction {
  #over = false;
  #cause: unknown = null;
  constructor(private readonly tx: PostgresTransaction) {}

  async #run<T>(statement: () => Promise<T>): Promise<T> {
    // It would take effect by itself, beside what was rolled back.
    if (this.#over) throw this.#cause ?? new Error("The transaction is over.");
    try {
      return await statement();
    } catch (error) {
      if (sqlState(error) !== IN_FAILED_TRANSACTION) this.#cause = error;
      throw error;
    }
  }
  rows(text: string, params?: readonly (string | null)[]): Promise<RawRow[]> {
    return this.#run(() => this.tx.rows(text, params));
  }
  exec(text: string): Promise<void> {
    return this.#run(() => this.tx.exec(text));
  }

  /** Ends it. Returns why it failed, given the error that came first to whoever ran it. */
  fail(error: unknown): unknown {
    this.#over = true;
    return sqlState(error) === IN_FAILED_TRANSACTION ? (this.#cause ?? error) : error;
  }
}

/**
 * BEGIN, work, COMMIT; ROLLBACK when anything fails.
 *
 * @param ahead the driver sends statements ahead of the answers: what the work asks first goes along with BEGIN. When that
 *   fails, so does the work's statement, for the transaction is broken then.
 */
async function bracket<T>(
  tx: PostgresTransaction,
  isolation: string,
  begin: string,
  work: (tx: PostgresTransaction) => Promise<T>,
  ahead: boolean,
): Promise<T> {
  const guarded = new Guarded(tx);
  let working: Promise<T> | undefined;
  try {
    const begun = guarded.exec(`BEGIN ISOLATION LEVEL ${isolation};\n${begin}`);
    if (ahead) working = work(guarded);
    // Each is waited for below, whatever becomes of the other.
    for (const one of [begun, working]) one?.catch(() => {});
    await begun;
    working ??= work(guarded);
    const result = await working;
    await guarded.exec("COMMIT");
    return result;
  } catch (error) {
    const cause = guarded.fail(error);
    await working?.catch(() => {});
    // The connection may be gone; its own error is the one to show.
    await tx.exec("ROLLBACK").catch(() => {});
    throw cause;
  }
}

const postgresJs = (client: PostgresJsClient): PostgresDriver => ({
  rows: async (text, params = []) => [...(await client.unsafe(text, [...params], { prepare: true }).values())],
  async transaction(isolation, begin, work) {
    const connection = await client.reserve();
    const tx: PostgresTransaction = {
      rows: async (text, params = []) => [...(await connection.unsafe(text, [...params], { prepare: true }).values())],
      exec: async (text) => void (await connection.unsafe(text).values()),
    };
    try {
      return await bracket(tx, isolation, begin, work, true);
    } finally {
      connection.release();
    }
  },
});

const asText = { getTypeParser: () => (value: string) => value };

const nodePostgres = (pool: NodePostgresPool): PostgresDriver => ({
  rows: async (text, params = []) =>
    (await pool.query({ text, values: [...params], rowMode: "array", types: asText })).rows,
  async transaction(isolation, begin, work) {
    const connection = await pool.connect();
    let failure: Error | undefined;
    const tx: PostgresTransaction = {
      rows: async (text, params = []) =>
        (await connection.query({ text, values: [...params], rowMode: "array", types: asText })).rows,
      exec: async (text) => void (await connection.query({ text })),
    };
    try {
      return await bracket(tx, isolation, begin, work, false);
    } catch (error) {
      // An error without an SQLSTATE is the connection's own: the pool must not hand it out again.
      if (sqlState(error) === undefined && !(error instanceof GroveError)) failure = error as Error;
      throw error;
    } finally {
      connection.release(failure);
    }
  },
});

const pglite = (client: PGliteClient): PostgresDriver => ({
  rows: async (text, params = []) =>
    (await client.query(text, [...params], { rowMode: "array", parsers: textParsers })).rows as RawRow[],
  // PGlite begins and ends the transaction itself, and lets nobody else in between.
  transaction: (isolation, begin, work) =>
    client.transaction(async (tx) => {
      const guarded = new Guarded({
        rows: async (text, params = []) =>
          (await tx.query(text, [...params], { rowMode: "array", parsers: textParsers })).rows as RawRow[],
        exec: async (text) => void (await tx.exec(text)),
      });
      try {
        await guarded.exec(`SET TRANSACTION ISOLATION LEVEL ${isolation};\n${begin}`);
        return await work(guarded);
      } catch (error) {
        throw guarded.fail(error);
      }
    }),
});

/** By type oid: int8, which PGlite would turn into a number or a BigInt. */
const textParsers = { 20: (value: string) => value };

/** The five characters with which Postgres names an error; undefined for errors that are not the database's. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** The row cannot be in the table as it is: a constraint, a value that column or index cannot hold, a user's trigger. */
export const isRefusal = (error: unknown): boolean => /^(22|23|44|P0001|54000)/.test(sqlState(error) ?? "");
/** Somebody else holds the lock. */
export const isLockTimeout = (error: unknown): boolean => sqlState(error) === "55P03";
/** The transaction met another one and gave way: it may be run again. */
export const isConflict = (error: unknown): boolean => ["40001", "40P01", "55P03"].includes(sqlState(error) ?? "");
