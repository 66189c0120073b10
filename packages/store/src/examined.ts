// What a look at a database finds, before anybody asks whether capture is installed in it. The same in every dialect.

export interface ExamineOptions {
  /** Where drizzle-orm's migrator notes what it has applied (default `__drizzle_migrations`, on Postgres in the schema `drizzle`). */
  readonly migrations?: { readonly table?: string; readonly schema?: string };
}

export interface Examined {
  /** What it is: `SQLite 3.50.4`, `Postgres 17.2`. */
  readonly product: string;
  /** Its clock, by which captured writes are timed: microseconds since 1970. */
  readonly now: number;
  /** What stands in the way of a node, each with the cure. */
  readonly problems: readonly { readonly what: string; readonly cure: string }[];
  /** The journal's time of each migration that was applied, in milliseconds; null = the migrator never ran here. */
  readonly applied: readonly number[] | null;
}
