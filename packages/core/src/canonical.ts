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

/** Whether a value is nested deeper than {@link MAX_JSON_DEPTH}: looked up to there and no further, so no value is too deep for it. */
export function isTooDeep(value: unknown, depth = 0): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (depth === MAX_JSON_DEPTH) return true;
  if (Array.isArray(value)) {
    for (let n = 0; n < value.length; n++) if (isTooDeep(value[n], depth + 1)) return true;
    return false;
  }
  for (const key in value) if (isTooDeep((value as Record<string, unknown>)[key], depth + 1)) return true;
  return false;
}

/** Whether a text holds half a surrogate pair, which is no character and which no database stores. */
export const isIllFormed = (text: string): boolean => /\p{Surrogate}/u.test(text);

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

/** Orders two values by their canonical bytes: the tie-break of equal stamps. */
export function compareValues(a: Json, b: Json): number {
  return a === b ? 0 : compareBytes(canonicalize(a), canonicalize(b));
}
