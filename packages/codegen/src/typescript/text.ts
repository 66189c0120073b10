// TypeScript text: strings, object literals and the head that every generated file carries.

/** The first lines of every generated file. */
export const header = (about: string): string =>
  `// Made by grove-crdt from the Drizzle schema. Do not edit: change the schema and run \`npx grove-crdt generate\`.\n// ${about}\n`;

/** A string literal on one line. */
export const quote = (text: string): string => escapeInvisible(JSON.stringify(text));

/** A template literal: SQL as it reads, over several lines. */
export const template = (text: string): string =>
  `\`${escapeInvisible(text.replace(/[\\`]/g, "\\$&").replaceAll("${", "\\${").replaceAll("\r", "\\r"))}\``;

/** Text inside a documentation comment: on one line and unable to end it. */
export const docText = (text: string): string => escapeInvisible(text.replace(/\s+/g, " ").replaceAll("*/", "*\\/"));

/** What an editor would hide or turn around, written as an escape. */
const escapeInvisible = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character === "\n" || character === "\t" ? character : `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );

/** A property name: bare where TypeScript allows it. `__proto__` would set the prototype unless it is computed. */
export const property = (name: string): string => {
  if (name === "__proto__") return '["__proto__"]';
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quote(name);
};

/** TypeScript that stands for itself, such as an identifier. */
export class Code {
  constructor(readonly text: string) {}
}

const isShorthand = (name: string, item: unknown): boolean => item instanceof Code && item.text === name;

/** An object or array literal, on one line where it fits. */
export function print(value: unknown, indent = "", used = 0): string {
  if (value instanceof Code) return value.text;
  if (typeof value === "string") return quote(value);
  if (typeof value !== "object" || value === null) return String(value);
  const deeper = `${indent}  `;
  const isArray = Array.isArray(value);
  const entries = isArray
    ? value.map((item) => ["", item] as const)
    : Object.entries(value).flatMap(([name, item]) =>
        item === undefined ? [] : [[isShorthand(name, item) ? "" : `${property(name)}: `, item] as const],
      );
  const [open, close, pad] = isArray ? ["[", "]", ""] : ["{", "}", " "];
  if (entries.length === 0) return open + close;
  const parts = entries.map(([name, item]) => name + print(item, deeper, name.length));
  const line = `${open}${pad}${parts.join(", ")}${pad}${close}`;
  if (!line.includes("\n") && indent.length + used + line.length < 120) return line;
  return `${open}\n${parts.map((part) => `${deeper}${part},\n`).join("")}${indent}${close}`;
}
