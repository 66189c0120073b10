// Loading the user's TypeScript: ESM and CommonJS, path aliases of tsconfig.json, top-level await.
import { basename, dirname, join } from "node:path";
import { GroveError } from "@grove-crdt/core";
import { createJiti } from "jiti";

/** A module's exports. */
export async function loadModule(path: string, shown: string): Promise<Record<string, unknown>> {
  const loaded = await load(path, shown);
  const exports = typeof loaded === "object" && loaded !== null ? (loaded as Record<string, unknown>) : {};
  // A CommonJS module arrives as its `module.exports` under `default`, or as itself.
  const inner = exports.default;
  const isCommonJs = Object.keys(exports).every((name) => name === "default" || name === "module.exports");
  return isCommonJs && typeof inner === "object" && inner !== null && isPlain(inner)
    ? { ...(inner as Record<string, unknown>) }
    : exports;
}

/** A module's default export; of JSON, the whole. */
export async function loadDefault(path: string, shown: string): Promise<unknown> {
  const loaded = (await load(path, shown)) as { default?: unknown } | undefined;
  return loaded?.default ?? loaded;
}

/** The default export that the file would have with another text. Nothing is written. */
export async function loadDefaultOf(path: string, text: string, shown: string): Promise<unknown> {
  // Under another name in the same folder, since Node remembers a file that it has loaded.
  const filename = join(dirname(path), `changed-${basename(path)}`);
  const loaded = (await attempt(shown, () => jitiOf(path).evalModule(text, { filename, async: true }))) as
    | { default?: unknown }
    | undefined;
  return loaded?.default ?? loaded;
}

const isPlain = (value: object): boolean => [Object.prototype, null].includes(Object.getPrototypeOf(value));

const load = (path: string, shown: string): Promise<unknown> => attempt(shown, () => jitiOf(path).import(path));

/** From the file itself: its own tsconfig.json counts, and its own node_modules. */
const jitiOf = (path: string) => createJiti(path, { tsconfigPaths: true, interopDefault: false, fsCache: false });

async function attempt(shown: string, run: () => unknown): Promise<unknown> {
  try {
    return await run();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new GroveError("schema_load_failed", `${shown} could not be loaded: ${reason}`, { cause });
  }
}
