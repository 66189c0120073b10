// Which import may cross which wall: the arrows between packages, the wall between the two dialects, and who may know
// Hono and the drivers. Prints one line for every import in packages/*/src that breaks a rule, then exits 1.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";

/** Package to the packages it points at. What those point at may be imported too. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  core: [],
  drizzle: ["core"],
  codegen: ["core"],
  store: ["core"],
  sync: ["store"],
  server: ["sync"],
  "grove-crdt": ["server", "codegen", "drizzle"],
};

/** Private to the repository and never published, so it may import anything. */
const testkit = "testkit";
const knowHono = new Set(["server", "grove-crdt"]);
const drivers = new Set(["better-sqlite3", "postgres", "pg"]);
/** Entries of Drizzle that load a driver when they run; their types are harmless. */
const driverEntries = new Set(["drizzle-orm/better-sqlite3", "drizzle-orm/postgres-js", "drizzle-orm/node-postgres"]);
const schemaEntry = "packages/grove-crdt/src/schema.ts";

/** Rule to what is said of an import that breaks it. */
export const rules = {
  arrow: "against the arrows",
  relative: "leaves its package by a relative path; import the other package by its name",
  dialect: "crosses from one dialect to the other; put what both need beside their folders",
  hono: "only server, grove-crdt and testkit may know Hono",
  driver: "no package may know a driver; declare the slice that is needed as an interface",
  schema: `this file is loaded by ${schemaEntry}, which may load nothing but drizzle-orm`,
} as const;

export type RuleName = keyof typeof rules;

/** `path` is relative to the root of the repository, with forward slashes. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** False for what is erased with the types. */
  readonly runtime: boolean;
}

export interface Violation extends Import {
  readonly path: string;
  readonly rule: RuleName;
  readonly reason: string;
}

/** Every import in the files of packages/<name> that breaks a rule, in the order of the files. */
export function findViolations(files: readonly Source[]): Violation[] {
  const imports = new Map(files.map(({ path, text }) => [path, readImports(path, text)]));
  const loadedBySchema = runtimeClosure(schemaEntry, imports);
  return [...imports].flatMap(([path, list]) =>
    list.flatMap((found) =>
      broken(path, found, loadedBySchema.has(path)).map((rule) => ({
        ...found,
        path,
        rule,
        reason: reason(rule, path),
      })),
    ),
  );
}

/** The rules that one import breaks. */
function broken(path: string, { specifier, runtime }: Import, forSchema: boolean): RuleName[] {
  const from = packageOf(path);
  if (from === undefined) return [];
  const target = locate(path, specifier);
  const name = packageName(specifier);
  const found: RuleName[] = [];
  if (forSchema && runtime && target === undefined && name !== "drizzle-orm") found.push("schema");
  if (from === testkit) return found;

  if (target !== undefined) {
    const to = packageOf(target);
    if (to !== undefined && to !== from && !reachable(from).has(to)) found.push("arrow");
    if (to !== from && isRelative(specifier)) found.push("relative");
    if (crossesDialects(path, target)) found.push("dialect");
  }
  if ((name === "hono" || name.startsWith("@hono/")) && !knowHono.has(from)) found.push("hono");
  if (drivers.has(name) || (runtime && driverEntries.has(specifier))) found.push("driver");
  return found;
}

function reason(rule: RuleName, path: string): string {
  if (rule !== "arrow") return rules[rule];
  const from = packageOf(path) ?? "";
  return `${rules.arrow}: ${from} may import ${[...reachable(from)].join(", ") || "nothing of ours"}`;
}

/** The packages that `name` may import, along the arrows. */
function reachable(name: string): Set<string> {
  return closure(arrows[name] ?? [], (next) => arrows[next] ?? []);
}

/** The files that `entry` loads when it runs, itself included, as far as they are among `imports`. */
function runtimeClosure(entry: string, imports: ReadonlyMap<string, readonly Import[]>): Set<string> {
  return closure([entry], (path) =>
    (imports.get(path) ?? []).flatMap(({ specifier, runtime }) => {
      const target = runtime ? locate(path, specifier)?.replace(/\.[jt]s$/, "") : undefined;
      return target === undefined ? [] : [`${target}.ts`, `${target}/index.ts`].filter((file) => imports.has(file));
    }),
  );
}

