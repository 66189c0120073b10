// A constant as the wire carries it, once Postgres has stored it and given it back. The stores do the same with rows; here
// it is only defaults, and only in spellings whose stored form is certain without a database.
import type { Json } from "@grove-crdt/core";
import { instantOf, timeOf } from "./instant";
import type { PostgresType } from "./kinds";
import { type Elements, type Literal, parseElements } from "./literal";

/** Undefined when a column of this type cannot hold the value, or when only Postgres knows how it will be spelled. */
export function literalToWire(literal: Literal, type: PostgresType): Json | undefined {
  if (type.dimensions === 0) return valueToWire(literal, type.base, type.storage);
  const elements = literal.bare ? undefined : parseElements(literal.text);
  return elements && elementsToWire(elements, type);
}

function elementsToWire(elements: Elements, type: PostgresType): Json | undefined {
  const values = elements.map((element) => {
    if (element === null) return null;
    if (typeof element !== "string") return elementsToWire(element, type);
    return valueToWire({ text: element, bare: false }, type.base, type.element?.storage ?? "native");
  });
  return values.includes(undefined) ? undefined : (values as Json[]);
}

function valueToWire({ text, bare }: Literal, base: PostgresType["base"], storage: string): Json | undefined {
  switch (base.kind) {
    case "integer":
      return integerToWire(text, ranges[base.name] ?? 64);
    case "numeric":
      return numericToWire(text, base.modifiers);
    case "real":
      return realToWire(text, base.name === "real");
    case "boolean":
      return bools.get(text.toLowerCase());
    case "timestamp":
      return bare ? undefined : instantOf(text, base)?.iso;
    case "bytes":
      return bare || !/^\\x(?:[0-9a-f]{2})*$/i.test(text)
        ? undefined
        : Buffer.from(text.slice(2), "hex").toString("base64");
    case "json":
      return bare ? undefined : jsonToWire(text, storage);
    case "text":
      return bare ? undefined : textToWire(text, base);
  }
}

const ranges: Readonly<Record<string, number>> = { smallint: 16, integer: 32, bigint: 64 };

function integerToWire(text: string, bits: number): Json | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const exact = BigInt(text.replace("+", ""));
  if (BigInt.asIntN(bits, exact) !== exact) return undefined;
  return Number.isSafeInteger(Number(exact)) ? Number(exact) : String(exact);
}

/** With as many digits after the point as the type has; without a scale, as written. */
function numericToWire(text: string, [precision, scale]: readonly string[]): Json | undefined {
  const [, sign, whole = "", fraction = ""] = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(text) ?? [];
  if (sign === undefined || whole + fraction === "") return undefined;
  const digits = whole.replace(/^0+(?=\d)/, "") || "0";
  const places = precision === undefined ? fraction.length : Number(scale ?? 0);
  // What would be rounded is not what the schema means.
  if (/[1-9]/.test(fraction.slice(places)) || (precision !== undefined && places < 0)) return undefined;
  const kept = fraction.slice(0, places).padEnd(places, "0");
  if (precision !== undefined && digits !== "0" && digits.length > Number(precision) - places) return undefined;
  const value = kept === "" ? digits : `${digits}.${kept}`;
  return sign === "-" && /[1-9]/.test(value) ? `-${value}` : value;
}

function realToWire(text: string, single: boolean): Json | undefined {
  if (["NaN", "Infinity", "-Infinity"].includes(text)) return text;
  const number = text.trim() === "" ? Number.NaN : Number(text);
  if (!Number.isFinite(number)) return undefined;
  if (!single) return number + 0;
  // Four bytes are written with the fewest digits that tell them apart.
  const near = Math.fround(number);
  for (let digits = 1; digits <= 9; digits++) {
    const short = Number(near.toPrecision(digits));
    if (Math.fround(short) === near && Number.isFinite(near)) return short + 0;
  }
  return undefined;
}

const bools = new Map([
  ...["t", "true", "y", "yes", "on", "1"].map((word) => [word, true] as const),
  ...["f", "false", "n", "no", "off", "0"].map((word) => [word, false] as const),
]);

/** `json` keeps its text, which must be as Drizzle writes it; `jsonb` keeps the value, with every digit of its numbers. */
function jsonToWire(text: string, storage: string): Json | undefined {
  try {
    const value = JSON.parse(text) as Json;
    if (value === null) return undefined;
    const exact =
      storage === "json" ? JSON.stringify(value) === text : !LONG_NUMBER.test(text.replace(JSON_STRING, ""));
    return exact ? value : undefined;
  } catch {
    return undefined;
  }
}
const JSON_STRING = /"(?:[^"\\]|\\.)*"/g;
const LONG_NUMBER = /\d{16}|\.\d{14}|\d[eE]/;

/** The spellings in which Postgres gives text types back; a type that is not here may give back another one. */
const spellings: Readonly<Record<string, RegExp>> = {
  "time with time zone": /^(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{0,5}[1-9])?\+00$/,
  interval: /^(?=.)(?:1 day|(?:[2-9]|[1-9]\d{1,2}) days)?(?:(?:^| )\d\d:[0-5]\d:[0-5]\d(?:\.\d{0,5}[1-9])?)?$/,
  macaddr: /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/,
  macaddr8: /^[0-9a-f]{2}(?::[0-9a-f]{2}){7}$/,
};

const IPV4 = /^(?:(?:0|[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])(?:\.(?!$|\/)|(?=$|\/))){4}(?:\/32)?$/;

function textToWire(text: string, base: PostgresType["base"]): Json | undefined {
  const { name, modifiers, labels } = base;
  const length = modifiers[0] === undefined ? undefined : Number(modifiers[0]);
  switch (name) {
    case "enum":
      return labels?.includes(text) ? text : undefined;
    case "text":
    case "citext":
      return text;
    case "varchar":
      return length === undefined || [...text].length <= length ? text : undefined;
    case "char":
      // Padding comes and goes with each cast, so there must be none.
      return [...text].length === (length ?? 1) && !text.endsWith(" ") ? text : undefined;
    case "bit":
      return /^[01]+$/.test(text) && text.length === (length ?? 1) ? text : undefined;
    case "uuid":
      return /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text) ? text.toLowerCase() : undefined;
    case "date":
    case "timestamp":
    case "timestamp with time zone":
      return instantOf(text, base)?.text;
    case "inet":
      // Cast to text, an address has its mask always.
      return IPV4.test(text) ? `${text.replace("/32", "")}/32` : undefined;
    case "time":
      return timeOf(text, length);
    default:
      return spellings[name]?.test(text) ? text : undefined;
  }
}
