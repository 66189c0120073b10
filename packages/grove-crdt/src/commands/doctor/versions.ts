// The versions that are installed where the config is, against those that this package is tested with.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Dialect } from "@grove-crdt/core";
import type { Finding } from "./finding";

type Version = readonly [major: number, minor: number, patch: number, candidate: number];

const STABLE = Number.POSITIVE_INFINITY;

/** `1.2.3` and `1.0.0-rc.5`; other pre-releases count as before the first candidate. */
export function parseVersion(text: string): Version {
  const [, major, minor, patch, rest = ""] = /^v?(\d+)\.(\d+)\.(\d+)(.*)$/.exec(text) ?? [];
  const candidate = rest === "" || rest.startsWith("+") ? STABLE : Number(/^-rc\.(\d+)/.exec(rest)?.[1] ?? -1);
  return [Number(major), Number(minor), Number(patch), candidate];
}

const isFrom = (version: Version, from: string): boolean => {
  const bound = parseVersion(from);
  const differs = version.findIndex((part, n) => part !== bound[n]);
  return differs < 0 || (version[differs] as number) > (bound[differs] as number);
};
const isWithin = (text: string, from: string, below?: string): boolean => {
  const version = parseVersion(text);
  return isFrom(version, from) && (below === undefined || !isFrom(version, below));
};

interface Wanted {
  readonly name: string;
  readonly says: string;
  fits(version: string): boolean;
  /** Nothing works without it; else only a part of it does not. */
  readonly needed: boolean;
}

const drizzle = (version: string) => isWithin(version, "0.45.0", "0.46.0") || isWithin(version, "1.0.0-rc.5", "1.1.0");
const kit = (version: string) => isWithin(version, "0.31.0", "0.32.0") || isWithin(version, "1.0.0-rc.5", "1.1.0");
const atLeast = (from: string) => (version: string) => isWithin(version, from);

const wanted = (dialect: Dialect): Wanted[] => [
  { name: "drizzle-orm", says: "0.45, or 1.0 from its fifth release candidate on", fits: drizzle, needed: true },
  { name: "drizzle-kit", says: "0.31, or 1.0 from its fifth release candidate on", fits: kit, needed: false },
  { name: "hono", says: "4.6 or later", fits: atLeast("4.6.0"), needed: true },
  { name: "zod", says: "4 or later", fits: atLeast("4.0.0"), needed: true },
  ...(dialect === "sqlite"
    ? [{ name: "better-sqlite3", says: "11 or later", fits: atLeast("11.0.0"), needed: true }]
    : []),
];

/** Either will do. */
const postgresDrivers = [
  { name: "postgres", says: "3.4 or later", fits: atLeast("3.4.0"), needed: true },
  { name: "pg", says: "8.11 or later", fits: atLeast("8.11.0"), needed: true },
];

const NODE = "20.12.0";

/** @param configPath where the project's modules are resolved from */
export function checkVersions(configPath: string, dialect: Dialect): Finding[] {
  const own = process.versions.node;
  const node: Finding = isWithin(own, NODE)
    ? { check: "versions", level: "ok", what: `node ${own}` }
    : { check: "versions", level: "error", what: `node ${own} is too old`, cure: `Use node ${NODE} or later.` };
  const found = wanted(dialect).map((one) => checkPackage(one, configPath));
  if (dialect === "sqlite") return [node, ...found];
  const drivers = postgresDrivers.map((one) => checkPackage(one, configPath));
  const installed = drivers.filter((_, n) => versionOf(postgresDrivers[n]?.name as string, configPath) !== null);
  return [node, ...found, ...(installed.length > 0 ? installed : drivers.slice(0, 1))];
}

function checkPackage({ name, says, fits, needed }: Wanted, configPath: string): Finding {
  const version = versionOf(name, configPath);
  const level = needed ? "error" : "warning";
  const cure = `npm install ${needed ? "" : "--save-dev "}${name}: ${says}.`;
  if (version === null) return { check: "versions", level, what: `${name} is not installed`, cure };
  if (!fits(version)) return { check: "versions", level, what: `${name} ${version} is none that is tested`, cure };
  return { check: "versions", level: "ok", what: `${name} ${version}` };
}

/** The version that the project finds; null when it finds none. */
function versionOf(name: string, configPath: string): string | null {
  let folder: string;
  try {
    folder = dirname(createRequire(configPath).resolve(name));
  } catch {
    return null;
  }
  // `exports` need not list package.json, so it is looked for from the entry upwards.
  for (; folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = join(folder, "package.json");
    if (!existsSync(manifest)) continue;
    const { name: found, version } = JSON.parse(readFileSync(manifest, "utf8")) as { name?: string; version?: string };
    if (found === name && version !== undefined) return version;
  }
  return null;
}
