// Loading the user's TypeScript: ESM and CommonJS, path aliases of tsconfig.json, top-level await.
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

const isPlain = (value: object): boolean => [Object.prototype, null].includes(Object.getPrototypeOf(value));

async function load(path: string, shown: string): Promise<unknown> {
  // From the file itself: its own tsconfig.json counts, and its own node_modules.
  const jiti = createJiti(path, { tsconfigPaths: true, interopDefault: false, fsCache: false });
  try {
    return await jiti.import(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new GroveError("schema_load_failed", `${shown} could not be loaded: ${reason}`, { cause });
  }
}
