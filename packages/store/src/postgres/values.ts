// Between Postgres's own text forms (`::text` under the settings of session.ts) and the canonical JSON of the wire. What has
// no canonical form of its kind travels tagged, as the text that it is, so nothing is lost or guessed.
import {
  emptyOf,
  type FieldModel,
  isIllFormed,
  isNested,
  isTooDeep,
  type Json,
  nestedValue,
  parseSound,
  type ValueKind,
} from "@grove-crdt/core";
import {
  asTagged,
  ENDLESS,
  fromBase64,
  isDecimal,
  isoYear,
  isSound,
  looksTagged,
  malformed,
  NOT_FINITE,
  parseIso,
  parseWhole,
  plain,
  printWhole,
  type Tagged,
  tagged,
  tagOf,
  UnfitValue,
  unfit,
} from "../wire-value";
import { type ArrayValue, isRegular, parseArray, printArray } from "./array";
import { isSpelledAs, splitType } from "./spelling";

export { UnfitValue };

/** What a conversion needs to know of a column or of an array's elements. */
export interface ValueType {
  readonly kind: ValueKind;
  readonly storage: string;
  readonly sqlType: string;
  readonly element?: ValueType;
}
/** An element has no name, and a key's column no CRDT type. */
type Column = ValueType & Partial<Pick<FieldModel, "name" | "type">>;

const WHOLE = /^-?\d+$/;

