// Between what SQLite stores and the canonical JSON of the wire. SQLite lets any column hold any storage class; what
// does not fit its column's kind travels tagged with its class, so nothing is lost or guessed.
import { type ColumnModel, GroveError, isIllFormed, isTooDeep, type Json } from "@grove-crdt/core";

const TAG = "$grove";
const tagged = (kind: "text" | "number" | "bytes", value: string): Json => ({ [TAG]: kind, value });
const isTagged = (value: Json): value is { readonly [TAG]: string; readonly value: string } =>
  typeof value === "object" && value !== null && !Array.isArray(value) && TAG in value;

const INTEGER = /^-?\d{1,19}$/;
const INTEGER_TEXT = /^(0|-?[1-9]\d*)$/;
const isInt64 = (text: string): boolean => INTEGER.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);

function tagRaw(value: unknown): Json {
  if (typeof value === "string") return tagged("text", value);
  if (value instanceof Uint8Array) return tagged("bytes", toBase64(value));
  return tagged("number", typeof value === "bigint" ? String(value) : realToText(value as number));
}

/** An integer without a point; a real too large to be one keeps its point, so that it does not come back as one. */
const realToText = (value: number): string =>
  Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < 1e21 ? `${value}.0` : String(value);
const toBase64 = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
const fromBase64 = (text: string) => Buffer.from(text, "base64");

/** Text of JSON that survives parsing becomes JSON; other text, and JSON's null that is not NULL, travels as it stands. */
function parseJson(text: string): Json {
  if (text === "null") return tagged("text", text);
  try {
    const value = JSON.parse(text) as Json;
    const asItIs = !isTooDeep(value) && JSON.stringify(value) === text && !isTagged(value);
    return asItIs ? value : tagged("text", text);
  } catch {
    return tagged("text", text);
  }
}

/** Bytes of JSON likewise. */
function parseJsonBytes(value: Uint8Array): Json {
  const text = Buffer.from(value).toString("utf8");
  const json = parseJson(text);
  return isTagged(json) || !Buffer.from(text).equals(value) ? tagRaw(value) : json;
}

/** The digits of an integer of any size, in their only spelling. */
function parseDigits(value: Uint8Array): Json {
  const text = Buffer.from(value).toString("utf8");
  if (!INTEGER_TEXT.test(text)) return tagRaw(value);
  return Number.isSafeInteger(Number(text)) ? Number(text) : text;
}

/** ISO 8601 in UTC with microseconds, or undefined when the number is no date. */
function toIso(milliseconds: number): string | undefined {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString().replace("Z", "000Z");
}

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
    case "timestamp": {
      const factor = column.storage === "seconds" ? 1000 : 1;
      const iso = typeof value === "number" && Number.isInteger(value) ? toIso(value * factor) : undefined;
      return iso ?? tagRaw(value);
    }
    case "real":
      if (typeof value !== "number") return tagRaw(value);
      return Number.isFinite(value) ? value : String(value);
    case "numeric":
      return (typeof value === "number" && Number.isFinite(value)) || typeof value === "bigint"
        ? String(value)
        : tagRaw(value);
    case "json":
      if (column.storage === "blob") return value instanceof Uint8Array ? parseJsonBytes(value) : tagRaw(value);
      return typeof value === "string" ? parseJson(value) : tagRaw(value);
    case "bytes":
      return value instanceof Uint8Array ? toBase64(value) : tagRaw(value);
  }
}

const bad = (column: ColumnModel, value: Json) =>
  new GroveError(
    "bad_value",
    `${column.name}: ${JSON.stringify(value)?.slice(0, 80)} is not a value of kind ${column.kind}.`,
    {
      details: { column: column.name, kind: column.kind },
    },
  );

function fromTagged(
  column: ColumnModel,
  { [TAG]: kind, value }: { readonly [TAG]: string; readonly value: string },
): unknown {
  if (typeof value !== "string" || isIllFormed(value)) throw bad(column, { [TAG]: kind, value });
  if (kind === "text") return value;
  if (kind === "bytes") return fromBase64(value);
  if (kind === "number" && isInt64(value)) return BigInt(value);
  if (kind === "number" && !INTEGER.test(value) && !Number.isNaN(Number(value))) return Number(value);
  throw bad(column, { [TAG]: kind, value });
}

/**
 * The stored value of a canonical JSON value.
 *
 * @throws GroveError `bad_value` when the JSON is not of the column's kind
 */
export function fromJson(column: ColumnModel, value: Json): unknown {
  if (value === null) return null;
  if (isTagged(value)) return fromTagged(column, value);
  switch (column.kind) {
    case "text":
      if (typeof value === "string" && !isIllFormed(value)) return value;
      break;
    case "integer":
      if (column.storage === "blob") {
        if (Number.isSafeInteger(value) || (typeof value === "string" && INTEGER_TEXT.test(value)))
          return Buffer.from(String(value));
        break;
      }
      if (typeof value === "number" && Number.isSafeInteger(value)) return value;
      if (typeof value === "string" && isInt64(value)) return BigInt(value);
      break;
    case "boolean":
      if (typeof value === "boolean") return value ? 1 : 0;
      break;
    case "timestamp": {
      const time = typeof value === "string" ? Date.parse(value) : Number.NaN;
      if (!Number.isNaN(time)) return column.storage === "seconds" ? Math.floor(time / 1000) : time;
      break;
    }
    case "real":
      if (typeof value === "number") return value;
      if (value === "Infinity" || value === "-Infinity") return Number(value);
      break;
    case "numeric":
      if (typeof value === "string" && /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value)) return value;
      break;
    case "json":
      return column.storage === "blob" ? Buffer.from(JSON.stringify(value)) : JSON.stringify(value);
    case "bytes":
      if (typeof value === "string" && /^[A-Za-z0-9+/]*={0,2}$/.test(value)) return fromBase64(value);
      break;
  }
  throw bad(column, value);
}
