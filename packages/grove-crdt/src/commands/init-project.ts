// What `init` finds in a project: its dialect, by the drivers that package.json names or by the schema; the schema, where
// projects keep it; what is not installed yet.
import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { type Dialect, GroveError } from "@grove-crdt/core";
import * as z from "zod";

/** The drivers that a node works over. */
const drivers: Readonly<Record<Dialect, readonly string[]>> = {
  sqlite: ["better-sqlite3"],
  postgres: ["postgres", "pg", "@electric-sql/pglite"],
};

/** What a schema file of each dialect imports. */
const cores: Readonly<Record<Dialect, string>> = {
  sqlite: "drizzle-orm/sqlite-core",
  postgres: "drizzle-orm/pg-core",
};

const dialects: readonly Dialect[] = ["sqlite", "postgres"];
const places = ["", "src", "db", "src/db", "src/lib", "src/lib/db", "src/server/db", "server/db", "lib/db", "drizzle"];

const packageShape = z.object({
  dependencies: z.record(z.string(), z.string()).default({}),
  devDependencies: z.record(z.string(), z.string()).default({}),
});

/** What the nearest package.json names, at run time and for development. */
export function readDependencies(cwd: string): ReadonlySet<string> {
  for (let folder = cwd; ; folder = dirname(folder)) {
    const file = join(folder, "package.json");
    if (existsSync(file)) {
      const { dependencies, devDependencies } = readManifest(file, relative(cwd, file));
      return new Set([...Object.keys(dependencies), ...Object.keys(devDependencies)]);
    }
    if (folder === dirname(folder)) return new Set();
  }
}

function readManifest(file: string, shown: string): z.infer<typeof packageShape> {
  try {
    return packageShape.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (cause) {
    throw new GroveError("schema_load_failed", `${shown} could not be read: ${(cause as Error).message}`, { cause });
  }
}

export interface Wanted {
  readonly dialect?: Dialect;
  /** As `--schema` names it. */
  readonly schema?: string;
}

export interface Found {
  readonly dialect: Dialect;
  /** The schema's file or folder, from the working directory: `./src/schema.ts`. */
  readonly schema: string;
}

/** @throws GroveError `schema_load_failed`, with what to pass */
export function findProject(wanted: Wanted, names: ReadonlySet<string>, cwd: string): Found {
  const installed = dialects.filter((dialect) => drivers[dialect].some((name) => names.has(name)));
  const schemas = wanted.schema === undefined ? findSchemas(cwd) : [readSchemaAt(wanted.schema, cwd)];
  const allowed = wanted.dialect === undefined ? installed : [wanted.dialect];
  // The driver says which dialect the project writes to; where there are several, or none, the schema does.
  const fitting = schemas.filter(({ dialect }) => allowed.length === 0 || allowed.includes(dialect));
  const [found, another] = fitting;
  if (found === undefined) throw noSchema(wanted, allowed, schemas);
  if (another !== undefined) {
    const paths = fitting.map(({ schema, dialect }) => `${schema} (${dialect})`);
    throw refused(`There is more than one schema: ${paths.join(", ")}. Name one with --schema.`);
  }
  return found;
}

function noSchema({ schema, dialect }: Wanted, allowed: readonly Dialect[], found: readonly Found[]): GroveError {
  if (found.length > 0) {
    const [one] = found as [Found];
    const why =
      dialect === undefined ? `the installed driver is one of ${allowed.join(" or ")}` : `--dialect says ${dialect}`;
    const cure =
      dialect === undefined
        ? `Install ${drivers[one.dialect].join(" or ")}, or name another schema with --schema.`
        : "";
    return refused(`${one.schema} is a schema of ${one.dialect}, and ${why}. ${cure}`.trim());
  }
  return refused(
    `There is no schema here${schema === undefined ? "" : ` at ${schema}`}: a file, or a folder of files, that imports ${Object.values(cores).join(" or ")}. Write one (docs/getting-started.md begins with it), or name it with --schema.`,
  );
}

function readSchemaAt(path: string, cwd: string): Found {
  const dialect = existsSync(resolve(cwd, path)) ? dialectOf(resolve(cwd, path)) : undefined;
  if (dialect === undefined) throw noSchema({ schema: path }, [], []);
  return { dialect, schema: fromHere(relative(cwd, resolve(cwd, path))) };
}

/** Where projects keep their schema: a file or a folder of that name. */
function findSchemas(cwd: string): Found[] {
  return places.flatMap((place) => {
    const paths = ["schema.ts", "schema.js", "schema"].map((name) => join(place, name));
    return paths.flatMap((path) => {
      const dialect = existsSync(join(cwd, path)) ? dialectOf(join(cwd, path)) : undefined;
      return dialect === undefined ? [] : [{ dialect, schema: fromHere(path) }];
    });
  });
}

const fromHere = (path: string): string => {
  const forward = path.replaceAll("\\", "/");
  return forward.startsWith("../") ? forward : `./${forward}`;
};

/** By what a schema's files import, without loading them. */
function dialectOf(path: string): Dialect | undefined {
  const files = lstatSync(path).isDirectory() ? readdirSync(path).map((name) => join(path, name)) : [path];
  const sources = files.filter((file) => /\.[mc]?[tj]s$/.test(file) && !lstatSync(file).isDirectory());
  const texts = sources.map((file) => readFileSync(file, "utf8"));
  return dialects.find((dialect) => texts.some((text) => new RegExp(`["']${cores[dialect]}["']`).test(text)));
}

/** True when some column of the schema is annotated already. */
export function isAnnotated(schema: readonly string[], cwd: string): boolean {
  const files = schema.flatMap((entry) => {
    const path = resolve(cwd, entry);
    if (!existsSync(path)) return [];
    return lstatSync(path).isDirectory() ? readdirSync(path).map((name) => join(path, name)) : [path];
  });
  const sources = files.filter((file) => !lstatSync(file).isDirectory());
  return sources.some((file) => /["']grove-crdt\/schema["']/.test(readFileSync(file, "utf8")));
}

/** What getting started needs and package.json does not name, as one would install it. */
export function missingPackages(
  dialect: Dialect,
  names: ReadonlySet<string>,
): { readonly run: string[]; readonly dev: string[] } {
  const driver = drivers[dialect].some((name) => names.has(name)) ? [] : drivers[dialect].slice(0, 1);
  const run = ["grove-crdt", "drizzle-orm", "hono", "@hono/node-server", "zod"].filter((name) => !names.has(name));
  return { run: [...run, ...driver], dev: ["drizzle-kit"].filter((name) => !names.has(name)) };
}

export const refused = (message: string, options?: { cause?: unknown }): GroveError =>
  new GroveError("schema_load_failed", message, options);
