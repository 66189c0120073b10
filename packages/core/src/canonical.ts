// Canonical JSON (RFC 8785): one value has one text, in every dialect and language. Identity of set elements and
// the order of equal stamps rest on it.
import canonicalizeObject from "canonicalize";
import type { Json } from "./model";

/** The RFC 8785 text of a JSON value. */
export function canonicalize(value: Json): string {
  return typeof value === "object" && value !== null ? (canonicalizeObject(value) as string) : JSON.stringify(value);
}

/** Deepest nesting of arrays and objects that a value may have: as deep as SQLite's own JSON functions go. */
export const MAX_JSON_DEPTH = 1000;

/** Whether a value is nested deeper than so many levels: looked up to there and no further, so no value is too deep for it. */
export function isTooDeep(value: unknown, depth = 0, most = MAX_JSON_DEPTH): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (depth === most) return true;
  if (Array.isArray(value)) {
    for (let n = 0; n < value.length; n++) if (isTooDeep(value[n], depth + 1, most)) return true;
    return false;
  }
  for (const key in value) if (isTooDeep((value as Record<string, unknown>)[key], depth + 1, most)) return true;
  return false;
}

/** Whether every number in a value is one of a double: JSON.parse makes infinity of 1e400, and the next to print it null. */
export function isMeasurable(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  if (Array.isArray(value)) return value.every(isMeasurable);
  for (const key in value) if (!isMeasurable((value as Record<string, unknown>)[key])) return false;
  return true;
}

/** Built in since 2023, and many times faster than the pattern: it is asked of every text that comes in. */
const { isWellFormed } = String.prototype as { isWellFormed?: (this: string) => boolean };

/** Whether a text holds half a surrogate pair, which is no character and which no database stores. */
export const isIllFormed: (text: string) => boolean = isWellFormed
  ? (text) => !isWellFormed.call(text)
  : (text) => /\p{Surrogate}/u.test(text);

/** What a text of JSON has in it where it may hold a number that is none of a double, or half a surrogate pair. */
const ODD = /\\u[dD][89a-fA-F]|[eE]\+?\d{3}|\d{309}/;

const toWellFormed = (text: string): string => (isIllFormed(text) ? text.replace(/\p{Surrogate}/gu, "\ufffd") : text);

/** The value itself, or one in which null stands for numbers that no double holds, and U+FFFD for half a surrogate pair. */
function makeSound(value: Json): Json {
  if (typeof value === "string") return toWellFormed(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map(makeSound);
    return items.every((item, n) => item === value[n]) ? value : items;
  }
  const members = Object.entries(value).map(([name, own]): [string, Json, boolean] => {
    const [soundName, sound] = [toWellFormed(name), makeSound(own)];
    return [soundName, sound, soundName === name && sound === own];
  });
  return members.every(([, , same]) => same) ? value : Object.fromEntries(members);
}

/** Parses JSON as databases hold it: they take numbers and texts that other databases do not, and JSON cannot say again. */
export function parseSound(text: string): Json {
  const value = JSON.parse(text) as Json;
  return ODD.test(text) ? makeSound(value) : value;
}

/** Whether {@link parseSound} gives what the text says. */
export function isSound(text: string): boolean {
  if (!ODD.test(text)) return true;
  const value = JSON.parse(text) as Json;
  return makeSound(value) === value;
}

/** What JSON.stringify writes with a backslash. */
const ESCAPED = /["\\\p{Cc}\p{Surrogate}]/u;

/** `JSON.stringify(value).length` in half the time: no text is made. Properties that are undefined count as absent. */
export function jsonLength(value: unknown): number {
  if (typeof value === "string") return ESCAPED.test(value) ? JSON.stringify(value).length : value.length + 2;
  if (typeof value === "number") return numberLength(value);
  if (typeof value !== "object" || value === null) return String(value).length;
  let length = 1;
  if (Array.isArray(value)) {
    for (let n = 0; n < value.length; n++) length += jsonLength(value[n]) + 1;
  } else {
    for (const key of Object.keys(value)) {
      const item = (value as Record<string, unknown>)[key];
      if (item !== undefined) length += jsonLength(key) + jsonLength(item) + 2;
    }
  }
  return Math.max(length, 2);
}

function numberLength(value: number): number {
  if (!Number.isSafeInteger(value)) return String(value).length;
  const positive = Math.abs(value);
  let digits = 1;
  for (let bound = 10; bound <= positive; bound *= 10) digits++;
  return value < 0 ? digits + 1 : digits;
}

/** Orders two texts by their UTF-8 bytes (which is the order of their code points). */
export function compareBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // Surrogates stand for code points above U+FFFF but sort below U+E000 as code units.
    const xs = x >= 0xd800 && x <= 0xdfff;
    const ys = y >= 0xd800 && y <= 0xdfff;
    return xs === ys ? x - y : xs ? 1 : -1;
  }
  return a.length - b.length;
}

/** Whether two values are one, that is, have the same canonical text. */
export function sameValue(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object") return false;
  if (Array.isArray(a) && Array.isArray(b) && a.length !== b.length) return false;
  return canonicalize(a) === canonicalize(b);
}

/** Orders two values by their canonical bytes: the tie-break of equal stamps. */
export function compareValues(a: Json, b: Json): number {
  return a === b ? 0 : compareBytes(canonicalize(a), canonicalize(b));
}
