// "grove-crdt/config": our part of drizzle.config.ts. Drizzle's own type allows no further keys, a spread gets past it.

/** Where the edge's SQLite schema is. All paths count from the working directory. */
export interface EdgeOptions {
  /**
   * Its file. It is made from the Postgres schema, with what SQLite's `generate` makes beside it; one that is there and was
   * written by hand is held against the Postgres schema instead.
   */
  readonly schema: string;
  /** The edge's config for drizzle-kit, made unless it is there and written by hand. `./drizzle.edge.config.ts`. */
  readonly config?: string;
  /** The folder of the edge's migrations. `./drizzle-edge`. */
  readonly migrations?: string;
}

/** How far a table's history reaches back. What lies before is joined into one record of each row. */
export interface HistoryOptions {
  /** So many days. */
  readonly days?: number;
  /** So many of each row's latest changes. */
  readonly depth?: number;
}

/** What `npx grove-crdt generate` may be told. */
export interface GroveCrdtOptions {
  /** The folder for generated files, from the working directory; each dialect gets a folder in it. `./generated`. */
  readonly out?: string;
  /** In a Postgres config: the SQLite schema of the nodes at the edge. */
  readonly edge?: EdgeOptions;
  /** What was written to these tables is kept, by the table's name in the database: for good, or as far back as the bounds say. */
  readonly history?: Readonly<Record<string, true | HistoryOptions>>;
  /** What columns without an annotation are, in tables that take part. Without it, `generate` refuses them. */
  readonly unmarked?: "lww" | "local";
  /**
   * Tables that take part although none of their columns is annotated, by their names in the database: a join table may have
   * nothing but its key. `"all"` takes every table of the schema.
   */
  readonly tables?: "all" | readonly string[];
}

/**
 * Options for grove-crdt, to be spread into `defineConfig`:
 *
 * ```ts
 * export default defineConfig({
 *   dialect: "sqlite",
 *   schema: ["./schema.ts", "./generated/sqlite/shadow.ts"],
 *   ...groveCrdt({ out: "./generated" }),
 * });
 * ```
 */
export const groveCrdt = (options: GroveCrdtOptions = {}): { groveCrdt: GroveCrdtOptions } => ({ groveCrdt: options });
