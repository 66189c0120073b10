// The text of a Drizzle config with our part in it: a new one, or the user's own with three things added. What cannot be
// added surely is left to the user, with the lines to write.
import { isDeepStrictEqual } from "node:util";
import type { Dialect } from "@grove-crdt/core";
import type { GroveCrdtOptions } from "../config";
import { refused } from "./init-project";

/** drizzle-kit's names. */
const kitNames: Readonly<Record<Dialect, string>> = { sqlite: "sqlite", postgres: "postgresql" };

/** How the new config finds the database, for drizzle-kit and for the commands that look into it. */
const urls: Readonly<Record<Dialect, string>> = {
  sqlite: 'process.env.DATABASE_URL ?? "app.db"',
  postgres: 'process.env.DATABASE_URL ?? ""',
};

export interface Part {
  readonly dialect: Dialect;
  readonly options: GroveCrdtOptions & { readonly out: string };
}

/** The file of generated tables that drizzle-kit has to know. */
export const shadowOf = ({ dialect, options }: Part): string =>
  `${options.out.replace(/\/$/, "")}/${dialect}/shadow.ts`;

export const newConfig = (part: Part, schema: string): string =>
  `import { defineConfig } from "drizzle-kit";
import { groveCrdt } from "grove-crdt/config";

export default defineConfig({
  dialect: ${JSON.stringify(kitNames[part.dialect])},
  schema: [${JSON.stringify(schema)}, ${JSON.stringify(shadowOf(part))}],
  dbCredentials: { url: ${urls[part.dialect]} },
  ...groveCrdt(${print(part.options)}),
});
`;

const print = (options: object): string => {
  const entries = Object.entries(options).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  return `{ ${entries.join(", ")} }`;
};

/** The user's config as it is: what it says, and whether our part is in it. */
export interface Current {
  readonly text: string;
  /** As it was loaded. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly isJson: boolean;
}

/** The config's text with our part; the same text where nothing is missing. */
export function withPart({ text, config, isJson }: Current, part: Part): string {
  if (isJson) {
    const indent = /^[ \t]+/m.exec(text)?.[0] ?? "  ";
    const changed = expected(config, part);
    return isDeepStrictEqual(changed, config) ? text : `${JSON.stringify(changed, null, indent)}\n`;
  }
  const schema = schemaOf(config).includes(shadowOf(part)) ? text : addShadow(text, part);
  return "groveCrdt" in config ? schema : addImport(addSpread(schema, part));
}

/** What the config has to say with our part in it. */
export const expected = (config: Current["config"], part: Part): Record<string, unknown> => {
  const [schema, shadow] = [schemaOf(config), shadowOf(part)];
  return {
    ...config,
    schema: schema.includes(shadow) ? config.schema : [...schema, shadow],
    groveCrdt: "groveCrdt" in config ? config.groveCrdt : part.options,
  };
};

export const schemaOf = ({ schema }: Current["config"]): string[] => (Array.isArray(schema) ? schema : [`${schema}`]);

/** Where the config's object begins and ends in the text: the offsets behind `{` and of `}`. */
function objectOf(text: string): { readonly from: number; readonly to: number } | undefined {
  const opening = /(?:defineConfig\s*\(|export\s+default|module\.exports\s*=)\s*\{/g.exec(text);
  if (opening === null) return undefined;
  const from = opening.index + opening[0].length;
  let depth = 1;
  for (const { char, at } of code(text, from)) {
    if ("{[(".includes(char)) depth++;
    else if ("}])".includes(char)) depth--;
    if (depth === 0) return { from, to: at };
  }
  return undefined;
}

/** The text's characters from an offset on, without what is in strings and comments. */
function* code(text: string, from: number): Generator<{ char: string; at: number }> {
  const other = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`/y;
  for (let at = from; at < text.length; ) {
    other.lastIndex = at;
    const skipped = other.exec(text)?.[0].length ?? 0;
    if (skipped === 0) yield { char: text[at] as string, at };
    at += Math.max(skipped, 1);
  }
}

function addShadow(text: string, part: Part): string {
  const place = objectOf(text);
  const shadow = JSON.stringify(shadowOf(part));
  const property = place && findProperty(text, place.from, "schema");
  if (property === undefined) throw byHand(part);
  const rest = text.slice(property);
  const one = /^(?:"[^"\\]*"|'[^'\\]*'|`[^`$\\]*`)/.exec(rest)?.[0];
  if (one !== undefined) return splice(text, property, one.length, `[${one}, ${shadow}]`);
  const list = /^\[([^\]]*?)(,?\s*)\]/.exec(rest);
  if (list === null) throw byHand(part);
  const [whole, inner = "", end = ""] = list;
  // A list over several lines goes on as it began.
  const line = /\n[ \t]*/.exec(inner)?.[0];
  const added = line === undefined ? `[${inner}, ${shadow}]` : `[${inner},${line}${shadow}${end}]`;
  return splice(text, property, whole.length, added);
}

/** Where the value of a property of the object itself begins. */
function findProperty(text: string, from: number, name: string): number | undefined {
  let depth = 0;
  for (const { char, at } of code(text, from)) {
    if ("{[(".includes(char)) depth++;
    else if ("}])".includes(char)) depth--;
    if (depth < 0) return undefined;
    const value = new RegExp(`^${name}\\s*:\\s*`).exec(text.slice(at, at + name.length + 20));
    if (depth === 0 && value !== null && !/[\w$.]/.test(text[at - 1] ?? "")) return at + value[0].length;
  }
  return undefined;
}

function addSpread(text: string, part: Part): string {
  const place = objectOf(text);
  if (place === undefined) throw byHand(part);
  const body = text.slice(place.from, place.to);
  const spread = `...groveCrdt(${print(part.options)})`;
  const last = body.trimEnd();
  const comma = last === "" || last.endsWith(",") ? "" : ",";
  const indent = /\n([ \t]+)\S/.exec(body)?.[1];
  const added = indent === undefined ? `${comma} ${spread} ` : `${comma}\n${indent}${spread},\n`;
  return splice(text, place.from + last.length, body.length - last.length, added);
}

function addImport(text: string): string {
  if (/\bgroveCrdt\b[^\n]*from\s*["']grove-crdt\/config["']/.test(text)) return text;
  const isCommonJs = !/^(?:import|export)\b/m.test(text);
  const line = isCommonJs
    ? 'const { groveCrdt } = require("grove-crdt/config");\n'
    : 'import { groveCrdt } from "grove-crdt/config";\n';
  const imports = isCommonJs
    ? [...text.matchAll(/^(?:const|var|let)\b[^;\n]*\brequire\([^)]*\)[^\n]*\n/gm)]
    : [...text.matchAll(/^import\b[^"']*["'][^"'\n]*["'][^\n]*\n/gm)];
  const last = imports.at(-1);
  return last === undefined ? `${line}\n${text}` : splice(text, last.index + last[0].length, 0, line);
}

const splice = (text: string, at: number, length: number, added: string): string =>
  text.slice(0, at) + added + text.slice(at + length);

/** For a config that is put together in a way that nobody but its author should change. */
export const byHand = (part: Part): Error =>
  refused(
    `This config is not written as one object that \`init\` could add to. Add by hand:
  import { groveCrdt } from "grove-crdt/config";
  ${JSON.stringify(shadowOf(part))} to the list of \`schema\`
  ...groveCrdt(${print(part.options)}) to the object`,
  );
