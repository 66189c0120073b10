// A process that can die at a named point. What it was about to do is lost with it; the database keeps what was committed.
// The store's statements tell the point: each is about to run when the process dies.
import type { SqliteDatabase, SqliteStatement } from "@grove-crdt/store";
import type BetterSqlite3 from "better-sqlite3";

/** Every place at which a process dies. */
export const CRASH_POINTS = [
  /** About to write the application's own table. */
  "base",
  /** About to empty the log; or the application's transaction ends with the process. */
  "log",
  /** About to read what was written since the last fold. */
  "fold",
  /** About to write what is known of a row. */
  "shadow",
  /** About to commit. */
  "commit",
  /** Has committed, and nobody was told. */
  "committed",
  /** About to keep how far a peer has come. */
  "cursor",
  /** About to send a request. */
  "send",
  /** An answer has come, and was not looked at. */
  "acknowledge",
  /** Between two frames of a stream, at either end. */
  "frame",
  /** About to forget a deleted row, in a collection or when it has rejoined. */
  "forget",
  /** About to keep what it knows of collections; what it forgets goes in the same transaction. */
  "round",
  /** Rejoining: about to forget what it knows, to settle what it had set aside, or to end it. */
  "rejoin",
] as const;
export type CrashPoint = (typeof CRASH_POINTS)[number];
/** Those that only collections come to. */
export const COLLECTION_POINTS: readonly CrashPoint[] = ["forget", "round", "rejoin"];

export class Crash extends Error {
  constructor() {
    super("the process is gone");
  }
}

/** The point at which a statement stands; null = none of those. */
function pointOf(sql: string): CrashPoint | null {
  const [, verb, table] = /^\s*(INSERT(?: OR \w+)? INTO|UPDATE|DELETE FROM|REPLACE INTO)\s+"?(\w+)/i.exec(sql) ?? [];
  if (verb === undefined || table === undefined)
    return /^\s*SELECT l\.seq, .*\sFROM "?_\w+_log/s.test(sql) ? "fold" : null;
  if (table === "_grove_peers") return "cursor";
  if (table === "_grove_collection") return sql.includes("rejoining") ? "rejoin" : "round";
  if (table === "_grove_parked" && sql.endsWith("WHERE id = ?")) return "rejoin";
  if (table.startsWith("_grove_")) return null;
  if (/^DELETE.*_crdt"? WHERE (?:id = \?|cl = 0)$/is.test(sql)) return "forget";
  if (table.endsWith("_log")) return "log";
  if (/_crdt(?:_cells)?$/.test(table)) return "shadow";
  return "base";
}

const compiled = new WeakMap<BetterSqlite3.Database, Map<string, SqliteStatement[]>>();

/**
 * A statement, which stays compiled when its program ends: compiling is most of what starting costs, and no state.
 *
 * @param used how often the program has asked for each text: it gets one of its own each time
 */
function compile(database: BetterSqlite3.Database, sql: string, used: Map<string, number>): SqliteStatement {
  const known = compiled.get(database) ?? new Map<string, SqliteStatement[]>();
  compiled.set(database, known);
  const some = known.get(sql) ?? [];
  known.set(sql, some);
  const place = used.get(sql) ?? 0;
  used.set(sql, place + 1);
  some[place] ??= database.prepare(sql) as unknown as SqliteStatement;
  return some[place];
}

/** One life of a program on a database. */
export class Process {
  #alive = true;
  #armed: { readonly point: CrashPoint; left: number } | null = null;
  /** Where it died. */
  died: CrashPoint | null = null;

  get alive(): boolean {
    return this.#alive;
  }

  /** It dies the next time that it comes to this point, having passed it so many times. */
  arm(point: CrashPoint, passes: number): void {
    this.#armed = { point, left: passes };
  }
  disarm(): void {
    this.#armed = null;
  }
  /** Runs something that it lives through. */
  async spare<T>(work: () => Promise<T>): Promise<T> {
    const armed = this.#armed;
    this.#armed = null;
    const result = await work();
    this.#armed = armed;
    return result;
  }

  /** @throws Crash where it dies, and ever after */
  reach(point: CrashPoint | null): void {
    if (this.#alive && this.#armed && this.#armed.point === point && this.#armed.left-- <= 0) {
      this.#alive = false;
      this.died = point;
    }
    if (!this.#alive) throw new Crash();
  }

  end(): void {
    this.#alive = false;
  }

  /** The database as this process has it. */
  guard(database: BetterSqlite3.Database): SqliteDatabase {
    const reach = (point: CrashPoint | null) => this.reach(point);
    const used = new Map<string, number>();
    return {
      // A dead program waits for nobody.
      get inTransaction() {
        reach(null);
        return database.inTransaction;
      },
      get open() {
        return database.open;
      },
      exec: (sql) => {
        reach(sql === "COMMIT" ? "commit" : null);
        const result = database.exec(sql);
        if (sql === "COMMIT") reach("committed");
        return result;
      },
      prepare(sql) {
        const statement = compile(database, sql, used);
        const point = pointOf(sql);
        const guarded: SqliteStatement = {
          run: (...params) => {
            reach(point);
            return statement.run(...params);
          },
          all: (...params) => {
            reach(point);
            return statement.all(...params);
          },
          get: (...params) => {
            reach(point);
            return statement.get(...params);
          },
          raw: (toggle) => {
            statement.raw(toggle);
            return guarded;
          },
          safeIntegers: (toggle) => {
            statement.safeIntegers(toggle);
            return guarded;
          },
        };
        return guarded;
      },
    };
  }
}
