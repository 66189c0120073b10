// Between Postgres's own text forms (`::text` under the settings of session.ts) and the canonical JSON of the wire. What has
// no canonical form of its kind travels tagged, as the text that it is, so nothing is lost or guessed.
import { type FieldModel, GroveError, isIllFormed, isTooDeep, type Json, type ValueKind } from "@grove-crdt/core";
import { type ArrayValue, parseArray, printArray } from "./array";

/** What a conversion needs to know of a column or of an array's elements. */
export interface ValueType {
  readonly kind: ValueKind;
  readonly storage: string;
  readonly sqlType: string;
  readonly element?: ValueType;
}
type Column = ValueType & { readonly name: string };

const TAG = "$grove";
const tagged = (value: string): Json => ({ [TAG]: "text", value });
const isTagged = (value: Json): value is { readonly [TAG]: string; readonly value: string } =>
  typeof value === "object" && value !== null && !Array.isArray(value) && TAG in value;

const NOT_FINITE = new Set(["NaN", "Infinity", "-Infinity"]);
const WHOLE = /^-?\d+$/;

/** A value that is well-formed and that this column cannot hold: the row is kept out, not the change refused. */
export class UnfitValue extends Error {}

/** `2026-01-01 12:00:00.5+00`, a date alone, `infinity`, and years beyond four digits or before Christ. */
const TIMESTAMP = /^(\d{4,6})-(\d\d)-(\d\d)(?: (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(?:\+00)?)?( BC)?$/;

function parseTimestamp(text: string): Json {
  const match = TIMESTAMP.exec(text);
  if (!match) return text === "infinity" || text === "-infinity" ? text : tagged(text);
  const [, year = "", month, day, time = "00:00:00", fraction = "", bc] = match;
  return `${isoYear(Number(year), bc !== undefined)}-${month}-${day}T${time}.${fraction.padEnd(6, "0")}Z`;
}

/** ISO 8601 counts the year before 1 as 0, and writes a sign and six digits beyond 9999. */
function isoYear(year: number, bc: boolean): string {
  const iso = bc ? 1 - year : year;
  if (iso >= 0 && iso <= 9999) return String(iso).padStart(4, "0");
  return `${iso < 0 ? "-" : "+"}${String(Math.abs(iso)).padStart(6, "0")}`;
}

const ISO = /^([+-]?\d{4,6})-(\d\d-\d\d)T(\d\d:\d\d:\d\d(?:\.\d+)?)Z$/;

function printTimestamp(value: string): string | undefined {
  if (value === "infinity" || value === "-infinity") return value;
  const match = ISO.exec(value);
  if (!match) return undefined;
  const year = Number(match[1]);
  const shown = String(year > 0 ? year : 1 - year).padStart(4, "0");
  return `${shown}-${match[2]} ${match[3]}+00${year > 0 ? "" : " BC"}`;
}

/** Numbers with more digits than a double holds, which JSON.parse would round. */
const LONG_NUMBER = /\d{16}|\.\d{14}|\d[eE]/;
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** The digits of a decimal without leading and trailing zeros, and where the point stands. */
function decimal(text: string): string {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = whole + fraction;
  const significant = digits.replace(/^0+/, "").replace(/0+$/, "");
  if (significant === "") return "0";
  const scale = whole.length - (digits.length - digits.replace(/^0+/, "").length) + Number(exponent);
  return `${sign}${significant}e${scale}`;
}

function keepsNumbers(text: string): boolean {
  if (!LONG_NUMBER.test(text)) return true;
  for (const [token] of text.matchAll(TOKEN)) {
    if (token[0] !== '"' && decimal(token) !== decimal(String(Number(token)))) return false;
  }
  return true;
}

/** JSON's own null is not NULL, so it is tagged like what does not survive parsing. */
function parseJson(text: string, storage: string): Json {
  try {
    const value = JSON.parse(text) as Json;
    const exact = storage === "json" ? JSON.stringify(value) === text : keepsNumbers(text);
    return value !== null && exact && !isTooDeep(value) && !isTagged(value) ? value : tagged(text);
  } catch {
    return tagged(text);
  }
}

function parseElements(element: ValueType, values: ArrayValue): Json[] {
  return values.map((value) =>
    Array.isArray(value) ? parseElements(element, value) : toJson(element, value as never),
  );
}

const toBase64 = (hex: string) => Buffer.from(hex.slice(2), "hex").toString("base64");

/** The canonical JSON of a value in its text form. */
export function toJson(column: ValueType, text: string | null): Json {
  if (text === null || text === undefined) return null;
  switch (column.kind) {
    case "text":
    case "numeric":
      return text;
    case "integer":
      if (!WHOLE.test(text)) return tagged(text);
      return Number.isSafeInteger(Number(text)) ? Number(text) : text;
    case "real":
      // There is one zero on the wire.
      return NOT_FINITE.has(text) ? text : Number(text) + 0;
    case "boolean":
      return text === "true" || text === "t";
    case "timestamp":
      return parseTimestamp(text);
    case "bytes":
      return text.startsWith("\\x") ? toBase64(text) : tagged(text);
    case "json": {
      if (column.storage !== "array") return parseJson(text, column.storage);
      const values = column.element && parseArray(text);
      return values ? parseElements(column.element as ValueType, values) : tagged(text);
    }
  }
}

const bad = (column: Partial<Column>, value: Json) =>
  new GroveError(
    "bad_value",
    `${column.name ?? "An element"}: ${JSON.stringify(value)?.slice(0, 80)} is not a value of kind ${column.kind}.`,
    { details: { column: column.name, kind: column.kind } },
  );

const unfit = (column: Partial<Column>, value: Json) =>
  new UnfitValue(
    `${column.name ?? "An element"}: ${JSON.stringify(value)?.slice(0, 80)} does not fit ${column.sqlType}.`,
  );

function printElements(column: ValueType, value: readonly Json[]): ArrayValue {
  return value.map((item) =>
    Array.isArray(item) ? printElements(column, item) : fromJson(column.element as ValueType, item),
  );
}

/**
 * The text that casts to the column's type; null for NULL.
 *
 * @throws GroveError `bad_value` when the JSON is not of the column's kind
 * @throws UnfitValue when it is, and no column of this type can hold it
 */
export function fromJson(column: Partial<Column> & ValueType, value: Json): string | null {
  if (value === null) return null;
  const text = print(column, value);
  if (text === undefined) throw bad(column, value);
  if (text.includes("\0")) throw unfit(column, value);
  return text;
}

function print(column: Partial<Column> & ValueType, value: Json): string | undefined {
  if (isTagged(value)) {
    if (typeof value.value !== "string" || isIllFormed(value.value)) return undefined;
    if (value[TAG] !== "text" || column.kind === "bytes") throw unfit(column, value);
    return value.value;
  }
  switch (column.kind) {
    case "text":
      return typeof value === "string" && !isIllFormed(value) ? value : undefined;
    case "integer":
      if (typeof value === "number" && Number.isSafeInteger(value)) return String(value);
      return typeof value === "string" && WHOLE.test(value) ? value : undefined;
    case "numeric":
      return typeof value === "string" && (NOT_FINITE.has(value) || /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value))
        ? value
        : undefined;
    case "real":
      if (typeof value === "number" && Number.isFinite(value)) return String(value);
      return typeof value === "string" && NOT_FINITE.has(value) ? value : undefined;
    case "boolean":
      return typeof value === "boolean" ? String(value) : undefined;
    case "timestamp":
      return typeof value === "string" ? printTimestamp(value) : undefined;
    case "bytes":
      return typeof value === "string" && /^[A-Za-z0-9+/]*={0,2}$/.test(value)
        ? `\\x${Buffer.from(value, "base64").toString("hex")}`
        : undefined;
    case "json":
      if (column.storage !== "array") return JSON.stringify(value);
      if (!Array.isArray(value)) throw unfit(column, value);
      return printArray(printElements(column, value));
  }
}

/** The canonical value of a field: a counter is text whatever its size, a set is always an array. */
export function fieldToJson(field: FieldModel, text: string | null): Json {
  if (field.type === "counter") return text;
  const value = toJson(field, text);
  return field.type === "set" && !Array.isArray(value) ? [] : value;
}
