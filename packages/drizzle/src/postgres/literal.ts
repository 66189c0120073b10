// Postgres constants: what a DEFAULT clause says, read without a database.
import { parseType } from "./type";

/** A constant's text; `bare` where it stood without quotes, which makes a number or a boolean of it. */
export interface Literal {
  readonly text: string;
  readonly bare: boolean;
}

const STRING = /^'(?:[^']|'')*'$/;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const CAST = /^([\s\S]+?)::\s*([^':]+)$/;
const ARRAY = /^array\s*\[([\s\S]*)\]$/i;
const ITEM = /\s*('(?:[^']|'')*'|[^',]+?)\s*(?:,|$)/gy;

/**
 * The value of a constant expression, in parentheses or not, with a cast to the column's own type or without; null for
 * NULL, undefined when the database would have to compute it.
 *
 * @param sqlType the column's type, ready to stand after `::`
 */
export function parseLiteral(text: string, sqlType: string): Literal | null | undefined {
  const source = text.trim();
  const inner = /^\(([\s\S]*)\)$/.exec(source)?.[1];
  if (inner !== undefined) return parseLiteral(inner, sqlType);
  const [, head, cast] = STRING.test(source) ? [] : (CAST.exec(source) ?? []);
  if (head !== undefined && cast !== undefined) {
    const type = parseType(cast);
    const same = type !== undefined && `${type.text}${"[]".repeat(type.dimensions)}` === sqlType;
    return same ? parseLiteral(head, sqlType) : undefined;
  }
  if (/^null$/i.test(source)) return null;
  if (/^(?:true|false)$/i.test(source)) return { text: source.toLowerCase(), bare: true };
  if (STRING.test(source)) return { text: source.slice(1, -1).replaceAll("''", "'"), bare: false };
  const number = source.replace(/^([+-])\s+/, "$1");
  if (NUMBER.test(number)) return { text: number, bare: true };
  const items = ARRAY.exec(source)?.[1];
  return items === undefined ? undefined : parseItems(items);
}

/** `ARRAY['a', 'b']` as the literal `{"a","b"}`. */
function parseItems(items: string): Literal | undefined {
  const texts: string[] = [];
  let end = 0;
  for (const match of items.matchAll(ITEM)) {
    const item = parseLiteral(match[1] as string, "");
    if (item === undefined) return undefined;
    texts.push(item === null ? "NULL" : `"${item.text.replaceAll(/["\\]/g, "\\$&")}"`);
    end = match.index + match[0].length;
  }
  return end === items.length || items.trim() === "" ? { text: `{${texts.join(",")}}`, bare: false } : undefined;
}

/** The constant as SQL, to be shown in a cure. */
export const printLiteral = ({ text, bare }: Literal): string => (bare ? text : `'${text.replaceAll("'", "''")}'`);

export type Elements = readonly (string | null | Elements)[];

const TOKEN = /\s*(?:([{},])|"((?:[^"\\]|\\.)*)"|([^\s{},"\\]+(?: +[^\s{},"\\]+)*))\s*/gsy;

/** The elements of an array literal such as `{a,"b c",NULL,{…}}`; undefined for what is none, or has bounds of its own. */
export function parseElements(text: string): Elements | undefined {
  const stack: (string | null | Elements)[][] = [];
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    end = match.index + match[0].length;
    const [, mark, quoted, bare] = match;
    const top = stack.at(-1);
    if (mark === "{") {
      const nested: (string | null | Elements)[] = [];
      top?.push(nested);
      stack.push(nested);
    } else if (top === undefined) return undefined;
    else if (mark === "}") {
      if (stack.length === 1) return end === text.length ? top : undefined;
      stack.pop();
    } else if (quoted !== undefined) top.push(quoted.replace(/\\(.)/gs, "$1"));
    else if (bare !== undefined) top.push(bare.toUpperCase() === "NULL" ? null : bare);
  }
  return undefined;
}
