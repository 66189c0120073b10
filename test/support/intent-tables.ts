// Tables without capture, in a real database of each dialect: what an intent helper's expression makes of a column is the
// database's own affair.
import Database from "better-sqlite3";
import type { BetterSQLite3Database } from "drizzle-orm/better-sqlite3";
import { drizzle as sqlite } from "drizzle-orm/better-sqlite3";
import { drizzle as postgres } from "drizzle-orm/postgres-js";
import { describe } from "vitest";
import { connect, lend } from "./postgres-databases";

/** The types are SQLite's; what is written goes to either dialect. */
export type Db = BetterSQLite3Database;

export interface Plain {
  readonly dialect: "sqlite" | "postgres";
  /** A database with the tables, and nothing in them. */
  open(): Promise<Db>;
}

/** @param ddl statements that make the tables */
export function describeOnPlain(
  title: string,
  ddl: Readonly<Record<"sqlite" | "postgres", readonly string[]>>,
  tests: (plain: Plain) => void,
): void {
  const openings = {
    async sqlite() {
      const client = new Database(":memory:");
      for (const statement of ddl.sqlite) client.exec(statement);
      return sqlite({ client });
    },
    async postgres() {
      const { name } = await lend(ddl.postgres);
      return postgres({ client: connect(name, { max: 2 }) }) as unknown as Db;
    },
  };
  const wanted = process.env.TEST_DIALECTS?.split(",");
  for (const dialect of ["sqlite", "postgres"] as const) {
    const run = wanted === undefined || wanted.includes(dialect);
    (run ? describe : describe.skip)(`${title}, on ${dialect}`, () => tests({ dialect, open: openings[dialect] }));
  }
}