/** `2026-01-01 12:00:00.5+00`, a date alone, `infinity`, and years beyond four digits or before Christ. */
const TIMESTAMP = /^(\d{4,6})-(\d\d)-(\d\d)(?: (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(?:\+00)?)?( BC)?$/;

function parseTimestamp(text: string): Json {
  const match = TIMESTAMP.exec(text);
  if (!match) return ENDLESS.has(text) ? text : tagged("text", text);
  const [, digits = "", month, day, time = "00:00:00", fraction = "", bc] = match;
  // ISO 8601 counts the year before 1 as 0.
  const year = bc === undefined ? Number(digits) : 1 - Number(digits);
  return `${isoYear(year)}-${month}-${day}T${time}.${fraction.padEnd(6, "0")}Z`;
}

function printTimestamp(value: string): string | undefined {
  if (ENDLESS.has(value)) return value;
  const moment = parseIso(value);
  if (!moment) return undefined;
  const { year, rest } = moment;
  const shown = String(year > 0 ? year : 1 - year).padStart(4, "0");
  return `${shown}-${rest.replace("T", " ").slice(0, -1)}+00${year > 0 ? "" : " BC"}`;
}

/** Numbers that JSON.parse might round, or print in another way. */
const UNUSUAL_NUMBER = /\d{16}|\.\d{14}|\d[eE]|\.\d*0(?!\d)/;
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Whether jsonb would print the numbers of the parsed value with these very digits. */
function keepsNumbers(text: string): boolean {
  if (!UNUSUAL_NUMBER.test(text)) return true;
  for (const [token] of text.matchAll(TOKEN)) {
    if (token[0] === '"') continue;
    const number = Number(token);
    if (!Number.isFinite(number) || plain(number) !== token) return false;
  }
  return true;
}

/** JSON's own null is not NULL, so it is tagged like what does not survive parsing. */
function parseJson(text: string, storage: string): Json {
  try {
    const value = JSON.parse(text) as Json;
    const exact = storage === "json" ? JSON.stringify(value) === text && isSound(value) : keepsNumbers(text);
    return value !== null && exact && !isTooDeep(value) && !looksTagged(value) ? value : tagged("text", text);
  } catch {
    return tagged("text", text);
  }
}

/** As many pairs of brackets as the type's name ends with. */
const depthOf = ({ sqlType }: ValueType): number =>
  (/(?:\[\d*\])*$/.exec(sqlType)?.[0].split("[").length as number) - 1;

/** The elements of an array of the declared depth. */
function parseElements({ element }: ValueType, values: ArrayValue, depth: number): Json[] {
  return values.map((value) =>
    depth > 1
      ? parseElements({ element } as ValueType, value as ArrayValue, depth - 1)
      : toJson(element as ValueType, value as string | null),
  );
}

function parseArrayText(column: ValueType, text: string): Json {
  const values = column.element && parseArray(text);
  const depth = depthOf(column);
  return values && isRegular(values, depth) && (depth > 1 || !values.some(Array.isArray))
    ? parseElements(column, values, depth)
    : tagged("text", text);
}

const hexToBase64 = (hex: string) => Buffer.from(hex.slice(2), "hex").toString("base64");

/** The canonical JSON of a value in its text form. */
export function toJson(column: ValueType, text: string | null): Json {
  if (text === null || text === undefined) return null;
  switch (column.kind) {
    case "text":
    case "numeric":
      return text;
    case "integer":
      return WHOLE.test(text) ? printWhole(text) : tagged("text", text);
    case "real":
      // There is one zero on the wire.
      return NOT_FINITE.has(text) ? text : Number(text) + 0;
    case "boolean":
      return text === "true" || text === "t";
    case "timestamp":
      return parseTimestamp(text);
    case "bytes":
      return text.startsWith("\\x") ? hexToBase64(text) : tagged("text", text);
    case "json":
      return column.storage === "array" ? parseArrayText(column, text) : parseJson(text, column.storage);
  }
}

/**
 * The text that casts to the column's type; null for NULL.
 *
 * @throws GroveError `bad_value` when the JSON is not of the column's kind, or spells a key otherwise than Postgres does
 * @throws UnfitValue when it is, and no column of this type can hold it
 */
export function fromJson(column: Column, value: Json): string | null {
  if (value === null) return null;
  const text = print(column, value);
  if (text === undefined) throw malformed(column, value);
  if (text.includes("\0")) throw unfit(column, value);
  // A key that came out different would be another row's.
  if (isKey(column) && !survives(column, value)) throw malformed(column, value, cureOf(column));
  return text;
}

const isKey = ({ name, type }: Column): boolean => name !== undefined && type === undefined;

const cureOf = ({ sqlType }: Column): string =>
  ` As a key it must be spelled as Postgres writes its ${sqlType}${sqlType === "uuid" ? ": in lower case, with hyphens" : ""}.`;

/** What SQLite kept as it was in a column of another kind. Few columns of Postgres can hold such values. */
function printTagged(column: Column, sent: Tagged): string | undefined {
  const [kind, json] = [tagOf(sent), column.kind === "json"];
  if (kind === column.kind) return undefined;
  const fits = json ? kind !== "number" : kind === "number" && column.kind === "numeric";
  const text = json && kind === "bytes" ? decodeText(sent.value) : sent.value;
  if (!fits || text === undefined) throw unfit(column, tagged(kind, sent.value));
  return text;
}

/** The text that bytes of JSON are. */
function decodeText(base64: string): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(fromBase64(base64));
  } catch {
    return undefined;
  }
}

function print(column: Column, value: Json): string | undefined {
  if (looksTagged(value)) {
    const sent = asTagged(value);
    return sent && printTagged(column, sent);
  }
  switch (column.kind) {
    case "text":
      return typeof value === "string" && !isIllFormed(value) ? value : undefined;
    case "integer":
      // A counter is text whatever its size.
      if (column.type === "counter") return typeof value === "string" && WHOLE.test(value) ? value : undefined;
      return parseWhole(value);
    case "numeric":
      return NOT_FINITE.has(value) || isDecimal(value) ? (value as string) : undefined;
    case "real":
      if (typeof value === "number") return Number.isFinite(value) ? String(value) : undefined;
      return NOT_FINITE.has(value) ? (value as string) : undefined;
    case "boolean":
      return typeof value === "boolean" ? String(value) : undefined;
    case "timestamp":
      return typeof value === "string" ? printTimestamp(value) : undefined;
    case "bytes": {
      const bytes = typeof value === "string" ? fromBase64(value) : undefined;
      return bytes && `\\x${bytes.toString("hex")}`;
    }
    case "json":
      if (!isSound(value)) return undefined;
      return column.storage === "array" ? printArrayText(column, value) : JSON.stringify(value);
  }
}

