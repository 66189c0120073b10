// "grove-crdt/config": our part of drizzle.config.ts. Drizzle's own type allows no further keys, a spread gets past it.

/** What `npx grove-crdt generate` may be told. */
export interface GroveCrdtOptions {
  /** The folder for generated files, from the working directory; each dialect gets a folder in it. `./generated`. */
  readonly out?: string;
  /** What columns without an annotation are, in tables that have one. Without it, `generate` refuses them. */
  readonly unmarked?: "lww" | "local";
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
