// capture.ts: the SQL as strings, so that any bundler carries it along.
import { createHash } from "node:crypto";
import type { Registry, TableCapture } from "@grove-crdt/core";
import { header, property, quote, template } from "./text";

type Capture = Registry["capture"];

/** SHA-256 over every statement with its name and its place. */
export function hashCapture(system: readonly string[], tables: Readonly<Record<string, TableCapture>>): string {
  return createHash("sha256")
    .update(JSON.stringify([system, Object.entries(tables).map(flatten)]))
    .digest("hex");
}

const flatten = ([name, { tables, functions, triggers }]: [string, TableCapture]) => [
  name,
  tables,
  ...(functions === undefined ? [] : [Object.entries(functions)]),
  Object.entries(triggers),
];

export function emitCaptureFile(capture: Capture): string {
  const tables = Object.entries(capture.tables).map(([name, { tables, functions, triggers }]) => {
    const named = functions === undefined ? "" : `    functions: ${byName(functions)},\n`;
    return `  ${property(name)}: {\n    tables: ${statements(tables, "    ")},\n${named}    triggers: ${byName(triggers)},\n  },\n`;
  });
  return `${header("The SQL of the shadow tables and of the triggers that capture writes; `node.ensureShadowTables()` runs it.")}
/** SHA-256 over every statement: two databases with one hash capture alike. */
export const hash = ${quote(capture.hash)};

/** The tables of which a database has one each. */
export const system = ${statements(capture.system, "")};

/** What stands beside each table: its own tables, and its triggers by name. */
export const tables = {
${tables.join("")}};
`;
}

const statements = (list: readonly string[], indent: string): string =>
  `[\n${list.map((text) => `${indent}  ${template(text)},\n`).join("")}${indent}]`;

const byName = (texts: Readonly<Record<string, string>>): string => {
  const entries = Object.entries(texts).map(([name, text]) => `      ${property(name)}: ${template(text)},\n`);
  return `{\n${entries.join("")}    }`;
};