/** JSON of any shape is well-formed here: another node's column may hold it. */
function printArrayText(column: Column, value: Json): string {
  const depth = depthOf(column);
  if (!column.element || !Array.isArray(value) || !isRegular(value, depth)) throw unfit(column, value);
  const { element, type } = column;
  const item = (one: Json): string | null => {
    // Of a set, an element that came out different would be another element.
    if (type !== undefined && isNested(type) && !survives(element, one)) throw unfit(column, value);
    try {
      return fromJson(element, one);
    } catch {
      throw unfit(column, value);
    }
  };
  const items = (some: readonly Json[], deep: number): ArrayValue =>
    some.map((one) => (deep > 1 ? items(one as readonly Json[], deep - 1) : item(one)));
  return printArray(items(value, depth));
}

/** Whether a value certainly comes out of the column as it went in, or is refused. */
export function survives(column: Column, value: Json): boolean {
  if (value === null) return true;
  if (looksTagged(value)) return false;
  const { kind, sqlType } = column;
  const { name, modifiers } = splitType(sqlType);
  switch (kind) {
    case "text":
      // Spaces past a length are cut without a word, and the length is not known here; a key's are trusted.
      if (name === "varchar" && !isKey(column) && String(value).endsWith(" ")) return false;
      return typeof value === "string" && isSpelledAs(sqlType, value);
    case "numeric":
      return NOT_FINITE.has(value) || isDecimalOf(String(value), modifiers);
    case "real":
      return name === "double precision" || typeof value !== "number" || isSingle(value);
    case "timestamp":
      return ENDLESS.has(value) || fitsClock(name, modifiers, String(value));
    case "json": {
      if (column.storage !== "array") return true;
      const { element } = column;
      const each = (one: Json, deep: number): boolean =>
        deep === 0
          ? survives(element as ValueType, one)
          : Array.isArray(one) && one.every((item) => each(item, deep - 1));
      return each(value, depthOf(column));
    }
    default:
      return true;
  }
}

/** As Postgres writes it: with as many digits after the point as the type has, and one zero. */
function isDecimalOf(text: string, [precision, scale = 0]: readonly number[]): boolean {
  const match = /^-?(?:0|[1-9]\d*)(?:\.(\d+))?$/.exec(text);
  if (!match || /^-[0.]*$/.test(text)) return false;
  return precision === undefined || (match[1] ?? "").length === scale;
}

/** Six digits survive in four bytes. */
const isSingle = (value: number): boolean =>
  value === 0 || (Number(value.toPrecision(6)) === value && Math.abs(value) > 1.2e-38 && Math.abs(value) < 3.4e38);

function fitsClock(name: string, [precision = 6]: readonly number[], iso: string): boolean {
  return name === "date" ? iso.endsWith("T00:00:00.000000Z") : /^0*Z$/.test(iso.slice(iso.length - 7 + precision));
}

/** Whether every value does. */
export const isExact = ({ kind, storage, sqlType }: ValueType): boolean =>
  (kind === "text" && sqlType === "text") ||
  (kind === "timestamp" && /^timestamp(?: with time zone)?$/.test(sqlType)) ||
  (kind === "real" && sqlType === "double precision") ||
  (storage === "native" && ["integer", "boolean", "bytes"].includes(kind));

/** The canonical value of a field: a counter is text whatever its size, a set or a list is always an array, a document an object. */
export function fieldToJson(field: FieldModel, text: string | null): Json {
  if (field.type === "counter") return text;
  if (isNested(field.type)) return toNested(field, text);
  return toJson(field, text);
}

/** Elements are told apart as JSON, so their numbers are those of JSON. */
function toNested(field: FieldModel, text: string | null): Json {
  const { type, storage } = field;
  if (storage === "array") return nestedValue(type, toJson(field, text));
  try {
    return nestedValue(type, parseSound(text as string));
  } catch {
    return emptyOf(type);
  }
}
