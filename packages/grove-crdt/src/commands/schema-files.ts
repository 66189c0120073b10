// The files that `schema` names, found and loaded as drizzle-kit does: files, folders read flat, and globs.
import { existsSync, lstatSync, readdirSync } from "node:fs";
import { basename, extname, join, relative, resolve } from "node:path";
import { fileNames } from "@grove-crdt/codegen";
import { GroveError } from "@grove-crdt/core";
import type { SchemaModule } from "@grove-crdt/drizzle";
import { globSync, isDynamicPattern } from "tinyglobby";
import type { DrizzleConfig } from "./drizzle-config";
import { loadModule } from "./load";

const extensions = new Set([".ts", ".mts", ".cts", ".js", ".mjs", ".cjs"]);
const isSource = (path: string): boolean => extensions.has(extname(path)) && !/\.d\.[mc]?ts$/.test(path);

/** @param folder where the generated files go: those are ours, and may not exist yet */
export async function loadSchema(config: DrizzleConfig, folder: string, cwd: string): Promise<SchemaModule[]> {
  const found = new Set<string>();
  const missing: string[] = [];
  for (const entry of config.schema) {
    const files = findFiles(entry, cwd);
    if (files.length === 0 && !isInside(folder, resolve(cwd, entry))) missing.push(entry);
    for (const file of files) if (!isOurs(folder, file)) found.add(file);
  }
  if (missing.length > 0 || found.size === 0) {
    const what = missing.length > 0 ? missing.join(", ") : "no schema file besides the generated ones";
    const problem =
      missing.length > 0 ? `\`schema\` names ${what}, where there is no source file` : `\`schema\` names ${what}`;
    throw new GroveError("schema_load_failed", `${relative(cwd, config.path)}: ${problem}. Paths count from ${cwd}.`);
  }
  const modules: SchemaModule[] = [];
  for (const path of found) modules.push({ path, exports: await loadModule(path, relative(cwd, path)) });
  return modules;
}

function findFiles(entry: string, cwd: string): string[] {
  const plain = resolve(cwd, entry);
  const matches = existsSync(plain) ? [plain] : glob(entry, cwd);
  return matches.flatMap((path) =>
    lstatSync(path).isDirectory()
      ? readdirSync(path)
          .sort()
          .map((name) => join(path, name))
          .filter((file) => isSource(file) && !lstatSync(file).isDirectory())
      : isSource(path)
        ? [path]
        : [],
  );
}

function glob(pattern: string, cwd: string): string[] {
  const forward = pattern.replaceAll("\\", "/");
  if (!isDynamicPattern(forward)) return [];
  return globSync(forward, { cwd, absolute: true, onlyFiles: false, expandDirectories: false })
    .map((path) => resolve(path))
    .sort();
}

/** The edge's schema may stand beside our files; the edge's config names it. */
const isOurs = (folder: string, file: string): boolean =>
  isInside(folder, file) && (fileNames as readonly string[]).includes(basename(file));

const isInside = (folder: string, path: string): boolean => {
  const way = relative(folder, path);
  return way === "" || (!way.startsWith("..") && resolve(folder, way) === path);
};

/** How a generated file imports the user's: relative, with the extension that both Bundler and NodeNext resolve. */
export function importSpecifier(folder: string, path: string): string {
  const way = relative(folder, path)
    .replaceAll("\\", "/")
    .replace(/\.([mc]?)ts$/, ".$1js");
  return way.startsWith(".") ? way : `./${way}`;
}