function closure(start: readonly string[], next: (from: string) => readonly string[]): Set<string> {
  const seen = new Set(start);
  for (const from of seen) for (const to of next(from)) seen.add(to);
  return seen;
}

/** Where a specifier points inside the repository; undefined for other people's packages. */
function locate(path: string, specifier: string): string | undefined {
  if (isRelative(specifier)) return posix.join(posix.dirname(path), specifier);
  const [, internal, published, entry] = /^(?:@grove-crdt\/([^/]+)|(grove-crdt))(?:\/(.+))?$/.exec(specifier) ?? [];
  const name = internal ?? published;
  return name === undefined ? undefined : `packages/${name}/src/${entry ?? "index"}`;
}

const isRelative = (specifier: string) => specifier.startsWith(".");

const packageOf = (path: string) => /^packages\/([^/]+)\//.exec(path)?.[1];

/** `drizzle-orm` of `drizzle-orm/pg-core`, `@hono/node-server` of itself. */
export const packageName = (specifier: string) =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");

function crossesDialects(path: string, target: string): boolean {
  const dialectOf = (file: string) => /\/(postgres|sqlite)(?:\/|\.[jt]s$|$)/.exec(file)?.[1];
  const [from, to] = [dialectOf(path), dialectOf(target)];
  return from !== undefined && to !== undefined && from !== to;
}

/** Static and dynamic imports, re-exports, `require`, import types and type references, in the order of the file. */
export function readImports(path: string, text: string): Import[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found: Import[] = [];
  const add = (position: number, specifier: string, runtime: boolean) =>
    found.push({ specifier, line: source.getLineAndCharacterOfPosition(position).line + 1, runtime });
  for (const { pos, fileName } of source.typeReferenceDirectives) add(pos, fileName, false);
  const visit = (node: ts.Node): void => {
    const { specifier, runtime } = importOf(node) ?? {};
    if (specifier !== undefined && ts.isStringLiteralLike(specifier)) {
      add(specifier.getStart(source), specifier.text, runtime === true);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** The specifier of a node that imports, and whether the import is still there when the types are erased. */
function importOf(node: ts.Node): { specifier: ts.Node | undefined; runtime: boolean } | undefined {
  if (ts.isImportDeclaration(node)) {
    return { specifier: node.moduleSpecifier, runtime: node.importClause?.phaseModifier !== ts.SyntaxKind.TypeKeyword };
  }
  if (ts.isExportDeclaration(node)) return { specifier: node.moduleSpecifier, runtime: !node.isTypeOnly };
  if (ts.isExternalModuleReference(node)) return { specifier: node.expression, runtime: true };
  if (ts.isLiteralTypeNode(node) && ts.isImportTypeNode(node.parent)) {
    return { specifier: node.literal, runtime: false };
  }
  if (ts.isCallExpression(node) && loads(node.expression)) return { specifier: node.arguments[0], runtime: true };
  return undefined;
}

const loads = (callee: ts.Expression) =>
  callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === "require");

/** The sources that the rules are about. */
export function readSources(root: string): Source[] {
  return readdirSync(`${root}/packages`)
    .map((name) => `packages/${name}/src`)
    .filter((folder) => existsSync(`${root}/${folder}`))
    .flatMap((folder) =>
      readdirSync(`${root}/${folder}`, { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".ts"))
        .map((file) => `${folder}/${file.replaceAll("\\", "/")}`),
    )
    .sort()
    .map((path) => ({ path, text: readFileSync(`${root}/${path}`, "utf8") }));
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const files = readSources(process.cwd());
  const violations = findViolations(files);
  for (const { path, line, specifier, reason } of violations) {
    console.error(`${path}:${line} imports "${specifier}": ${reason}`);
  }
  console.log(`boundaries: ${files.length} files, ${violations.length} violations`);
  process.exitCode = violations.length === 0 ? 0 : 1;
}
