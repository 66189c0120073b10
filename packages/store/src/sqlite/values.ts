// Between what SQLite stores and the canonical JSON of the wire. SQLite lets any column hold any storage class; what
// does not fit its column's kind travels tagged with its class, so nothing is lost or guessed. What SQLite has no number
// for (NaN, endless times) stands as text in its column.
import { type ColumnModel, isIllFormed, isTooDeep, type Json, sameValue } from "@grove-crdt/core";
import {
  asTagged,
  ENDLESS,
  fromBase64,
  isDecimal,
  isInt64,
  isSound,
  looksTagged,
  malformed,
  NOT_FINITE,
  parseIso,
  parseWhole,
  plain,
  printIso,
  printWhole,
  type Tagged,
  tagged,
  tagOf,
  toBase64,
  unfit,
} from "../wire-value";

const INTEGER_TEXT = /^(0|-?[1-9]\d*)$/;

function tagRaw(value: unknown): Json {
  if (typeof value === "string") return tagged("text", value);
  if (value instanceof Uint8Array) return tagged("bytes", toBase64(value));
  return tagged("number", typeof value === "bigint" ? String(value) : realToText(value as number));
}

/** An integer without a point; a real too large to be one keeps its point, so that it does not come back as one. */
const realToText = (value: number): string =>
  Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < 1e21 ? `${value}.0` : String(value);

/** An escape of half a surrogate pair, or something like it. */
const SURROGATE = /\\ud[89a-f]/i;

/** Text of JSON that survives parsing becomes JSON; other text, and JSON's null that is not NULL, travels as it stands. */
function parseJson(text: string): Json {
  if (text === "null") return tagged("text", text);
  try {
    const value = JSON.parse(text) as Json;
    const same = !isTooDeep(value) && JSON.stringify(value) === text && !looksTagged(value);
    return same && (!SURROGATE.test(text) || isSound(value)) ? value : tagged("text", text);
  } catch {
    return tagged("text", text);
  }
}

/** Bytes of JSON likewise. */
function parseJsonBytes(value: Uint8Array): Json {
  const text = Buffer.from(value).toString("utf8");
  const json = parseJson(text);
  return looksTagged(json) || !Buffer.from(text).equals(value) ? tagRaw(value) : json;
}

/** The digits of an integer of any size, in their only spelling. */
function parseDigits(value: Uint8Array): Json {
  const text = Buffer.from(value).toString("utf8");
  return INTEGER_TEXT.test(text) ? printWhole(text) : tagRaw(value);
}

function parseTime(value: unknown, factor: bigint): Json {
  if (ENDLESS.has(value as Json)) return value as Json;
  const whole = typeof value === "bigint" || Number.isInteger(value) ? BigInt(value as number | bigint) : undefined;
  return (whole === undefined ? undefined : printIso(whole * factor)) ?? tagRaw(value);
}

const factorOf = ({ storage }: ColumnModel): bigint => (storage === "seconds" ? 1000n : 1n);

/** The canonical JSON of a stored value. */
export function toJson(column: ColumnModel, value: unknown): Json {
  if (value === null || value === undefined) return null;
  switch (column.kind) {
    case "text":
      return typeof value === "string" ? value : tagRaw(value);
    case "integer":
      if (column.storage === "blob") return value instanceof Uint8Array ? parseDigits(value) : tagRaw(value);
      if (typeof value === "bigint") return String(value);
      return typeof value === "number" && Number.isSafeInteger(value) ? value : tagRaw(value);
    case "boolean":
      return value === 1 ? true : value === 0 ? false : tagRaw(value);
    case "timestamp":
      return parseTime(value, factorOf(column));
    case "real":
      if (typeof value === "number") return Number.isFinite(value) ? value + 0 : String(value);
      return typeof value === "bigint" ? Number(value) : value === "NaN" ? value : tagRaw(value);
    case "numeric":
      if (typeof value === "number" && Number.isFinite(value)) return plain(value + 0);
      if (typeof value === "bigint") return String(value);
      return NOT_FINITE.has(value as Json) ? (value as Json) : tagRaw(value);
    case "json":
      if (column.storage === "blob") return value instanceof Uint8Array ? parseJsonBytes(value) : tagRaw(value);
      return typeof value === "string" ? parseJson(value) : tagRaw(value);
    case "bytes":
      return value instanceof Uint8Array ? toBase64(value) : tagRaw(value);
  }
}

