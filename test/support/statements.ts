// Keeps account of what a store runs on its database, and can make it fail at any statement.
import type { PostgresClient, SqliteDatabase, SqliteStatement } from "@grove-crdt/store";
import type Database from "better-sqlite3";
import type { Sql } from "postgres";

export interface Execution {
  readonly sql: string;
  /** It returns rows. Known on SQLite alone. */
  readonly reads: boolean;
  readonly params: readonly unknown[];
}

export class Recorder {
  executions: Execution[] = [];
  /** Rows that statements returned. */
  rowsRead = 0;
  /** Called before each execution; may throw in the driver's stead. */
  before: (execution: Execution) => void = () => {};

  /** Stands in front of better-sqlite3. */
  readonly wrap = (db: Database.Database): SqliteDatabase => ({
    get inTransaction() {
      return db.inTransaction;
    },
    get open() {
      return db.open;
    },
    exec: (sql) => {
      this.#run({ sql, reads: false, params: [] });
      return db.exec(sql);
    },
    prepare: (sql) => this.#statement(sql, db.prepare(sql)),
  });

  /** Stands in front of postgres.js. */
  readonly wrapClient = (client: Sql): PostgresClient => {
    const recorded = (connection: Pick<Sql, "unsafe">) => ({
      unsafe: (sql: string, params: unknown[] = [], options?: { prepare?: boolean }) => {
        this.#run({ sql, reads: false, params });
        const query = connection.unsafe(sql, params as string[], options);
        return { values: async () => this.#counted(await query.values()) };
      },
    });
    return {
      ...recorded(client),
      reserve: async () => {
        const connection = await client.reserve();
        return { ...recorded(connection), release: () => connection.release() };
      },
    };
  };

  #run(execution: Execution): void {
    this.executions.push(execution);
    this.before(execution);
  }

  #counted<Rows extends readonly unknown[]>(rows: Rows): Rows {
    this.rowsRead += rows.length;
    return rows;
  }

  #statement(sql: string, statement: Database.Statement): SqliteStatement {
    const reads = statement.reader;
    const wrapped: SqliteStatement = {
      run: (...params) => {
        this.#run({ sql, reads, params });
        return statement.run(...params);
      },
      all: (...params) => {
        this.#run({ sql, reads, params });
        return this.#counted(statement.all(...params));
      },
      get: (...params) => {
        this.#run({ sql, reads, params });
        return statement.get(...params);
      },
      raw: (toggle) => {
        statement.raw(toggle);
        return wrapped;
      },
      safeIntegers: (toggle) => {
        statement.safeIntegers(toggle);
        return wrapped;
      },
    };
    return wrapped;
  }

  /** What ran while `work` did. */
  async during(work: () => Promise<unknown>): Promise<Execution[]> {
    this.executions = [];
    await work();
    const executed = this.executions;
    this.executions = [];
    return executed;
  }
}

export const reads = (executions: readonly Execution[]): number =>
  executions.filter((execution) => execution.reads).length;
export const begins = (executions: readonly Execution[]): number =>
  executions.filter(({ sql }) => /^begin/i.test(sql)).length;
