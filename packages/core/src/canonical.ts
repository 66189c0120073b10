// Canonical JSON (RFC 8785): one value has one text, in every dialect and language. Identity of set elements and
// the order of equal stamps rest on it.
import canonicalizeObject from "canonicalize";
import type { Json } from "./model";

/** The RFC 8785 text of a JSON value. */
export function canonicalize(value: Json): string {
  return typeof value === "object" && value !== null ? (canonicalizeObject(value) as string) : JSON.stringify(value);
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

/** Orders two values by their canonical bytes: the tie-break of equal stamps. */
export function compareValues(a: Json, b: Json): number {
  return a === b ? 0 : compareBytes(canonicalize(a), canonicalize(b));
}