/** Text tagged in a text column, and bytes in one of bytes, would be a second form of a plain value. */
function printTagged(column: ColumnModel, sent: Tagged): unknown {
  const kind = tagOf(sent);
  if (kind === column.kind) return undefined;
  if (kind === "text") return sent.value;
  if (kind === "bytes") return fromBase64(sent.value);
  if (column.storage === "text") throw unfit(column, tagged(kind, sent.value));
  return isInt64(sent.value) ? BigInt(sent.value) : Number(sent.value);
}

/**
 * The stored value of a canonical JSON value.
 *
 * @throws GroveError `bad_value` when the JSON is not of the column's kind
 * @throws UnfitValue when it is, and this column cannot hold it
 */
export function fromJson(column: ColumnModel, value: Json): unknown {
  if (value === null) return null;
  const stored = print(column, value);
  if (stored === undefined) throw malformed(column, value);
  // A key that came out different would be another row's.
  if (isKey(column) && !survives(column, value)) throw malformed(column, value, cureOf(column));
  return stored;
}

/** What is no field is of a key. */
const isKey = (column: ColumnModel): boolean => !("type" in column);

const cureOf = ({ kind, storage }: ColumnModel): string =>
  kind === "timestamp" ? ` As a key here it must be in whole ${storage}.` : "";

function print(column: ColumnModel, value: Json): unknown {
  if (looksTagged(value)) {
    const sent = asTagged(value);
    return sent && printTagged(column, sent);
  }
  switch (column.kind) {
    case "text":
      return typeof value === "string" && !isIllFormed(value) ? value : undefined;
    case "integer": {
      const digits = parseWhole(value);
      if (digits === undefined) return undefined;
      if (column.storage === "blob") return Buffer.from(digits);
      if (typeof value === "number") return value;
      if (!isInt64(digits)) throw unfit(column, value);
      return BigInt(digits);
    }
    case "boolean":
      return typeof value === "boolean" ? Number(value) : undefined;
    case "timestamp": {
      if (ENDLESS.has(value)) return value;
      const moment = typeof value === "string" ? parseIso(value) : undefined;
      return moment && toSafe(floor(moment.milliseconds, factorOf(column)));
    }
    case "real":
      if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
      return value === "NaN" ? value : NOT_FINITE.has(value) ? Number(value) : undefined;
    case "numeric":
      if (NOT_FINITE.has(value)) return value;
      return isDecimal(value) ? toNumber(value) : undefined;
    case "json":
      if (!isSound(value)) return undefined;
      return column.storage === "blob" ? Buffer.from(JSON.stringify(value)) : JSON.stringify(value);
    case "bytes":
      return typeof value === "string" ? fromBase64(value) : undefined;
  }
}

/** A number where it says the same: how SQLite reads the digits of a text is its own affair. */
function toNumber(text: string): string | number | bigint {
  if (isInt64(text)) return toSafe(BigInt(text));
  return Number.isFinite(Number(text)) && plain(Number(text)) === text ? Number(text) : text;
}

const floor = (value: bigint, factor: bigint): bigint => (value - (((value % factor) + factor) % factor)) / factor;
const toSafe = (value: bigint): number | bigint => (Number.isSafeInteger(Number(value)) ? Number(value) : value);

/** Text that a column which prefers numbers turns into one. */
const NUMERIC_TEXT = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i;

/** Whether a value certainly comes out of the column as it went in. */
export function survives(column: ColumnModel, value: Json): boolean {
  const { kind, storage } = column;
  if (value === null) return true;
  if (looksTagged(value)) {
    if (value.$grove === "number") return storage === "blob";
    const converts = value.$grove === "text" && storage !== "text" && storage !== "blob";
    if (converts && NUMERIC_TEXT.test(String(value.value))) return false;
    // SQLite stores it as it is, and it is read as what it is.
    return sameValue(toJson(column, print(column, value)), value);
  }
  if (kind === "timestamp")
    return ENDLESS.has(value) || String(value).endsWith(storage === "seconds" ? ".000000Z" : "000Z");
  if (kind !== "numeric" || NOT_FINITE.has(value)) return true;
  const number = toNumber(String(value));
  return typeof number !== "string" && (typeof number === "bigint" ? String(number) : plain(number)) === value;
}

/** Whether every value does. */
export const isExact = ({ kind }: ColumnModel): boolean => kind === "text" || kind === "bytes";
