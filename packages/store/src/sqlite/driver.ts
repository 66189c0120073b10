// The slice of better-sqlite3 that this store needs, and statements that are prepared once and read exactly.

export interface SqliteStatement {
  run(...params: unknown[]): { changes: number; lastInsertRowid: number | bigint };
  all(...params: unknown[]): unknown[];
  get(...params: unknown[]): unknown;
  raw(toggle?: boolean): this;
  safeIntegers(toggle?: boolean): this;
}

export interface SqliteDatabase {
  readonly inTransaction: boolean;
  readonly open: boolean;
  prepare(sql: string): SqliteStatement;
  exec(sql: string): unknown;
}

/** A row as the driver gives it in raw mode. */
export type RawRow = readonly unknown[];

const isUnsafe = (value: unknown) =>
  typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value);
const toSafe = (value: unknown) =>
  typeof value === "bigint" && value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER
    ? Number(value)
    : value;

/** Prepares each text once. The driver prepares again by itself when the schema changes. */
export class Statements {
  readonly #prepared = new Map<string, SqliteStatement>();
  constructor(readonly database: SqliteDatabase) {}

  #prepare(key: string, sql: string, raw: boolean): SqliteStatement {
    let statement = this.#prepared.get(key);
    if (!statement) {
      statement = this.database.prepare(sql);
      if (raw) statement.raw(true);
      this.#prepared.set(key, statement);
    }
    return statement;
  }

  /** For statements that return no rows. */
  run(sql: string, ...params: unknown[]): number {
    return this.#prepare(sql, sql, false).run(...params).changes;
  }

  /** The statement itself, for loops that run it once a row. */
  writer(sql: string): SqliteStatement {
    return this.#prepare(sql, sql, false);
  }

  /**
   * All rows as arrays. Integers are numbers, and BigInts beyond 2^53: the driver alone would round those in
   * silence, so a result that holds one is read again with exact integers.
   */
  rows(sql: string, ...params: unknown[]): RawRow[] {
    const rows = this.#prepare(sql, sql, true).all(...params) as RawRow[];
    for (const row of rows) {
      if (!row.some(isUnsafe)) continue;
      const exact = this.#prepare(`exact ${sql}`, sql, true).safeIntegers(true);
      return (exact.all(...params) as unknown[][]).map((values) => values.map(toSafe));
    }
    return rows;
  }

  /** The first row, or undefined. */
  row(sql: string, ...params: unknown[]): RawRow | undefined {
    return this.rows(sql, ...params)[0];
  }
}
