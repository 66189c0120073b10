// drizzle.config.ts, read as drizzle-kit reads it, with our options under `groveCrdt`.
import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import { type Dialect, GroveError } from "@grove-crdt/core";
import type { Casing } from "@grove-crdt/drizzle";
import * as z from "zod";
import { loadDefault } from "./load";

export interface DrizzleConfig {
  /** The config's file, absolute. */
  readonly path: string;
  readonly dialect: Dialect;
  /** Files, folders and globs, from the working directory. */
  readonly schema: readonly string[];
  readonly casing: Casing;
  readonly out: string;
  /** drizzle-kit's own `out`: the folder of its migrations, from the working directory. */
  readonly migrations: string;
  /** False where drizzle-kit leaves out the marks between statements. */
  readonly breakpoints: boolean;
  readonly unmarked: "lww" | "local" | undefined;
  /** Tables that take part without an annotation. */
  readonly tables?: "all" | readonly string[];
  /** The tables of which history is kept, and how far back. */
  readonly history?: Readonly<Record<string, { readonly days?: number; readonly depth?: number }>>;
  /** The edge's schema, config and migrations, from the working directory. */
  readonly edge?: { readonly schema: string; readonly config: string; readonly migrations: string };
}

const historyBounds = z.strictObject(
  { days: z.number().positive().optional(), depth: z.number().int().positive().optional() },
  { error: "must be true, or an object of days and depth, each above 0" },
);

const shape = z.object({
  dialect: z.string({ error: 'must name the database: dialect: "sqlite" or "postgresql"' }),
  schema: z.union([z.string(), z.array(z.string()).nonempty()], {
    error: "must be the schema's file, or a list of files",
  }),
  casing: z.enum(["snake_case", "camelCase"]).optional(),
  out: z.string().min(1).default("./drizzle"),
  breakpoints: z.boolean().default(true),
  groveCrdt: z
    .strictObject({
      out: z.string().min(1).optional(),
      unmarked: z.enum(["lww", "local"]).optional(),
      tables: z
        .union([z.literal("all"), z.array(z.string().min(1))], { error: 'must be "all", or a list of tables\' names' })
        .optional(),
      history: z.record(z.string(), z.union([z.literal(true).transform(() => ({})), historyBounds])).optional(),
      edge: z
        .strictObject({
          schema: z.string().min(1),
          config: z.string().min(1).default("./drizzle.edge.config.ts"),
          migrations: z.string().min(1).default("./drizzle-edge"),
        })
        .optional(),
    })
    .default({}),
});

const candidates = ["drizzle.config.ts", "drizzle.config.js", "drizzle.config.json"];

export async function loadConfig(file: string | undefined, cwd: string): Promise<DrizzleConfig> {
  const path = findConfig(file, cwd) ?? refuseMissing(file, cwd);
  return readConfig(await loadDefault(path, relative(cwd, path)), path, cwd);
}

/** What a config says, as it was loaded from the path. */
export function readConfig(loaded: unknown, path: string, cwd: string): DrizzleConfig {
  const shown = relative(cwd, path);
  const result = shape.safeParse(loaded);
  if (!result.success) {
    const problems = result.error.issues.map(
      (issue) => `  ${issue.path.join(".") || "default export"}: ${issue.message}`,
    );
    throw new GroveError("schema_load_failed", `${shown} is not a Drizzle config:\n${problems.join("\n")}`, {
      details: result.error.issues,
    });
  }
  const { schema, casing, groveCrdt, out, breakpoints } = result.data;
  const dialect = supportedDialect(result.data.dialect, shown);
  if (groveCrdt.edge && dialect !== "postgres") {
    throw new GroveError(
      "schema_load_failed",
      `${shown}: \`edge\` belongs into the Postgres config; the edge's own has no other edge.`,
    );
  }
  return {
    path,
    dialect,
    schema: typeof schema === "string" ? [schema] : schema,
    casing,
    out: groveCrdt.out ?? "./generated",
    migrations: out,
    breakpoints,
    unmarked: groveCrdt.unmarked,
    ...(groveCrdt.tables && { tables: groveCrdt.tables }),
    ...(groveCrdt.history && { history: groveCrdt.history }),
    ...(groveCrdt.edge && { edge: groveCrdt.edge }),
  };
}

/** The config's file, absolute; null where there is none. */
export const findConfig = (file: string | undefined, cwd: string): string | null =>
  (file === undefined ? candidates : [file]).map((name) => resolve(cwd, name)).find(existsSync) ?? null;

function refuseMissing(file: string | undefined, cwd: string): never {
  const message =
    file === undefined
      ? `There is no ${candidates[0]} in ${cwd}. Run this where it is, name it with --config, or let \`npx grove-crdt init\` write one.`
      : `There is no config ${file}, seen from ${cwd}.`;
  throw new GroveError("schema_load_failed", message);
}

/** Dialects by drizzle-kit's names. */
const dialects: Readonly<Record<string, Dialect>> = { sqlite: "sqlite", postgresql: "postgres" };

function supportedDialect(dialect: string, shown: string): Dialect {
  const supported = Object.hasOwn(dialects, dialect) ? dialects[dialect] : undefined;
  if (supported !== undefined) return supported;
  const known = Object.keys(dialects).map((name) => JSON.stringify(name));
  throw new GroveError(
    "schema_load_failed",
    `${shown}: the dialect ${JSON.stringify(dialect)} is not supported; this version replicates ${known.join(" and ")}.`,
  );
}
