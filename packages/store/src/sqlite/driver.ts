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
  /** The file's path; empty, or `:memory:`, where there is none. */
  readonly name?: string;
  prepare(sql: string): SqliteStatement;
  exec(sql: string): unknown;
}

/** A row as the driver gives it in raw mode. */
export type RawRow = readonly unknown[];

/** Whether the driver has rounded an integer: 2^53 and more are not told apart from reals that are as large. */
function hasRounded(rows: readonly RawRow[]): boolean {
  for (const row of rows) {
    for (let n = 0; n < row.length; n++) {
      const value = row[n];
      if (typeof value === "number" && (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER))
        return true;
    }
  }
  return false;
}
/** Integers as this store reads them: a number where it is exact, else a BigInt. */
export const toSafe = (value: unknown) =>
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
    if (!hasRounded(rows)) return rows;
    const exact = this.#prepare(`exact ${sql}`, sql, true).safeIntegers(true);
    return (exact.all(...params) as unknown[][]).map((values) => values.map(toSafe));
  }

  /** The first row, or undefined. */
  row(sql: string, ...params: unknown[]): RawRow | undefined {
    return this.rows(sql, ...params)[0];
  }
}
